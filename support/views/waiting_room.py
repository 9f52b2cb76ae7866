"""Who knocks and is not let in."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from support.access import desk, operator_ids
from support.drawing import draw
from support.selectors import knocks


@desk
@require_GET
def waiting_room(request: HttpRequest) -> HttpResponse:
    allowed = operator_ids(request.user)
    text = request.GET.get("q", "").strip()[:255]
    cause = request.GET.get("cause", "")[:40]
    rows = Paginator(knocks.waiting(allowed, text=text, cause=cause), 50)
    found = rows.get_page(request.GET.get("page"))
    return draw(
        request,
        "support/waiting_room.html",
        {
            "rows": knocks.seen(found),
            "found": found,
            "text": text,
            "cause": cause,
            "causes": knocks.causes(allowed),
            "sees_all": allowed is None,
            "unseen": 0 if found.object_list else knocks.unseen(allowed),
            "section": "waiting-room",
        },
    )
