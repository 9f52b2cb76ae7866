"""Units of work, rollbacks, contexts and what `record` refuses."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from audit import canonical, ledger, sealing
from audit.ledger import Actor, Event
from audit.models import FIRST_HASH, LedgerEvent, LedgerHead
from tests.audit.conftest import ANNA, verified

pytestmark = pytest.mark.django_db


def record(action: str, operator_id: int | None = 1) -> None:
    ledger.record(action=action, operator_id=operator_id)


def stranger(action: str) -> None:
    ledger.record_many([Event(action=action, operator_id=1, by_stranger=True)])


def actions(chain: int = 1) -> list[str]:
    return list(LedgerEvent.objects.filter(chain=chain).order_by("id").values_list("action", flat=True))


def test_outside_a_unit_an_event_is_written_at_once():
    record("one")
    assert actions() == ["one"]


def test_events_of_a_unit_are_rows_of_its_transaction_in_order():
    with ledger.unit_of_work():
        record("one")
        record("two")
        assert actions() == ["one", "two"]
    assert actions() == ["one", "two"]
    assert verified(1) == []


def test_events_of_many_rows_go_in_together(django_assert_num_queries):
    # Two savepoints, one of which is rolled back, the look of the test, one insert
    with django_assert_num_queries(7), ledger.unit_of_work(), ledger.together():
        record("one")
        with suppress(ZeroDivisionError), ledger.unit_of_work():
            record("lost")
            raise ZeroDivisionError
        with ledger.together():
            record("two")
        assert actions() == []
    assert actions() == ["one", "two"]
    with suppress(ZeroDivisionError), ledger.unit_of_work(), ledger.together():
        record("lost")
        raise ZeroDivisionError
    with ledger.unit_of_work():
        with suppress(ZeroDivisionError), ledger.together():
            record("lost")
            raise ZeroDivisionError
        record("three")
    assert actions() == ["one", "two", "three"]


def test_an_event_has_no_place_until_it_is_sealed():
    record("one")
    event = LedgerEvent.objects.get()
    assert (event.sequence, event.hash, str(event)) == (None, "", "1/unsealed one ok")
    assert not LedgerHead.objects.exists(), "a deed does not touch the head of its chain"
    assert sealing.run() == 1
    assert LedgerEvent.objects.get().sequence == 1
    assert sealing.run() == 0


def test_a_deed_costs_one_statement(django_assert_num_queries):
    with django_assert_num_queries(3), ledger.unit_of_work():  # the savepoint, the event, the release
        record("one")


def test_chains_start_at_one_and_are_linked():
    record("one")
    record("two")
    sealing.run()
    first, second = LedgerEvent.objects.order_by("sequence")
    head = LedgerHead.objects.get()
    assert (first.sequence, second.sequence) == (1, 2)
    assert first.hash == canonical.chained(FIRST_HASH, sequence=1, event_id=first.pk, digest=first.digest)
    assert second.hash == canonical.chained(first.hash, sequence=2, event_id=second.pk, digest=second.digest)
    assert (head.chain, head.sequence, head.hash) == (1, 2, second.hash)


def test_operators_have_chains_of_their_own_and_the_platform_has_chain_zero():
    with ledger.unit_of_work():
        record("of nine", 9)
        record("of platform", None)
        record("of two", 2)
        record("of nine again", 9)
    assert (actions(9), actions(0), actions(2)) == (["of nine", "of nine again"], ["of platform"], ["of two"])
    assert LedgerEvent.objects.get(chain=0).operator_id is None
    assert LedgerEvent.objects.filter(chain=9, operator_id=9).count() == 2
    assert [verified(chain) for chain in (0, 2, 9)] == [[], [], []]


def test_what_anybody_can_cause_is_written_at_the_end_of_the_outermost_unit():
    """Its tallies are locked last of all."""
    with ledger.unit_of_work():
        stranger("outer")
        with ledger.unit_of_work():
            stranger("inner")
        with suppress(ZeroDivisionError), ledger.unit_of_work():
            stranger("lost")
            raise ZeroDivisionError
        record("known")
        assert actions() == ["known"]
    assert actions() == ["known", "outer", "inner"]


def test_an_inner_unit_that_fails_drops_only_its_own_events():
    with ledger.unit_of_work():
        record("before")
        with suppress(ZeroDivisionError), ledger.unit_of_work():
            record("inner")
            with ledger.unit_of_work():
                record("innermost")
            raise ZeroDivisionError
        record("after")
    assert actions() == ["before", "after"]


def test_a_plain_savepoint_that_rolls_back_drops_its_events_too():
    with ledger.unit_of_work():
        record("before")
        with suppress(ZeroDivisionError), transaction.atomic():
            record("inner")
            raise ZeroDivisionError
    assert actions() == ["before"]


def test_a_unit_that_fails_leaves_nothing_and_the_next_one_works():
    with suppress(ZeroDivisionError), ledger.unit_of_work():
        record("lost")
        raise ZeroDivisionError
    with ledger.unit_of_work():
        record("kept")
    assert actions() == ["kept"]
    assert verified(1) == []


def test_a_unit_inside_a_plain_transaction_works():
    with transaction.atomic(), ledger.unit_of_work():
        record("one")
    assert actions() == ["one"]


def test_a_unit_marked_for_rollback_writes_nothing():
    with ledger.unit_of_work():
        record("lost")
        transaction.set_rollback(True)
    assert LedgerEvent.objects.count() == 0


def test_a_unit_without_events_touches_no_ledger_table(django_assert_num_queries):
    with django_assert_num_queries(2), ledger.unit_of_work():  # the savepoint and its release
        pass


def test_units_leave_other_on_commit_callbacks_alone(django_capture_on_commit_callbacks):
    called = []
    with django_capture_on_commit_callbacks(execute=True) as callbacks, ledger.unit_of_work():
        transaction.on_commit(lambda: called.append("first"))
        record("one")
        transaction.on_commit(lambda: called.append("second"))
    assert called == ["first", "second"]
    assert len(callbacks) == 3, "the third rings for the sealer"


def test_a_unit_may_decorate_a_service():
    @ledger.unit_of_work()
    def service() -> None:
        record("one")

    service()
    service()
    assert actions() == ["one", "one"]


def test_everything_that_is_given_is_stored():
    at = datetime(2026, 3, 4, 5, 6, 7, 89, tzinfo=UTC)
    ledger.record(
        action="device.suspended",
        operator_id=3,
        actor=Actor("device", "5", "urn:dev:5"),
        result="refused",
        cause="DEVICE_SUSPENDED",
        target="urn:dev:5",
        device_id=5,
        subscriber_id=6,
        job_id=7,
        before={"access": "active"},
        after={"access": "suspended"},
        reason="stolen",
        detail={"by": "phone"},
        personal={"caller": "Anna"},
        at=at,
    )
    event = LedgerEvent.objects.get()
    assert (event.action, event.result, event.cause, event.target) == (
        "device.suspended",
        "refused",
        "DEVICE_SUSPENDED",
        "urn:dev:5",
    )
    assert (event.device_id, event.subscriber_id, event.job_id, event.operator_id) == (5, 6, 7, 3)
    assert (event.before, event.after, event.detail) == (
        {"access": "active"},
        {"access": "suspended"},
        {"by": "phone"},
    )
    assert (event.reason, event.at, event.actor_kind, event.actor_id) == ("stolen", at, "device", "5")
    assert event.actor_name == "urn:dev:5"
    assert event.personal_value("caller") == "Anna"
    assert event.personal_data.get().subject == "subscriber:6"


def test_without_a_context_the_portal_is_the_actor():
    record("one")
    event = LedgerEvent.objects.get()
    assert (event.actor_kind, event.actor_id, event.actor_name) == ("system", "portal", "The portal")
    assert event.personal == {}


def test_the_context_is_recorded_and_nests():
    staff = Actor("user", "1", "staff@example.org")
    with (
        ledger.context(actor=staff, address="192.0.2.1", request_id="request-0001"),
        ledger.context(actor=lambda: ANNA, impersonator=staff),
    ):
        assert ledger.current_actor() == ANNA
        record("one")
    assert ledger.current_actor() == ledger.SYSTEM
    event = LedgerEvent.objects.get()
    assert (event.actor_id, event.impersonator_id, event.request_id) == ("42", "1", "request-0001")
    assert (event.actor_name, event.impersonator_name) == ("anna@example.org", "staff@example.org")
    assert event.personal_value("address") == "192.0.2.1"
    subjects = dict(event.personal_data.values_list("field", "subject"))
    assert subjects == {"actor": "user:42", "impersonator": "user:1", "address": "user:1"}


def test_a_persons_label_is_in_no_column_of_the_event():
    ledger.record(action="one", operator_id=1, actor=ANNA)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM audit_ledgerevent")
        assert "anna@example.org" not in str(cursor.fetchall())


def test_the_actor_is_the_one_at_the_time_of_the_event_not_of_the_commit():
    with ledger.unit_of_work(), ledger.context(actor=ANNA):
        record("one")
    assert LedgerEvent.objects.get().actor_id == "42"


@pytest.mark.parametrize(
    "wrong",
    [
        {"cause": "NO_SUCH_CAUSE"},
        {"result": "maybe"},
        {"at": datetime(2026, 1, 1)},
        {"operator_id": 0},
        {"personal": {"password": "x"}},
        {"personal": {"actor": "x"}},
    ],
)
def test_what_a_program_must_not_say_is_refused(wrong):
    with pytest.raises(ValueError):
        ledger.record(**{"action": "one", "operator_id": 1, **wrong})
    assert LedgerEvent.objects.count() == 0


def test_too_long_texts_are_cut_not_refused():
    ledger.record(
        action="one",
        operator_id=1,
        target="t" * 999,
        reason="r" * 9999,
        actor=Actor("device", "i" * 999, "l" * 999),
        personal={"name": "n" * 9999},
        subject="s" * 999,
    )
    event = LedgerEvent.objects.get()
    assert event.target == "t" * 254 + "…"
    assert verified(1) == []


def test_many_events_go_in_together(django_assert_max_num_queries):
    events = [
        Event(action=f"a{number}", operator_id=1 + number % 3, actor=ANNA if number % 50 == 0 else None)
        for number in range(300)
    ]
    with django_assert_max_num_queries(4):  # the savepoint, events, personal data, the release
        ledger.record_many(events)
    assert actions(1) == [f"a{number}" for number in range(0, 300, 3)]
    assert [verified(chain) for chain in (1, 2, 3)] == [[], [], []]
    assert LedgerEvent.objects.filter(actor_id="42").count() == 6
    assert {event.actor_name for event in LedgerEvent.objects.filter(actor_id="42")} == {"anna@example.org"}


def test_recording_nothing_does_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        ledger.record_many([])
