"""Gives every HTTP request its id and tells the ledger who asks and from where."""

import ipaddress
import re
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from audit.context import Actor, context, user_actor

_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")


class AuditMiddleware:
    """The user is looked up when an event is recorded, not before: a token is read only inside the view.

    `request.impersonator`, where a view or middleware sets it, is who looks through the user's eyes.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self._is_async:
            return self._answer_async(request)
        with _context(request) as request_id:
            answer: HttpResponseBase = self.get_response(request)
            return _marked(answer, request_id)

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        with _context(request) as request_id:
            return _marked(await self.get_response(request), request_id)


def client_address(request: HttpRequest) -> str:
    """The peer's address, or what the outermost of `TRUSTED_PROXY_COUNT` proxies of ours says it was."""
    address = request.META.get("REMOTE_ADDR") or ""
    proxies = getattr(settings, "TRUSTED_PROXY_COUNT", 0)
    forwarded = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    if 0 < proxies <= len(forwarded):
        address = forwarded[-proxies]
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return ""


def client_source(request: HttpRequest) -> str:
    """Whom a limit counts: the client's address, or its /64 where it is IPv6, for one customer holds them all."""
    address = client_address(request)
    if ":" in address:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return address or "unknown"


@contextmanager
def _context(request: HttpRequest) -> Iterator[str]:
    given = request.META.get("HTTP_X_REQUEST_ID", "")
    request_id = given if _REQUEST_ID.fullmatch(given) else str(uuid.uuid4())
    request.request_id = request_id  # type: ignore[attr-defined]  # for logs and error pages

    def impersonator() -> Actor | None:
        person = getattr(request, "impersonator", None)
        return None if person is None else user_actor(person)

    with context(
        actor=lambda: user_actor(getattr(request, "user", None)),
        impersonator=impersonator,
        address=client_address(request),
        request_id=request_id,
    ):
        yield request_id


def _marked(response: HttpResponseBase, request_id: str) -> HttpResponseBase:
    response.headers["X-Request-Id"] = request_id
    return response
