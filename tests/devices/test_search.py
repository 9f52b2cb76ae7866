"""One search for devices, behind every box: what callers say is found, on either database, and by an index."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import Operator, Subscriber, User
from devices.models import Command, Credential, Device
from devices.selectors import board, search
from devices.selectors.board import Query
from selfservice.selectors import own
from support.selectors import devices as desk
from tests.devices import making

pytestmark = pytest.mark.django_db


@pytest.fixture
def meter():
    operator = making.operator()
    user = making.person("anna.berger@example.org", name="Anna Berger")
    account = making.subscriber(operator, user)
    Subscriber.objects.filter(pk=account.pk).update(number="NOR-2475-6039")
    device = making.device(operator, endpoint="urn:dev:4711", subscriber=account, name="Wasserzähler Keller")
    Device.objects.filter(pk=device.pk).update(
        msisdn="+491517000001", serial_number="SN-88123", manufacturer="Zähler & Söhne", model_number="WZ-9"
    )
    making.device(operator, endpoint="urn:dev:other", subscriber=making.subscriber(operator), name="Lamp")
    return Device.objects.get(pk=device.pk)


FOUND = [
    "urn:dev:4711", "DEV:4711", "4711",
    "Wasserzähler", "WASSERZÄHLER", "wasserzÄHler", "zähl", "keller wasser", "KELLER  zähler",
    "SN-88123", "sn-881", "söhne", "SÖHNE", "wz-9", "Söhne WZ-9",
    "+491517000001", "491517000001", "00491517000001", "0151 7000001", "01517000001", "(0151) 700-0001",
    "NOR-2475-6039", "nor-2475-6039", "2475-6039", "nor24756039", "nor 2475 6039",
    "anna.berger@example.org", "Anna", "berger", "anna berger", "Berger Keller", "example.org",
]  # fmt: skip
MISSED = [
    "4712",
    "Wasseruhr",
    "wasser lamp",
    "0152 7000001",
    "NOR-2475-6040",
    "bernd",
    "%",
    "_",
    "\0qqq",
    "1.2.3.4",
]


@pytest.mark.parametrize("text", FOUND)
def test_whatever_a_caller_says_finds_the_device_alone(meter, text):
    assert list(search.found(Device.objects.all(), text)) == [meter]


@pytest.mark.parametrize("text", MISSED)
def test_what_is_not_there_is_not_found(meter, text):
    assert list(search.found(Device.objects.all(), text)) == []


@pytest.mark.parametrize("text", ["", "   ", "\0"])
def test_nothing_said_finds_all(meter, text):
    assert search.found(Device.objects.all(), text).count() == 2


@pytest.mark.parametrize(
    "text", ["WASSERZÄHLER", "0151 7000001", "nor24756039", "söhne", "Anna Berger", "sn-881"]
)
def test_every_door_finds_the_same(meter, text):
    now = timezone.now()
    root = User.objects.create_superuser("root@example.com", "a long password 1")
    client = Client()
    client.force_login(root)
    owner = meter.subscriber.user
    api = client.get("/api/v1/devices/", {"q": text}).json()
    assert [row["endpoint"] for row in api["results"]] == [meter.endpoint]
    admin = client.get("/admin/devices/device/", {"q": text}).context["cl"].result_list
    assert [row.pk for row in admin] == [meter.pk]
    assert list(board.devices(root, Query(text=text), now)) == [meter]
    assert list(own.listed(owner, text=text, show="", now=now)) == [meter]
    assert desk.search(text, None) == [meter]


def test_a_search_by_address_lists_a_device_once(meter):
    from provisioning.models import BootstrapSession

    for _ in range(3):
        BootstrapSession.objects.create(
            operator_id=meter.operator_id, device=meter, state="done", transport="udp", host="192.0.2.7", port=1,
            content_format=112, started_at=timezone.now(), last_progress_at=timezone.now(),
        )  # fmt: skip
    assert desk.search("192.0.2.7", None) == [meter]


# -- by an index -----------------------------------------------------------------------------------------------

ROWS = 10_000
BIG = ("devices_device", "accounts_user", "accounts_subscriber", "audit_ledgerevent", "devices_credential",
       "devices_command")  # fmt: skip


@pytest.fixture
def crowded(db):
    """Tables in which reading all rows is what a planner avoids where it can."""
    with connection.cursor() as cursor:
        operator = Operator.objects.create(slug="big", name="Big")
        cursor.execute(
            """INSERT INTO accounts_user (password, is_superuser, email, name, is_staff, is_active, date_joined)
            SELECT '!', false, 'person' || n || '@example.org', 'Person ' || md5(n::text), false, true, now()
            FROM generate_series(1, %s) n""",
            [ROWS],
        )
        cursor.execute(
            """INSERT INTO accounts_subscriber (operator_id, user_id, number, state, created_at)
            SELECT %s, id, 'BIG-' || lpad((id %% 10000)::text, 4, '0') || '-' || lpad(id::text, 6, '0'), 'active', now()
            FROM accounts_user WHERE email LIKE 'person%%'""",
            [operator.pk],
        )
        Device.objects.bulk_create(
            [
                Device(
                    operator=operator,
                    subscriber=account,
                    endpoint=f"urn:imei:{351000000000000 + number}",
                    name=f"meter {number}",
                    serial_number=f"SN{number:08}",
                )
                for number, account in enumerate(Subscriber.objects.filter(operator=operator))
            ]
        )
        cursor.execute(
            """INSERT INTO devices_credential (device_id, plane, identity, sealed_key, state, created_at)
            SELECT id, 'management', endpoint, 'x', 'active', now() FROM devices_device"""
        )
        later = timezone.now() + timedelta(days=1)
        Command.objects.bulk_create(
            Command(device_id=pk, operation="read", path="/3/0", requested_by="test", expires_at=later)
            for pk in Device.objects.values_list("pk", flat=True)
        )
        cursor.execute(
            """INSERT INTO audit_ledgerevent (chain, sequence, version, at, actor_kind, actor_id, actor_label,
              impersonator_id, request_id, action, result, cause, target, device_id, operator_id, reason, personal,
              previous_hash, hash)
            SELECT %s, 1000000 + n, 1, now() - n * interval '1 second', 'system', '', '', '', '', 'a.kind' || n %% 400,
              CASE WHEN n %% 300 = 0 THEN 'failed' ELSE 'ok' END,
              CASE WHEN n %% 300 = 0 THEN 'INTERNAL_ERROR' ELSE '' END,
              'urn:imei:' || n, n, %s, '', '{}', '', '' FROM generate_series(1, %s) n""",
            [operator.pk, operator.pk, 3 * ROWS],
        )
        cursor.execute("ANALYZE")
    return operator


def plan_of(rows) -> str:
    """How the rows are found. Reading all of a table is what is left where no index can serve, and nothing else."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL enable_seqscan = off"
        )  # ten thousand rows in memory are read faster than an index
        return rows.explain()


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="what PostgreSQL's planner does")
def test_hot_queries_read_no_big_table_from_end_to_end(crowded):
    from audit.models import LedgerEvent

    ledger = LedgerEvent.objects.order_by("-id")
    hot = {
        "endpoint": search.found(Device.objects.order_by("-id"), "351000000000123")[:50],
        "name": search.found(Device.objects.order_by("-id"), "meter 4711")[:50],
        "mail": search.found(Device.objects.order_by("-id"), "person4711@example")[:50],
        "account": search.found(Device.objects.order_by("-id"), "BIG-4711")[:50],
        "phone": search.found(Device.objects.order_by("-id"), "+491517000001")[:50],
        "ledger of an operator": ledger.filter(operator_id=crowded.pk)[:50],
        "ledger by action": ledger.filter(action="a.kind7")[:50],
        "ledger by result": ledger.filter(result="failed")[:50],
        "ledger by cause": ledger.filter(cause="INTERNAL_ERROR")[:50],
        "ledger by target": ledger.filter(target="urn:imei:77")[:50],
        "ledger by beginning": ledger.filter(target__startswith="urn:imei:2999")[:50],
        "timeline": ledger.filter(device_id=77)[:50],
        "unknown identity": Credential.objects.filter(identity="nobody", plane="management"),
        "overdue commands": Command.objects.filter(state="queued", expires_at__lte=timezone.now())[:500],
    }
    read = {
        name: table for name, rows in hot.items() for table in BIG if f"Seq Scan on {table}" in plan_of(rows)
    }
    assert read == {}, "\n\n".join(plan_of(hot[name]) for name in read)
