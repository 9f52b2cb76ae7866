"""How every REST answer pages and fails: `{"code": <cause code>, "detail": <what to do>}`."""

from __future__ import annotations

import logging
from typing import Any

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
from rest_framework import exceptions
from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response
from rest_framework.views import set_rollback

from accounts.errors import Refused
from accounts.scoping.paging import KeyedPaginator
from api.parsers import too_large
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


class Pages(PageNumberPagination):
    """Fifty rows a page; `page_size` up to 500."""

    django_paginator_class = KeyedPaginator
    page_size_query_param = "page_size"
    max_page_size = 500


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
