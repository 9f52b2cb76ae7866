"""Floods of strangers: the waiting room keeps its parts, a chain keeps its size."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audit import strangers
from audit.models import LedgerEvent
from devices.inventory.models import Device, Knock
from devices.registry.services import knocks, registrations
from devices.registry.services.knocks import ELSEWHERE, HOSTS_LISTED, KnockSeen
from devices.registry.services.registrations import Inbound
from lwm2m.messages import Deregister
from tests.devices import making
from tests.devices.making import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def look_each_time(monkeypatch):
    monkeypatch.setattr(knocks, "LOOK_AFTER", 1)


def seen(name: str, host: str, cause: str = "NOSEC_NOT_ALLOWED", **more) -> KnockSeen:
    return KnockSeen("management", cause, name, host, **more)


def refusals(device) -> int:
    return LedgerEvent.objects.filter(action="device.refused", device_id=device.pk).count()


def test_a_name_from_thousands_of_addresses_is_one_event_and_few_rows():
    device = making.device()
    for second in range(20):
        flood = [seen(device.endpoint, f"198.51.{second}.{number}") for number in range(100)]
        knocks.count(knocks=flood, now=NOW + timedelta(seconds=second))
    assert refusals(device) == 1
    rows = Knock.objects.filter(device=device)
    assert rows.count() == HOSTS_LISTED + 1
    assert sum(row.count for row in rows) == 2_000, "each is counted"
    assert rows.get(host=ELSEWHERE).count == 2_000 - HOSTS_LISTED


def test_a_flood_of_one_day_leaves_a_bounded_chain():
    device = making.device()
    for quarter in range(24 * 4):
        knocks.count(knocks=[seen(device.endpoint, f"h{quarter}")], now=NOW + timedelta(minutes=15 * quarter))
    assert refusals(device) <= 24 * strangers.PER_SUBJECT
    assert refusals(device) == 24 * 4, "what comes now and then is told each time"


def test_another_cause_is_another_event():
    device = making.device()
    for cause in ("NOSEC_NOT_ALLOWED", "DEVICE_SUSPENDED"):
        knocks.count(knocks=[seen(device.endpoint, "192.0.2.1", cause)], now=NOW)
    assert refusals(device) == 2


def test_filling_one_operators_part_of_the_room_takes_nothing_from_another_or_from_nobody(monkeypatch):
    monkeypatch.setattr(knocks, "OPERATOR_LIMIT", 20)
    monkeypatch.setattr(knocks, "NOBODY_LIMIT", 30)
    quiet, flooded = making.device(), making.device()
    knocks.count(knocks=[seen(quiet.endpoint, "192.0.2.1"), seen("unknown", "192.0.2.1")], now=NOW)
    causes = ("NOSEC_NOT_ALLOWED", "DEVICE_SUSPENDED", "MESSAGE_MALFORMED", "PSK_IDENTITY_UNKNOWN")
    flood = [seen(flooded.endpoint, f"h{number}", cause) for cause in causes for number in range(20)]
    knocks.count(knocks=flood, now=NOW + timedelta(seconds=1))
    strangers_of_nobody = [seen(f"nobody-{number}", "192.0.2.9") for number in range(200)]
    knocks.count(knocks=strangers_of_nobody, now=NOW + timedelta(seconds=2))
    assert Knock.objects.filter(device=quiet).count() == 1
    assert Knock.objects.filter(operator=flooded.operator).count() <= 20
    assert Knock.objects.filter(operator=None).count() <= 30


def test_the_table_is_counted_now_and_then_and_not_with_each_flush(monkeypatch):
    monkeypatch.setattr(knocks, "LOOK_AFTER", 1_000)
    monkeypatch.setattr(knocks, "_unlooked", 0)
    looked = []
    monkeypatch.setattr(Knock.objects, "order_by", lambda *args: looked.append(args))
    for number in range(5):
        knocks.count(knocks=[seen(f"nobody-{number}", "192.0.2.1")], now=NOW)
    assert looked == []


def test_who_registers_and_leaves_again_and_again_without_keys_fills_no_chain():
    device = making.device(making.operator(allows_nosec=True), security="none")
    Device.objects.filter(pk=device.pk).update(provisioning="applied")
    for second in range(40):
        now = NOW + timedelta(seconds=second)
        made = making.register(device, now=now).outcome.registration
        gone = Inbound(Deregister(made.registration_id), made.origin)
        registrations.apply(batch=[gone], flow=making.FLOW, now=now)
    told = LedgerEvent.objects.filter(device_id=device.pk, action__startswith="registration.")
    assert told.filter(action="registration.registered").count() == strangers.PER_SUBJECT
    assert told.filter(action="registration.deregistered").count() == strangers.PER_SUBJECT


def test_a_device_with_keys_is_no_stranger():
    device = making.device(onboarding="direct")
    Device.objects.filter(pk=device.pk).update(provisioning="applied")
    for second in range(40):
        making.register(device, now=NOW + timedelta(seconds=second))
    told = LedgerEvent.objects.filter(device_id=device.pk, action__startswith="registration.re")
    assert told.count() == 40
