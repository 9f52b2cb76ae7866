"""What the portal could not mend by itself and handed to the desk."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.scoping.paging import KeyedPaginator
from provisioning.selectors import handed_over as handed
from support.access import desk, operator_ids
from support.drawing import draw

PAGE = 50


@desk
@require_GET
def handed_over(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    rows = handed.lasting(operator_ids(request.user)).select_related(
        "operator", "device", "device__subscriber__user"
    )
    found = KeyedPaginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {"rows": [handed.told(one, now) for one in found], "found": found, "section": "handed-over"}
    return draw(request, "support/handed_over.html", context)
