"""The rungs of the reachability ladder, in their order: one file each, one line here. A kind never imports another."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from django.utils.functional import Promise

from devices.inventory.models import Device
from provisioning.ladder import ReachAttempt
from provisioning.rungs import (
    bootstrap_trigger,
    sms_bootstrap,
    sms_trigger,
    ticket,
    update_trigger,
    via_gateway,
    wait,
)
from provisioning.rungs.results import RungResult


class RungKind(Protocol):
    """A module of this package. `take` runs once, in the transaction that holds the locks of device and attempt.

    `DID` is what happened to the device, in the past tense. `WAIT_SECONDS` is what a new policy gives it before the
    next rung. `costs_sms` says beforehand whether an SMS will go out, so that many at once are spread over time.
    """

    WAIT_SECONDS: int

    @property
    def TITLE(self) -> str | Promise: ...

    @property
    def DID(self) -> str | Promise: ...

    def costs_sms(self, device: Device) -> bool: ...

    def take(self, *, attempt: ReachAttempt, device: Device, now: datetime) -> RungResult: ...


KINDS: dict[str, RungKind] = {
    "wait": wait,
    "update_trigger": update_trigger,
    "sms_trigger": sms_trigger,
    "bootstrap_trigger": bootstrap_trigger,
    "via_gateway": via_gateway,
    "sms_bootstrap": sms_bootstrap,
    "ticket": ticket,
}
IDLE = frozenset({"wait"})
"""Kinds that do nothing: an attempt that got no further leaves no trace."""

DEFAULT_WAITS: dict[str, int] = {kind: module.WAIT_SECONDS for kind, module in KINDS.items()}


def plan(waits: dict[str, int]) -> list[list[Any]]:
    """The kinds of a policy in the order of the ladder, each with how long it is given."""
    return [[kind, waits[kind]] for kind in KINDS if kind in waits]
