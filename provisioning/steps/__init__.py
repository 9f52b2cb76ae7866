"""The kinds of steps: one file each, one line here. A kind never imports another."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from django.db.models import Q
from django.utils.functional import Promise

from devices.inventory.models import Device, Reach
from provisioning.models import JobKind, JobStep
from provisioning.steps import (
    bootstrap,
    check_inventory,
    find_end_device,
    first_contact,
    make_credentials,
    observe,
    read_device,
    registration,
    render_profile,
    tell_gateway,
)
from provisioning.steps.results import StepResult


class StepKind(Protocol):
    """A module of this package. `run` is called again and again until it is done, and twice for one bell.

    It runs in the transaction that holds the locks of device and job. `due` selects, among the waiting steps
    of the kind, those that would not wait any more: how the sweep finds what a lost bell left behind.
    """

    @property
    def TITLE(self) -> str | Promise: ...

    def run(self, *, step: JobStep, device: Device, now: datetime) -> StepResult: ...

    def due(self) -> Q | None: ...


KINDS: dict[str, StepKind] = {
    "check_inventory": check_inventory,
    "make_credentials": make_credentials,
    "render_profile": render_profile,
    "first_contact": first_contact,
    "bootstrap": bootstrap,
    "registration": registration,
    "find_end_device": find_end_device,
    "tell_gateway": tell_gateway,
    "observe": observe,
    "read_device": read_device,
}

PLANS: dict[str, tuple[str, ...]] = {
    JobKind.PROVISION: (
        "check_inventory",
        "make_credentials",
        "render_profile",
        "first_contact",
        "bootstrap",
        "registration",
        "observe",
        "read_device",
    )
}
"""Which steps a kind of job has, in order."""
BEHIND_A_GATEWAY: dict[str, tuple[str, ...]] = {
    JobKind.PROVISION: ("check_inventory", "find_end_device", "tell_gateway", "read_device")
}
"""The same where a gateway speaks for the device."""


NEEDS_NOBODY = ("check_inventory", "make_credentials", "render_profile")
"""Steps that wait for no device and no network."""


def plan(kind: str, reach: str) -> tuple[str, ...]:
    return BEHIND_A_GATEWAY[kind] if reach == Reach.GATEWAY else PLANS[kind]
