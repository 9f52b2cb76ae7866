"""Refusals as REST answers: `{"code": <cause code>, "detail": <what to do>}`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import APIException

from accounts.errors import Refused


class Problem(APIException):
    """Carries a cause code to the exception handler."""

    def __init__(self, cause: str, detail: str, *, status: int = 400) -> None:
        super().__init__(detail)
        self.cause = cause
        self.status_code = status


@contextmanager
def refusals() -> Iterator[None]:
    """Services refuse in their own words; here they become answers."""
    try:
        yield
    except Refused as refusal:
        status = 409 if refusal.cause in ("CONFLICT", "QUOTA_REACHED") else 400
        raise Problem(refusal.cause, refusal.detail, status=status) from None


class ProblemSerializer(serializers.Serializer):
    """How every refusal looks."""

    code = serializers.CharField(help_text=_("A cause code; the same in the ledger and on the pages."))
    detail = serializers.CharField(help_text=_("What to do, in words."))
    fields = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text=_("What is wrong with which input."),
    )
