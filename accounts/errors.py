"""A refusal that a person can mend."""

from __future__ import annotations


class Refused(Exception):
    """`cause` is a code of `audit.causes`, `detail` says what to do, `field` names the input it is about."""

    def __init__(self, cause: str, detail: str, field: str | None = None) -> None:
        super().__init__(detail)
        self.cause = cause
        self.detail = detail
        self.field = field
