"""The southbound processes that run: who holds which flow, and whose heartbeat has stopped."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from devices.registry import events
from devices.registry.models import SouthboundProcess

HEARTBEAT = timedelta(seconds=5)
DEAD_AFTER = timedelta(seconds=20)
NUMBERS = 256
"""A process's number is the first byte of its connection ids."""


class NoNumberFree(Exception):
    """The number wished for is taken, or as many processes run as there are numbers."""


def announce(*, flow: str, number: int, pid: int, host: str, now: datetime) -> SouthboundProcess:
    """A process says that it is there; rows of dead processes are cleared away."""
    with transaction.atomic():
        SouthboundProcess.objects.filter(heartbeat_at__lt=now - DEAD_AFTER).delete()
        process, _ = SouthboundProcess.objects.update_or_create(
            flow=flow,
            defaults={"number": number, "pid": pid, "host": host, "started_at": now, "heartbeat_at": now},
        )
    return process


def free_number(*, now: datetime, host: str, preferred: int | None = None) -> int:
    """`preferred`, or else the lowest number that no living process has. Raises `NoNumberFree`.

    After a crash the row still beats for a while; on the same machine its process id tells that it is dead.
    """
    taken = {row.number: row for row in alive(now=now) if not (row.host == host and _is_dead(row.pid))}
    if preferred is not None:
        if preferred in taken:
            row = taken[preferred]
            raise NoNumberFree(
                f"Number {preferred} is in use by process {row.pid} on {row.host}. Choose another."
            )
        return preferred
    for number in range(NUMBERS):
        if number not in taken:
            return number
    raise NoNumberFree(f"{NUMBERS} southbound processes are running already.")


def _is_dead(pid: int) -> bool:
    if pid == os.getpid():  # a container's process that was started again
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def heartbeat(*, flow: str, now: datetime) -> bool:
    """Still there; False when the row is gone, so that the process announces itself anew."""
    return SouthboundProcess.objects.filter(flow=flow).update(heartbeat_at=now) == 1


def retire(*, flow: str) -> None:
    """A process ends and says so."""
    SouthboundProcess.objects.filter(flow=flow).delete()


def alive(*, now: datetime) -> QuerySet[SouthboundProcess]:
    """Rows of the processes that beat lately."""
    return SouthboundProcess.objects.filter(heartbeat_at__gte=now - DEAD_AFTER)


def close_sessions(credential_ids: Iterable[int]) -> None:
    """Tell every process that runs to close, after the commit, the sessions that were made with these."""
    events.sessions_ended(alive(now=timezone.now()).values_list("flow", flat=True), credential_ids)


def living(*, host: str, now: datetime) -> list[SouthboundProcess]:
    """Those that run, by number; seen from `host`, where a dead process shows at once by its id."""
    return [
        row
        for row in alive(now=now).order_by("number", "flow")
        if not (row.host == host and row.pid != os.getpid() and _is_dead(row.pid))
    ]
