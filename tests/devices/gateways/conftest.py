"""A gateway of a subscriber, registered, and others that it may meet."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts.models import Operator, Subscriber
from devices.inventory.models import Device, Onboarding, Reach
from devices.inventory.states import Ownership, Provisioning
from tests.accounts.conftest import clean_start, member, north, person, south, subscriber
from tests.devices.conftest import register
from tests.devices.fleet import api

__all__ = ["api", "clean_start", "member", "north", "person", "south", "subscriber"]

LINKS = b"</>;ct=112,</1/0>,</3/0>,</25>;ver=2.0"
THERMOMETER = "</3/0>,</3303>;ver=1.1,</3303/0>"


def instances(*names: str, links: str = THERMOMETER) -> dict[int, dict[int, str]]:
    """/25 of a gateway with these devices at dev0, dev1, …"""
    return {number: {0: name, 1: f"dev{number}", 3: links} for number, name in enumerate(names)}


@pytest.fixture
def make_gateway(north: Operator, subscriber: Subscriber) -> Callable[..., Device]:
    def make(endpoint: str = "urn:gw:1", is_registered: bool = True, **columns: object) -> Device:
        facts = {
            "operator": north,
            "subscriber": subscriber,
            "endpoint": endpoint,
            "name": "Basement",
            "ownership": Ownership.CLAIMED,
            "provisioning": Provisioning.APPLIED,
        }
        device = Device.objects.create(**{**facts, **columns})
        if is_registered:
            register(device, links=LINKS)
        return device

    return make


@pytest.fixture
def gateway(make_gateway: Callable[..., Device]) -> Device:
    return make_gateway()


@pytest.fixture
def make_child(north: Operator, subscriber: Subscriber) -> Callable[..., Device]:
    def make(endpoint: str = "urn:dev:a", **columns: object) -> Device:
        facts = {
            "operator": north,
            "subscriber": subscriber,
            "endpoint": endpoint,
            "reach": Reach.GATEWAY,
            "onboarding": Onboarding.DIRECT,
            "security": "none",
            "ownership": Ownership.CLAIMED,
            "provisioning": Provisioning.APPLIED,
        }
        return Device.objects.create(**{**facts, **columns})

    return make
