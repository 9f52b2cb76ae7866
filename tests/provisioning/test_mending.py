"""What was typed wrong is typed again: key, identity and endpoint name, with the job going on and nothing lost."""

from __future__ import annotations

import html

import pytest
from rest_framework.test import APIClient

from accounts.errors import Refused
from accounts.roles import Role
from audit.models import LedgerEvent
from devices.inventory.models import Credential, Device, Knock, Plane
from devices.inventory.services import credentials, devices
from devices.inventory.states import Provisioning
from devices.registry.services import knocks
from devices.registry.services.knocks import KnockSeen
from provisioning.models import Job
from provisioning.selectors import near_misses
from provisioning.selectors.progress import stepper
from provisioning.services import corrections, mending
from tests.devices import making
from tests.provisioning import walking

pytestmark = pytest.mark.django_db
TYPED, PRINTED = "00112233445566778899aabbccddee00", "00112233445566778899aabbccddeeff"


def _knock(name: str, cause: str = "PSK_IDENTITY_UNKNOWN", *, device: Device | None = None) -> None:
    seen = KnockSeen(Plane.BOOTSTRAP, cause, name, "192.0.2.9", device_id=device.pk if device else None)
    knocks.count(knocks=[seen], now=walking.after(device) if device else making_now())


def making_now():
    return max(job.created_at for job in Job.objects.all())


def _lookup(identity: str) -> bytes | None:
    found = credentials.lookup(plane=Plane.BOOTSTRAP, identity=identity.encode())
    return found.key if found else None


def test_the_printed_key_typed_again_opens_and_the_old_one_does_not(worker) -> None:
    device = walking.ordered(endpoint="meter-1", psk_key=TYPED)
    worker.work()
    _knock("meter-1", "PSK_MISMATCH", device=device)
    assert stepper(device).stuck.code == "PSK_MISMATCH"
    mending.enter_credential(
        device=device, entered={"psk_key": " ".join(PRINTED[i : i + 4] for i in range(0, 32, 4))}
    )
    assert _lookup("meter-1") == bytes.fromhex(PRINTED)
    assert stepper(Device.objects.get(pk=device.pk)).stuck is None  # the refusals were of the old key
    made = LedgerEvent.objects.filter(action="credential.made", device_id=device.pk).latest("id")
    assert made.detail["origin"] == "label"
    assert PRINTED not in str(list(LedgerEvent.objects.values_list("detail", "after")))


def test_the_same_key_again_is_said_to_be_the_same(worker) -> None:
    device = walking.ordered(psk_key=TYPED)
    with pytest.raises(Refused, match="the device has another one"):
        mending.enter_credential(device=device, entered={"psk_key": TYPED.upper()})
    for wrong in ("", "xyz", "0011", "00" * 16):
        with pytest.raises(Refused) as refused:
            mending.enter_credential(device=device, entered={"psk_key": wrong})
        assert refused.value.field == "psk_key"
    assert _lookup(device.endpoint) == bytes.fromhex(TYPED)


def test_the_identity_of_another_device_is_refused(worker) -> None:
    other = walking.ordered(psk_key=PRINTED)
    device = walking.ordered(operator=other.operator, psk_key=TYPED)
    with pytest.raises(Refused) as refused:
        mending.enter_credential(device=device, entered={"psk_key": TYPED, "psk_identity": other.endpoint})
    assert refused.value.cause == "PSK_IDENTITY_TAKEN"
    mending.enter_credential(device=device, entered={"psk_key": TYPED, "psk_identity": "label-7"})
    assert _lookup("label-7") == bytes.fromhex(TYPED)
    assert _lookup(device.endpoint) is None


def test_a_failed_set_up_begins_again(worker) -> None:
    device = walking.ordered(psk_key=TYPED)
    worker.work()
    Job.objects.update(state="failed", cause="BOOTSTRAP_INCONSISTENT")
    devices.set_provisioning(device=device, state=Provisioning.FAILED)
    mending.enter_credential(device=device, entered={"psk_key": PRINTED})
    assert Job.objects.filter(device=device).count() == 2


def test_the_endpoint_is_corrected_with_the_identity_that_was_the_name(worker) -> None:
    device = walking.ordered(endpoint="typo2-devcie-1", psk_key=TYPED)
    worker.work()
    mending.correct_endpoint(device=device, endpoint="typo2-device-1")
    assert Device.objects.get().endpoint == "typo2-device-1"
    assert _lookup("typo2-device-1") == bytes.fromhex(TYPED)
    assert _lookup("typo2-devcie-1") is None
    event = LedgerEvent.objects.get(action="device.endpoint_corrected")
    assert (event.before, event.after) == ({"endpoint": "typo2-devcie-1"}, {"endpoint": "typo2-device-1"})
    assert walking.begin(Device.objects.get(), now=walking.after(device, 5)).device_id == device.pk


def test_a_printed_identity_stays_when_the_name_is_corrected(worker) -> None:
    device = walking.ordered(endpoint="name-1", psk_identity="label-1", psk_key=TYPED)
    mending.correct_endpoint(device=device, endpoint="name-2")
    assert _lookup("label-1") == bytes.fromhex(TYPED)
    assert Credential.objects.count() == 1


