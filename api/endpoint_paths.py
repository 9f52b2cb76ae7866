"""A device's place in a REST address is one segment of it, whatever its name holds (RFC 3986 section 3.3).

A name may hold "/", and it may end like one of our own addresses: `x/timeline` is written `x%2Ftimeline`. Django
resolves addresses after decoding, where that cannot be told from the timeline of `x` any more; so the segment is taken
from the address as it was sent, and its slashes travel to the routes as `SLASH`, which no name holds. Every route
under `devices/` says `<endpoint:endpoint>`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from devices.inventory.models import Device

PREFIX = "/api/v1/devices/"
SLASH = "\x1f"  # a control character, which `inventory` refuses in names


class EndpointConverter:
    """`<endpoint:endpoint>` in a route."""

    regex = "[^/]+"

    def to_python(self, value: str) -> str:
        return value.replace(SLASH, "/")

    def to_url(self, value: str) -> str:
        return value.replace("/", SLASH)


class ResourceConverter:
    """`<resource:path>` in a route: of a resource or a resource instance, such as 3/0/9."""

    regex = r"[0-9]{1,5}(?:/[0-9]{1,5}){2,3}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class EndpointPathMiddleware:
    """Rewrites the path before it is resolved; links to further pages are written with `SLASH` and lead back here."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if request.path_info.startswith(PREFIX):
            rest = request.path_info.removeprefix(PREFIX)
            name = _segment(request) or (rest.split("/")[0] if iscoroutinefunction(self) else _known(rest))
            if "/" in name and rest.startswith(name):
                routed = PREFIX + name.replace("/", SLASH) + rest.removeprefix(name)
                request.path = request.path.removesuffix(request.path_info) + routed
                request.path_info = routed
        return self.get_response(request)


def _segment(request: HttpRequest) -> str:
    """The name as it was sent; "" where the server does not say how the address was written."""
    raw = getattr(request, "scope", {}).get("raw_path") or b""
    _, found, rest = raw.partition(PREFIX.encode())
    return unquote(rest.split(b"/")[0]) if found else ""


def _known(rest: str) -> str:
    """Without the address as it was sent: the longest name that is a device's, else the first segment."""
    parts = rest.removesuffix("/").split("/")
    names = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    if len(names) == 1:
        return names[0]
    known = Device.objects.filter(endpoint__in=names).values_list("endpoint", flat=True).distinct()
    return max(known, key=len, default=names[0])
