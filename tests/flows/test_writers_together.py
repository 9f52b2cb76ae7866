"""Two sessions on PostgreSQL: who may go on while another one holds a row, and pairs that used to deadlock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from django.db import connection, connections
from django.utils import timezone

from audit import ledger
from devices.gateways.models import EndDevice
from devices.gateways.services import end_devices
from devices.inventory import locks
from devices.inventory.models import Device, Onboarding, Reach
from devices.inventory.states import Ownership, Provisioning
from devices.telemetry.models import ResourceValue
from devices.telemetry.services import values
from devices.telemetry.services.values import Sample
from provisioning.services import lifecycle
from tests.devices.gateways.telling import behind
from tests.southbound.conftest import make_device, operator

__all__ = ["make_device", "operator"]

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite locks no rows"),
]
SECONDS = 60


def together(*works: Callable[[], object]) -> list[str]:
    """Run these at once on connections of their own; what each raised, or an empty string."""
    said = [""] * len(works)

    def run(number: int, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as error:
            said[number] = f"{type(error).__name__}: {error}"
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert not any(thread.is_alive() for thread in threads)
    return said


def reported(device: Device, value: float) -> None:
    sample = Sample(device.pk, "/3303/0/5700", value, time.time())
    values.store(samples=[sample], now=timezone.now(), operators={device.pk: device.operator_id})


def test_a_page_that_holds_a_device_keeps_no_report_waiting(make_device):
    device = make_device("dev-1")
    held, stored = threading.Event(), threading.Event()

    def page():
        with ledger.unit_of_work():
            locks.device(device.pk)
            held.set()
            assert stored.wait(SECONDS)  # the report is through while the page still holds the device

    def report():
        assert held.wait(SECONDS)
        with ledger.unit_of_work():
            reported(device, 1.0)
        stored.set()

    assert together(page, report) == ["", ""]
    assert ResourceValue.objects.get().path == "/3303/0/5700"


def test_a_first_value_that_is_reported_and_read_at_once_is_no_deadlock(make_device):
    device = make_device("dev-1")
    inserted, locked = threading.Event(), threading.Event()

    def reporting():
        with ledger.unit_of_work():
            reported(device, 1.0)
            inserted.set()
            assert locked.wait(SECONDS)

    def settling():
        with ledger.unit_of_work():
            locks.devices([device.pk])
            assert inserted.wait(SECONDS)
            locked.set()
            reported(device, 2.0)

    assert together(reporting, settling) == ["", ""]


def somebody_waits() -> None:
    """Until a session of this database waits for a lock of another."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    for _ in range(SECONDS * 100):
        with connection.cursor() as cursor:
            cursor.execute(waiting)
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits")


@pytest.fixture
def houses(make_device) -> tuple[list[Device], list[Device]]:
    """Two gateways and the device behind each. The devices have the lower ids: they were announced first."""
    facts = {
        "security": "none",
        "onboarding": Onboarding.DIRECT,
        "ownership": Ownership.CLAIMED,
        "provisioning": Provisioning.APPLIED,
    }
    devices = [make_device(name, reach=Reach.GATEWAY, **facts) for name in ("end-1", "end-2")]
    gateways = [make_device(name, reach=Reach.IP, **facts) for name in ("gw-1", "gw-2")]
    for pair in zip(gateways, devices, strict=True):
        behind(*pair)
    return gateways, devices


def tells(gateway: Device, *names: str) -> None:
    instances = {number: {0: name, 1: f"moved{number}"} for number, name in enumerate(names)}
    end_devices.told(gateway=gateway, instances=instances, is_whole=True, now=timezone.now())


def pausing(monkeypatch, pause: Callable[[], object]) -> None:
    """The first who writes what a gateway tells pauses before, with its locks held."""
    create, is_first = EndDevice.objects.bulk_create, threading.Lock()

    def slow(*args, **options):
        if is_first.acquire(blocking=False):
            pause()
        return create(*args, **options)

    monkeypatch.setattr(end_devices.EndDevice.objects, "bulk_create", slow)


def test_an_answer_that_is_settled_while_its_device_moves_to_another_gateway_is_no_deadlock(
    houses, monkeypatch
):
    (_, new), (device, _) = houses
    moving = threading.Event()
    pausing(monkeypatch, lambda: (moving.set(), somebody_waits()))

    def settled():
        assert moving.wait(SECONDS)
        with ledger.unit_of_work():
            locks.devices([device.pk])
            end_devices.heard([device.pk], now=timezone.now())

    assert together(lambda: tells(new, "end-1", "end-2"), settled) == ["", ""]
    assert EndDevice.objects.get(device=device).gateway == new
    assert EndDevice.objects.get(device=device).last_heard_at is not None
    device.refresh_from_db()
    assert (device.via, device.prefix) == (new, "moved0")


def test_a_device_that_moves_to_another_gateway_while_its_answer_is_settled_is_no_deadlock(houses):
    (_, new), (device, _) = houses
    has_device = threading.Event()

    def settled():
        with ledger.unit_of_work():
            locks.devices([device.pk])
            has_device.set()
            somebody_waits()
            end_devices.heard([device.pk], now=timezone.now())

    def told():
        assert has_device.wait(SECONDS)
        tells(new, "end-1", "end-2")

    assert together(told, settled) == ["", ""]
    assert EndDevice.objects.get(device=device).gateway == new
    device.refresh_from_db()
    assert (device.via, device.prefix) == (new, "moved0")


def test_values_that_come_while_a_device_moves_are_no_deadlock(houses, monkeypatch):
    """Who only stores values locks no device, but the entries of all that spoke."""
    (_, new), devices = houses
    moving = threading.Event()
    pausing(monkeypatch, lambda: (moving.set(), somebody_waits()))

    def heard():
        assert moving.wait(SECONDS)
        with ledger.unit_of_work():
            end_devices.heard([device.pk for device in devices], now=timezone.now())
            reported(devices[0], 1.0)

    assert together(lambda: tells(new, "end-1", "end-2"), heard) == ["", ""]
    assert set(EndDevice.objects.filter(device__in=devices).values_list("gateway", flat=True)) == {new.pk}


def test_two_gateways_that_exchange_their_devices_at_once_are_no_deadlock(houses, monkeypatch):
    (first, second), devices = houses
    moving = threading.Event()
    pausing(monkeypatch, lambda: (moving.set(), somebody_waits()))

    def other():
        assert moving.wait(SECONDS)
        tells(second, "end-1")

    assert together(lambda: tells(first, "end-2"), other) == ["", ""]
    ways = dict(
        Device.objects.filter(pk__in=[one.pk for one in devices]).values_list("endpoint", "via__endpoint")
    )
    assert ways == {"end-1": "gw-2", "end-2": "gw-1"}


def test_a_gateway_that_is_removed_while_it_tells_is_no_deadlock(houses, monkeypatch):
    (_, new), devices = houses
    moving = threading.Event()
    pausing(monkeypatch, lambda: (moving.set(), somebody_waits()))

    def removed():
        assert moving.wait(SECONDS)
        lifecycle.release(device=new, reason="Scrapped")

    assert together(lambda: tells(new, "end-1", "end-2"), removed) == ["", ""]
    assert (
        Device.objects.filter(pk__in=[one.pk for one in devices], via=new, gone_at__isnull=False).count() == 2
    )
