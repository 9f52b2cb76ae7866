"""Personal data goes, the chain stays, and that it went is on record."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit import ledger
from audit.ledger import Actor
from audit.models import LedgerEvent, PersonalDatum
from audit.verification import verify_chain
from tests.audit.conftest import ANNA, CHAIN, verified

OFFICER = Actor("user", "1", "officer@example.org")


def erase(**wanted):
    return ledger.erase_personal(**{"operator_id": CHAIN, "reason": "asked", "actor": OFFICER, **wanted})


def test_a_subjects_data_goes_and_the_chain_stays_whole(ten_events):
    ledger.record(action="other", operator_id=CHAIN, actor=Actor("user", "43", "bob@example.org"))
    assert erase(subject="user:42") == 20
    assert set(PersonalDatum.objects.values_list("subject", flat=True)) == {"user:43", "user:1"}
    report = verify_chain(CHAIN)
    assert (report.findings, report.erased) == ([], 20)
    assert LedgerEvent.objects.get(sequence=1).actor_name == "(erased)"


def test_the_erasure_is_recorded(ten_events):
    erase(subject="user:42")
    event = LedgerEvent.objects.first()
    assert (event.action, event.target, event.reason) == ("audit.personal_erased", "user:42", "asked")
    assert event.detail == {"rows": 20, "before": None}
    assert event.actor_name == "officer@example.org"


def test_other_operators_chains_are_not_touched(ten_events):
    ledger.record(action="elsewhere", operator_id=8, actor=ANNA)
    assert erase(subject="user:42") == 20
    assert PersonalDatum.objects.filter(subject="user:42").count() == 1


def test_the_platform_erases_everywhere(ten_events):
    ledger.record(action="elsewhere", operator_id=8, actor=ANNA)
    assert erase(subject="user:42", operator_id=None) == 21
    assert [verified(chain) for chain in (0, CHAIN, 8)] == [[], [], []]
    assert LedgerEvent.objects.get(chain=0).action == "audit.personal_erased"


def test_a_person_who_erases_themselves_leaves_nothing(ten_events):
    with ledger.context(actor=ANNA, address="192.0.2.7"):
        erase(subject="user:42", actor=None)
    assert PersonalDatum.objects.count() == 0
    assert verified() == []


@pytest.mark.django_db
def test_events_of_the_same_unit_keep_nothing_either():
    with ledger.unit_of_work(), ledger.context(actor=ANNA):
        ledger.record(action="account.closing", operator_id=CHAIN)
        erase(subject="user:42")
        ledger.record(action="account.closed", operator_id=CHAIN)
        ledger.record(action="elsewhere", operator_id=8)
    assert list(PersonalDatum.objects.values_list("subject", "event__chain")) == [
        ("user:1", CHAIN),
        ("user:42", 8),
    ]
    assert verified() == []


@pytest.mark.django_db
def test_an_erasure_that_is_rolled_back_erases_nothing():
    with ledger.unit_of_work():
        ledger.record(action="kept", operator_id=CHAIN, actor=ANNA)
        try:
            with ledger.unit_of_work():
                erase(subject="user:42")
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass
    assert PersonalDatum.objects.get().value == "anna@example.org"


@pytest.mark.django_db
def test_old_data_goes_by_time():
    now = timezone.now()
    for days in (400, 100, 1):
        ledger.record(action="one", operator_id=CHAIN, actor=ANNA, at=now - timedelta(days=days))
    assert erase(before=now - timedelta(days=90)) == 2
    assert PersonalDatum.objects.filter(subject="user:42").count() == 1
    assert verified() == []


@pytest.mark.django_db
def test_personal_values_belong_to_the_subscriber_or_whom_is_named():
    ledger.record(action="one", operator_id=CHAIN, subscriber_id=9, personal={"phone": "+431"})
    ledger.record(action="two", operator_id=CHAIN, personal={"phone": "+432"}, subject="caller:3")
    ledger.record(action="three", operator_id=CHAIN, actor=ANNA, personal={"phone": "+433"})
    phones = PersonalDatum.objects.filter(field="phone").order_by("id")
    assert list(phones.values_list("subject", flat=True)) == ["subscriber:9", "caller:3", "user:42"]


@pytest.mark.parametrize("nobody", [{}, {"subject": ""}, {"subject": None}])
def test_erasing_nobody_in_particular_is_refused(nobody):
    with pytest.raises(ValueError):
        erase(**nobody)
