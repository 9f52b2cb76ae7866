"""The database (or Redis) is away, full or read-only: every door says 503 and when to come back, never 500.

What a device sends has its own answer (5.03, `southbound`); this is for pages and REST.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from django.db import Error, InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import loader
from django.utils.deprecation import MiddlewareMixin
from redis.exceptions import ConnectionError as RedisAway

from audit import causes

CODE = "PORTAL_STORE_AWAY"
RETRY_AFTER_SECONDS = 10
_READ_ONLY_SQLSTATE = "25006"  # PostgreSQL: read_only_sql_transaction, which psycopg counts as internal


def is_away(error: BaseException | None) -> bool:
    """Whether this, or what it was raised from, is the store's state and no fault of the code."""
    return any(_is_away(one) for one in _chain(error))


def _is_away(error: BaseException) -> bool:
    if isinstance(error, OperationalError | InterfaceError | RedisAway):
        return True
    return (
        isinstance(error, InternalError) and getattr(error.__cause__, "sqlstate", "") == _READ_ONLY_SQLSTATE
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it was raised from; a database error that was met on the way is no cause."""
    while error is not None:
        yield error
        error = None if isinstance(error, Error) else error.__cause__


def problem() -> dict[str, str]:
    """As REST says it, with the words of the catalogue."""
    cause = causes.get(CODE)
    return {"code": CODE, "detail": f"{cause.subscriber} {cause.action}"}


def answer(request: HttpRequest) -> HttpResponse:
    """503 for a person or a program; needs neither session nor database."""
    if request.path_info.startswith("/api/"):
        response: HttpResponse = JsonResponse(problem(), status=503)
    else:
        words = {"request_id": getattr(request, "request_id", "")}
        response = HttpResponse(loader.render_to_string("503.html", words), status=503)
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    response.headers["Cache-Control"] = "no-store"
    return response


def answer_to_current(request: HttpRequest) -> HttpResponse | None:
    """For `handler500`, which Django calls while the error is still at hand: where a middleware met it."""
    return answer(request) if is_away(sys.exc_info()[1]) else None


class AwayMiddleware(MiddlewareMixin):
    """Answers for views; what breaks in a middleware comes to `handler500`."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return answer(request) if is_away(exception) else None
