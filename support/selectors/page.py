"""What the support desk's device page shows, the same on the first load and on every live change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit.causes import CAUSES, Cause
from devices.commands.models import Command
from devices.gateways.selectors import end_devices
from devices.inventory.models import Device, Reach
from devices.registry.selectors import present, verdict, ways
from devices.registry.selectors.present import Present
from provisioning.models import BootstrapExchange, BootstrapSession, Job, JobStep
from provisioning.selectors import progress, reachability
from provisioning.steps import KINDS
from support import words
from support.selectors import knocks, timeline

SESSIONS = 5
JOBS = 5
COMMANDS = 5


@dataclass(frozen=True)
class Exchange:
    """One request of a bootstrap session and the device's answer in words."""

    row: BootstrapExchange
    operation: str
    response: str
    took_ms: int | None
    cause: Cause | None

    @property
    def is_good(self) -> bool:
        return self.row.response_code.startswith("2.")


@dataclass(frozen=True)
class Session:
    row: BootstrapSession
    exchanges: list[Exchange]
    cause: Cause | None


@dataclass(frozen=True)
class Step:
    row: JobStep
    title: str
    cause: Cause | None


@dataclass(frozen=True)
class Work:
    """A job with its steps in words."""

    row: Job
    cause: Cause | None
    steps: list[Step]


def rows(devices: Iterable[Device], now: datetime) -> list[tuple[Device, Present]]:
    """Needs `ways.PRESENCE` selected with the devices."""
    return present.of_many(devices, now)


def context(
    device: Device, operator_ids: Iterable[int] | None, filters: timeline.Filters, now: datetime
) -> dict[str, Any]:
    """For the whole page and for each of its live parts."""
    gateway = ways.gateway(device) if device.reach == Reach.GATEWAY else None
    looked_for = reachability.of(device, now)
    standing = present.of(device, now, present.refusals([device], now).get(device.pk))
    actions, causes = timeline.choices(device.pk, operator_ids)
    return {
        "device": device,
        "gateway": gateway,
        "behind": end_devices.counts(device),
        "session": standing,
        "verdict": verdict.of(device, standing, now, looked_for),
        "registration": ways.registration(device),
        "detail": ways.registration_detail(device),
        "progress": progress.stepper(device, now),
        "looked_for": looked_for,
        "timeline": timeline.of_device(
            device.pk, operator_ids, filters, gateway_id=gateway.pk if gateway else None
        ),
        "actions": actions,
        "causes": causes,
        "bootstraps": _sessions(device),
        "jobs": _jobs(device),
        "commands": Command.objects.filter(device=device).order_by("-id")[:COMMANDS],
        "knocks": knocks.of_device(device),
    }


def _sessions(device: Device) -> list[Session]:
    rows = (
        BootstrapSession.objects.filter(device=device)
        .prefetch_related("exchanges")
        .order_by("-id")[:SESSIONS]
    )
    return [
        Session(row, [_exchange(one) for one in row.exchanges.all()], CAUSES.get(row.cause)) for row in rows
    ]


def _exchange(row: BootstrapExchange) -> Exchange:
    took = round((row.answered_at - row.sent_at).total_seconds() * 1000) if row.answered_at else None
    return Exchange(
        row=row,
        operation=words.operation(row.operation),
        response=words.response(row.response_code),
        took_ms=took,
        cause=CAUSES.get(row.cause),
    )


def _jobs(device: Device) -> list[Work]:
    rows = Job.objects.filter(device=device).prefetch_related("steps").order_by("-id")[:JOBS]
    return [Work(row, CAUSES.get(row.cause), [_step(step) for step in row.steps.all()]) for row in rows]


def _step(row: JobStep) -> Step:
    kind = KINDS.get(row.kind)
    return Step(row, kind.TITLE if kind else row.kind, CAUSES.get(row.cause))
