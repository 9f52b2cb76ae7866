"""Secrets never get into the ledger, and what gets in comes back equal."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit import ledger, masking
from audit.models import LedgerEvent
from audit.verification import verify_chain


@pytest.mark.parametrize(
    "name",
    """
    key psk psk_key pskKey PSK secret client_secret clientSecret password new_password userpassword token
    access_token private_key privatekey private API-Key apikey pin credentials /0/1/5 0/0/5 /0/3/8 /21/0/0
    /lwm2m/0/1/5 /0/1/5/0
    """.split(),  # noqa: SIM905
)
def test_secret_names_are_recognized(name):
    assert masking.masked({name: "c0ffee"}) == {name: masking.MASK}


@pytest.mark.parametrize(
    "name",
    """
    psk_identity key_length password_changed_at credential_id monkey keyboard lifetime /0/1/3 /3/0/5 /1/0/5
    /20/1/5 name keeper tokenized
    """.split(),  # noqa: SIM905
)
def test_harmless_names_are_left_alone(name):
    assert masking.masked({name: "visible"}) == {name: "visible"}


def test_an_unset_secret_shows_as_unset():
    assert masking.masked({"psk": None, "password": "", "has_key": True}) == {
        "psk": None,
        "password": "",
        "has_key": True,
    }


def test_secrets_are_found_at_every_depth():
    value = {"account": {"list": [{"psk": "hidden"}, {"secret": {"deep": "hidden"}}]}}
    assert 'hidden"' not in json.dumps(masking.masked(value)).replace(masking.MASK, "")
    assert masking.masked(value) == {"account": {"list": [{"psk": masking.MASK}, {"secret": masking.MASK}]}}


def test_bytes_are_never_stored():
    assert masking.masked({"payload": b"\x01\x02"}) == {"payload": "(2 bytes)"}


class Colour(Enum):
    RED = "red"


def test_values_become_json():
    value = {
        "when": datetime(2026, 1, 2, tzinfo=UTC),
        "day": date(2026, 1, 2),
        "amount": Decimal("1.50"),
        "uuid": UUID(int=1),
        "colour": Colour.RED,
        "set": {"b", "a"},
        3: "number as key",
        "huge": 2**70,
        "infinite": float("inf"),
        "whole": 2.0,
    }
    assert masking.masked(value) == {
        "when": "2026-01-02T00:00:00+00:00",
        "day": "2026-01-02",
        "amount": "1.50",
        "uuid": "00000000-0000-0000-0000-000000000001",
        "colour": "red",
        "set": ["a", "b"],
        "3": "number as key",
        "huge": str(2**70),
        "infinite": "inf",
        "whole": 2,
    }


def test_everything_is_bounded():
    deep: dict = {}
    level = deep
    for _ in range(50):
        level["next"] = {}
        level = level["next"]
    assert len(json.dumps(masking.masked(deep))) < 200
    assert len(masking.masked({str(n): n for n in range(5000)})) == masking.ENTRY_LIMIT + 1
    assert len(masking.masked({"list": list(range(5000))})["list"]) == masking.ENTRY_LIMIT + 1
    assert len(masking.masked({"text": "x" * 5000})["text"]) == masking.TEXT_LIMIT


def test_text_that_postgresql_would_refuse_is_mended():
    assert masking.text("a\x00b\ud800c") == "a\ufffdb?c"


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@pytest.mark.django_db
@settings(
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(value=st.dictionaries(st.text(), JSON_VALUES, max_size=4), target=st.text(), reason=st.text())
def test_whatever_is_recorded_verifies(value, target, reason):
    ledger.record(action="test.any", operator_id=1, after=value, target=target, reason=reason)
    assert verify_chain(1).findings == []


@pytest.mark.django_db
def test_the_ledger_masks_before_after_and_detail():
    ledger.record(
        action="device.changed",
        operator_id=1,
        before={"psk": "old-key"},
        after={"psk": "new-key"},
        detail={"password": "hunter2", "count": 1},
    )
    event = LedgerEvent.objects.get()
    assert event.before == {"psk": masking.MASK}
    assert event.after == {"psk": masking.MASK}
    assert event.detail == {"password": masking.MASK, "count": 1}
