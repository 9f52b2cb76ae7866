"""A device of any name is reached at every one of its addresses, and never answers for another."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote, unquote

import pytest
from asgiref.sync import sync_to_async
from django.core.asgi import get_asgi_application
from django.db import connections
from django.urls import get_resolver, resolve, reverse
from knox.models import AuthToken

from accounts.roles import Role
from api.endpoint_paths import PREFIX
from devices.operations.services import operations

TAILS = sorted(
    {
        str(one.pattern).removeprefix("devices/<endpoint:endpoint>/").rstrip("/")
        for include in get_resolver().url_patterns
        if str(include.pattern) == "api/v1/"
        for one in include.url_patterns
        if str(one.pattern).startswith("devices/<endpoint:endpoint>/")
    }
    - {""}
)
FILLED = [tail.replace("<int:pk>", "1").replace("<resource:path>", "3/0/9") for tail in TAILS]
NAMES = [
    "urn:imei:490154203237518", "a/b", "a/b/c", "/a", "a/", "//", "100%", "%2F", "a%2Fb", "x?y", "x#y", "x;y=1",
    "x&y", "x+y", "naïve-Zähler", "计量", "x\\y", "x.json", "timeline", "commands/1", *(f"x/{tail}" for tail in FILLED),
]  # fmt: skip


def test_the_table_of_addresses_is_not_empty() -> None:
    assert {"timeline", "trace", "commands", "commands/<int:pk>/cancel", "end-devices/take"} <= set(TAILS)


async def _get(path: str, token: str) -> tuple[int, Any]:
    """As uvicorn calls us: the path decoded, and as it was sent."""
    sent: list[dict[str, Any]] = []
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": unquote(path.partition("?")[0]), "raw_path": path.partition("?")[0].encode(),
        "query_string": path.partition("?")[2].encode(), "root_path": "", "client": ("192.0.2.1", 1),
        "server": ("127.0.0.1", 8000),
        "headers": [(b"host", b"127.0.0.1"), (b"authorization", f"Token {token}".encode())],
    }  # fmt: skip
    body = asyncio.Queue()  # type: ignore[var-annotated]
    await body.put({"type": "http.request", "body": b"", "more_body": False})

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await get_asgi_application()(scope, body.get, send)
    whole = b"".join(message.get("body", b"") for message in sent)
    return sent[0]["status"], json.loads(whole or b"null")


@pytest.fixture
def token(member: Any, north: Any) -> str:
    return AuthToken.objects.create(user=member(Role.ADMINISTRATOR, north))[1]


def _play(coroutine: Any) -> Any:
    async def scene() -> Any:
        try:
            return await coroutine
        finally:
            await sync_to_async(connections.close_all)()

    return asyncio.run(scene())


@pytest.mark.urls("m2m_portal.urls")
@pytest.mark.django_db(transaction=True)
def test_every_name_is_reached_and_nobody_elses_is(device: Any, token: str) -> None:
    """All of them at once, `x` and `x/timeline` too: each address leads to its own device."""
    for name in ("x", "a", *NAMES):
        device(name)

    async def scene() -> list[str]:
        wrong = []
        for name in ("x", "a", *NAMES):
            at = f"{PREFIX}{quote(name, safe='')}/"
            status, body = await _get(at, token)
            if (status, (body or {}).get("endpoint")) != (200, name):
                wrong.append(f"{name}: {status}")
            for tail in ("timeline", "commands"):
                status, body = await _get(f"{at}{tail}/", token)
                if status != 200 or "results" not in body:
                    wrong.append(f"{name} {tail}: {status}")
        return wrong

    assert _play(scene()) == []


@pytest.mark.urls("m2m_portal.urls")
@pytest.mark.django_db(transaction=True)
def test_a_link_to_the_next_page_keeps_the_name(device: Any, token: str, north: Any) -> None:
    one = device("x/commands")
    for number in range(3):
        operations.request(device=one, operation="read", path=f"/3/0/{number}", requested_by="test")

    async def scene() -> tuple[int, Any]:
        _, first = await _get(f"{PREFIX}x%2Fcommands/commands/?page_size=2", token)
        return await _get(first["next"].removeprefix("http://127.0.0.1"), token)

    status, second = _play(scene())
    assert (status, len(second["results"])) == (200, 1)


@pytest.mark.parametrize("name", NAMES)
def test_an_address_that_we_write_leads_to_its_device(name: str) -> None:
    found = resolve(
        unquote(reverse("device-commands", urlconf="m2m_portal.urls", args=[name])), "m2m_portal.urls"
    )
    assert (found.url_name, found.kwargs) == ("device-commands", {"endpoint": name})


def test_every_address_of_a_device_takes_it_as_one_segment() -> None:
    for include in get_resolver("m2m_portal.urls").url_patterns:
        for one in getattr(include, "url_patterns", ()):
            route = str(one.pattern)
            if "endpoint:" in route and route.startswith("devices/"):
                assert route.startswith("devices/<endpoint:endpoint>/"), route
