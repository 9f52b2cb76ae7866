"""Jobs: one at a time, retried and cancelled, wrong turns shown, and two workers at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import OperationalError, connection

from accounts.errors import Refused
from audit.models import LedgerEvent
from devices.commands.models import Command
from devices.inventory.models import Credential, Device, Plane
from devices.inventory.states import Access, Provisioning
from devices.registry.models import Registration
from provisioning import steps, tasks
from provisioning.models import Job, JobState, JobStep
from provisioning.profiles import profiles
from provisioning.services import jobs, lifecycle, onboarding, sweep
from provisioning.steps.results import Failed
from tests.devices import making
from tests.provisioning import walking

pytestmark = pytest.mark.django_db


def test_one_open_job_of_a_kind_per_device(ordered: Device) -> None:
    with pytest.raises(Refused) as refused:
        jobs.create(device=ordered, requested_by="system")
    assert refused.value.cause == "CONFLICT"


def test_failed_adding_leaves_nothing(worker) -> None:
    operator = making.operator()
    with pytest.raises(Refused):
        onboarding.add_device(operator=operator, subscriber=None, endpoint=" bad")
    assert not Device.objects.exists()
    assert not Job.objects.exists()
    assert worker.rung == []


def test_step_that_crashes_is_recorded_where_the_operator_sees_it(
    ordered: Device, worker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def crash(**kwargs) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(steps.make_credentials, "run", crash)
    worker.work()
    job = walking.job(ordered)
    step = job.steps.get(kind="make_credentials")
    assert (job.state, job.cause) == (JobState.FAILED, "INTERNAL_ERROR")
    assert (step.state, step.cause, step.detail) == ("failed", "INTERNAL_ERROR", "ZeroDivisionError")
    assert job.steps.get(kind="check_inventory").state == "done"
    assert Device.objects.get(pk=ordered.pk).provisioning == Provisioning.FAILED
    assert "step_crashed" in caplog.text


def test_database_that_is_busy_is_tried_again_not_recorded(
    ordered: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(**kwargs) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(steps.check_inventory, "run", locked)
    with pytest.raises(OperationalError):
        jobs.advance(job_id=walking.job(ordered).pk)
    assert walking.job(ordered).state == JobState.RUNNING


def test_failed_job_is_retried_as_a_new_one(ordered: Device, worker, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(steps.render_profile, "run", lambda **kwargs: Failed("PROFILE_INVALID", "no"))
        worker.work()
    failed = walking.job(ordered)
    assert failed.state == JobState.FAILED
    key = Credential.objects.get(device=ordered, plane=Plane.MANAGEMENT)
    fresh = jobs.retry(job_id=failed.pk, requested_by="user:1")
    assert fresh.pk != failed.pk
    worker.work()
    assert walking.states(ordered)["first_contact"] == "waiting"
    assert Credential.objects.get(device=ordered, plane=Plane.MANAGEMENT) == key  # what was done stays done
    with pytest.raises(Refused):
        jobs.retry(job_id=fresh.pk, requested_by="user:1")
    failed.refresh_from_db()
    assert failed.state == JobState.FAILED


def test_cancelled_job_takes_back_its_command_and_stays_cancelled(ordered: Device, worker) -> None:
    worker.work()
    walking.bootstrap(ordered)
    walking.register(ordered)
    worker.work()
    job = walking.job(ordered)
    assert jobs.cancel(job_id=job.pk, reason="mistake")
    assert not jobs.cancel(job_id=job.pk)
    assert Command.objects.get(device=ordered).state == "cancelled"
    worker.work(2)
    assert jobs.advance(job_id=job.pk) == JobState.CANCELLED
    assert walking.job(ordered).state == JobState.CANCELLED


def test_job_again_of_a_device_that_is_managed_reads_it_once_more(ordered: Device, worker) -> None:
    worker.work()
    walking.bootstrap(ordered)
    walking.register(ordered)
    worker.work()
    walking.answer(ordered)
    worker.work()
    jobs.create(device=ordered, requested_by="user:1", reason="look again")
    worker.work()
    assert walking.states(ordered)["make_credentials"] == "skipped"
    assert walking.states(ordered)["read_device"] == "waiting"
    walking.answer(ordered, now=walking.after(ordered, 60))
    worker.work()
    assert walking.job(ordered).state == JobState.DONE


def test_corrected_profile_lets_waiting_devices_go_on(ordered: Device, worker) -> None:
    profile = profiles.default_of(ordered.operator_id)
    profile.server_uri = "coap://elsewhere.example"
    type(profile).objects.filter(pk=profile.pk).update(server_uri=profile.server_uri)
    worker.work()
    step = walking.job(ordered).steps.get(kind="render_profile")
    assert (step.state, step.cause) == ("waiting", "PROFILE_INVALID")
    assert "coaps" in step.detail
    with pytest.raises(Refused):
        profiles.save(profile=profile)
    profile.server_uri = "coaps://elsewhere.example:5684"
    profiles.save(profile=profile)
    worker.work()
    assert walking.states(ordered)["first_contact"] == "waiting"
    assert walking.begin(ordered).plan.accounts[0].uri == "coaps://elsewhere.example:5684"


def test_released_device_leaves_nothing_open_and_frees_its_name(ordered: Device, worker) -> None:
    worker.work()
    walking.begin(ordered)
    assert lifecycle.release(device=ordered, reason="sold")
    assert not lifecycle.release(device=ordered)
    device = Device.objects.get(pk=ordered.pk)
    assert device.access == Access.RETIRED
    assert walking.job(ordered).state == JobState.CANCELLED
    assert device.bootstrap_sessions.get().state == "failed"
    worker.work(2)
    again = walking.ordered(operator=ordered.operator, endpoint=ordered.endpoint)
    assert again.pk != ordered.pk


def test_released_device_that_was_online_is_no_longer_registered(ordered: Device, worker) -> None:
    worker.work()
    walking.bootstrap(ordered)
    walking.register(ordered)
    worker.work()
    lifecycle.release(device=ordered)
    assert not Registration.objects.get(device=ordered).is_live
    assert Command.objects.get(device=ordered).state == "cancelled"


def test_tasks_of_rows_that_are_gone_are_harmless(worker) -> None:
    tasks.advance(10**9)
    tasks.device_heard(10**9)
    tasks.command_settled(10**9)
    tasks.run_sweep()
    command = Command.objects.none()
    assert not command.exists()


def test_correlation_of_somebody_else_is_left_alone(ordered: Device, worker) -> None:
    command = Command.objects.create(
        device=ordered,
        operation="read",
        path="/3/0",
        requested_by="system",
        correlation="campaign:7",
        expires_at=walking.after(ordered, 60),
    )
    tasks.command_settled(command.pk)


def test_every_write_names_who_asked(ordered: Device, worker) -> None:
    worker.work()
    created = LedgerEvent.objects.get(action="job.created")
    assert created.device_id == ordered.pk
    assert created.subscriber_id == ordered.subscriber_id
    assert created.detail["requested_by"] == "system"


def test_sweep_of_many_jobs_costs_few_queries(worker, django_assert_max_num_queries) -> None:
    operator = making.operator()
    for _ in range(15):
        walking.ordered(operator=operator)
    with django_assert_max_num_queries(16):
        swept = sweep.run(now=walking.after(Device.objects.latest("pk"), 10))
    assert swept.jobs_rung == 15


def test_sweep_leaves_the_rest_for_the_next_time(worker, monkeypatch: pytest.MonkeyPatch) -> None:
    operator = making.operator()
    for _ in range(5):
        walking.ordered(operator=operator)
    now = walking.after(Device.objects.latest("pk"), 10)
    assert len(sweep.due(now=now, limit=3)) == 3
    sweep.run(now=now)
    assert sweep.due(now=now + timedelta(seconds=1)) == []


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_do_each_step_once() -> None:
    device = walking.ordered()
    job = walking.job(device)
    barrier = Barrier(4)

    def run(_: int) -> str | None:
        try:
            barrier.wait(10)
            return jobs.advance(job_id=job.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(run, range(4))) == {JobState.WAITING}
    assert Credential.objects.filter(device=device, plane=Plane.MANAGEMENT).count() == 1
    assert LedgerEvent.objects.filter(action="job.step_done", job_id=job.pk).count() == 3
    assert JobStep.objects.get(job=job, kind="first_contact").state == "waiting"


@pytest.mark.django_db(transaction=True)
def test_two_jobs_at_once_and_one_is_made() -> None:
    device = making.device()
    barrier = Barrier(3)

    def run(_: int) -> str:
        try:
            barrier.wait(10)
            jobs.create(device=device, requested_by="system")
        except Refused as refused:
            return refused.cause
        finally:
            connection.close()
        return "made"

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(run, range(3))) == ["CONFLICT", "CONFLICT", "made"]
