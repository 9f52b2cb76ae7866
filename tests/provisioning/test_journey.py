"""The whole way of a device through its job, with lost bells, bells that ring twice, and devices that give up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audit.models import LedgerEvent
from devices.commands.models import Command
from devices.commands.outcomes import DeviceRefused, Silent
from devices.inventory.models import Credential, Device, Plane
from devices.inventory.states import Provisioning
from devices.observations.models import Observation
from devices.registry.services import awake_windows
from lwm2m.bootstrap import Finished
from provisioning.models import BootstrapProfile, BootstrapSession, JobState
from provisioning.profiles import profiles
from provisioning.services import jobs, operators, sessions, sweep
from tests.devices import making
from tests.provisioning import walking

pytestmark = pytest.mark.django_db


def _device(device: Device) -> Device:
    return Device.objects.get(pk=device.pk)


def test_what_the_profile_says_of_every_device_is_wished_for_and_kept(ordered: Device, worker) -> None:
    profile = profiles.ensure_default(ordered.operator)
    profile.observes, profile.awake_seconds = ["/3/0", "/3303", "/3/1"], 25
    profiles.save(profile=profile)
    worker.work()
    walking.bootstrap(ordered)
    walking.register(ordered)
    worker.work()
    assert walking.states(ordered)["observe"] == "done"
    assert walking.states(ordered)["read_device"] == "waiting"
    row = Observation.objects.get(device=ordered)  # it has neither /3303 nor /3/1
    assert (row.paths, row.wanted_by) == (["/3/0"], f"profile:{profile.pk}")
    assert _device(ordered).awake_seconds == 25


def test_a_window_of_its_own_stays(ordered: Device, worker) -> None:
    profile = profiles.ensure_default(ordered.operator)
    profile.awake_seconds = 25
    profiles.save(profile=profile)
    awake_windows.set_seconds(device=ordered, seconds=7)
    worker.work()
    assert _device(ordered).awake_seconds == 7


def test_new_operator_has_a_sound_default_profile() -> None:
    operator = operators.create(slug="fresh", name="Fresh")
    profile = BootstrapProfile.objects.get(operator=operator)
    assert profile.is_default
    assert profiles.validate(profile) == []
    assert profiles.ensure_default(operator) == profile


@pytest.mark.parametrize("times", [1, 2])
def test_int_1_device_comes_online_by_itself(ordered: Device, worker, times: int) -> None:
    """Every bell may ring twice."""
    worker.work(times)
    assert _device(ordered).provisioning == Provisioning.READY
    assert walking.states(ordered) == {
        "check_inventory": "done",
        "make_credentials": "done",
        "render_profile": "done",
        "first_contact": "waiting",
        "bootstrap": "pending",
        "registration": "pending",
        "observe": "pending",
        "read_device": "pending",
    }
    assert walking.job(ordered).state == JobState.WAITING

    begun = walking.begin(ordered)
    worker.work(times)
    assert _device(ordered).provisioning == Provisioning.BOOTSTRAPPING
    assert Credential.objects.get(device=ordered, plane=Plane.BOOTSTRAP).first_used_at is not None
    assert walking.states(ordered)["first_contact"] == "done"
    assert walking.states(ordered)["bootstrap"] == "waiting"
    sessions.finish(session_id=begun.session_id, finished=Finished("done"), now=walking.after(ordered))
    worker.work(times)
    assert walking.states(ordered)["registration"] == "waiting"

    walking.register(ordered)
    worker.work(times)
    assert walking.states(ordered)["read_device"] == "waiting"
    assert Command.objects.filter(device=ordered).count() == 1
    walking.answer(ordered)
    worker.work(times)
    device = _device(ordered)
    assert walking.job(ordered).state == JobState.DONE
    assert (device.provisioning, device.manufacturer, device.firmware_version) == ("applied", "Acme", "1.2.3")
    assert device.first_online_at is not None
    actions = LedgerEvent.objects.filter(device_id=ordered.pk, action__startswith="job.")
    assert actions.filter(action="job.created").count() == actions.filter(action="job.done").count() == 1
    assert actions.filter(action="job.step_done").count() == 7


def test_lost_bells_are_found_by_the_sweep(ordered: Device, worker) -> None:
    def lose_and_sweep(now) -> None:
        worker.rung.clear()
        sweep.run(now=now)
        assert ("provisioning.advance", walking.job(ordered).pk) in worker.rung
        worker.work()

    minutes = [walking.after(ordered, 60 * number) for number in range(1, 7)]
    lose_and_sweep(minutes[0])
    assert walking.states(ordered)["first_contact"] == "waiting"
    begun = walking.begin(ordered, now=minutes[1])
    lose_and_sweep(minutes[1])
    assert walking.states(ordered)["bootstrap"] == "waiting"
    sessions.finish(session_id=begun.session_id, finished=Finished("done"), now=minutes[2])
    lose_and_sweep(minutes[2])
    walking.register(ordered, now=minutes[3])
    lose_and_sweep(minutes[3])
    walking.answer(ordered, now=minutes[4])
    lose_and_sweep(minutes[4])
    assert walking.job(ordered).state == JobState.DONE
    worker.rung.clear()
    assert sweep.run(now=minutes[5]) == sweep.Swept(0, 0, 0)
    assert worker.rung == []


def test_sweep_does_not_ring_for_devices_that_are_simply_silent(
    ordered: Device, worker, django_assert_max_num_queries
) -> None:
    worker.work()
    for _ in range(3):
        walking.ordered(operator=ordered.operator)
    worker.work()
    with django_assert_max_num_queries(12):
        assert sweep.run(now=walking.after(ordered, 3600)).jobs_rung == 0


def test_sweep_rings_again_only_after_a_while(ordered: Device, worker) -> None:
    now = walking.after(ordered, 10)
    assert sweep.run(now=now).jobs_rung == 1
    assert sweep.run(now=now + timedelta(seconds=5)).jobs_rung == 0
    assert sweep.run(now=now + timedelta(seconds=sweep.RING_AGAIN_SECONDS)).jobs_rung == 1


def test_device_switched_off_in_the_middle_goes_on_at_its_next_contact(ordered: Device, worker) -> None:
    worker.work()
    begun = walking.begin(ordered)
    worker.work()
    late = walking.after(ordered, 1 + sessions.STUCK_SECONDS + 1)
    assert sweep.run(now=late).sessions_ended == 1
    assert sweep.run(now=late).sessions_ended == 0
    worker.work()
    session = BootstrapSession.objects.get(pk=begun.session_id)
    assert (session.state, session.cause) == ("failed", "BOOTSTRAP_TIMEOUT")
    assert _device(ordered).provisioning == Provisioning.READY
    step = walking.job(ordered).steps.get(kind="bootstrap")
    assert (step.state, step.cause) == ("waiting", "BOOTSTRAP_TIMEOUT")
    assert walking.job(ordered).cause == "BOOTSTRAP_TIMEOUT"
    walking.bootstrap(ordered, now=late + timedelta(seconds=60))
    walking.register(ordered, now=late + timedelta(seconds=61))
    worker.work()
    walking.answer(ordered, now=late + timedelta(seconds=62))
    worker.work()
    assert walking.job(ordered).state == JobState.DONE
    assert walking.job(ordered).cause == ""


def test_int_9_finish_refused_is_shown_and_the_next_contact_goes_on(ordered: Device, worker) -> None:
    worker.work()
    refused = Finished("finish_failed", "BOOTSTRAP_INCONSISTENT", "4.06: /0/1 has no /0/x/4")
    begun = walking.bootstrap(ordered, finished=refused)
    worker.work()
    session = BootstrapSession.objects.get(pk=begun.session_id)
    assert (session.state, session.cause, session.detail) == (
        "finish_refused",
        "BOOTSTRAP_INCONSISTENT",
        "4.06: /0/1 has no /0/x/4",
    )
    assert _device(ordered).provisioning == Provisioning.FAILED
    assert walking.job(ordered).steps.get(kind="bootstrap").cause == "BOOTSTRAP_INCONSISTENT"
    walking.bootstrap(ordered, now=walking.after(ordered, 100))
    walking.register(ordered, now=walking.after(ordered, 101))
    worker.work()
    assert walking.states(ordered)["registration"] == "done"


def test_ready_made_credentials_need_no_bootstrap(worker) -> None:
    device = walking.ordered(onboarding="direct", psk_key="abcd" * 8)
    worker.work()
    assert walking.states(device) == {
        "check_inventory": "done",
        "make_credentials": "skipped",
        "render_profile": "skipped",
        "first_contact": "skipped",
        "bootstrap": "skipped",
        "registration": "waiting",
        "observe": "pending",
        "read_device": "pending",
    }
    walking.register(device)
    worker.work()
    walking.answer(device)
    worker.work()
    assert walking.job(device).state == JobState.DONE
    assert Credential.objects.filter(device=device).count() == 1


def test_device_without_encryption_is_told_no_key(worker) -> None:
    operator = making.operator(allows_nosec=True)
    device = walking.ordered(operator=operator, security="none")
    worker.work()
    assert walking.states(device)["make_credentials"] == "skipped"
    begun = walking.begin(device)
    (account,) = begun.plan.accounts
    assert account.uri.startswith("coap://")
    assert (account.identity, account.key) == (b"", b"")
    assert not Credential.objects.filter(device=device).exists()


def test_answer_to_finish_may_be_lost(ordered: Device, worker) -> None:
    """The device has the configuration and registers, though the session never saw its Finish answered."""
    worker.work()
    walking.bootstrap(ordered, finished=Finished("transport_failed", "BOOTSTRAP_TIMEOUT"))
    walking.register(ordered)
    worker.work()
    assert walking.states(ordered)["bootstrap"] == "done"
    assert walking.states(ordered)["read_device"] == "waiting"


def test_int_1_factory_reset_gets_new_credentials_without_a_job(ordered: Device, worker) -> None:
    worker.work()
    walking.bootstrap(ordered)
    walking.register(ordered)
    worker.work()
    walking.answer(ordered)
    worker.work()
    first = walking.job(ordered)
    used = Credential.objects.get(device=ordered, plane=Plane.MANAGEMENT, state="active")

    again = walking.bootstrap(ordered, now=walking.after(ordered, 100))
    session = BootstrapSession.objects.get(pk=again.session_id)
    assert session.device == ordered
    assert session.credential_id_written != used.pk
    assert walking.job(ordered) == first
    assert walking.job(ordered).state == JobState.DONE
    assert _device(ordered).provisioning == Provisioning.APPLIED
    walking.register(ordered, now=walking.after(ordered, 101))
    used.refresh_from_db()
    assert used.state == "retired"


def test_applied_device_that_breaks_off_is_adopted_when_it_registers(ordered: Device, worker) -> None:
    worker.work()
    walking.bootstrap(ordered)
    walking.register(ordered)
    worker.work()
    walking.answer(ordered)
    worker.work()
    walking.bootstrap(ordered, now=walking.after(ordered, 100), finished=Finished("finish_failed"))
    assert _device(ordered).provisioning == Provisioning.FAILED
    jobs.device_heard(device_id=ordered.pk)
    assert _device(ordered).provisioning == Provisioning.FAILED  # its registration is older than that
    walking.register(ordered, now=walking.after(ordered, 200))
    worker.work()
    assert _device(ordered).provisioning == Provisioning.APPLIED


def test_silent_device_is_asked_again_and_given_up_in_the_end(ordered: Device, worker) -> None:
    worker.work()
    walking.bootstrap(ordered)
    walking.register(ordered)
    worker.work()
    now = walking.after(ordered, 10)
    for _ in range(30):
        now += timedelta(minutes=10)
        if walking.answer(ordered, now=now, outcome=Silent("RESPONSE_TIMEOUT")) is None:
            break
        worker.work()
    assert Command.objects.filter(device=ordered).count() == 5
    given_up = walking.job(ordered)
    assert (given_up.state, given_up.cause) == (JobState.FAILED, "RESPONSE_TIMEOUT")
    assert _device(ordered).provisioning == Provisioning.FAILED

    later = now + timedelta(hours=1)
    walking.register(ordered, now=later)
    jobs.device_heard(device_id=ordered.pk, now=later)  # it is back: the next contact goes on
    assert walking.job(ordered).pk != given_up.pk
    walking.register(ordered, now=later + timedelta(minutes=1))
    jobs.advance(job_id=walking.job(ordered).pk, now=later + timedelta(minutes=1))
    assert walking.states(ordered)["read_device"] == "waiting"
    walking.answer(ordered, now=later + timedelta(minutes=2))
    jobs.advance(job_id=walking.job(ordered).pk, now=later + timedelta(minutes=2))
    assert walking.job(ordered).state == JobState.DONE


def test_device_that_keeps_its_description_to_itself_is_online(ordered: Device, worker) -> None:
    worker.work()
    walking.bootstrap(ordered)
    walking.register(ordered)
    worker.work()
    walking.answer(ordered, outcome=DeviceRefused("4.05"))
    worker.work()
    assert walking.job(ordered).state == JobState.DONE
    step = walking.job(ordered).steps.get(kind="read_device")
    assert (step.state, step.cause, step.detail) == ("done", "COMMAND_REFUSED", "4.05")
