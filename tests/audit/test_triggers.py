"""The database itself refuses what must not happen to the ledger."""

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from audit import ledger, triggers
from audit.models import LedgerEvent, LedgerHead, PersonalDatum
from tests.audit.conftest import CHAIN, verified

on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL only")
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite only")


def refused(sql: str, message: str) -> None:
    with (
        pytest.raises(IntegrityError, match=message),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("UPDATE audit_ledgerevent SET reason = 'nicer'", "never changed"),
        ("UPDATE audit_ledgerevent SET reason = reason WHERE sequence = 3", "never changed"),
        ("UPDATE audit_ledgerevent SET sequence = 99 WHERE sequence = 3", "never changed"),
        ("UPDATE audit_ledgerevent SET sequence = NULL, hash = '' WHERE sequence = 3", "never changed"),
        ("DELETE FROM audit_ledgerevent WHERE sequence = 10", "never deleted"),
        ("DELETE FROM audit_ledgerevent", "never deleted"),
        ("UPDATE audit_personaldatum SET value = 'nobody'", "never changed"),
        ("UPDATE audit_ledgerhead SET sequence = 9", "never goes back"),
        ("UPDATE audit_ledgerhead SET chain = 8", "never goes back"),
        ("DELETE FROM audit_ledgerhead", "never deleted"),
    ],
)
def test_changes_are_refused(ten_events, sql, message):
    refused(sql, message)
    assert verified() == []


def test_the_orm_is_refused_too(ten_events):
    event = LedgerEvent.objects.order_by("id")[3]
    event.reason = "nicer"
    for attempt in (
        event.save,
        event.delete,
        LedgerEvent.objects.all().delete,
        LedgerHead.objects.all().delete,
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            attempt()
    assert verified() == []


def test_personal_data_may_be_deleted(ten_events):
    PersonalDatum.objects.all().delete()
    assert verified() == []


@on_postgresql
@pytest.mark.parametrize("table", ["audit_ledgerevent", "audit_ledgerhead", "audit_ledgercheckpoint"])
def test_truncate_is_refused(ten_events, table):
    refused(f"TRUNCATE {table} CASCADE", "never deleted")


@on_postgresql
def test_a_session_that_calls_itself_a_replica_is_refused(ten_events):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
    refused("DELETE FROM audit_ledgerevent", "never deleted")


@pytest.fixture
def unsealed(ten_events):
    ledger.record(action="one", operator_id=CHAIN, detail={"a": 1})
    return LedgerEvent.objects.get(sequence=None)


@pytest.mark.parametrize(
    "change",
    [
        "reason = 'nicer'",
        "detail = NULL",
        "device_id = 4",
        "id = id + 1000",
        "digest = 'x'",
        "sequence = 11",
        "hash = 'x'",
        "sequence = 11, hash = 'x', reason = 'nicer'",
        "sequence = 11, hash = 'x', detail = '{\"a\": 2}'",
        "sequence = 11, hash = 'x', at = '2020-01-01 00:00:00+00:00'",
        "sequence = 11, hash = 'x', digest = 'x'",
        "sequence = 11, hash = 'x', id = id + 1000",
        "sequence = 11, hash = 'x', chain = 8",
    ],
)
def test_an_unsealed_event_takes_its_place_and_no_other_change(unsealed, change):
    refused(f"UPDATE audit_ledgerevent SET {change} WHERE sequence IS NULL", "never changed")
    refused("DELETE FROM audit_ledgerevent WHERE sequence IS NULL", "never deleted")
    assert verified() == []
    assert LedgerEvent.objects.get(pk=unsealed.pk).sequence == 11


@pytest.mark.parametrize("place", ["11, ''", "NULL, 'x'", "11, 'x'"])
def test_an_event_that_claims_to_be_sealed_is_not_taken(ten_events, place):
    columns = [field.column for field in LedgerEvent._meta.concrete_fields]
    names = ", ".join(f'"{column}"' for column in columns if column not in ("id", "sequence", "hash"))
    refused(
        f"INSERT INTO audit_ledgerevent ({names}, sequence, hash) "
        f"SELECT {names}, {place} FROM audit_ledgerevent WHERE sequence = 1",
        "inserted unsealed",
    )


@on_sqlite
def test_replacing_a_row_is_refused(unsealed):
    columns = [
        field.column
        for field in LedgerEvent._meta.concrete_fields
        if field.column not in ("sequence", "hash")
    ]
    names = ", ".join(f'"{column}"' for column in columns)
    refused(
        f"INSERT OR REPLACE INTO audit_ledgerevent ({names}, hash) SELECT {names}, '' FROM audit_ledgerevent LIMIT 1",
        "never replaced",
    )
    refused(
        "UPDATE OR REPLACE audit_ledgerevent SET sequence = 3, hash = 'x' WHERE sequence IS NULL",
        "never changed",
    )
    assert LedgerEvent.objects.filter(sequence=3).count() == 1


@pytest.mark.django_db
def test_triggers_are_there_after_the_migrations():
    assert triggers.missing(connection) == []


@pytest.mark.django_db
def test_missing_triggers_are_named_and_come_back():
    triggers.remove(connection)
    assert "audit_event_no_delete" in triggers.missing(connection)
    triggers.install(connection)
    triggers.install(connection)
    assert triggers.missing(connection) == []


@on_postgresql
@pytest.mark.django_db
def test_a_trigger_that_is_switched_off_counts_as_missing():
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_ledgerevent DISABLE TRIGGER audit_event_no_update")
    assert triggers.missing(connection) == ["audit_event_no_update"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("run", [1, 2])
def test_the_test_runner_may_empty_the_ledger_between_tests(run):
    assert LedgerEvent.objects.count() == 0
    assert triggers.missing(connection) == []
    ledger.record(action="one", operator_id=CHAIN)
    with pytest.raises(CommandError):
        call_command("flush", interactive=False, verbosity=0)  # nobody else may
