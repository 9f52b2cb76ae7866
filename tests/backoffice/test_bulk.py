"""Deeds over many rows: a preview, a job with an outcome for each row, and nobody's fault is another's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from accounts.models import BulkJob, BulkRow, StaffMembership, User
from accounts.roles import Role
from accounts.services import bulk
from audit.models import LedgerEvent
from backoffice import bells, reasons, tasks
from devices.gateways.models import EndDevice
from devices.inventory.models import Device
from provisioning.services import lifecycle

pytestmark = pytest.mark.django_db
LIST = "/admin/inventory/device/"


@pytest.fixture
def client(client: Client, member: Any, north: Any) -> Client:
    client.force_login(member(Role.ADMINISTRATOR, north))
    return client


@pytest.fixture
def fleet(north: Any) -> list[Device]:
    made = [Device(operator=north, endpoint=f"urn:dev:{n}", name=f"Meter {n}") for n in range(30)]
    return Device.objects.bulk_create(made)


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What a worker was asked to do; `work` does it."""
    seen: list[int] = []
    monkeypatch.setattr(bells, "_send", seen.append)
    monkeypatch.setattr(reasons, "AT_ONCE", 20)
    return seen


def _act(client: Client, action: str, rows: list[Device], **more: str) -> Any:
    data = {"action": action, "_selected_action": [str(row.pk) for row in rows], "index": "0", **more}
    return client.post(LIST, data, follow=True)


@pytest.fixture
def ask(client: Client, django_capture_on_commit_callbacks: Any) -> Any:
    def asked(action: str, rows: list[Device], **more: str) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            return _act(client, action, rows, **more)

    return asked


def _work(rung: list[int], callbacks: Any) -> int:
    """A worker until there is nothing to do; how many times it was rung for."""
    times = 0
    while rung:
        with callbacks(execute=True):
            tasks.run_bulk(rung.pop())
        times += 1
    return times


def test_the_question_says_how_many_and_who_is_left_alone(ask, fleet) -> None:
    Device.objects.filter(pk__in=[row.pk for row in fleet[:3]]).update(access="suspended")
    page = ask("resume", fleet).content.decode()
    assert "3 of 30 devices" in page
    assert "27 left alone: active already." in page
    assert not BulkJob.objects.exists()


def test_what_costs_says_how_much(ask, fleet) -> None:
    for number, row in enumerate(fleet[:4]):
        Device.objects.filter(pk=row.pk).update(msisdn=f"+49151000000{number}")
    page = ask("wake", fleet).content.decode()
    assert "at most 4 SMS" in page
    assert "26 left alone: no phone number." in page


def test_many_rows_are_a_workers_and_each_has_an_outcome(
    ask, client, fleet, rung, django_capture_on_commit_callbacks, monkeypatch
) -> None:
    monkeypatch.setattr(bulk, "PIECE", 7)
    monkeypatch.setattr(bulk.run, "__kwdefaults__", {**bulk.run.__kwdefaults__, "limit": 7})
    Device.objects.filter(pk__in=[row.pk for row in fleet[:5]]).update(access="suspended")
    answer = ask("suspend", fleet, reason="unpaid")
    job = BulkJob.objects.get()
    assert answer.redirect_chain[-1][0] == f"/admin/accounts/bulkjob/{job.pk}/change/"
    assert "0 of 30" in answer.content.decode()
    assert 'http-equiv="refresh"' in answer.content.decode()
    assert Device.objects.filter(access="suspended").count() == 5
    assert _work(rung, django_capture_on_commit_callbacks) == 5
    job.refresh_from_db()
    assert bulk.counts(job) == {"done": 25, "skipped": 5}
    assert job.ended_at is not None
    page = client.get(f"/admin/accounts/bulkjob/{job.pk}/change/").content.decode()
    assert "30 of 30" in page
    assert "Left alone, 5: suspended already" in page
    assert 'http-equiv="refresh"' not in page
    events = LedgerEvent.objects.filter(action="device.suspended")
    by = StaffMembership.objects.get().user
    assert events.count() == 25
    assert set(events.values_list("reason", "actor_id")) == {("unpaid", str(by.pk))}


def test_resuming_what_is_active_does_nothing_and_says_so(
    ask, client, fleet, rung, django_capture_on_commit_callbacks
) -> None:
    ask("resume", fleet, reason="paid")
    _work(rung, django_capture_on_commit_callbacks)
    assert bulk.counts(BulkJob.objects.get()) == {"skipped": 30}
    assert not LedgerEvent.objects.filter(action="device.resumed").exists()


