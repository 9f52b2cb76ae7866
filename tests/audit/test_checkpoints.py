"""Signed checkpoints: what a chain alone cannot show, a tail that was cut off and a history that was rewritten."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from audit import canonical, checkpoints, ledger, sealing, signatures, tasks, triggers
from audit.attestation import add_stored, compare
from audit.models import FIRST_HASH, LedgerCheckpoint, LedgerEvent, LedgerHead
from audit.verification import verify_chain
from tests.audit.conftest import CHAIN, kinds

NEW_SEED, OTHER_SEED = (base64.urlsafe_b64encode(bytes([number]) * 32).decode() for number in (1, 2))


def close() -> None:
    sealing.run()
    checkpoints.close_all(now=timezone.now())


def more(count: int) -> None:
    ledger.record_many([ledger.Event(action="later", operator_id=CHAIN)] * count)


def found() -> list[tuple[str, int | None]]:
    report = verify_chain(CHAIN)
    add_stored(report)
    return kinds(report)


def kept() -> list[checkpoints.Checkpoint]:
    """As they come back from where they were kept."""
    lines = [one.line() for one in checkpoints.stored()]
    return list(checkpoints.read(lines))


@pytest.fixture
def two_epochs(ten_events):
    """Up to 10 and up to 14, and two events after it."""
    close()
    more(4)
    close()
    more(2)
    sealing.run()


def rewrite() -> None:
    """The whole chain anew with another first event, head and all: what an owner of the database can do."""
    triggers.remove(connection)
    previous = FIRST_HASH
    for event in LedgerEvent.objects.filter(chain=CHAIN).order_by("sequence"):
        if event.sequence == 1:
            event.reason = "nicer"
            row = {column: getattr(event, column) for column in canonical.COLUMNS}
            row |= {column: canonical.json_text(row[column]) for column in canonical.JSON_COLUMNS}
            event.digest = canonical.digest(row)
        event.hash = canonical.chained(
            previous, sequence=event.sequence, event_id=event.pk, digest=event.digest
        )
        event.save()
        previous = event.hash
    LedgerHead.objects.filter(pk=CHAIN).update(hash=previous)


def cut_off(sequence: int) -> None:
    triggers.remove(connection)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_personaldatum")
        cursor.execute("DELETE FROM audit_ledgerevent WHERE sequence > %s", [sequence])
    last = LedgerEvent.objects.get(chain=CHAIN, sequence=sequence)
    LedgerHead.objects.filter(pk=CHAIN).update(sequence=sequence, hash=last.hash)


def test_an_epoch_says_how_far_the_chain_went(two_epochs):
    first, second = LedgerCheckpoint.objects.all()
    assert (first.epoch, first.sequence, first.count) == (1, 10, 10)
    assert (second.epoch, second.sequence, second.count) == (2, 14, 4)
    assert second.hash == LedgerEvent.objects.get(sequence=14).hash
    report = verify_chain(CHAIN)
    add_stored(report)
    assert (report.findings, report.epochs, report.events) == ([], 2, 16)
    assert compare(kept()) == []


def test_without_anything_new_no_epoch_is_closed(two_epochs):
    tasks.close_epochs()
    tasks.close_epochs()
    assert LedgerCheckpoint.objects.count() == 3


def test_a_stranger_with_the_public_key_verifies_a_line(two_epochs):
    """By the words of `audit/checkpoints.py` and `audit/signatures.py` alone."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    said = json.loads(next(checkpoints.stored()).line())
    signature = bytes.fromhex(said.pop("signature"))
    text = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
    public = base64.urlsafe_b64decode(signatures.public_half().removeprefix("public:"))
    Ed25519PublicKey.from_public_bytes(public).verify(signature, b"m2m-portal ledger checkpoint 1\n" + text)


def test_a_rewritten_chain_contradicts_its_checkpoints(two_epochs):
    elsewhere = kept()
    rewrite()
    assert kinds(verify_chain(CHAIN)) == [], "the chain alone shows nothing"
    assert found() == [("checkpoint", 10), ("checkpoint", 14)]
    assert {finding.sequence for finding in compare(elsewhere)} == {10, 14}


def test_a_tail_that_was_cut_off_contradicts_its_checkpoints(two_epochs):
    elsewhere = kept()
    cut_off(12)
    assert kinds(verify_chain(CHAIN)) == [], "the chain alone shows nothing"
    assert found() == [("checkpoint", 14)]
    assert [finding.sequence for finding in compare(elsewhere)] == [14]


def test_who_takes_the_checkpoints_away_too_contradicts_those_kept_elsewhere(two_epochs):
    elsewhere = kept()
    rewrite()
    LedgerCheckpoint.objects.all().delete()
    assert found() == []
    assert {finding.sequence for finding in compare(elsewhere)} == {10, 14}
    close()
    assert found() == [], "even with checkpoints of today, by the portal itself"
    assert {finding.sequence for finding in compare(elsewhere)} == {10, 14}


def test_who_takes_everything_away_contradicts_those_kept_elsewhere(two_epochs):
    elsewhere = kept()
    triggers.remove(connection)
    for model in (LedgerEvent, LedgerHead, LedgerCheckpoint):
        model.objects.all().delete()
    assert {finding.sequence for finding in compare(elsewhere)} == {10, 14}


