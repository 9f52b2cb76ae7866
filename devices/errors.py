"""The refusal that a person can mend; a program's mistake is a ValueError, a device's is `lwm2m.errors`."""

from __future__ import annotations


class Refused(Exception):
    """A service says no: `cause` of `audit.causes`, `detail` what to do, `field` the input it is about."""

    def __init__(self, cause: str, detail: str, field: str | None = None) -> None:
        super().__init__(detail)
        self.cause = cause
        self.detail = detail
        self.field = field
