"""A command on its way: what its claimer has to send, and the ways it can end on the air."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

BUSY = "DEVICE_BUSY"
"""The cause of a command that waits because of `Later`: no word of the device makes it leave sooner."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """What the claimer has to send now, and for how long it alone may."""

    command_id: int
    device_id: int
    operation: str
    path: str
    arguments: Mapping[str, Any]
    attempts: int
    lease_until: datetime


@dataclass(frozen=True, slots=True)
class Observing:
    """The answer carried the Observe option: under which token (hexadecimal), on which registration, its number."""

    registration_id: str
    token: str
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The device answered with success: `code` like "2.05"; `answer` is JSON, decoded (None when empty).

    `nodes` of the answer become values: each has `path` and `value`, optionally `time` and `prefix` as sent.
    """

    code: str
    answer: Any = None
    observing: Observing | None = None


@dataclass(frozen=True, slots=True)
class DeviceRefused:
    """The device answered with an error code like "4.05"."""

    code: str
    cause: str = "COMMAND_REFUSED"
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Silent:
    """No answer came; `cause` says of which kind, such as RESPONSE_TIMEOUT.

    `is_final`: asking again would be no use. `is_counted` false: it was not the device's silence, such as a way that
    was closed by its own new registration.
    """

    cause: str
    detail: str = ""
    is_final: bool = False
    is_counted: bool = True


@dataclass(frozen=True, slots=True)
class Later:
    """The device has no time for it now, and nothing was done (5.03): ask again after so many seconds."""

    seconds: float
    code: str = "5.03"
    detail: str = ""


Outcome = Done | DeviceRefused | Silent | Later


def came_from_device(outcome: Outcome) -> bool:
    """Whether the device said something just now: an answer of any code, or a reset."""
    if isinstance(outcome, DeviceRefused):
        return bool(outcome.code) or outcome.cause == "COMMAND_REFUSED"
    return not isinstance(outcome, Silent)
