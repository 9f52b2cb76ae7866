"""The inventory: what may come in, what a refusal says, who wins a race, and what each state allows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from accounts.errors import Refused
from audit.models import LedgerEvent
from devices.commands.services import mailbox
from devices.inventory import nameplate, vault
from devices.inventory.models import Credential, Device, Plane
from devices.inventory.services import devices
from devices.inventory.states import MOVES, Access, IllegalMove, Ownership, Provisioning, check_move
from devices.messaging.services import smsc_links
from devices.registry.models import Registration
from provisioning.services import lifecycle, onboarding
from tests.devices import making
from tests.devices.making import NOW

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("endpoint", "says"),
    [
        ("", "missing"),
        (" meter", "blank"),
        ("meter ", "blank"),
        ("me\x00ter", "invisible"),
        ("me\nter", "invisible"),
        ("me\u200bter", "invisible"),
        ("m" * 256, "256 bytes"),
        ("ä" * 128, "256 bytes"),
        ("half \ud800", "half a character"),
    ],
)
def test_endpoint_that_cannot_be_is_refused_with_what_to_do(endpoint: str, says: str) -> None:
    with pytest.raises(Refused, match=says) as refused:
        making.device(endpoint=endpoint)
    assert (refused.value.cause, refused.value.field) == ("ENDPOINT_INVALID", "endpoint")


@pytest.mark.parametrize("endpoint", ["x", "urn:imei:123456789012345", "a/b?c=d&e", "m" * 252, "Zähler 7"])
def test_every_printable_endpoint_is_taken_as_it_is(endpoint: str) -> None:
    assert making.device(endpoint=endpoint).endpoint == endpoint


def test_taken_endpoint_does_not_say_whose_it_is() -> None:
    making.device(making.operator("hidden-telecom"), endpoint="urn:dev:taken")
    with pytest.raises(Refused) as refused:
        making.device(endpoint="urn:dev:taken")
    assert refused.value.cause == "ENDPOINT_TAKEN"
    assert "idden" not in refused.value.detail


def test_adding_twice_says_that_it_is_there() -> None:
    operator = making.operator()
    sam = making.subscriber(operator)
    making.device(operator, subscriber=sam, endpoint="urn:dev:mine")
    with pytest.raises(Refused, match="already added"):
        making.device(operator, subscriber=sam, endpoint="urn:dev:mine")
    with pytest.raises(Refused, match="in use already"):
        making.device(operator, subscriber=making.subscriber(operator), endpoint="urn:dev:mine")


def test_identity_is_once_per_plane() -> None:
    making.device(endpoint="urn:dev:1", psk_identity="label-1")
    with pytest.raises(Refused) as refused:
        making.device(endpoint="urn:dev:2", psk_identity="label-1")
    assert (refused.value.cause, refused.value.field) == ("PSK_IDENTITY_TAKEN", "psk_identity")
    assert not Device.objects.filter(endpoint="urn:dev:2").exists()
    direct = making.added(endpoint="urn:dev:3", psk_identity="label-1", onboarding="direct")
    assert Credential.objects.get(device=direct.device).plane == Plane.MANAGEMENT


def test_portal_made_key_is_sixteen_random_bytes_and_kept_sealed() -> None:
    one, two = making.added(), making.added()
    assert one.secret_to_show is not None
    assert len(one.secret_to_show.parts) == 16
    assert one.secret_to_show != two.secret_to_show
    kept = Credential.objects.get(device=one.device)
    assert one.identity == kept.identity == one.device.endpoint
    assert one.secret_to_show.parts.hex() not in kept.sealed
    assert vault.open_sealed(kept.sealed) == one.secret_to_show.parts
    assert one.secret_to_show.parts.hex() not in repr(one)


def test_given_key_is_not_shown_again() -> None:
    assert making.added(psk_key=bytes(range(16))).secret_to_show is None
    assert making.added(psk_key="00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff").secret_to_show is None


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("00112233445566778899aabbccddeeff", bytes.fromhex("00112233445566778899aabbccddeeff")),
        ("0x00112233445566778899AABBCCDDEEFF", bytes.fromhex("00112233445566778899aabbccddeeff")),
        (
            " 00 11 22 33 44 55 66 77\n88-99-aa-bb-cc-dd-ee-ff ",
            bytes.fromhex("00112233445566778899aabbccddeeff"),
        ),
        ("abcd" * 32, b"\xab\xcd" * 32),
    ],
)
def test_key_is_read_from_a_label(text: str, key: bytes) -> None:
    assert nameplate.parse_key(text) == key


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "missing"),
        ("  ", "missing"),
        ("secret password", "not a hex digit"),
        ("0" * 31, "odd"),
        ("00" * 15, "16 to 64"),
        ("00" * 65, "16 to 64"),
        ("00" * 16, "one byte repeated"),
        ("ff:" * 64, "one byte repeated"),
    ],
)
def test_key_that_cannot_be_is_refused_with_what_to_do(text: str, says: str) -> None:
    with pytest.raises(Refused, match=says) as refused:
        nameplate.parse_key(text)
    assert (refused.value.cause, refused.value.field) == ("PSK_KEY_INVALID", "psk_key")


def test_device_without_encryption_needs_the_operators_leave() -> None:
    with pytest.raises(Refused) as refused:
        making.device(security="none")
    assert (refused.value.cause, refused.value.field) == ("NOSEC_NOT_ALLOWED", "security")
    allowed = making.added(making.operator(allows_nosec=True), security="none")
    assert (allowed.identity, allowed.secret_to_show) == ("", None)
    assert not Credential.objects.filter(device=allowed.device).exists()


def test_a_device_behind_a_gateway_needs_no_key_and_no_leave() -> None:
    """The gateway's channel is its security, whatever was asked for."""
    added = making.added(making.operator(), reach="gateway")
    assert (added.identity, added.secret_to_show) == ("", None)
    assert (added.device.security, added.device.onboarding) == ("none", "direct")


