"""Ended observations, retired keys, messages of retired devices and the admin's log go in the end, and nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.utils import timezone

from accounts.services import admin_log
from accounts.tasks import clear_expired
from audit import pruning
from devices.inventory.models import Credential, CredentialState, Device, Plane
from devices.inventory.security import Material
from devices.inventory.services import credential_retention, credentials
from devices.inventory.states import Access
from devices.observations.models import Observation, ObservationState
from devices.observations.services import observation_retention
from devices.telemetry.models import TidyingCursor, TraceHead, TraceMessage
from devices.telemetry.services import trace_retention
from provisioning.tasks import prune_records
from tests.devices import making

pytestmark = pytest.mark.django_db
NOW = timezone.now()
LONG_AGO = NOW - timedelta(days=181)
OF_LATE = NOW - timedelta(days=179)


def trace(device: Device, *times: datetime) -> None:
    TraceHead.objects.create(device=device, count=len(times))
    TraceMessage.objects.bulk_create(
        TraceMessage(device=device, slot=slot, number=slot, at=at, direction="in", method="GET", path="/3")
        for slot, at in enumerate(times)
    )


def observation(device: Device, path: str, **facts: Any) -> Observation:
    return Observation.objects.create(device=device, key=path, paths=[path], wanted_by="system", **facts)


def test_observations_that_ended_long_ago_go(settings: Any) -> None:
    device = making.device()
    kept = [
        observation(device, "/3/0/9", state=ObservationState.ACTIVE, established_at=LONG_AGO, token="01"),
        observation(device, "/3/0/1", state=ObservationState.REFUSED, created_at=LONG_AGO),
        observation(device, "/3/0/9", state=ObservationState.ENDED, ended_at=OF_LATE),
    ]
    observation(device, "/3/0/9", state=ObservationState.ENDED, ended_at=LONG_AGO)
    assert observation_retention.prune(now=NOW) == 1
    assert list(Observation.objects.order_by("pk")) == kept
    settings.RECORDS_KEPT_DAYS = 30
    assert observation_retention.prune(now=NOW) == 1


def test_keys_that_were_retired_long_ago_go() -> None:
    device = making.device()
    Credential.objects.filter(device=device).update(created_at=LONG_AGO, first_used_at=LONG_AGO)
    in_use = set(Credential.objects.filter(device=device).values_list("pk", flat=True))
    for _ in range(2):
        credentials.replace(device=device, plane=Plane.MANAGEMENT, material=Material("psk-1", bytes(16)))
    retired = Credential.objects.filter(state=CredentialState.RETIRED)
    assert retired.exists()
    assert not retired.filter(retired_at=None).exists(), "the service tells when"
    assert credential_retention.prune(now=NOW + timedelta(days=179)) == 0
    goes = retired.count()
    assert credential_retention.prune(now=NOW + timedelta(days=181)) == goes
    assert not retired.exists()
    assert in_use & set(Credential.objects.values_list("pk", flat=True)), "an old key in use stays"


def test_messages_of_retired_devices_go_and_of_no_other() -> None:
    living, retired, gone = (making.device() for _ in range(3))
    Device.objects.filter(pk__in=[retired.pk, gone.pk]).update(access=Access.RETIRED)
    trace(living, LONG_AGO, NOW)
    trace(retired, LONG_AGO, OF_LATE)
    trace(gone, LONG_AGO, LONG_AGO)
    assert trace_retention.prune(now=NOW) == 3
    left = TraceMessage.objects.order_by("device_id", "slot").values_list("device_id", "at")
    assert list(left) == [(living.pk, LONG_AGO), (living.pk, NOW), (retired.pk, OF_LATE)]
    assert set(TraceHead.objects.values_list("device_id", flat=True)) == {living.pk, retired.pk}


def test_what_one_run_cannot_do_the_next_goes_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (pruning, trace_retention):
        monkeypatch.setattr(module, "LIMIT", 2)
    monkeypatch.setattr(pruning, "CHUNK", 1)
    monkeypatch.setattr(trace_retention, "DEVICES", 1)
    devices = [making.device() for _ in range(5)]
    Device.objects.update(access=Access.RETIRED)
    for device in devices:
        observation(device, "/3/0/9", state=ObservationState.ENDED, ended_at=LONG_AGO)
        trace(device, LONG_AGO)
    left = []
    for _ in range(3):
        observation_retention.prune(now=NOW)
        trace_retention.prune(now=NOW)
        left.append((Observation.objects.count(), TraceMessage.objects.count()))
    assert left == [(3, 3), (1, 1), (0, 0)]
    assert TidyingCursor.objects.get(name=trace_retention.CURSOR).last_id == 0, "the next run begins anew"


def test_the_admins_log_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "LIMIT", 2)
    user = making.person()
    for at in (LONG_AGO, LONG_AGO, LONG_AGO, OF_LATE):
        LogEntry.objects.create(user=user, action_time=at, action_flag=CHANGE, object_repr="a meter")
    assert [admin_log.prune(now=NOW) for _ in range(3)] == [2, 1, 0]
    assert LogEntry.objects.get().action_time == OF_LATE


def test_beat_rings_for_all_of_it() -> None:
    device = making.device()
    observation(device, "/3/0/9", state=ObservationState.ENDED, ended_at=LONG_AGO)
    LogEntry.objects.create(user=making.person(), action_time=LONG_AGO, action_flag=CHANGE, object_repr="x")
    prune_records()
    clear_expired()
    assert not Observation.objects.exists()
    assert not LogEntry.objects.exists()
