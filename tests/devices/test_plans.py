"""Every statement of the hot lists, as PostgreSQL plans it of its own accord: none reads all of a big table.

Asked of the statements that the doors run, at a size at which a planner that may choose takes the index.
"""

from __future__ import annotations

import re

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Operator, User
from devices.commands.models import Command
from devices.commands.services import gateway_delivery
from devices.gateways.services import routes
from devices.inventory.models import Credential, Device
from devices.observations.services import observation_states
from devices.registry import sender_rows
from devices.registry.selectors import sessions
from provisioning.ladder import ReachPolicy
from provisioning.selectors import silence

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="what PostgreSQL's planner does"),
]
ROWS = 20_000
EVENTS = 30_000
BIG = (
    *("inventory_device", "registry_registration", "registry_registrationdetail", "inventory_credential"),
    *("commands_command", "accounts_user", "accounts_subscriber", "audit_ledgerevent"),
)
FILL = (
    """INSERT INTO accounts_user (password, is_superuser, email, name, is_staff, is_active, date_joined,
      time_zone)
    SELECT '!', false, 'person' || n || '@example.org', 'Person ' || n, false, true, now(), ''
    FROM generate_series(1, {rows}) n""",
    """INSERT INTO accounts_subscriber (operator_id, user_id, number, state, created_at)
    SELECT {operator}, id, 'BIG-' || lpad((id % 10000)::text, 4, '0') || '-' || id, 'active', now()
    FROM accounts_user WHERE email LIKE 'person%@example.org'""",
    """INSERT INTO inventory_device (operator_id, subscriber_id, endpoint, name, reach, onboarding, security, msisdn,
      ownership, access, provisioning, setup_cause, manufacturer, model_number, serial_number, firmware_version,
      prefix, created_at)
    SELECT {operator}, id, 'urn:imei:' || 351000000000000 + n, 'meter-' || n, 'ip', 'bootstrap', 'psk',
      '+4915170' || lpad(n::text, 6, '0'), 'claimed', 'active', 'applied', '', 'Acme', 'M' || n % 20,
      'SN' || lpad(n::text, 8, '0'), '1', '', now()
    FROM (SELECT id, row_number() OVER (ORDER BY id) n FROM accounts_subscriber
          WHERE operator_id = {operator}) account""",
    """INSERT INTO registry_registration (device_id, registration_id, is_live, transport, identity, host, port, flow,
      lifetime_seconds, queue_mode, registered_at, last_seen_at, expires_at)
    SELECT id, 'r' || id, true, 'dtls', 'key' || id, '10.0.' || id / 250 % 250 || '.' || id % 250, 5683, 'f', 86400,
      false, now(), now(), now() + interval '1 day' FROM inventory_device""",
    """INSERT INTO registry_registrationdetail (device_id, version, binding, sms_number, object_links, attributes,
      end_cause) SELECT id, '1.1', 'U', '', '[]', '[]', '' FROM inventory_device""",
    """INSERT INTO inventory_credential (device_id, plane, kind, identity, sealed, state, created_at)
    SELECT id, 'management', 'psk', 'key' || id, 'x', 'active', now() FROM inventory_device""",
    """INSERT INTO commands_command (device_id, operation, path, arguments, priority, state, requested_by, reason,
      correlation, is_waking, attempts, broken_off, claimed_by, created_at, expires_at, response_code, cause, detail)
    SELECT id, 'read', '/3/0', '{{}}', 0, 'queued', 'test', '', '', false, 0, 0, '', now(), now() + interval '1 day',
      '', '', '' FROM inventory_device""",
    """INSERT INTO audit_ledgerevent (chain, version, at, actor_kind, actor_id, actor_label,
      impersonator_id, request_id, action, result, cause, target, device_id, subscriber_id, operator_id, job_id, reason,
      personal, digest, hash)
    SELECT {operator}, 1, now() - n * interval '1 millisecond', 'device', '', '', '',
      CASE WHEN n % 50 = 0 THEN 'request' || n ELSE '' END, 'a.kind' || n % 400,
      CASE WHEN n % 300 = 0 THEN 'failed' ELSE 'ok' END, CASE WHEN n % 300 = 0 THEN 'INTERNAL_ERROR' ELSE '' END,
      'urn:imei:' || n % {rows}, n % {rows}, n % {rows}, {operator}, CASE WHEN n % 10 = 0 THEN n END, '', '{{}}', '', ''
    FROM generate_series(1, {events}) n""",
    # What VACUUM does: words of new rows wait in a list that each search reads, until they are sorted in.
    *(
        f"SELECT gin_clean_pending_list('{name}_trigrams')"
        for name in ("inventory_device", "accounts_user", "accounts_subscriber")
    ),
    "ANALYZE",
)
# What few devices have. Of a word that all have, the reading ends after the first `search.FEW`.
DEVICES = (
    *(
        "351000000000123",
        "meter-4711",
        "METER-4711 person4711",
        "person4711@example",
        "BIG-4711",
        "0151 70004711",
    ),
    *("SN00004711", "10.0.77.7", "nosuchthing"),
)
DOORS = (
    "/admin/inventory/device/",
    "/admin/inventory/device/board/",
    "/support/",
    "/api/v1/registrations/",
)
EVENT_FILTERS = (
    *("action=a.kind7", "result=failed", "cause=INTERNAL_ERROR", "target=urn:imei:77", "device_id=77"),
    *("subscriber_id=77", "job_id=770", "request_id=request50", "action=a.kind7&result=failed", ""),
)
EVENT_WORDS = ("urn:imei:1999", "a.kind7", "INTERNAL_E", "request50", "nosuchthing")


