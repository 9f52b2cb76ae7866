"""What becomes of a device is one deed across all rooms, and none of it where it is refused or breaks."""

from __future__ import annotations

import pytest
from django.utils import timezone

from accounts.errors import Refused
from audit.models import LedgerEvent
from devices.commands.services import mailbox
from devices.inventory.models import Credential, CredentialState, Device
from devices.inventory.services import devices
from devices.inventory.states import Access, Ownership, Provisioning
from devices.observations.models import ObservationState
from devices.observations.services import observations
from devices.registry.models import Registration, RegistrationDetail
from provisioning.models import Job, JobState
from provisioning.services import jobs, lifecycle
from tests.devices import making

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def device() -> Device:
    """Registered, with a job, a command that waits and an observation."""
    operator = making.operator()
    made = making.device(operator, subscriber=making.subscriber(operator), onboarding="direct")
    jobs.create(device=made, requested_by="system")
    devices.set_provisioning(device=made, state=Provisioning.READY)
    making.register(made, now=NOW)
    mailbox.enqueue(device=made, operation="read", path="/3/0", requested_by="system")
    observations.want(device=made, path="/3/0/9", wanted_by="system")
    return made


def actions(device: Device, *prefixes: str) -> list[str]:
    """In their order."""
    rows = LedgerEvent.objects.filter(device_id=device.pk).order_by("pk").values_list("action", flat=True)
    return [action for action in rows if action.startswith(prefixes)]


def test_a_release_ends_what_every_room_has_of_the_device(device: Device) -> None:
    assert lifecycle.release(device=device, reason="sold", now=NOW)
    device.refresh_from_db()
    assert (device.access, device.ownership) == (Access.RETIRED, Ownership.UNCLAIMED)
    assert set(Job.objects.values_list("state", flat=True)) == {JobState.CANCELLED}
    assert not Registration.objects.get(device=device).is_live
    assert RegistrationDetail.objects.get(device=device).end_cause == "DEVICE_RETIRED"
    assert set(device.commands.values_list("state", flat=True)) == {"cancelled"}
    assert set(device.observations.values_list("state", flat=True)) == {ObservationState.ENDED}
    assert set(Credential.objects.values_list("state", flat=True)) == {CredentialState.RETIRED}
    ended = actions(device, "device.retired", "registration.ended", "job.cancelled", "observation.ended")
    assert sorted(ended) == ["device.retired", "job.cancelled", "observation.ended", "registration.ended"]
    assert not lifecycle.release(device=device), "it is gone already"


def test_what_breaks_in_the_last_room_leaves_the_first_as_it_was(device: Device, monkeypatch) -> None:
    def broken(**_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("devices.gateways.services.end_device_choices.released", broken)
    with pytest.raises(RuntimeError):
        lifecycle.release(device=device, reason="sold", now=NOW)
    device.refresh_from_db()
    assert (device.access, device.ownership) == (Access.ACTIVE, Ownership.CLAIMED)
    assert Job.objects.exclude(state=JobState.CANCELLED).exists()
    assert Registration.objects.get(device=device).is_live
    assert not device.commands.filter(state="cancelled").exists()
    assert actions(device, "device.retired", "job.cancelled") == []


def test_the_same_move_twice_is_one(device: Device) -> None:
    for _ in range(2):
        lifecycle.suspend(device=device, reason="unpaid")
    assert actions(device, "device.suspended") == ["device.suspended"]
    assert Registration.objects.get(device=device).is_live, "it comes back as it was"


def test_a_move_that_is_refused_touches_nothing(device: Device) -> None:
    lifecycle.bar(device=device, reason="stolen")
    before = actions(device, "")
    with pytest.raises(Refused):
        lifecycle.suspend(device=device, reason="unpaid")
    assert actions(device, "") == before
    assert RegistrationDetail.objects.get(device=device).end_cause == "DEVICE_BARRED"
