"""Which pages may open a WebSocket: those of this site, port included."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from m2m_portal.origins import SameOrigin, is_ours


@pytest.fixture(autouse=True)
def site(settings: object) -> None:
    settings.PUBLIC_URL = "https://m2m.example.net"
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost", "m2m.example.net", "[::1]"]


@pytest.mark.parametrize(
    ("origin", "host", "is_secure", "expected"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1:8000", False, True),
        ("http://localhost:8000", "localhost:8000", False, True),
        ("http://[::1]:8000", "[::1]:8000", False, True),
        ("http://LOCALHOST:8000", "localhost:8000", False, True),
        ("https://m2m.example.net", "m2m.example.net", True, True),
        ("https://m2m.example.net:443", "m2m.example.net", True, True),
        (
            "https://m2m.example.net",
            "10.0.0.7:8000",
            False,
            True,
        ),  # a proxy that keeps neither host nor scheme
        ("http://127.0.0.1:9", "127.0.0.1:8000", False, False),
        ("http://127.0.0.1", "127.0.0.1:8000", False, False),
        ("http://localhost:8000", "127.0.0.1:8000", False, False),
        ("http://m2m.example.net", "m2m.example.net", True, False),
        ("https://m2m.example.net:8443", "m2m.example.net", True, False),
        ("https://127.0.0.1:8000", "127.0.0.1:8000", False, False),
        ("http://evil.example", "evil.example", False, False),
        ("https://m2m.example.net.evil.example", "m2m.example.net", True, False),
        ("http://user@127.0.0.1:8000", "127.0.0.1:8000", False, False),
        ("http://127.0.0.1:port", "127.0.0.1:8000", False, False),
        ("http://127.0.0.1:99999", "127.0.0.1:8000", False, False),
        ("http://[::1", "[::1]:8000", False, False),
        ("file://", "127.0.0.1:8000", False, False),
        ("null", "127.0.0.1:8000", False, False),
        ("", "127.0.0.1:8000", False, False),
    ],
)
def test_an_origin_is_scheme_host_and_port(origin: str, host: str, is_secure: bool, expected: bool) -> None:
    assert is_ours(origin, host, is_secure=is_secure) is expected


@pytest.mark.parametrize(
    ("proxied", "origin", "reached"),
    [
        ("https", "https://127.0.0.1", True),
        ("https", "http://127.0.0.1", False),
        ("http", "http://127.0.0.1", True),
    ],
)
def test_the_scheme_is_told_as_django_tells_it(
    settings: object, proxied: str, origin: str, reached: bool
) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    seen: list[str] = []
    sent: list[dict[str, Any]] = []

    async def inner(scope: object, receive: object, send: object) -> None:
        seen.append("reached")

    coming = [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1006}]

    async def receive() -> dict[str, Any]:
        return coming.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    headers = [
        (b"origin", origin.encode()),
        (b"host", b"127.0.0.1"),
        (b"x-forwarded-proto", proxied.encode()),
    ]
    scope = {"type": "websocket", "scheme": "ws", "headers": headers}
    asyncio.run(SameOrigin(inner)(scope, receive, send))
    assert bool(seen) is reached
    assert reached or [message["type"] for message in sent] == ["websocket.close"]
