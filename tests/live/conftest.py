"""Operators, people and devices in every session state."""

from __future__ import annotations

from tests.accounts.conftest import clean_start, member, north, person, south, subscriber
from tests.devices.fleet import api, device, fleet, registered

__all__ = [
    "api",
    "clean_start",
    "device",
    "fleet",
    "member",
    "north",
    "person",
    "registered",
    "south",
    "subscriber",
]
