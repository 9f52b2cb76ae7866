"""Taking devices behind a gateway, announcing them first, leaving them, and letting them or the gateway go."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.errors import Refused
from audit.models import LedgerEvent
from devices.commands.models import Command
from devices.commands.outcomes import DeviceRefused, Done
from devices.commands.services import delivery
from devices.gateways.models import EndDevice
from devices.gateways.services import end_device_choices, end_devices
from devices.inventory import locks
from devices.inventory.models import Device
from devices.inventory.states import Access, Provisioning
from devices.observations.models import Observation
from devices.operations.services import settlement
from devices.registry.models import Registration
from provisioning.models import Job
from provisioning.profiles import profiles
from provisioning.selectors import progress
from provisioning.services import jobs, lifecycle, onboarding
from tests.devices.gateways.conftest import instances

NOW = timezone.now()


def tell(gateway, *names, now=NOW):
    return end_devices.told(gateway=gateway, instances=instances(*names), is_whole=True, now=now)


def take(gateway, *names):
    return onboarding.take_end_devices(gateway=gateway, identifiers=names or None)


def job_of(device) -> Job:
    return device.jobs.order_by("-pk").first()


def advance(device) -> str:
    jobs.advance(job_id=job_of(device).pk)
    job = job_of(device)
    step = job.steps.exclude(state__in=["done", "skipped"]).order_by("position").first()
    return f"{job.state} {step.kind} {step.cause}".strip() if step else job.state


def answer(gateway, outcome) -> Command:
    """The gateway answers the next command of the devices behind it."""
    now = timezone.now()
    Device.objects.filter(pk=gateway.pk).update(end_devices_read_at=now)
    claimed = delivery.claim(devices=locks.devices([gateway.pk]), flow="test", now=now)[gateway.pk]
    devices = locks.devices([claimed.device_id])
    settlement.settle(devices=devices, outcomes=[(claimed.command_id, outcome)], now=now)
    return Command.objects.get(pk=claimed.command_id)


@pytest.fixture(autouse=True)
def _one_transaction(db):
    """`delivery` is called inside a unit of work."""


def phases(device) -> dict[str, str]:
    return {phase.key: phase.state for phase in progress.stepper(device).steps}


def test_take_all_and_the_way_online(gateway):
    tell(gateway, "urn:dev:a", "urn:dev:b", "urn:dev:c")
    end_device_choices.dismiss(gateway=gateway, identifiers=["urn:dev:c"])
    taken = take(gateway)
    assert {device.endpoint for device in taken.devices} == {"urn:dev:a", "urn:dev:b"}
    device = taken.devices[0]
    assert (device.subscriber_id, device.reach, device.security) == (gateway.subscriber_id, "gateway", "none")
    assert phases(device) == {
        "ordered": "done",
        "prepared": "running",
        "found": "pending",
        "configured": "pending",
        "online": "pending",
    }
    assert advance(device) == "waiting read_device"
    assert answer(gateway, Done("2.05", {"nodes": [{"path": "/3/0/0", "value": "Acme"}]})).path == "/3/0"
    assert advance(device) == "done"
    device.refresh_from_db()
    assert (device.manufacturer, device.provisioning) == ("Acme", Provisioning.APPLIED)
    assert device.first_online_at is not None
    assert progress.stepper(device).is_online
    assert take(gateway).devices == []


def test_what_the_gateway_must_be_told_is_a_step_of_the_devices_own_job(gateway):
    profile = profiles.ensure_default(gateway.operator)
    profile.observes, profile.default_pmin_seconds = ["/3303", "/3304/0/5700", "/3303/7"], 5
    profile.save()
    tell(gateway, "urn:dev:a")
    (device,) = take(gateway).devices
    assert advance(device) == "waiting tell_gateway"
    step = job_of(device).steps.get(kind="tell_gateway")
    row = Observation.objects.get(device=device)
    assert (row.paths, row.attributes, row.wanted_by) == (["/3303"], {"pmin": 5}, f"profile:{profile.pk}")
    assert Command.objects.filter(device=device, correlation=f"job-step:{step.pk}").exists()
    answer(gateway, DeviceRefused("4.05", "COMMAND_REFUSED", "not here"))
    assert advance(device) == "waiting read_device"
    step.refresh_from_db()
    assert (step.state, step.cause, step.data["wanted"]) == ("done", "COMMAND_REFUSED", ["/3303"])


def test_choose_some(gateway, make_gateway):
    tell(gateway, "urn:dev:a", "urn:dev:b")
    make_gateway("urn:dev:b")  # somebody's device of its own has this name
    taken = take(gateway, "urn:dev:a", "urn:dev:b", "urn:dev:nowhere")
    assert [device.endpoint for device in taken.devices] == ["urn:dev:a"]
    assert taken.refused == {"urn:dev:b": "ENDPOINT_TAKEN", "urn:dev:nowhere": "NOT_FOUND"}
    assert EndDevice.objects.get(identifier="urn:dev:b").device is None


def test_nothing_is_taken_behind_a_suspended_gateway(gateway):
    tell(gateway, "urn:dev:a")
    lifecycle.suspend(device=gateway, reason="x")
    with pytest.raises(Refused) as refused:
        take(gateway)
    assert refused.value.cause == "DEVICE_SUSPENDED"


def test_thousands_at_once_cost_few_statements(gateway, django_assert_max_num_queries):
    tell(gateway, *(f"urn:dev:{number}" for number in range(3_000)))
    most = 60 if connection.vendor == "postgresql" else 400
    with django_assert_max_num_queries(most):
        assert len(take(gateway).devices) == 3_000
    assert Job.objects.filter(state="running").count() == 3_000
    assert LedgerEvent.objects.filter(action="device.added").count() == 3_000


def announce(gateway, name="urn:dev:a") -> Device:
    owner = {"operator": gateway.operator, "subscriber": gateway.subscriber}
    return onboarding.add_device(endpoint=name, reach="gateway", **owner).device


def test_announced_first_and_adopted_when_the_gateway_tells(gateway):
    device = announce(gateway)
    assert advance(device) == "waiting find_end_device"
    found = {phase.key: phase for phase in progress.stepper(device).steps}["found"]
    assert (found.state, found.words) == ("waiting", "Switch the device on and pair it with your gateway.")
    later = timezone.now() + timedelta(minutes=6)
    assert progress.stepper(device, later).stuck.code == "END_DEVICE_NOT_TOLD"
    tell(gateway, "urn:dev:a")
    assert advance(device) == "waiting read_device"


def test_added_after_the_gateway_told_of_it(gateway):
    tell(gateway, "urn:dev:a")
    device = announce(gateway)
    assert EndDevice.objects.get(device=device).gateway == gateway
    assert advance(device) == "waiting read_device"


def test_the_job_waits_for_a_gateway_that_is_offline_and_for_a_device_that_is_gone(gateway):
    tell(gateway, "urn:dev:a")
    (device,) = take(gateway).devices
    Registration.objects.filter(device=gateway).update(is_live=False)
    assert advance(device) == "waiting find_end_device GATEWAY_OFFLINE"
    assert progress.stepper(device).stuck.code == "GATEWAY_OFFLINE"
    Registration.objects.filter(device=gateway).update(is_live=True)
    tell(gateway)
    assert advance(device) == "waiting find_end_device END_DEVICE_GONE"
    tell(gateway, "urn:dev:a")
    assert advance(device) == "waiting read_device"


def test_release_of_a_child_takes_it_off_the_offer(gateway):
    tell(gateway, "urn:dev:a")
    (device,) = take(gateway).devices
    assert lifecycle.release(device=device)
    row = EndDevice.objects.get()
    assert (row.device, row.is_dismissed) == (None, True)
    assert take(gateway).devices == []
    assert [one.endpoint for one in take(gateway, "urn:dev:a").devices] == ["urn:dev:a"]


def test_release_of_a_gateway_leaves_its_children_to_another(gateway, make_gateway):
    tell(gateway, "urn:dev:a")
    (device,) = take(gateway).devices
    assert lifecycle.release(device=gateway)
    row = EndDevice.objects.get(device=device)
    assert row.gone_cause == "GATEWAY_REMOVED"
    device.refresh_from_db()
    assert device.access == Access.ACTIVE
    attic = make_gateway("urn:gw:2")
    tell(attic, "urn:dev:a", now=NOW + timedelta(minutes=1))
    assert EndDevice.objects.get(device=device).gateway == attic


def test_dismissed_and_offered_again(gateway):
    tell(gateway, "urn:dev:a")
    assert end_device_choices.dismiss(gateway=gateway, identifiers=["urn:dev:a"]) == 1
    assert end_device_choices.dismiss(gateway=gateway, identifiers=["urn:dev:a"]) == 0
    assert take(gateway).devices == []
    assert end_device_choices.dismiss(gateway=gateway, identifiers=["urn:dev:a"], is_dismissed=False) == 1
    assert len(take(gateway).devices) == 1
