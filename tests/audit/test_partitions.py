"""The ledger's partitions on PostgreSQL: made ahead, guarded, never in an insert's way."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from audit import ledger, months, partitions, sealing, tasks, triggers
from audit.models import LedgerEvent
from audit.partitions import Partitioned
from audit.verification import verify_chain
from tests.audit.conftest import CHAIN, kinds, verified
from tests.audit.test_concurrency import in_thread

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one table"),
]
FAR = datetime(2031, 5, 17, 12, tzinfo=UTC)


def stands_in(event: LedgerEvent) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM audit_ledgerevent WHERE id = %s", [event.pk])
        return cursor.fetchone()[0]


def record(at: datetime) -> LedgerEvent:
    ledger.record(action="one", operator_id=CHAIN, at=at)
    return LedgerEvent.objects.latest("id")


def test_migrate_leaves_room_for_the_months_to_come():
    now = timezone.now()
    known = [piece.name for piece in partitions.pieces(connection, triggers.EVENT)]
    wanted = [piece.name for piece in months._wanted(now)]
    assert set(wanted) <= set(known)
    assert stands_in(record(now)) == wanted[0] == f"audit_ledgerevent_{now:%Y%m}"
    assert stands_in(record(now + timedelta(days=80))) in known


def test_an_event_of_any_time_has_a_place_and_is_sealed():
    for at in (datetime(1999, 1, 1, tzinfo=UTC), FAR, timezone.now()):
        record(at)
    assert stands_in(LedgerEvent.objects.earliest("at")) == "audit_ledgerevent_default"
    assert verified() == []
    assert verify_chain(CHAIN).events == 3


def test_months_are_made_ahead_guarded_and_made_once():
    made = months.ahead(connection, now=FAR)
    assert made == [f"audit_ledgerevent_{name}" for name in ("203105", "203106", "203107", "203108")]
    assert months.ahead(connection, now=FAR) == []
    assert triggers.missing(connection) == []
    event = record(FAR)
    assert stands_in(event) == made[0]
    for refused in (f"TRUNCATE {made[0]}", f"DELETE FROM {made[0]}", f"UPDATE {made[0]} SET reason = 'x'"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(refused)
    assert verified() == []


def test_months_are_made_while_somebody_writes_and_takes_long():
    """Neither waits for the other: a new month touches no month that has events."""
    inserted, may_end = threading.Event(), threading.Event()

    def write() -> None:
        with transaction.atomic():
            ledger.record(action="one", operator_id=CHAIN)
            inserted.set()
            assert may_end.wait(30)
            transaction.set_rollback(True)

    with ThreadPoolExecutor(1) as pool:
        writer = pool.submit(in_thread(write))
        assert inserted.wait(30)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '1s'")
            assert len(months.ahead(connection, now=FAR)) == 4
        finally:
            may_end.set()
            writer.result(30)
    assert triggers.missing(connection) == []


def test_a_partition_that_lost_a_trigger_is_reported():
    [name, *_] = months.ahead(connection, now=FAR)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER audit_event_no_truncate ON {name}")
    assert triggers.missing(connection) == ["audit_event_no_truncate"]


def test_a_month_that_has_events_already_stays_where_they_are(caplog):
    event = record(FAR)
    assert months.ahead(connection, now=FAR) == [
        f"audit_ledgerevent_{name}" for name in ("203106", "203107", "203108")
    ]
    assert "partition_not_added name=audit_ledgerevent_203105" in caplog.text
    assert stands_in(event) == "audit_ledgerevent_default"
    assert verified() == []


def test_the_task_makes_what_is_missing():
    tasks.make_partitions()
    assert months.ahead(connection, now=timezone.now()) == []


def test_the_same_place_in_two_months_is_found():
    """The database keeps places apart within a month only: the head does the rest, and this."""
    months.ahead(connection, now=FAR)
    record(timezone.now())
    record(FAR)
    sealing.run()
    triggers.remove(connection)
    LedgerEvent.objects.filter(sequence=2).update(sequence=1)
    assert ("inserted", 1) in kinds(verify_chain(CHAIN))
    LedgerEvent.objects.create(
        chain=CHAIN,
        sequence=2,
        version=1,
        at=FAR,
        actor_kind="system",
        action="x",
        result="ok",
        digest="",
        hash="x",
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        LedgerEvent.objects.create(
            chain=CHAIN,
            sequence=2,
            version=1,
            at=FAR,
            actor_kind="system",
            action="x",
            result="ok",
            digest="",
            hash="y",
        )


def test_keys_count_on_and_the_newest_is_found_over_all_months(django_assert_num_queries):
    months.ahead(connection, now=FAR)
    first, second = record(FAR), record(timezone.now())
    assert second.pk > first.pk
    with django_assert_num_queries(1):
        assert [event.pk for event in LedgerEvent.objects.order_by("-id")] == [second.pk, first.pk]


def test_a_table_of_days_and_months_has_no_overlaps():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE told (id integer, at timestamptz, word text)")
    spec = Partitioned(table="told", key=("id", "at"))
    partitions.install(connection, spec)
    today = partitions.day("told", FAR)
    assert partitions.add(connection, spec, [today]) == ["told_20310517"]
    assert partitions.add(connection, spec, [partitions.month("told", FAR)]) == []
    assert partitions.add(connection, spec, [partitions.month("told", FAR + timedelta(days=20))]) == [
        "told_203106"
    ]
    assert partitions.drop_before(connection, spec, today.end - timedelta(seconds=1)) == []
    assert partitions.drop_before(connection, spec, today.end) == ["told_20310517"]
    assert partitions.names(connection, "told") == ["told_203106", "told_default"]


def test_django_sees_no_difference():
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
