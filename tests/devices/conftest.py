"""A registered device of an operator, and people in every role."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.utils import timezone

from accounts.models import Operator, Subscriber
from devices.inventory.models import Device
from devices.registry.models import Registration, RegistrationDetail
from lwm2m.links import parse_object_links
from tests.accounts.conftest import clean_start, member, north, person, south, subscriber
from tests.devices.fleet import api

__all__ = ["api", "clean_start", "member", "north", "person", "south", "subscriber"]

LINKS = b"</>;ct=112,</1/0>,</3/0>,</3303>;ver=1.1,</3303/0>,</3303/1>,</16>,</32999/0>"


@pytest.fixture
def make(north: Operator, subscriber: Subscriber) -> Callable[..., Device]:
    """A device, registered unless `version` is empty."""

    def made(
        endpoint: str = "urn:dev:1", version: str = "1.1", links: bytes = LINKS, **columns: object
    ) -> Device:
        device = Device.objects.create(
            **{"operator": north, "subscriber": subscriber, "endpoint": endpoint, **columns}
        )
        if version:
            register(device, version=version, links=links)
        return device

    return made


@pytest.fixture
def device(make: Callable[..., Device]) -> Device:
    return make()


def register(device: Device, *, version: str = "1.1", links: bytes = LINKS, rid: str = "") -> Registration:
    now = timezone.now()
    RegistrationDetail.objects.update_or_create(
        device=device,
        defaults={
            "version": version,
            "binding": "U",
            "object_links": parse_object_links(links).to_json(),
        },
    )
    registration, _ = Registration.objects.update_or_create(
        device=device,
        defaults={
            "registration_id": rid or f"r{device.pk}",
            "is_live": True,
            "transport": "udp",
            "host": "192.0.2.7",
            "port": 5683,
            "flow": "southbound.1.test",
            "lifetime_seconds": 3600,
            "registered_at": now,
            "last_seen_at": now,
            "expires_at": now + timezone.timedelta(hours=1),
        },
    )
    return registration
