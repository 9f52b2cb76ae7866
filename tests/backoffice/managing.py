"""A device that is managed, who manages it, and the way to its page."""

from __future__ import annotations

import html

import pytest
from django.test import Client
from django.utils import timezone

from accounts.roles import Role
from devices.inventory.models import Device
from devices.telemetry.services import values
from devices.telemetry.services.values import Sample


@pytest.fixture
def meter(device, registered) -> Device:
    """A registered device whose /3/0 was read."""
    made = device("urn:dev:meter", name="Meter")
    registered(made)
    tell(made, ("/3/0/0", "Acme"), ("/3/0/9", 82), ("/3/0/7/0", 3800), ("/3/0/7/1", 5000), ("/3/0/20", 0))
    return made


@pytest.fixture
def signed_in(client: Client, member, north):
    def enter(role: str) -> Client:
        client.force_login(member(role, north))
        return client

    return enter


@pytest.fixture
def desk(signed_in) -> Client:
    return signed_in(Role.SUPPORT)


def tell(device: Device, *told: tuple[str, object], ago: float = 5.0) -> None:
    now = timezone.now()
    at = now.timestamp() - ago
    values.store(samples=[Sample(device.pk, path, value, at) for path, value in told], now=now)


def address(device: Device, rest: str = "") -> str:
    return f"/admin/inventory/device/{device.pk}/manage/{rest}"


def text(response, status: int = 200) -> str:
    assert response.status_code == status
    return html.unescape(response.content.decode())


def ask(client: Client, device: Device, **data: str):
    return client.post(address(device, "ask/"), data)
