"""Lets a browser open a WebSocket only from a page of this very site: scheme, host and port.

A page of another port of the same host is another program's (RFC 6454 section 4); its scripts would come with our
cookies.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.http.request import split_domain_port, validate_host

_PORTS = {"http": 80, "https": 443}


class SameOrigin:
    """ASGI around the routes of the sockets; who is refused gets 403 before anything is accepted."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        headers = {name.lower(): value.decode("latin1") for name, value in scope.get("headers", ())}
        if is_ours(
            headers.get(b"origin", ""), headers.get(b"host", ""), is_secure=_is_secure(scope, headers)
        ):
            return await self.application(scope, receive, send)
        return await WebsocketDenier()(scope, receive, send)


def is_ours(origin: str, host: str, *, is_secure: bool) -> bool:
    """Whether a page of `origin` is of the site that the request's Host header names, or of PUBLIC_URL."""
    asked = _place(origin)
    if asked is None:
        return False
    if asked == _place(settings.PUBLIC_URL):
        return True
    if not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
        return False
    return asked == _place(f"{'https' if is_secure else 'http'}://{host}")


def _place(url: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or parts.username is not None:
        return None
    return parts.scheme, parts.hostname, port


def _is_secure(scope: dict[str, Any], headers: dict[bytes, str]) -> bool:
    """As Django tells it for pages: by the line itself, or by the header of our proxy."""
    if scope.get("scheme") == "wss":
        return True
    said = getattr(settings, "SECURE_PROXY_SSL_HEADER", None)
    if not said:
        return False
    name, value = said
    header = name.removeprefix("HTTP_").replace("_", "-").lower().encode()
    return headers.get(header, "").split(",")[0].strip() == value
