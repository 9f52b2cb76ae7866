"""The kinds of steps: one file each, one line here. A kind never imports another."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from django.db.models import Q

from devices.models import Device
from provisioning.models import JobKind, JobStep
from provisioning.steps import (
    bootstrap,
    check_inventory,
    first_contact,
    make_credentials,
    read_device,
    registration,
    render_profile,
)
from provisioning.steps.results import StepResult


class StepKind(Protocol):
    """A module of this package. `run` is called again and again until it is done, and twice for one bell.

    It runs in the transaction that holds the locks of device and job. `due` selects, among the waiting steps
    of the kind, those that would not wait any more: how the sweep finds what a lost bell left behind.
    """

    TITLE: str

    def run(self, *, step: JobStep, device: Device, now: datetime) -> StepResult: ...

    def due(self) -> Q | None: ...


KINDS: dict[str, StepKind] = {
    "check_inventory": check_inventory,
    "make_credentials": make_credentials,
    "render_profile": render_profile,
    "first_contact": first_contact,
    "bootstrap": bootstrap,
    "registration": registration,
    "read_device": read_device,
}

PLANS: dict[str, tuple[str, ...]] = {JobKind.PROVISION: tuple(KINDS)}
"""Which steps a kind of job has, in order."""