def test_a_device_by_sms_is_known_by_its_number_alone() -> None:
    operator = making.operator()
    with pytest.raises(Refused) as refused:
        onboarding.add_device(
            operator=operator, subscriber=None, endpoint="urn:dev:sms", reach="sms", msisdn="+491511234567"
        )
    assert (refused.value.cause, refused.value.field) == ("SMSC_LINK_MISSING", "reach")
    smsc_links.save(operator=operator, host="127.0.0.1", system_id="s", address="2772")
    added = making.added(operator, reach="sms", msisdn="0049 (151) 123-4567")
    assert (added.device.msisdn, added.device.security) == ("+491511234567", "msisdn")
    assert (added.identity, added.secret_to_show) == ("", None)
    with pytest.raises(Refused) as refused:
        making.device(operator, msisdn="+491511234567")
    assert (refused.value.cause, refused.value.field) == ("MSISDN_TAKEN", "msisdn")
    changed = devices.set_msisdn(device=added.device, msisdn="+491511234568")
    assert changed.msisdn == "+491511234568"
    with pytest.raises(Refused, match="missing"):
        devices.set_msisdn(device=changed, msisdn="")


def test_account_of_another_operator_or_closed_is_refused() -> None:
    operator = making.operator()
    with pytest.raises(Refused):
        making.device(operator, subscriber=making.subscriber(making.operator()))
    sam = making.subscriber(operator)
    sam.state = "suspended"
    sam.save()
    with pytest.raises(Refused):
        making.device(operator, subscriber=sam)
    operator.is_active = False
    with pytest.raises(Refused) as refused:
        making.device(operator)
    assert refused.value.cause == "OPERATOR_INACTIVE"


def test_retired_device_frees_its_names_and_loses_its_keys() -> None:
    operator = making.operator()
    old = making.added(
        operator, subscriber=making.subscriber(operator), endpoint="urn:dev:again", onboarding="direct"
    )
    devices.set_provisioning(device=old.device, state=Provisioning.READY)
    making.register(old.device, now=NOW)
    command = mailbox.enqueue(
        device=old.device, operation="read", path="/3/0", requested_by="system", now=NOW
    )
    lifecycle.release(device=old.device, reason="sold", now=NOW)
    row = Device.objects.get(pk=old.device.pk)
    assert (row.access, row.ownership) == (Access.RETIRED, Ownership.UNCLAIMED)
    assert not Registration.objects.get(device=row).is_live
    command.refresh_from_db()
    assert command.state == "cancelled"
    assert not Credential.objects.filter(device=row).exclude(state="retired").exists()
    making.device(endpoint="urn:dev:again", onboarding="direct")


def test_moves_of_access_follow_the_table_and_are_recorded() -> None:
    device = making.device()
    lifecycle.suspend(device=device, reason="unpaid")
    lifecycle.resume(device=device, reason="paid")
    lifecycle.bar(device=device, reason="stolen")
    with pytest.raises(Refused) as refused:
        lifecycle.suspend(device=device, reason="unpaid")
    assert refused.value.cause == "CONFLICT"
    lifecycle.release(device=device, reason="end", now=NOW)
    with pytest.raises(Refused):
        lifecycle.resume(device=device)
    actions = LedgerEvent.objects.filter(device_id=device.pk, action__startswith="device.").order_by("pk")
    assert list(actions.values_list("action", "reason")) == [
        ("device.added", ""),
        ("device.suspended", "unpaid"),
        ("device.resumed", "paid"),
        ("device.barred", "stolen"),
        ("device.retired", "end"),
    ]


def test_every_pair_of_states_is_decided_by_the_tables() -> None:
    for kind, moves in MOVES.items():
        for old in kind.values:
            for new in kind.values:
                if old == new or new in moves[old]:
                    check_move(old, new, of=kind)
                else:
                    with pytest.raises(IllegalMove):
                        check_move(old, new, of=kind)


def test_provisioning_state_moves_only_by_its_table() -> None:
    device = making.device()
    with pytest.raises(IllegalMove):
        devices.set_provisioning(device=device, state=Provisioning.APPLIED)
    assert devices.set_provisioning(device=device, state=Provisioning.READY)
    assert not devices.set_provisioning(device=device, state=Provisioning.READY)


def test_what_a_device_says_of_itself_is_bounded_and_printable() -> None:
    device = making.device()
    devices.describe(
        device=device,
        facts={
            "manufacturer": "A\x00cme" + "x" * 200,
            "model_number": 7,
            "unknown": "x",
            "serial_number": None,
        },
    )
    device.refresh_from_db()
    assert device.manufacturer.startswith("Acmex")
    assert len(device.manufacturer) == 120
    assert (device.model_number, device.serial_number) == ("7", "")


def _race(*calls):
    barrier = Barrier(len(calls))

    def run(call):
        try:
            barrier.wait(10)
            return call()
        except Refused as refused:
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.mark.django_db(transaction=True)
def test_two_people_add_the_same_endpoint_and_one_gets_it() -> None:
    north, south = making.operator(), making.operator()
    won_and_lost = _race(
        *[
            lambda operator=operator: making.device(operator, endpoint="urn:dev:race")
            for operator in (north, south, north, south)
        ]
    )
    lost = [one for one in won_and_lost if isinstance(one, Refused)]
    assert [one.cause for one in lost] == ["ENDPOINT_TAKEN"] * 3
    assert Device.objects.filter(endpoint="urn:dev:race").count() == 1
