"""How every REST request fails: `{"code": <cause code>, "detail": <what to do>}`, by one table of states."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions, serializers
from rest_framework.response import Response
from rest_framework.views import set_rollback

from accounts.errors import Refused
from audit import away

logger = logging.getLogger(__name__)

CODES: dict[type[Exception], str] = {
    exceptions.NotAuthenticated: "NOT_AUTHENTICATED",
    exceptions.AuthenticationFailed: "NOT_AUTHENTICATED",
    exceptions.PermissionDenied: "PERMISSION_DENIED",
    PermissionDenied: "PERMISSION_DENIED",
    exceptions.NotFound: "NOT_FOUND",
    Http404: "NOT_FOUND",
    exceptions.Throttled: "THROTTLED",
    exceptions.MethodNotAllowed: "METHOD_NOT_ALLOWED",
    exceptions.ParseError: "CLIENT_REQUEST_MALFORMED",
    exceptions.UnsupportedMediaType: "CLIENT_REQUEST_MALFORMED",
    exceptions.NotAcceptable: "CLIENT_REQUEST_MALFORMED",
}
TOO_MUCH = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)
DAMAGED = (SuspiciousOperation, MultiPartParserError, UnreadablePostError)
STATUS = {
    "ENDPOINT_TAKEN": 409,
    "PSK_IDENTITY_TAKEN": 409,
    "CONFLICT": 409,
    "QUOTA_REACHED": 409,
    "PERMISSION_DENIED": 403,
}
"""Of what a service refuses; everything else is 400."""


class Problem(exceptions.APIException):
    """Carries a cause code to the exception handler."""

    def __init__(self, cause: str, detail: str, *, status: int = 400) -> None:
        super().__init__(detail)
        self.cause = cause
        self.status_code = status


class ProblemSerializer(serializers.Serializer):
    """How every refusal looks."""

    code = serializers.CharField(help_text=_("A cause code; the same in the ledger and on the pages."))
    detail = serializers.CharField(help_text=_("What to do, in words."))
    fields = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text=_("What is wrong with which input."),
    )


def too_large() -> Problem:
    return Problem(
        "REQUEST_TOO_LARGE",
        gettext("The body is too large. Send at most %(limit)s bytes in one request.")
        % {"limit": settings.DATA_UPLOAD_MAX_MEMORY_SIZE},
        status=413,
    )


def problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """The answer to `error`; None (a logged 500) only for what nobody expected."""
    set_rollback()
    if isinstance(error, Refused):
        body: dict[str, Any] = {"code": error.cause, "detail": error.detail}
        if error.field:
            body["fields"] = {error.field: [error.detail]}
        return Response(body, status=STATUS.get(error.cause, 400))
    if isinstance(error, DjangoValidationError):
        return Response({"code": "VALIDATION_FAILED", "detail": " ".join(error.messages)}, status=400)
    if isinstance(error, exceptions.ValidationError):
        return Response(
            {"code": _code_of(error), "detail": _first(error.detail), "fields": error.detail}, status=400
        )
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, TOO_MUCH):
        error = too_large()
    if isinstance(error, DAMAGED):
        error = exceptions.ParseError(
            gettext("The body cannot be read. Send it anew, in the form that its header names.")
        )
    if away.is_away(error):
        return Response(away.problem(), status=503, headers={"Retry-After": str(away.RETRY_AFTER_SECONDS)})
    if isinstance(error, exceptions.APIException):
        headers = {}
        if getattr(error, "auth_header", None):
            headers["WWW-Authenticate"] = error.auth_header
        if getattr(error, "wait", None):
            headers["Retry-After"] = str(int(error.wait) + 1)
        return Response(
            {"code": _code_of(error), "detail": str(error.detail)}, status=error.status_code, headers=headers
        )
    return None


def _code_of(error: Exception) -> str:
    explicit = getattr(error, "cause", "")
    if explicit:
        return str(explicit)
    for kind, code in CODES.items():
        if isinstance(error, kind):
            return code
    return "VALIDATION_FAILED" if isinstance(error, exceptions.ValidationError) else "INTERNAL_ERROR"


def _first(detail: Any, field: str = "") -> str:
    """The first sentence in DRF's nested error detail, with its field in front."""
    while isinstance(detail, list | dict) and detail:
        if isinstance(detail, dict):
            key, detail = next(iter(detail.items()))
            field = "" if key == "non_field_errors" else str(key)
        else:
            detail = detail[0]
    return f"{field}: {detail}" if field else str(detail)
