"""The live board's page: draws once what its WebSocket keeps fresh."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext

from backoffice.board import listing, parts
from devices.inventory.states import Provisioning


def board_view(model_admin: Any, request: HttpRequest) -> TemplateResponse:
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    query = listing.Query.parse(request.META.get("QUERY_STRING", ""))
    context = {
        **model_admin.admin_site.each_context(request),
        **parts.context(request.user, query, timezone.now()),
        "title": gettext("Live board"),
        "is_nav_sidebar_enabled": False,  # the table needs the width
        "opts": model_admin.opts,
        "operators": listing.operators(request.user),
        "provisionings": Provisioning.choices,
        "socket": f"/ws/board/{query.here}",
    }
    return TemplateResponse(request, "backoffice/board/board.html", context)
