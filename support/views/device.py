"""Everything about one device on one page, live."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from support.access import desk, operator_ids
from support.drawing import draw
from support.selectors import devices, page, timeline


@desk
@require_GET
def device(request: HttpRequest, device_id: int) -> HttpResponse:
    allowed = operator_ids(request.user)
    row = devices.get(device_id, allowed)
    filters = timeline.Filters.read(request.GET)
    return draw(
        request,
        "support/device.html",
        {
            **page.context(row, allowed, filters, timezone.now()),
            "section": "support",
        },
    )