def test_a_name_that_is_taken_or_was_used_is_not_given(worker) -> None:
    device = walking.ordered(endpoint="mine-1")
    walking.ordered(operator=device.operator, endpoint="taken-1")
    for name, cause in (
        ("taken-1", "ENDPOINT_TAKEN"),
        ("mine-1", "ENDPOINT_INVALID"),
        ("", "ENDPOINT_INVALID"),
    ):
        with pytest.raises(Refused) as refused:
            mending.correct_endpoint(device=device, endpoint=name)
        assert refused.value.cause == cause
    worker.work()
    making.register(Device.objects.get(pk=device.pk), now=walking.after(device))
    with pytest.raises(Refused, match="signed in under its name already"):
        mending.correct_endpoint(device=device, endpoint="mine-2")
    assert Device.objects.filter(endpoint="mine-1").exists()


def test_the_one_who_waits_sees_the_slip_of_a_finger(worker) -> None:
    device = walking.ordered(endpoint="typo2-devcie-1")
    stranger = walking.ordered(operator=making.operator("southsea"), endpoint="quite-another")
    for name in ("typo2-device-1-x", "typo2-dvcie", "something"):
        _knock(name)
    now = making_now()
    assert near_misses.of(device, now) is None
    _knock("typo2-device-1")
    found = near_misses.of(device, now)
    assert (found.name, found.is_proved) == ("typo2-device-1", False)
    assert near_misses.of(stranger, now) is None
    worker.work()
    making.register(Device.objects.get(pk=device.pk), now=walking.after(device))
    assert near_misses.of(Device.objects.get(pk=device.pk), now) is None


def test_staff_see_the_slip_on_the_page_of_the_device_and_correct_it(worker, client) -> None:
    device = walking.ordered(endpoint="typo2-devcie-1")
    page, hint = f"/admin/inventory/device/{device.pk}/change/", "differs from this one's by one slip"
    client.force_login(making.member(device.operator, Role.ADMINISTRATOR))
    assert hint not in html.unescape(client.get(page).content.decode())
    _knock("typo2-device-1")
    said = html.unescape(client.get(page).content.decode())
    assert hint in said
    place = f"/admin/inventory/device/{device.pk}/correct/?endpoint=typo2-device-1"
    assert f'href="{place}"' in said
    assert 'value="typo2-device-1"' in client.get(place).content.decode()
    body = {"act": "endpoint", "endpoint-endpoint": "typo2-device-1", "endpoint-reason": "the label says so"}
    assert client.post(place, body).status_code == 302
    assert Device.objects.get(pk=device.pk).endpoint == "typo2-device-1"
    assert hint not in html.unescape(client.get(page).content.decode())


def test_who_may_not_correct_sees_the_slip_without_the_link(worker, client) -> None:
    device = walking.ordered(endpoint="typo2-devcie-1")
    _knock("typo2-device-1")
    client.force_login(making.member(device.operator, Role.READ_ONLY))
    said = html.unescape(client.get(f"/admin/inventory/device/{device.pk}/change/").content.decode())
    assert "differs from this one's by one slip" in said
    assert "/correct/" not in said


def test_nobody_is_shown_a_name_that_two_wait_for(worker) -> None:
    one = walking.ordered(endpoint="serial-0001")
    other = walking.ordered(operator=making.operator("southsea"), endpoint="serial-0003")
    _knock("serial-0002")
    assert near_misses.of(one, making_now()) is None
    assert near_misses.of(other, making_now()) is None


def test_a_knock_that_proved_the_key_is_told_whatever_name_it_gave(worker) -> None:
    device = walking.ordered(endpoint="pump-cellar", psk_identity="label-9")
    other = walking.ordered(operator=making.operator("southsea"), endpoint="pump-attic")
    _knock("nothing-like-it", "ENDPOINT_IDENTITY_MISMATCH", device=device)
    found = near_misses.of(device, making_now())
    assert (found.name, found.is_proved) == ("nothing-like-it", True)
    assert near_misses.of(other, making_now()) is None


def test_rename_on_rest_is_for_the_subscriber_and_staff(worker) -> None:
    device = walking.ordered()
    owner = device.subscriber.user
    stranger = making.subscriber(making.operator("southsea")).user
    reader = making.member(device.operator, Role.READ_ONLY)

    def patch(user, **said):
        client = APIClient()
        client.force_authenticate(user)
        return client.patch(f"/api/v1/devices/{device.endpoint}/", said, format="json")

    said = patch(owner, name="Meter,  cellar")
    assert (said.status_code, said.data["name"]) == (200, "Meter, cellar")
    assert patch(owner, name="a\u202eb").status_code == 400
    assert patch(owner, name="x" * 121).status_code == 400
    assert patch(owner).status_code == 400
    assert patch(owner, awake_seconds=20).status_code == 403
    assert patch(reader, name="Theirs").status_code == 403
    assert patch(stranger, name="Theirs").status_code == 404
    event = LedgerEvent.objects.get(action="device.renamed")
    assert event.after == {"name": "Meter, cellar"}
    assert Device.objects.get(pk=device.pk).name == "Meter, cellar"
    corrections.rename(device=device, name="👩\u200d🔧 pump")
    assert Knock.objects.count() == 0