@pytest.fixture
def crowd(db) -> Operator:
    """Many narrow rows."""
    operator = Operator.objects.create(slug="big", name="Big")
    with connection.cursor() as cursor:
        for statement in FILL:
            cursor.execute(statement.format(rows=ROWS, events=EVENTS, operator=operator.pk))
    return operator


def read_whole(statement: str) -> list[str]:
    """The big tables that the statement reads from end to end."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    # Of the ledger, the partition of this month has all the rows.
    this_month = f"(_{timezone.now():%Y%m})?"
    return [table for table in BIG if re.search(rf"Seq Scan on {table}{this_month} ", plan)]


def asked_by(client: Client, path: str, given: dict[str, str] | str) -> list[str]:
    cache.clear()
    with CaptureQueriesContext(connection) as asked:
        if isinstance(given, str):
            answer = client.get(f"{path}?{given}")
        else:
            answer = client.get(path, given)
    assert answer.status_code in (200, 302), (path, given)
    return [one["sql"] for one in asked.captured_queries if one["sql"].lstrip("(").startswith("SELECT")]


def test_no_door_reads_a_big_table_from_end_to_end(crowd):
    requests = [("/api/v1/devices/", {"q": text}) for text in DEVICES]
    requests += [(door, {"q": text}) for door in DOORS for text in DEVICES[:3]]
    requests += [("/api/v1/audit/events/", given) for given in EVENT_FILTERS]
    requests += [("/admin/audit/ledgerevent/", {"q": text}) for text in EVENT_WORDS]
    requests += [("/admin/audit/ledgerevent/", given) for given in ("action=a.kind7", "result__exact=failed")]
    client, read = Client(), {}
    client.force_login(User.objects.create_superuser("root@example.com", "a long password 1"))
    for path, given in requests:
        for statement in asked_by(client, path, given):
            if tables := read_whole(statement):
                read[path, str(given)] = (tables, statement)
    assert read == {}, sorted(read)

    # Looks from the air and of beat
    with CaptureQueriesContext(connection) as asked:
        list(Credential.objects.filter(identity="nobody", plane="management"))
        list(Command.objects.filter(state="queued", expires_at__lte=timezone.now())[:500])
    assert [read_whole(one["sql"]) for one in asked.captured_queries] == [[], []]


def test_no_question_about_gateways_reads_a_big_table_from_end_to_end(crowd):
    """Few devices are behind gateways, and each message of any device asks whether some are behind it."""
    now = timezone.now()
    gateway, *children = Device.objects.order_by("pk")[:51]
    with connection.cursor() as cursor:
        ids = [child.pk for child in children]
        cursor.execute(
            "UPDATE inventory_device SET reach = 'gateway', via_id = %s, prefix = 'dev' || id WHERE id = ANY(%s)",
            [gateway.pk, ids],
        )
        cursor.execute("ANALYZE inventory_device")
    with CaptureQueriesContext(connection) as asked:
        assert gateway_delivery.gateways([gateway.pk, *ids]) == {gateway.pk}
        routes.by_prefix([(gateway.pk, f"dev{ids[0]}"), (gateway.pk, "unknown")])
        observation_states.lost(device_ids=[gateway.pk])
        silence.of_end_devices({crowd.pk: ReachPolicy()}, now=now, limit=100)
        list(Device.objects.filter(sessions.condition(sessions.Session.GONE, now)))
        gateway_delivery.next_of([gateway.pk], now)
        observation_states.wanting_through([gateway.pk], 100)
    asked = [one["sql"] for one in asked.captured_queries if one["sql"].startswith(("SELECT", "UPDATE"))]
    assert len(asked) >= 8
    assert {statement: tables for statement in asked if (tables := read_whole(statement))} == {}
    assert sender_rows.live([gateway.pk, *ids])[0].has_waiting