def test_a_few_rows_are_done_at_once_and_told_on_the_list(ask, fleet, rung) -> None:
    Device.objects.filter(pk=fleet[0].pk).update(access="suspended")
    page = ask("suspend", fleet[:3], reason="unpaid").content.decode()
    assert "2 devices suspended." in page
    assert "Left alone" in page
    assert rung == []


def _broken(monkeypatch: pytest.MonkeyPatch, endpoint: str, error: Exception) -> None:
    suspend = lifecycle.suspend

    def suspended(*, device: Device, reason: str) -> Device:
        if device.endpoint == endpoint:
            raise error
        return suspend(device=device, reason=reason)

    monkeypatch.setattr(lifecycle, "suspend", suspended)


def test_one_rows_fault_is_its_own(
    ask, fleet, rung, django_capture_on_commit_callbacks, monkeypatch, caplog
) -> None:
    _broken(monkeypatch, "urn:dev:3", ValueError("a fault of ours"))
    ask("suspend", fleet, reason="unpaid")
    _work(rung, django_capture_on_commit_callbacks)
    assert bulk.counts(BulkJob.objects.get()) == {"done": 29, "failed": 1}
    assert "bulk_row_failed" in caplog.text


def test_a_database_that_went_away_is_tried_again_and_nothing_is_done_twice(
    ask, fleet, rung, django_capture_on_commit_callbacks, monkeypatch
) -> None:
    ask("suspend", fleet, reason="unpaid")
    job = BulkJob.objects.get()
    device_admin = admin.site.get_model_admin(Device)
    with monkeypatch.context() as patch:
        _broken(patch, "urn:dev:3", OperationalError("gone"))
        with pytest.raises(OperationalError):
            device_admin.go_on(job)
    assert bulk.counts(job)["waiting"] == 27
    device_admin.go_on(job)
    device_admin.go_on(job)
    assert bulk.counts(job) == {"done": 30}
    assert LedgerEvent.objects.filter(action="device.suspended").count() == 30


def test_who_lost_the_role_meanwhile_does_nothing_more(
    ask, fleet, rung, django_capture_on_commit_callbacks
) -> None:
    ask("suspend", fleet, reason="unpaid")
    User.objects.update(is_active=False)
    _work(rung, django_capture_on_commit_callbacks)
    assert bulk.counts(BulkJob.objects.get()) == {"refused": 30}
    assert not Device.objects.filter(access="suspended").exists()


def test_a_lost_bell_is_found(ask, fleet, rung) -> None:
    ask("suspend", fleet, reason="unpaid")
    rung.clear()
    heard: list[int] = []
    assert bulk.sweep(now=timezone.now(), ring=heard.append) == 0
    assert bulk.sweep(now=timezone.now() + timedelta(minutes=2), ring=heard.append) == 1
    assert heard == [BulkJob.objects.get().pk]


def test_old_jobs_are_forgotten(ask, fleet, rung) -> None:
    ask("suspend", fleet[:2], reason="unpaid")
    assert BulkRow.objects.count() == 2
    bulk.sweep(now=timezone.now() + bulk.KEPT + timedelta(days=1), ring=rung.append)
    assert not BulkRow.objects.exists()


def test_rows_of_two_operators_are_a_job_each(person, fleet, south, rung) -> None:
    theirs = Device.objects.create(operator=south, endpoint="urn:dev:theirs")
    client = Client()
    client.force_login(person("root@example.com", is_staff=True, is_superuser=True))
    _act(client, "suspend", [*fleet, theirs], reason="maintenance")
    assert {(job.operator.slug, job.rows.count()) for job in BulkJob.objects.all()} == {
        ("northwind", 30),
        ("southsea", 1),
    }


@pytest.mark.parametrize("model_admin", [one for one in admin.site._registry.values() if one.actions])
def test_every_action_of_every_list_is_a_deed_that_a_worker_can_do(model_admin: Any) -> None:
    if model_admin.model is EndDevice:  # all of a gateway's in one transaction and few statements
        return
    assert set(model_admin.actions) == set(model_admin.deeds), model_admin
    assert reasons.AT_ONCE <= bulk.PIECE  # what is done at once is one piece
