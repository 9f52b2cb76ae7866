"""How long a queue-mode device listens: its own window, in words, in lists, and for what is sent."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.errors import Refused
from audit.models import LedgerEvent
from devices.inventory.models import Device
from devices.registry import awake
from devices.registry.models import Registration, Transport
from devices.registry.selectors import sessions
from devices.registry.selectors.sessions import Session
from devices.registry.services import awake_windows
from tests.devices import making

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def added_device(endpoint: str = "dev-awake") -> Device:
    return making.device(endpoint=endpoint)


def registered(
    endpoint: str, *, seen_seconds_ago: int, transport: str = Transport.UDP, window=None
) -> Device:
    device = added_device(endpoint)
    Device.objects.filter(pk=device.pk).update(awake_seconds=window)
    Registration.objects.create(
        device=device,
        registration_id=f"r{device.pk}",
        transport=transport,
        host="192.0.2.1",
        port=5683,
        flow="southbound.0.x",
        lifetime_seconds=86_400,
        queue_mode=True,
        registered_at=NOW - timedelta(days=1),
        last_seen_at=NOW - timedelta(seconds=seen_seconds_ago),
        expires_at=NOW + timedelta(hours=1),
    )
    return Device.objects.select_related("registration").get(pk=device.pk)


@pytest.mark.parametrize(
    ("seen", "transport", "window", "state"),
    [
        (92, Transport.UDP, None, Session.REGISTERED),
        (94, Transport.UDP, None, Session.ASLEEP),
        (94, Transport.SMS, None, Session.REGISTERED),
        (601, Transport.SMS, None, Session.ASLEEP),
        (29, Transport.UDP, 30, Session.REGISTERED),
        (31, Transport.UDP, 30, Session.ASLEEP),
        (31, Transport.SMS, 30, Session.ASLEEP),
        (299, Transport.UDP, 300, Session.REGISTERED),
    ],
)
def test_words_and_lists_say_the_same(seen, transport, window, state):
    device = registered("dev-awake", seen_seconds_ago=seen, transport=transport, window=window)
    assert sessions.of(device, NOW).state is state
    for other in (Session.REGISTERED, Session.ASLEEP):
        devices = Device.objects.filter(sessions.condition(other, NOW))
        registrations = Registration.objects.filter(sessions.condition(other, NOW, of_device=False))
        assert devices.exists() is registrations.exists() is (other is state)


def test_it_is_set_once_and_recorded():
    device = added_device()
    for _ in range(2):
        awake_windows.set_seconds(device=device, seconds=20, reason="Sleeps at once")
    event = LedgerEvent.objects.get(action="device.awake_window")
    assert (event.before, event.after) == ({"awake_seconds": None}, {"awake_seconds": 20})
    device.refresh_from_db()
    assert awake.seconds(device, Transport.UDP) == 20
    awake_windows.set_seconds(device=device, seconds=None)
    device.refresh_from_db()
    assert awake.seconds(device, Transport.UDP) == 93


@pytest.mark.parametrize("seconds", [0, -1, 86_401])
def test_out_of_bounds(seconds):
    with pytest.raises(Refused) as refused:
        awake_windows.set_seconds(device=added_device(), seconds=seconds)
    assert refused.value.field == "seconds"
