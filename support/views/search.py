"""The desk's first question: which device?"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET

from support.access import desk, operator_ids
from support.drawing import draw
from support.selectors import devices, knocks, page


@desk
@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """One device found: straight to it. None: perhaps it knocks and nobody added it."""
    text = request.GET.get("q", "").strip()[:255]
    allowed = operator_ids(request.user)
    found = devices.search(text, allowed) if text else []
    if len(found) == 1:
        return redirect("support-device", device_id=found[0].pk)
    now = timezone.now()
    return draw(
        request,
        "support/search.html",
        {
            "text": text,
            "rows": page.rows(found[: devices.LIMIT], now),
            "is_cut": len(found) > devices.LIMIT,
            "limit": devices.LIMIT,
            "knocks": knocks.of_nobody(text) if text and not found else [],
            "section": "support",
        },
    )
