"""One way to lock rows, one order; and the recorder that watches over it finds what it should."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Operator
from audit import ledger, locks
from devices.commands.models import Command
from devices.inventory import locks as device_locks
from devices.inventory.models import Device, Onboarding

ROOMS = (
    *("accounts", "api", "audit", "backoffice", "devices", "live", "provisioning"),
    *("selfservice", "southbound", "support", "m2m_portal"),
)
ROOT = Path(__file__).parents[2]


def product_files():
    return [
        path
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        if "migrations" not in path.parts and path != ROOT / "audit" / "locks.py"
    ]


@pytest.fixture
def devices(db):
    operator = Operator.objects.create(slug="lab", name="Lab", allows_nosec=True)
    facts = {"operator": operator, "security": "none", "onboarding": Onboarding.DIRECT}
    return [Device.objects.create(endpoint=f"dev-{number}", **facts) for number in range(3)]


def test_rows_are_locked_in_one_place_only():
    by_hand = re.compile(r"select_for_update|FOR UPDATE|FOR NO KEY UPDATE|FOR SHARE")
    assert [str(path) for path in product_files() if by_hand.search(path.read_text())] == []


def test_the_order_names_tables_that_there_are_each_once():
    tables = {model._meta.db_table for model in apps.get_models()}
    assert set(locks.ORDER) <= tables
    assert len(set(locks.ORDER)) == len(locks.ORDER)


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite locks no rows")
def test_a_lock_of_a_row_stops_nobody_who_refers_to_it(devices):
    with ledger.unit_of_work(), CaptureQueriesContext(connection) as queries:
        device_locks.device(devices[0].pk)
        device_locks.devices([devices[0].pk])
        device_locks.owner(pk=devices[0].pk)
        device_locks.device_with_operator(devices[0].pk)
    locking = [one["sql"] for one in queries if "FOR " in one["sql"]]
    assert len(locking) == 4
    assert all(sql.endswith('FOR NO KEY UPDATE OF "inventory_device"') for sql in locking)


@pytest.fixture
def recorded(locks_in_order):
    """What the recorder says of one unit of work with these steps."""

    def run(*steps) -> list[str]:
        with ledger.unit_of_work():
            for step in steps:
                step()
        found = list(locks_in_order.inversions)
        locks_in_order.inversions.clear()
        return found

    return run


def test_the_recorder_finds_devices_out_of_order(devices, recorded):
    first, last = devices[0].pk, devices[-1].pk
    found = recorded(lambda: device_locks.device(last), lambda: device_locks.device(first))
    assert found == [f"device {first} is locked after device {last}"]
    assert recorded(lambda: device_locks.devices([last, first])) == []


def test_the_recorder_finds_tables_out_of_order_and_knows_what_a_devices_lock_covers(devices, recorded):
    device, other = devices[0], devices[1]
    command = Command.objects.create(
        device=device, operation="read", path="/3/0", expires_at=timezone.now(), requested_by="test"
    )
    lock_command = lambda: list(locks.rows(Command.objects.filter(pk=command.pk)))  # noqa: E731
    found = recorded(lock_command, lambda: device_locks.device(other.pk))
    assert found == [f"inventory_device {other.pk} is locked after commands_command"]
    covered = [lambda: device_locks.device(device.pk), lock_command, lambda: device_locks.device(other.pk)]
    assert recorded(*covered) == []
    again = [lambda: device_locks.devices([device.pk, other.pk]), lambda: device_locks.device(device.pk)]
    assert recorded(*again) == []
