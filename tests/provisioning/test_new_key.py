"""A new key takes the place of the one on the label, under the same identity, and a failed job begins anew."""

from __future__ import annotations

import pytest

from accounts.errors import Refused
from devices.inventory.models import Credential, CredentialState, Device, Plane
from devices.inventory.services import credentials, devices
from devices.inventory.states import Provisioning
from provisioning.services import onboarding
from tests.provisioning import walking

pytestmark = pytest.mark.django_db


def test_the_old_key_opens_nothing_and_the_new_one_does(ordered: Device) -> None:
    identity = ordered.credentials.get(plane=Plane.BOOTSTRAP).identity
    before = credentials.lookup(plane=Plane.BOOTSTRAP, identity=identity.encode())
    renewed = onboarding.renew_key(device=ordered)
    after = credentials.lookup(plane=Plane.BOOTSTRAP, identity=identity.encode())
    assert before is not None
    assert after is not None
    assert renewed.identity == identity
    assert after.key == renewed.secret_to_show.parts != before.key
    usable = Credential.objects.filter(device=ordered, plane=Plane.BOOTSTRAP).exclude(
        state=CredentialState.RETIRED
    )
    assert usable.count() == 1


def test_a_failed_device_gets_another_job(ordered: Device, worker) -> None:
    worker.work()
    walking.job(ordered)
    ordered.jobs.update(state="failed")
    devices.set_provisioning(device=ordered, state=Provisioning.FAILED)
    onboarding.renew_key(device=ordered)
    assert ordered.jobs.count() == 2


def test_a_device_without_encryption_has_no_key(ordered: Device) -> None:
    Device.objects.update(security="none")
    with pytest.raises(Refused, match="without encryption"):
        onboarding.renew_key(device=ordered)
