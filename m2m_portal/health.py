"""Health for load balancers and monitors, answered before anything else looks at the request.

`/health/live/` says that the process answers. `/health/` says whether to send people here: it writes one row, for a
database that is full or read-only answers every SELECT. A probe comes by address and without TLS, so neither
ALLOWED_HOSTS nor the redirect to HTTPS may stand before it. Anybody may ask; the database is asked once in a while.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.core.cache import cache
from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from redis.exceptions import RedisError

from accounts.models import HealthProbe
from audit.away import RETRY_AFTER_SECONDS

KEEP_SECONDS = 1.0
LIVE, READY = "/health/live/", "/health/"


class HealthMiddleware:
    """The first of all; everything that is not a probe goes on untouched."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if request.path_info not in (LIVE, READY):
            return self.get_response(request)
        return self._async(request) if iscoroutinefunction(self) else _answer(request)

    async def _async(self, request: HttpRequest) -> HttpResponseBase:
        return await sync_to_async(_answer)(request)


def _answer(request: HttpRequest) -> JsonResponse:
    if request.path_info == LIVE:
        return _unkept(JsonResponse({"status": "ok"}))
    state = _kept.state()
    is_ready = state["database"] == "ok"
    status = "ok" if set(state.values()) == {"ok"} else "degraded" if is_ready else state["database"]
    response = JsonResponse({"status": status, **state}, status=200 if is_ready else 503)
    if not is_ready:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return _unkept(response)


def _unkept(response: JsonResponse) -> JsonResponse:
    response.headers["Cache-Control"] = "no-store"
    return response


def look() -> dict[str, str]:
    """Asks the database to write and the cache to answer, now."""
    return {"database": _database(), "cache": _cache()}


def _database() -> str:
    try:
        HealthProbe.objects.update_or_create(pk=1, defaults={"at": timezone.now()})
    except DatabaseError:
        return "database cannot be written"
    return "ok"


def _cache() -> str:
    try:
        cache.get("health")
    except (RedisError, OSError):
        return "cache unreachable"
    return "ok"


class _Kept:
    """What was seen lately, so that asking often costs the database nothing; one thread looks at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: tuple[float, dict[str, str]] | None = None

    def state(self) -> dict[str, str]:
        with self._lock:
            now = time.monotonic()
            if self._seen is None or now - self._seen[0] >= KEEP_SECONDS:
                self._seen = (now, look())
            return self._seen[1]

    def forget(self) -> None:
        self._seen = None


_kept = _Kept()
forget = _kept.forget
