"""`manage.py verify_audit` says what is wrong in one line each and by its exit code."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from audit import ledger, sealing, triggers
from audit.models import LedgerHead, PersonalDatum
from tests.audit.conftest import CHAIN


def run(*arguments: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("verify_audit", *arguments, stdout=out, no_color=True)
    except SystemExit as exit_:
        return int(exit_.code or 0), out.getvalue()
    return 0, out.getvalue()


def names() -> dict[int, str]:
    return {CHAIN: "acme"}


def test_a_whole_ledger(ten_events, settings):
    settings.AUDIT_CHAIN_NAMES = f"{__name__}.names"
    ledger.record(action="one", operator_id=None)
    sealing.run()
    ledger.record(action="two", operator_id=None)
    code, out = run()
    head = LedgerHead.objects.get(pk=CHAIN)
    assert code == 0
    assert out.splitlines()[0].startswith(
        "chain 0 (platform): whole, 1 events, 1 not sealed yet, 0 epochs signed"
    )
    assert out.splitlines()[1] == (
        "chain 7 (acme): whole, 10 events, 0 not sealed yet, 0 epochs signed, 0 personal data erased, "
        f"note 7:10:{head.hash}"
    )
    assert out.splitlines()[2] == "The ledger is whole."


@pytest.mark.django_db
def test_an_empty_ledger_is_whole():
    assert run() == (0, "The ledger is whole.\n")


def test_a_broken_ledger(tamper):
    tamper("DELETE FROM audit_personaldatum")
    tamper("DELETE FROM audit_ledgerevent WHERE sequence = 5")
    triggers.install(connection)
    code, out = run()
    assert code == 1
    assert out.splitlines()[0] == "chain 7: missing: event 5 is missing"
    assert "chain 7: BROKEN, 9 events" in out
    assert out.endswith("The ledger is NOT what was written.\n")


def test_missing_triggers_are_reported(tamper):
    code, out = run()
    assert code == 1
    assert "unguarded: the database trigger audit_event_no_delete is missing or switched off" in out


def test_one_operator_by_slug_or_chain(ten_events, settings):
    settings.AUDIT_CHAIN_NAMES = f"{__name__}.names"
    ledger.record(action="one", operator_id=8)
    for chosen in ("acme", "7"):
        code, out = run("--operator", chosen)
        assert code == 0
        assert "chain 7 (acme)" in out
        assert "chain 8" not in out


@pytest.mark.django_db
def test_an_unknown_operator_is_one_clear_line():
    with pytest.raises(CommandError, match="There is no operator 'nobody'"):
        run("--operator", "nobody")


def test_json(tamper):
    tamper("DELETE FROM audit_personaldatum")
    tamper("DELETE FROM audit_ledgerevent WHERE sequence = 5")
    code, out = run("--json")
    told = json.loads(out)
    assert code == 1
    assert told["whole"] is False
    assert told["chains"][0]["chain"] == CHAIN
    assert told["chains"][0]["findings"] == [
        {"kind": "missing", "chain": CHAIN, "sequence": 5, "text": "event 5 is missing"}
    ]
    assert {finding["kind"] for finding in told["findings"]} == {"unguarded"}


def test_a_note_is_compared(ten_events):
    head = LedgerHead.objects.get()
    ledger.record(action="later", operator_id=CHAIN)
    assert run("--expect", f"7:10:{head.hash}")[0] == 0
    code, out = run("--expect", f"7:10:{'f' * 64}")
    assert code == 1
    assert "noted: event 10 no longer has the noted hash" in out


@pytest.mark.django_db
@pytest.mark.parametrize("note", ["7", "7:1", "x:1:abc", "7:x:abc", "7:1:"])
def test_a_malformed_note_is_one_clear_line(note):
    with pytest.raises(CommandError, match="CHAIN:SEQUENCE:HASH"):
        run("--expect", note)


def test_personal_data_of_no_event_is_reported(ten_events):
    PersonalDatum.objects.create(event_id=999_999, field="phone", salt=b"0" * 16, value="123")
    code, out = run()
    assert code == 1
    assert "belongs to event id 999999, which does not exist" in out
