"""Every kind of tampering is found, by whoever owns the database and has dropped the triggers."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit import canonical, ledger, verification
from audit.models import LedgerEvent, LedgerHead, PersonalDatum
from audit.verification import chains, compare_with_note, loose_personal_data, verify_chain
from tests.audit.conftest import CHAIN, verified

INSERTED = {
    **dict.fromkeys(["actor_label", "impersonator_id", "request_id", "cause", "target", "reason"], ""),
    **dict.fromkeys(["device_id", "subscriber_id", "job_id", "before", "after", "detail"]),
    "chain": CHAIN,
    "version": 1,
    "at": datetime(2026, 1, 1, tzinfo=UTC),
    "actor_kind": "system",
    "actor_id": "portal",
    "action": "invented",
    "result": "ok",
    "operator_id": CHAIN,
}


def forge(sequence: int, previous_hash: str) -> LedgerEvent:
    """An event with a right hash, as an attacker who has read this source would make."""
    digest = canonical.digest({**INSERTED, "personal": "{}"})
    pk = LedgerEvent.objects.latest("id").pk + 1
    hash_ = canonical.chained(previous_hash, sequence=sequence, event_id=pk, digest=digest)
    return LedgerEvent(**INSERTED, pk=pk, sequence=sequence, digest=digest, hash=hash_)


def stored(sequence: int) -> LedgerEvent:
    return LedgerEvent.objects.get(chain=CHAIN, sequence=sequence)


def test_an_untouched_chain_is_whole(ten_events):
    report = verify_chain(CHAIN)
    head = LedgerHead.objects.get()
    assert (report.findings, report.events, report.erased) == ([], 10, 0)
    assert (report.sequence, report.hash) == (10, head.hash)
    assert chains() == [CHAIN]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", "2020-01-01 00:00:00+00:00"),
        ("actor_kind", "system"),
        ("actor_id", "43"),
        ("actor_label", "x"),
        ("impersonator_id", "1"),
        ("request_id", "x"),
        ("action", "device.added"),
        ("result", "failed"),
        ("cause", "CONFLICT"),
        ("target", "urn:dev:x"),
        ("device_id", 99),
        ("subscriber_id", 99),
        ("operator_id", 99),
        ("job_id", 99),
        ("before", '{"name": "other"}'),
        ("after", '{"name": "other"}'),
        ("after", None),
        ("detail", "{}"),
        ("reason", "x"),
        ("personal", "{}"),
        ("version", 2),
        ("digest", "f" * 64),
        ("hash", "f" * 64),
    ],
)
def test_a_change_of_any_column_is_found(tamper, column, value):
    tamper(f'UPDATE audit_ledgerevent SET "{column}" = %s WHERE sequence = 5', value)
    assert ("changed", 5) in verified()


def test_a_changed_event_that_was_hashed_anew_is_found_by_the_next(tamper):
    row = LedgerEvent.objects.values(*canonical.COLUMNS).get(sequence=5)
    row["reason"] = "nicer"
    texts = {column: canonical.json_text(row[column]) for column in canonical.JSON_COLUMNS}
    digest = canonical.digest({**row, **texts})
    hash_ = canonical.chained(stored(4).hash, sequence=5, event_id=stored(5).pk, digest=digest)
    change = "UPDATE audit_ledgerevent SET reason = 'nicer', digest = %s, hash = %s WHERE sequence = 5"
    tamper(change, digest, stored(5).hash)
    assert verified() == [("changed", 5)]
    tamper(change, digest, hash_)
    assert verified() == [("changed", 6)]


def test_a_missing_event_is_found(tamper):
    tamper("DELETE FROM audit_ledgerevent WHERE sequence = 5")
    assert verified() == [("missing", 5)]


def test_missing_events_are_found_together(tamper):
    tamper("DELETE FROM audit_ledgerevent WHERE sequence BETWEEN 1 AND 3")
    report = verify_chain(CHAIN)
    assert [finding.text for finding in report.findings] == ["events 1 to 3 are missing"]


def test_a_gap_that_was_closed_is_found(tamper):
    tamper("DELETE FROM audit_ledgerevent WHERE sequence = 5")
    for sequence in range(6, 11):
        tamper("UPDATE audit_ledgerevent SET sequence = %s WHERE sequence = %s", sequence - 1, sequence)
    assert ("changed", 5) in verified()


def test_a_cut_off_end_is_found(tamper):
    tamper("DELETE FROM audit_ledgerevent WHERE sequence > 7")
    report = verify_chain(CHAIN)
    assert [finding.text for finding in report.findings] == [
        "events 8 to 10 are missing at the end of the chain"
    ]


def test_an_emptied_chain_is_found(tamper):
    tamper("DELETE FROM audit_ledgerevent")
    assert verified() == [("missing", 1)]
    assert chains() == [CHAIN]


def test_a_cut_off_end_with_the_head_turned_back_is_found_by_a_note(tamper):
    note = stored(10).hash
    tamper("DELETE FROM audit_ledgerevent WHERE sequence > 7")
    tamper("UPDATE audit_ledgerhead SET sequence = 7, hash = %s", stored(7).hash)
    assert verified() == []
    assert compare_with_note(CHAIN, 10, note).kind == "noted"
    assert compare_with_note(CHAIN, 7, "f" * 64).kind == "noted"
    assert compare_with_note(CHAIN, 7, stored(7).hash) is None


def test_an_event_added_beyond_the_head_is_found(tamper):
    forge(11, stored(10).hash).save()
    assert verified() == [("inserted", 11)]


def test_an_event_put_before_the_beginning_is_found(tamper):
    forge(0, "0" * 64).save()
    assert ("inserted", 0) in verified()


def test_an_event_put_in_the_place_of_another_is_found(tamper):
    tamper("DELETE FROM audit_ledgerevent WHERE sequence = 5")
    forge(5, stored(4).hash).save()
    assert ("changed", 6) in verified()


def test_swapped_events_are_found(tamper):
    tamper("UPDATE audit_ledgerevent SET sequence = 50 WHERE sequence = 5")
    tamper("UPDATE audit_ledgerevent SET sequence = 5 WHERE sequence = 6")
    tamper("UPDATE audit_ledgerevent SET sequence = 6 WHERE sequence = 50")
    assert ("changed", 5) in verified()


def test_an_event_moved_in_the_timeline_is_found(tamper):
    tamper("DELETE FROM audit_personaldatum")
    tamper("UPDATE audit_ledgerevent SET id = id + 1000 WHERE sequence = 5")
    assert verified() == [("changed", 5)]


def test_an_event_moved_to_another_chain_is_found_in_both(tamper):
    tamper("UPDATE audit_ledgerevent SET chain = 8, operator_id = 8 WHERE sequence = 10")
    assert verified() == [("missing", 10)]
    assert chains() == [CHAIN, 8]
    assert ("head", None) in verified(8)
    assert ("changed", 10) in verified(8)


def test_a_missing_head_is_found(tamper):
    tamper("DELETE FROM audit_ledgerhead")
    assert chains() == [CHAIN]
    assert verified() == [("head", None)]


def test_a_wrong_head_is_found(tamper):
    tamper("UPDATE audit_ledgerhead SET hash = %s", "f" * 64)
    assert verified() == [("head", 10)]


@pytest.mark.skipif(
    connection.vendor != "sqlite", reason="PostgreSQL stores nothing but times in that column"
)
def test_what_is_no_time_is_found(tamper):
    tamper("UPDATE audit_ledgerevent SET at = 'garbage' WHERE sequence = 3")
    tamper("UPDATE audit_ledgerevent SET at = '2026-99-99 00:00:00' WHERE sequence = 5")
    assert verified() == [("changed", 3), ("changed", 5)]


@pytest.mark.parametrize("value", ["null", "[]", "7", '{"actor": 7}'])
def test_what_is_no_commitment_is_found(tamper, value):
    tamper("UPDATE audit_ledgerevent SET personal = %s WHERE sequence = 5", value)
    assert ("changed", 5) in verified()


def test_changed_personal_data_is_found(tamper):
    tamper("UPDATE audit_personaldatum SET value = 'bob@example.org' WHERE event_id = %s", stored(5).pk)
    assert verified() == [("personal", 5), ("personal", 5)]


def test_a_changed_salt_is_found(tamper):
    datum = PersonalDatum.objects.filter(event=stored(5), field="actor")
    datum.update(salt=b"0" * 16)
    assert verified() == [("personal", 5)]


def test_invented_personal_data_is_found(tamper):
    PersonalDatum.objects.create(event=stored(5), field="phone", salt=b"0" * 16, value="123")
    assert verified() == [("personal", 5)]


def test_personal_data_of_no_event_is_found(tamper):
    PersonalDatum.objects.create(event_id=999_999, field="phone", salt=b"0" * 16, value="123")
    assert [finding.kind for finding in loose_personal_data()] == ["personal"]


def test_erased_personal_data_is_counted_not_reported(ten_events):
    PersonalDatum.objects.filter(event=stored(5)).delete()
    report = verify_chain(CHAIN)
    assert (report.findings, report.erased) == ([], 2)


def test_pages_join_without_a_seam(ten_events, monkeypatch):
    monkeypatch.setattr(verification, "_PAGE", 3)
    report = verify_chain(CHAIN)
    assert (report.findings, report.events) == ([], 10)


def test_each_page_begins_where_the_one_before_ended(ten_events, monkeypatch):
    """Said so that an index answers it: to read from the start for each page takes hours for millions."""
    monkeypatch.setattr(verification, "_PAGE", 3)
    with CaptureQueriesContext(connection) as asked:
        verify_chain(CHAIN)
    pages = [one["sql"] for one in asked if '"sequence" <= 10' in one["sql"]]
    for number, page in enumerate(pages[1:], start=1):
        assert f'AND "audit_ledgerevent"."sequence" >= {min(3 * number, 10)} AND' in page
    assert len(pages) == 5


def test_tampering_at_a_seam_is_found(tamper, monkeypatch):
    monkeypatch.setattr(verification, "_PAGE", 3)
    tamper("DELETE FROM audit_ledgerevent WHERE sequence = 4")
    assert verified() == [("missing", 4)]


def test_a_chain_that_grows_while_it_is_verified_is_whole(ten_events, monkeypatch):
    walk = verification._walk

    def walk_and_write(report, limit):
        ledger.record(action="meanwhile", operator_id=CHAIN)
        return walk(report, limit)

    monkeypatch.setattr(verification, "_walk", walk_and_write)
    assert verified() == []


def test_other_chains_do_not_matter(tamper):
    ledger.record(action="one", operator_id=8)
    tamper("DELETE FROM audit_ledgerevent WHERE chain = %s AND sequence = 5", CHAIN)
    assert verified(8) == []
