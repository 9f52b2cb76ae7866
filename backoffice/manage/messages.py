"""The last protocol messages of a device, request and response each on a line, payload opened on a click."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from backoffice.manage.facts import Facts
from devices.inventory import secrecy
from devices.telemetry.models import Direction, TraceMessage
from lwm2m.codes import ContentFormat

_FORMATS = {int(one): one.name.replace("_", " ") for one in ContentFormat}


@dataclass(frozen=True, slots=True)
class Message:
    """`kind` is ok, bad or "" for its colour; `what` the code of a response, or the method of a request."""

    row: TraceMessage
    is_in: bool
    what: str
    format: str
    kind: str

    @property
    def key(self) -> int:
        return self.row.number

    @property
    def payload(self) -> Any:
        return secrecy.without_passwords(self.row.payload)


def of(facts: Facts) -> list[Message]:
    """Newest first."""
    return [_message(row) for row in facts.messages]


def _message(row: TraceMessage) -> Message:
    number = row.content_format
    return Message(
        row=row,
        is_in=row.direction == Direction.IN,
        what=row.code or row.method,
        format="" if number is None else _FORMATS.get(number, str(number)),
        kind="" if not row.code else "ok" if row.code.startswith("2") else "bad",
    )