@pytest.mark.parametrize("column", ["sequence", "count", "hash", "at", "epoch", "key", "signature"])
def test_a_checkpoint_that_was_changed_is_not_believed(two_epochs, column):
    triggers.remove(connection)
    row = LedgerCheckpoint.objects.get(epoch=2)
    changed = {
        "hash": "f" * 64,
        "at": row.at + timedelta(seconds=1),
        "key": "f" * 16,
        "signature": row.signature[2:] + "00",
    }
    value = changed.get(column, getattr(row, column) if column in changed else getattr(row, column) + 1)
    LedgerCheckpoint.objects.filter(pk=row.pk).update(**{column: value})
    assert "checkpoint" in {kind for kind, _ in found()}


def test_a_checkpoint_of_another_chain_is_not_believed(two_epochs):
    triggers.remove(connection)
    LedgerCheckpoint.objects.update(chain=8)
    report = verify_chain(8)
    add_stored(report)
    assert ("checkpoint", 14) in kinds(report)


def test_a_checkpoint_that_is_missing_between_others_is_found(two_epochs):
    close()
    triggers.remove(connection)
    LedgerCheckpoint.objects.filter(epoch=2).delete()
    assert found() == [("checkpoint", 16)]
    LedgerCheckpoint.objects.filter(epoch=1).delete()
    assert found() == [("checkpoint", 16)]


def test_no_epoch_is_closed_over_a_chain_that_was_rewritten(two_epochs, caplog):
    rewrite()
    close()
    assert LedgerCheckpoint.objects.count() == 2
    assert "epoch_not_closed chain=7" in caplog.text


def test_keys_rotate_and_the_old_ones_checkpoints_still_verify(two_epochs, settings):
    old = signatures.public_half()
    settings.LEDGER_SIGNING_KEYS = [NEW_SEED, old]
    more(1)
    close()
    assert LedgerCheckpoint.objects.values("key").distinct().count() == 2
    assert found() == []
    assert compare(kept()) == []


def test_a_key_that_is_known_no_more_counts_under_a_newer_checkpoint_only(two_epochs, settings):
    settings.LEDGER_SIGNING_KEYS = [NEW_SEED]
    assert found() == [("checkpoint", 10), ("checkpoint", 14)]
    close()
    assert found() == [], "the new one vouches for all that stands before it"
    settings.LEDGER_SIGNING_KEYS = [OTHER_SEED]
    assert found() == [("checkpoint", 10), ("checkpoint", 14), ("checkpoint", 16)]


@pytest.mark.parametrize(
    "change", ["UPDATE audit_ledgercheckpoint SET count = 1", "DELETE FROM audit_ledgercheckpoint"]
)
def test_the_database_refuses_to_change_a_checkpoint(two_epochs, change):
    with pytest.raises(IntegrityError, match="never"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)


def verify(*arguments: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("verify_audit", *arguments, stdout=out, no_color=True)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_the_commands_keep_and_compare(two_epochs, tmp_path):
    out = StringIO()
    call_command("audit_checkpoints", "--close", stdout=out)
    assert len(out.getvalue().splitlines()) == 3
    file = tmp_path / "checkpoints.jsonl"
    file.write_text(out.getvalue())
    code, said = verify("--checkpoints", str(file))
    assert (code, "3 epochs signed" in said) == (0, True)
    rewrite()
    LedgerCheckpoint.objects.all().delete()
    triggers.install(connection)
    assert verify()[0] == 0
    code, said = verify("--checkpoints", str(file))
    assert code == 1
    assert (
        "checkpoint: the checkpoint of epoch 3 knows another event 16: the chain was rewritten since" in said
    )
    assert "the checkpoint of epoch 1 is not in the database" in said


def test_the_public_half_is_printed_for_rotation(db):
    out = StringIO()
    call_command("audit_checkpoints", "--key", stdout=out)
    assert out.getvalue().strip() == signatures.public_half()


@pytest.mark.django_db
@pytest.mark.parametrize("line", ["{", "[]", "7", "{}", '{"chain": 7}', "null"])
def test_a_file_that_is_none_is_one_clear_line(tmp_path, line):
    file = tmp_path / "checkpoints.jsonl"
    file.write_text(f"\n{line}\n")
    with pytest.raises(CommandError, match="line 2 is no checkpoint"):
        verify("--checkpoints", str(file))
    with pytest.raises(CommandError, match="cannot be read"):
        verify("--checkpoints", str(tmp_path / "nowhere"))


@pytest.mark.django_db
def test_events_that_nobody_seals_are_a_finding_after_a_while():
    more(3)
    assert kinds(verify_chain(CHAIN)) == []
    later = verify_chain(CHAIN, now=timezone.now() + timedelta(minutes=11))
    assert (kinds(later), later.unsealed) == ([("unsealed", None)], 3)


def test_an_unsealed_event_that_was_altered_is_found(ten_events):
    more(1)
    triggers.remove(connection)
    LedgerEvent.objects.filter(sequence=None).update(reason="nicer")
    assert kinds(verify_chain(CHAIN)) == [("changed", None)]
    sealing.run()
    assert kinds(verify_chain(CHAIN)) == [("changed", 11)]


def test_many_checkpoints_are_compared_with_few_questions(ten_events, django_assert_num_queries):
    """Each hour makes one, and each question is put to every month."""
    for _ in range(20):
        more(1)
        close()
    report = verify_chain(CHAIN)
    with django_assert_num_queries(2):
        add_stored(report)
    assert (report.epochs, report.findings) == (20, [])


def test_a_kept_checkpoint_of_an_impossible_place_is_a_finding(two_epochs):
    [first, _] = kept()
    beyond = checkpoints.Checkpoint(replace(first.statement, sequence=10**30), first.signature)
    assert any("was not signed" in finding.text for finding in compare([beyond]))
