"""What the stepper says in every situation: where the device stands, how long it took, what is wrong in words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audit.causes import CAUSES
from devices.inventory.models import Device, Knock, Plane
from devices.registry.services import knocks
from devices.registry.services.knocks import KnockSeen
from lwm2m.bootstrap import Finished
from provisioning.models import BootstrapProfile
from provisioning.selectors.phase_words import NAMES
from provisioning.selectors.progress import PHASES, SILENT_AFTER, Progress, stepper
from provisioning.services import jobs, lifecycle, sessions
from tests.devices import making
from tests.provisioning import walking

pytestmark = pytest.mark.django_db


def _see(device: Device, seconds: float = 10) -> Progress:
    return stepper(Device.objects.get(pk=device.pk), now=walking.after(device, seconds))


def _states(progress: Progress) -> list[str]:
    assert [phase.key for phase in progress.steps] == list(PHASES)
    assert [phase.name for phase in progress.steps] == [NAMES[phase] for phase in PHASES]
    return [phase.state for phase in progress.steps]


def test_each_phase_in_turn(ordered: Device, worker) -> None:
    assert _states(_see(ordered)) == ["done", "running", "pending", "pending", "pending", "pending"]
    worker.work()
    assert _states(_see(ordered)) == ["done", "done", "waiting", "pending", "pending", "pending"]
    begun = walking.begin(ordered)
    assert _states(_see(ordered)) == ["done", "done", "done", "running", "pending", "pending"]
    sessions.finish(session_id=begun.session_id, finished=Finished("done"), now=walking.after(ordered, 3.5))
    progress = _see(ordered)
    assert _states(progress) == ["done", "done", "done", "done", "waiting", "pending"]
    assert progress.steps[3].took_seconds == pytest.approx(2.5)
    assert progress.steps[3].took == "2.5 s"
    walking.register(ordered, now=walking.after(ordered, 64))
    progress = _see(ordered, 70)
    assert _states(progress) == ["done", "done", "done", "done", "done", "running"]
    assert progress.steps[4].took == "1 min"
    worker.work()
    walking.answer(ordered, now=walking.after(ordered, 71))
    worker.work()
    progress = _see(ordered, 80)
    assert _states(progress) == ["done"] * 6
    assert progress.is_online
    assert (progress.stuck, progress.current) == (None, None)
    assert all(phase.words for phase in progress.steps)


def test_right_before_any_bell_was_heard(ordered: Device, worker) -> None:
    worker.work()
    walking.bootstrap(ordered)
    walking.register(ordered)
    assert _states(_see(ordered)) == ["done", "done", "done", "done", "done", "running"]


def test_costs_at_most_five_queries(ordered: Device, worker, django_assert_max_num_queries) -> None:
    worker.work()
    device = Device.objects.get(pk=ordered.pk)
    with django_assert_max_num_queries(5):
        stepper(device)


def test_device_that_never_came_gets_a_gentle_hint(ordered: Device, worker) -> None:
    worker.work()
    assert _see(ordered, 60).stuck is None
    progress = _see(ordered, SILENT_AFTER.total_seconds() + 60)
    assert progress.stuck == CAUSES["DEVICE_SILENT"]
    assert progress.current.key == "first_contact"
    assert progress.current.state == "stuck"


def _knock(
    device: Device, cause: str, *, name: str = "", plane: str = Plane.BOOTSTRAP, seconds: float = 5
) -> None:
    seen = KnockSeen(plane, cause, name or device.endpoint, "192.0.2.9", "said so")
    knocks.count(knocks=[seen], now=walking.after(device, seconds))


def test_wrong_key_is_told_at_the_first_contact(ordered: Device, worker) -> None:
    worker.work()
    _knock(ordered, "PSK_MISMATCH")
    progress = _see(ordered)
    assert progress.stuck == CAUSES["PSK_MISMATCH"]
    assert progress.current.key == "first_contact"
    walking.begin(ordered, now=walking.after(ordered, 8))
    assert _see(ordered).stuck is None  # it came after all


def test_old_knock_and_one_of_no_consequence_say_nothing(ordered: Device, worker) -> None:
    worker.work()
    _knock(ordered, "PSK_MISMATCH", seconds=-3600)
    _knock(ordered, "BOOTSTRAP_NOT_READY")
    assert _see(ordered).stuck is None


def test_knock_that_came_before_the_device_was_added_counts_from_then(worker) -> None:
    Knock.objects.create(
        plane=Plane.BOOTSTRAP, cause="WRONG_SECURITY", claimed_name="urn:dev:early", host="192.0.2.9"
    )
    device = walking.ordered(endpoint="urn:dev:early")
    worker.work()
    assert _see(device).stuck is None
    Knock.objects.update(last_at=walking.after(device, 3))
    assert _see(device).stuck == CAUSES["WRONG_SECURITY"]


def test_session_that_broke_off_is_told_until_the_next_one_runs(ordered: Device, worker) -> None:
    worker.work()
    walking.bootstrap(ordered, finished=Finished("finish_failed", "BOOTSTRAP_INCONSISTENT", "no /1"))
    worker.work()
    progress = _see(ordered)
    assert (progress.stuck, progress.detail) == (CAUSES["BOOTSTRAP_INCONSISTENT"], "no /1")
    assert progress.current.key == "configured"
    walking.begin(ordered, now=walking.after(ordered, 20))
    progress = _see(ordered, 21)
    assert progress.stuck is None
    assert progress.current.state == "running"


def test_registration_refused_is_told(ordered: Device, worker) -> None:
    worker.work()
    walking.bootstrap(ordered)
    _knock(ordered, "PSK_MISMATCH", plane=Plane.MANAGEMENT, seconds=9)
    progress = _see(ordered)
    assert progress.current.key == "registered"
    assert progress.stuck == CAUSES["PSK_MISMATCH"]


def test_missing_profile_is_told_as_what_staff_have_to_mend(ordered: Device, worker) -> None:
    BootstrapProfile.objects.update(is_default=False)
    worker.work()
    progress = _see(ordered)
    assert progress.current.key == "prepared"
    assert progress.stuck == CAUSES["NO_BOOTSTRAP_PROFILE"]
    assert progress.stuck.mended_by == "staff"


def test_suspended_device_and_cancelled_job_are_told(ordered: Device, worker) -> None:
    worker.work()
    lifecycle.suspend(device=ordered, reason="unpaid")
    assert _see(ordered).stuck == CAUSES["DEVICE_SUSPENDED"]
    lifecycle.resume(device=ordered)
    jobs.cancel(job_id=walking.job(ordered).pk)
    progress = _see(ordered)
    assert progress.current.state == "failed"
    assert progress.stuck == CAUSES["COMMAND_CANCELLED"]


def test_ready_made_device_needs_no_bootstrap_and_says_so(worker) -> None:
    device = walking.ordered(onboarding="direct")
    worker.work()
    progress = _see(device)
    assert _states(progress) == ["done", "done", "done", "done", "waiting", "pending"]
    assert "Not needed" in progress.steps[2].words


def test_device_without_a_job_stands_at_its_beginning() -> None:
    device = making.device()
    progress = stepper(device, now=device.created_at + timedelta(seconds=1))
    assert _states(progress)[0] == "done"
    assert progress.stuck is None
    assert progress.job is None


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (12.4, "12 s"),
        (185, "3 min 5 s"),
        (7800, "2 h 10 min"),
        (260000, "3 days"),
    ],
)
def test_spans_are_said_as_people_say_them(ordered: Device, worker, seconds: float, said: str) -> None:
    worker.work()
    begun = walking.begin(ordered)
    ended = walking.after(ordered, 1 + seconds)
    sessions.finish(session_id=begun.session_id, finished=Finished("done"), now=ended)
    assert _see(ordered).steps[3].took == said


def _online(device: Device, worker) -> None:
    worker.work()
    walking.bootstrap(device)
    walking.register(device)
    worker.work()
    walking.answer(device)
    worker.work()


def _times(progress: Progress) -> list:
    return [phase.at for phase in progress.steps if phase.at]


def test_a_factory_reset_begins_a_new_journey_whose_times_never_run_backwards(
    ordered: Device, worker
) -> None:
    _online(ordered, worker)
    first = _see(ordered, 20)
    assert first.is_online
    assert not first.is_again
    assert _times(first) == sorted(_times(first))
    begun = walking.begin(ordered, now=walking.after(ordered, 900))
    again = _see(ordered, 901)
    assert again.is_again
    assert not again.is_online
    assert [(phase.key, phase.state) for phase in again.steps] == [
        ("first_contact", "done"),
        ("configured", "running"),
        ("registered", "pending"),
        ("online", "pending"),
    ]
    sessions.finish(session_id=begun.session_id, finished=Finished("done"), now=walking.after(ordered, 902))
    assert _see(ordered, 903).current.key == "registered"  # the registration of before proves nothing
    walking.register(ordered, now=walking.after(ordered, 905))
    again = _see(ordered, 910)
    assert again.is_online
    assert _times(again) == sorted(_times(again))
    assert again.took == "5.0 s"


def test_failed_tries_belong_to_the_journey_that_they_end_in(ordered: Device, worker) -> None:
    _online(ordered, worker)
    for seconds in (900, 960):
        begun = walking.begin(ordered, now=walking.after(ordered, seconds))
        finished = Finished("transport_failed", "BOOTSTRAP_TIMEOUT", "")
        sessions.finish(
            session_id=begun.session_id, finished=finished, now=walking.after(ordered, seconds + 1)
        )
    stuck = _see(ordered, 970)
    assert stuck.stuck == CAUSES["BOOTSTRAP_TIMEOUT"]
    assert stuck.steps[0].at == walking.after(ordered, 900)


def test_a_new_registration_alone_moves_no_time_of_the_journey(ordered: Device, worker) -> None:
    _online(ordered, worker)
    before = _see(ordered, 20)
    walking.register(ordered, now=walking.after(ordered, 5000))
    after = _see(ordered, 5001)
    assert _times(after) == _times(before)


def test_a_device_that_takes_its_settings_again_and_again_is_not_called_silent(
    ordered: Device, worker
) -> None:
    """After a bootstrap nobody may say that the device never knocked."""
    worker.work()
    for seconds in (10, 20, 30):
        walking.bootstrap(ordered, now=walking.after(ordered, seconds))
    progress = _see(ordered, 30 + SILENT_AFTER.total_seconds() + 60)
    assert progress.stuck == CAUSES["REGISTRATION_AWAITED"]
    assert "3 times" in progress.detail


def test_never_knocked_is_said_only_of_a_device_that_never_did(ordered: Device, worker) -> None:
    worker.work()
    late = SILENT_AFTER.total_seconds() + 60
    _knock(ordered, "BOOTSTRAP_NOT_READY", seconds=-3600)
    assert _see(ordered, late).stuck == CAUSES["DEVICE_SILENT_AGAIN"]
    _knock(ordered, "BOOTSTRAP_NOT_READY", seconds=5)
    assert _see(ordered, late).stuck is None  # it was told to come again


def test_a_refusal_without_a_name_from_where_the_device_was_just_now_is_told(ordered: Device, worker) -> None:
    worker.work()
    walking.bootstrap(ordered)
    elsewhere = KnockSeen(Plane.MANAGEMENT, "DTLS_HANDSHAKE_FAILED", "", "198.51.100.1", "no shared cipher")
    knocks.count(knocks=[elsewhere], now=walking.after(ordered, 9))
    assert _see(ordered).stuck is None
    here = KnockSeen(Plane.MANAGEMENT, "DTLS_HANDSHAKE_FAILED", "", "192.0.2.7", "no shared cipher")
    knocks.count(knocks=[here], now=walking.after(ordered, 9))
    progress = _see(ordered)
    assert (progress.stuck, progress.detail) == (CAUSES["DTLS_HANDSHAKE_FAILED"], "no shared cipher")
