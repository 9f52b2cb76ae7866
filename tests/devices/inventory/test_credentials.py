"""Keys: found by one query, accepted old and new until the new one is used, never shown."""

from __future__ import annotations

import base64

import pytest
from django.db import IntegrityError, transaction

from audit.models import LedgerEvent
from devices.inventory.models import Credential, CredentialState, Plane
from devices.inventory.security import Material, psk
from devices.inventory.services import credentials, devices
from devices.inventory.states import Provisioning
from provisioning.services import lifecycle
from tests.devices import making
from tests.devices.making import NOW

pytestmark = pytest.mark.django_db


def _lookup(identity: str, plane: str = Plane.MANAGEMENT) -> credentials.Key | None:
    return credentials.lookup(plane=plane, identity=identity.encode())


def test_lookup_is_one_query_and_finds_the_key(django_assert_num_queries) -> None:
    added = making.added()
    with django_assert_num_queries(1):
        key = _lookup(added.identity, Plane.BOOTSTRAP)
    assert key is not None
    assert (key.device_id, key.endpoint, key.key) == (
        added.device.pk,
        added.device.endpoint,
        added.secret_to_show.parts,
    )
    assert added.secret_to_show.parts.hex() not in repr(key)
    assert str(added.secret_to_show.parts) not in repr(key)
    assert _lookup(added.identity, Plane.MANAGEMENT) is None


@pytest.mark.parametrize("identity", [b"\xff\xfe", b"\x00", b"a\x00b", b"x" * 129, b"", b"nobody"])
def test_lookup_of_rubbish_is_none(identity: bytes) -> None:
    assert credentials.lookup(plane=Plane.BOOTSTRAP, identity=identity) is None
    assert credentials.why_refused(plane=Plane.BOOTSTRAP, identity=identity).cause == "PSK_IDENTITY_UNKNOWN"


def test_device_that_may_not_connect_has_no_key_and_a_cause() -> None:
    added = making.added()
    device, operator = added.device, added.device.operator
    lifecycle.suspend(device=device, reason="")
    assert _lookup(added.identity, Plane.BOOTSTRAP) is None
    known = credentials.why_refused(plane=Plane.BOOTSTRAP, identity=added.identity.encode())
    assert (known.cause, known.device_id, known.operator_id) == ("DEVICE_SUSPENDED", device.pk, operator.pk)
    lifecycle.resume(device=device)
    operator.is_active = False
    operator.save()
    assert _lookup(added.identity, Plane.BOOTSTRAP) is None
    known = credentials.why_refused(plane=Plane.BOOTSTRAP, identity=added.identity.encode())
    assert known.cause == "OPERATOR_INACTIVE"


def test_management_key_differs_from_the_bootstrap_key() -> None:
    added = making.added()
    made = credentials.make_management(device=added.device, kind="psk")
    key = credentials.opened(credential=made, purpose="test").parts
    assert made.identity != added.identity
    assert added.device.endpoint not in made.identity
    assert key != added.secret_to_show.parts
    assert len(key) == 16
    assert made.state == CredentialState.PENDING


def test_old_and_new_key_count_until_the_new_one_is_used() -> None:
    device = making.device()
    devices.set_provisioning(device=device, state=Provisioning.READY)
    old = credentials.make_management(device=device, kind="psk")
    making.register(device, now=NOW)
    dropped = credentials.make_management(device=device, kind="psk")
    new = credentials.make_management(device=device, kind="psk")
    assert _lookup(old.identity)
    assert _lookup(new.identity)
    assert _lookup(dropped.identity) is None  # a newer one took its place before it was used
    making.register(device, now=NOW)
    assert _lookup(old.identity) is None
    assert _lookup(new.identity)
    new.refresh_from_db()
    assert (new.state, new.first_used_at) == (CredentialState.ACTIVE, NOW)


def test_first_use_twice_changes_nothing_more_and_costs_one_query(django_assert_num_queries) -> None:
    device = making.device()
    made = credentials.make_management(device=device, kind="psk")
    credentials.first_use(credential_ids=[made.pk], now=NOW)
    events = LedgerEvent.objects.count()
    with transaction.atomic(), django_assert_num_queries(3):  # savepoint, one select, release
        credentials.first_use(credential_ids=[made.pk], now=NOW)
    assert LedgerEvent.objects.count() == events


