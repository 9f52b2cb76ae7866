"""Operators, people and devices in every session state."""

from __future__ import annotations

from tests.accounts.conftest import clean_start, member, north, person, south, subscriber
from tests.devices.fleet import api, device, fleet, registered
from tests.provisioning.conftest import ordered, worker

__all__ = [
    "api",
    "clean_start",
    "device",
    "fleet",
    "member",
    "north",
    "ordered",
    "person",
    "registered",
    "south",
    "subscriber",
    "worker",
]
