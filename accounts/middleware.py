"""Pages are written in the time zone of whoever reads them; REST answers keep that of the portal, with its offset."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from live import readers

PROGRAMS = "/api/"


class TimeZoneMiddleware:
    """After the one that knows who asks."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(PROGRAMS):
            return self.get_response(request)
        with timezone.override(readers.zone_of(request.user)):
            return self.get_response(request)
