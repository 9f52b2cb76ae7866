"""The hash can be recomputed by hand, as `audit/canonical.py` says."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from audit import canonical, ledger, sealing
from audit.models import LedgerEvent, PersonalDatum
from tests.audit.conftest import ANNA

ROW = {
    "chain": 7,
    "version": 1,
    "at": datetime(2026, 9, 15, 14, 0, 0, 120, tzinfo=timezone(timedelta(hours=2))),
    "actor_kind": "user",
    "actor_id": "42",
    "actor_label": "",
    "impersonator_id": "",
    "request_id": "",
    "action": "device.added",
    "result": "ok",
    "cause": "",
    "target": 'urn:dev:"ö"\n',
    "device_id": 5,
    "subscriber_id": None,
    "operator_id": 7,
    "job_id": None,
    "before": None,
    "after": '{"name":"\\u00f6"}',
    "detail": None,
    "reason": "",
    "personal": "{}",
}


def test_the_text_is_the_documented_one():
    assert canonical.text(ROW) == (
        '{"action":"device.added","actor_id":"42","actor_kind":"user","actor_label":"",'
        '"after":{"name":"\\u00f6"},"at":"2026-09-15T12:00:00.000120Z","before":null,"cause":"","chain":7,'
        '"detail":null,"device_id":5,"impersonator_id":"","job_id":null,"operator_id":7,"personal":{},'
        '"reason":"","request_id":"","result":"ok","subscriber_id":null,"target":"urn:dev:\\"\\u00f6\\"\\n","version":1}'
    )


def test_the_hash_of_version_1_never_changes():
    digest = canonical.digest(ROW)
    assert digest == "a88cf54695705282dc506cb956a9bd1e8f99bf6c4abadfe9ef534e0deded90d7"
    assert (
        canonical.chained("0" * 64, sequence=1, event_id=9, digest=digest)
        == "f27ffe15b2e352a56fe5956f633ae4027af12f1808ced595a684d5e12cbeea46"
    )


def test_an_unknown_version_is_not_guessed():
    with pytest.raises(KeyError):
        canonical.digest({**ROW, "version": 2})


@pytest.mark.django_db
def test_a_newcomer_recomputes_a_stored_event_with_json_and_sha256():
    with ledger.context(actor=ANNA, address="192.0.2.7", request_id="request-0001"):
        ledger.record(
            action="device.added",
            operator_id=7,
            target="ö😀",
            after={"b": [1, 2.5, None, True], "a": {"ö": "\u2028"}},
            reason="because",
        )
    sealing.run()
    event = LedgerEvent.objects.values().get()
    event["at"] = event["at"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    place = [event.pop(column) for column in ("sequence", "id", "digest", "hash")]
    text = json.dumps(event, sort_keys=True, separators=(",", ":"))
    sequence, event_id, digest, stored = place
    assert hashlib.sha256(text.encode()).hexdigest() == digest
    assert hashlib.sha256(f"{'0' * 64}:{sequence}:{event_id}:{digest}".encode()).hexdigest() == stored


@pytest.mark.django_db
def test_a_newcomer_recomputes_a_commitment():
    ledger.record(action="user.invited", operator_id=7, actor=ANNA)
    datum = PersonalDatum.objects.get()
    expected = hashlib.sha256(bytes(datum.salt) + datum.value.encode()).hexdigest()
    assert len(bytes(datum.salt)) == 16
    assert LedgerEvent.objects.get().personal == {"actor": expected}