def test_use_of_the_old_key_does_not_retire_the_newer_one() -> None:
    device = making.device()
    old = credentials.make_management(device=device, kind="psk")
    Credential.objects.filter(pk=old.pk).update(state=CredentialState.ACTIVE)
    new = credentials.make_management(device=device, kind="psk")
    credentials.first_use(credential_ids=[old.pk], now=NOW)
    new.refresh_from_db()
    assert new.state == CredentialState.PENDING


def test_reading_a_secret_is_an_event_and_no_event_holds_one() -> None:
    added = making.added()
    made = credentials.make_management(device=added.device, kind="psk")
    key = credentials.opened(credential=made, purpose="bootstrap session").parts
    read = LedgerEvent.objects.get(action="credential.read")
    assert read.detail["purpose"] == "bootstrap session"
    for event in LedgerEvent.objects.all():
        written = f"{event.before} {event.after} {event.detail}"
        assert key.hex() not in written
        assert added.secret_to_show.parts.hex() not in written


def test_database_keeps_an_identity_once_per_plane() -> None:
    device = making.device()
    made = credentials.make_management(device=device, kind="psk")
    with pytest.raises(IntegrityError):
        credentials.store(
            device=device,
            plane=Plane.MANAGEMENT,
            kind="psk",
            material=Material(made.identity, bytes(16)),
            origin="test",
        )


def test_what_the_portal_makes_is_garbled_by_no_form_of_base64() -> None:
    """10,000 draws: both alphabets say the same, no NUL ends a C string, and no two are alike."""
    keys = [psk.make_key() for _ in range(10_000)]
    identities = [psk.make_identity() for _ in range(10_000)]
    for made in [*keys, *(identity.encode() for identity in identities)]:
        assert base64.b64encode(made) == base64.urlsafe_b64encode(made)
        assert 0 not in made
    assert {len(key) for key in keys} == {psk.KEY_BYTES}
    assert all(identity.isalnum() and identity.isascii() for identity in identities)
    assert len({*keys}) == len({*identities}) == 10_000
    # Nothing but whole draws was thrown away: each place still holds every byte but NUL.
    for place in range(psk.KEY_BYTES):
        assert {key[place] for key in keys} >= {*range(1, 256)} - GARBLED_ANYWHERE


GARBLED_ANYWHERE = {byte for byte in range(256) if byte >> 2 >= 62 or byte & 63 >= 62}
"""As the first or third byte of a group of three these are always + or /."""


def test_keys_of_every_door_are_drawn_in_one_place(monkeypatch) -> None:
    drawn = bytes(range(1, 17))
    monkeypatch.setattr(psk, "make_key", lambda: drawn)
    added = making.added()
    assert added.secret_to_show.parts == drawn
    assert devices.renew_key(device=added.device).secret_to_show.parts == drawn
    made = credentials.make_management(device=added.device, kind="psk")
    assert credentials.opened(credential=made, purpose="test").parts == drawn


def test_a_name_that_nobody_has_costs_as_many_questions_as_one_that_somebody_has(
    django_assert_num_queries,
) -> None:
    added = making.added()
    for identities in (
        [added.identity.encode()],
        [b"nobody"],
        [b"nobody", added.identity.encode(), b"a", b"b"],
    ):
        with django_assert_num_queries(1):
            found = credentials.answers(plane=Plane.BOOTSTRAP, identities=identities)
        assert set(found) == set(identities)


def test_one_key_that_can_not_be_opened_keeps_no_other_back() -> None:
    broken, whole = making.added(), making.added()
    Credential.objects.filter(device=broken.device).update(sealed="nobody can open this")
    names = [broken.identity.encode(), whole.identity.encode()]
    found = credentials.answers(plane=Plane.BOOTSTRAP, identities=names)
    assert found[names[0]].cause == "SECRET_UNREADABLE"
    assert found[names[1]].key == whole.secret_to_show.parts


def test_a_usable_key_counts_whatever_was_retired_under_its_name_since() -> None:
    added = making.added()
    new = credentials.replace(
        device=added.device, plane=Plane.BOOTSTRAP, material=Material(added.identity, bytes(range(16)))
    ).identity
    assert new == added.identity
    assert _lookup(new, Plane.BOOTSTRAP).key == bytes(range(16))
    newest = Credential.objects.order_by("-pk").first()
    Credential.objects.create(
        device=added.device,
        plane=Plane.BOOTSTRAP,
        identity=new,
        sealed=newest.sealed,
        state="retired",
    )
    assert _lookup(new, Plane.BOOTSTRAP).credential_id == newest.pk
