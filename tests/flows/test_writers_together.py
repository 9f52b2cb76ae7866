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


def test_a_device_that_moves_to_another_gateway_while_its_answer_is_settled_is_no_deadlock(
    make_device, monkeypatch
):
    facts = {
        "reach": Reach.IP,
        "security": "none",
        "onboarding": Onboarding.DIRECT,
        "ownership": Ownership.CLAIMED,
        "provisioning": Provisioning.APPLIED,
    }
    old, new = make_device("gw-1", **facts), make_device("gw-2", **facts)
    device = make_device("end-1", **{**facts, "reach": Reach.GATEWAY})
    EndDevice.objects.create(gateway=old, device=device, instance=0, identifier="end-1", prefix="dev0")
    moving, has_device = threading.Event(), threading.Event()
    create = EndDevice.objects.bulk_create

    def slow(*args, **options):
        moving.set()
        assert has_device.wait(SECONDS)
        return create(*args, **options)

    monkeypatch.setattr(end_devices.EndDevice.objects, "bulk_create", slow)

    def told():
        instances = {0: {0: "end-1", 1: "dev9"}}
        end_devices.told(gateway=new, instances=instances, is_whole=True, now=timezone.now())

    def settled():
        assert moving.wait(SECONDS)
        with ledger.unit_of_work():
            locks.devices([device.pk])
            has_device.set()
            end_devices.heard([device.pk], now=timezone.now())

    assert together(told, settled) == ["", ""]
    assert EndDevice.objects.get(device=device).gateway == new
