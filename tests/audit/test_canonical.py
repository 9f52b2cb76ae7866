"""The hash can be recomputed by hand, as `audit/canonical.py` says."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from audit import canonical, ledger
from audit.models import LedgerEvent, PersonalDatum
from tests.audit.conftest import ANNA

ROW = {
    "chain": 7,
    "sequence": 1,
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
    "previous_hash": "0" * 64,
}


def test_the_text_is_the_documented_one():
    assert canonical.text(ROW) == (
        '{"action":"device.added","actor_id":"42","actor_kind":"user","actor_label":"",'
        '"after":{"name":"\\u00f6"},"at":"2026-09-15T12:00:00.000120Z","before":null,"cause":"","chain":7,'
        '"detail":null,"device_id":5,"impersonator_id":"","job_id":null,"operator_id":7,"personal":{},'
        f'"previous_hash":"{"0" * 64}","reason":"","request_id":"","result":"ok","sequence":1,'
        '"subscriber_id":null,"target":"urn:dev:\\"\\u00f6\\"\\n","version":1}'
    )


def test_the_hash_of_version_1_never_changes():
    assert canonical.event_hash(ROW) == "33da838c01b8ab84016c50b73c6a12c079ef4fd7dc33a1189be9bb24bd8bf2c7"


def test_an_unknown_version_is_not_guessed():
    with pytest.raises(KeyError):
        canonical.event_hash({**ROW, "version": 2})


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
    event = LedgerEvent.objects.values().get()
    event["at"] = event["at"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    stored = event.pop("hash")
    del event["id"]
    text = json.dumps(event, sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(text.encode()).hexdigest() == stored


@pytest.mark.django_db
def test_a_newcomer_recomputes_a_commitment():
    ledger.record(action="user.invited", operator_id=7, actor=ANNA)
    datum = PersonalDatum.objects.get()
    expected = hashlib.sha256(bytes(datum.salt) + datum.value.encode()).hexdigest()
    assert len(bytes(datum.salt)) == 16
    assert LedgerEvent.objects.get().personal == {"actor": expected}
