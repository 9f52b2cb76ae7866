"""What is over long enough goes, the newest stays, and a large table is walked in as many runs as it takes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from devices.commands.models import Command, CommandState
from devices.commands.services import command_retention
from devices.inventory.models import Device
from devices.telemetry.models import ResourceHistory, ResourceValue, TidyingCursor
from devices.telemetry.services import retention
from provisioning.models import BootstrapExchange, BootstrapSession, Job, JobState, JobStep
from provisioning.services import record_retention
from tests.devices import making

pytestmark = pytest.mark.django_db
NOW = timezone.now()
LONG_AGO = NOW - timedelta(days=181)


def test_history_goes_on_where_the_last_run_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "CHUNK", 2)
    devices = [making.device() for _ in range(5)]
    for device in devices:
        value = ResourceValue.objects.create(
            device=device, path="/3/0/9", kind="i", number=1, at=NOW, received_at=NOW
        )
        ResourceHistory.objects.create(value=value, at=NOW - timedelta(days=4000), number=1)
        ResourceHistory.objects.create(value=value, at=NOW, number=2)
    left = []
    for _ in range(3):
        retention.prune(now=NOW, chunks=1)
        left.append(ResourceHistory.objects.filter(at__lt=LONG_AGO).count())
    assert left == [3, 1, 0]
    assert TidyingCursor.objects.get().last_id == 0, "the next run begins anew"
    assert ResourceHistory.objects.count() == 5


def test_commands_that_ended_long_ago_go_and_no_other(settings: Any) -> None:
    device = making.device()
    facts = {"device": device, "operation": "read", "path": "/3/0", "requested_by": "test", "expires_at": NOW}
    kept = [
        Command.objects.create(state=CommandState.QUEUED, **facts),
        Command.objects.create(state=CommandState.DONE, ended_at=NOW - timedelta(days=179), **facts),
    ]
    Command.objects.create(state=CommandState.DONE, ended_at=LONG_AGO, **facts)
    assert command_retention.prune(now=NOW) == 1
    assert list(Command.objects.order_by("pk")) == kept
    settings.RECORDS_KEPT_DAYS = 30
    assert command_retention.prune(now=NOW) == 1


def test_of_jobs_and_sessions_the_newest_of_a_device_stays(settings: Any) -> None:
    devices = [making.device(), making.device()]
    for device in devices:
        for number in range(3):
            job = Job.objects.create(
                operator_id=device.operator_id,
                device=device,
                state=JobState.DONE,
                requested_by="test",
                finished_at=LONG_AGO,
            )
            JobStep.objects.create(job=job, position=1, kind="check_inventory")
            session = BootstrapSession.objects.create(
                operator_id=device.operator_id,
                device=device,
                state="done",
                transport="udp",
                host="192.0.2.1",
                port=number,
                content_format=112,
                started_at=LONG_AGO,
                last_progress_at=LONG_AGO,
                finished_at=LONG_AGO,
            )
            BootstrapExchange.objects.create(
                session=session, position=1, operation="delete", path="/", sent_at=LONG_AGO
            )
    assert record_retention.prune(now=NOW) == 8
    for model in (Job, BootstrapSession):
        assert sorted(model.objects.values_list("device_id", flat=True)) == [one.pk for one in devices]
    assert (JobStep.objects.count(), BootstrapExchange.objects.count()) == (2, 2)
    assert Device.objects.count() == 2
