"""A device that has all it needs may register right after it was added, before any worker has looked at its job."""

from __future__ import annotations

import pytest
from django.utils import timezone

from devices.inventory.models import Onboarding, Reach
from devices.inventory.states import Provisioning
from devices.registry.services import registrations
from devices.registry.services.registrations import Inbound
from lwm2m.codes import Code
from lwm2m.links import parse_object_links
from lwm2m.messages import Register
from provisioning.models import Job, JobState
from provisioning.services import jobs, onboarding
from tests.devices import making

pytestmark = pytest.mark.django_db
SECURED = {"security": "psk", "psk_key": bytes(range(16)), "psk_identity": "psk-1"}
KINDS = {"no encryption": {"security": "none"}, "a known key": SECURED}


@pytest.fixture(autouse=True)
def no_worker(monkeypatch):
    """Nobody hears the bell that starts a job."""
    monkeypatch.setattr("provisioning.events.jobs_ready", lambda job_ids: None)


def add(**label):
    values = {"reach": Reach.IP, "onboarding": Onboarding.DIRECT, **label}
    of = making.operator(allows_nosec=True)
    return onboarding.add_device(operator=of, subscriber=None, endpoint="dev-1", **values)


@pytest.mark.parametrize("kind", KINDS)
def test_the_register_that_follows_the_201_is_welcome_and_the_job_goes_on(kind):
    added = add(**KINDS[kind])
    assert added.device.provisioning == Provisioning.READY
    message = Register("dev-1", object_links=parse_object_links(b"</1/0>,</3/0>"))
    batch = [Inbound(message, making.origin_of(added.device))]
    (applied,) = registrations.apply(batch=batch, flow=making.FLOW, now=timezone.now())
    assert (applied.outcome.cause, applied.outcome.response.code) == ("", Code.CREATED)
    job = Job.objects.get()
    assert job.state in (JobState.RUNNING, JobState.WAITING)
    jobs.advance(job_id=job.pk)
    steps = {step.kind: step.state for step in job.steps.all()}
    assert steps["registration"] == "done"


def test_a_step_that_raises_costs_nobody_the_device(monkeypatch):
    def broken(**_):
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr("provisioning.steps.check_inventory.run", broken)
    added = add(**SECURED)
    assert added.device.provisioning == Provisioning.DRAFT
    assert Job.objects.get().state not in (JobState.DONE, JobState.FAILED)


def test_a_device_that_bootstraps_waits_for_its_job_as_before():
    added = add(onboarding=Onboarding.BOOTSTRAP, security="psk", psk_key=bytes(range(16)))
    assert added.device.provisioning == Provisioning.DRAFT
