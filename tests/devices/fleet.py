"""Operators, people and devices in every session state."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Operator, Subscriber, User
from devices.inventory.models import Device
from devices.registry.models import Registration, RegistrationDetail

OBJECTS = {
    "root_path": "/",
    "content_formats": [110],
    "objects": {
        "3": {"version": None, "instances": [0], "attributes": []},
        "1": {"version": "1.1", "instances": [0], "attributes": []},
    },
}


@pytest.fixture
def device(north: Operator, subscriber: Subscriber) -> Callable[..., Device]:
    def make(endpoint: str, *, operator: Operator = north, own: bool = False, **columns: object) -> Device:
        return Device.objects.create(
            operator=operator, endpoint=endpoint, subscriber=subscriber if own else None, **columns
        )

    return make


@pytest.fixture
def registered() -> Callable[..., Registration]:
    def make(
        device: Device, *, seen_ago: int = 10, lifetime: int = 3600, queue: bool = False, ended: str = ""
    ) -> Registration:
        now = timezone.now()
        seen = now - timedelta(seconds=seen_ago)
        expires_at = seen + timedelta(seconds=lifetime)
        RegistrationDetail.objects.create(
            device=device,
            version="1.1",
            binding="UQ" if queue else "U",
            object_links=copy.deepcopy(OBJECTS),
            ended_at=now - timedelta(seconds=5) if ended else None,
            end_cause=ended,
        )
        return Registration.objects.create(
            device=device,
            registration_id=f"r{device.pk}",
            is_live=not ended,
            transport="udp",
            host="192.0.2.7",
            port=56830,
            flow="southbound.1.test",
            lifetime_seconds=lifetime,
            queue_mode=queue,
            registered_at=seen,
            last_seen_at=seen,
            expires_at=expires_at,
        )

    return make


@pytest.fixture
def fleet(device: Callable[..., Device], registered: Callable[..., Registration]) -> dict[str, Device]:
    """One device of the north in each session state."""
    made = {
        state: device(f"urn:dev:{state}")
        for state in ("registered", "asleep", "lost", "lost_unswept", "signed_off", "never_seen")
    }
    registered(made["registered"])
    registered(made["asleep"], seen_ago=200, queue=True)
    registered(made["lost"], seen_ago=4000, ended="LIFETIME_EXPIRED")
    registered(made["lost_unswept"], seen_ago=4000)
    registered(made["signed_off"], ended="DEREGISTERED")
    return made


@pytest.fixture
def api() -> Callable[[User], APIClient]:
    def signed_in(user: User) -> APIClient:
        client = APIClient()
        client.force_authenticate(user)
        return client

    return signed_in
