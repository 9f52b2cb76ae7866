"""What a southbound process that died left behind: commands in its hands, and devices whose flow nobody listens on.

Each process that runs looks; whoever is first takes, under the locks of the mailbox.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from audit import ledger
from devices.commands.models import Command, CommandState
from devices.commands.selectors.mailbox import orphaned
from devices.commands.services import mailbox
from devices.inventory import locks
from devices.registry.models import Registration, Transport
from devices.registry.services import processes


@dataclass(frozen=True, slots=True)
class Orphans:
    """Devices by the address they were last heard from; `is_first` says that this process is the one to call them."""

    by_address: dict[tuple[str, int], int]
    is_first: bool


def give_back(*, flow: str, host: str, now: datetime) -> list[str]:
    """Give back what dead processes had claimed, before their leases end; returns the flows that live, by number."""
    claimed = Command.objects.filter(state=CommandState.SENT).exclude(claimed_by=flow)
    holders = set(claimed.order_by().values_list("claimed_by", flat=True).distinct())
    # Read after the holders: one that came meanwhile is among them.
    flows = [row.flow for row in processes.living(host=host, now=now)]
    for dead in sorted(holders.difference(flows)):
        mailbox.release(flow=dead, now=now)
    return flows


def look(*, flow: str, host: str, now: datetime) -> Orphans:
    """Give back what dead processes had claimed, and return who waits for a command and has no process to send it."""
    flows = give_back(flow=flow, host=host, now=now)
    waiting = orphaned([*flows, flow], now=now)
    return Orphans(waiting, bool(flows) and flows[0] == flow)


def sessions_here(
    *, addresses: Mapping[str, tuple[str, int]], flow: str, host: str, now: datetime, are_new: bool
) -> list[int]:
    """PSK identity -> where its DTLS session is: who registered with it is reached from here; returns the devices.

    A session that came with a restart (`are_new` false) yields to another process that runs and was heard since.
    """
    with ledger.unit_of_work():
        others = {row.flow for row in processes.living(host=host, now=now)} - {flow}
        rows = locks.rows(Registration.objects).filter(
            identity__in=list(addresses), is_live=True, transport=Transport.DTLS
        )
        taken, written = [], []
        for row in rows.order_by("pk"):
            if row.flow != flow and not are_new and row.flow in others:
                continue
            taken.append(row.pk)
            where = addresses[row.identity]
            if row.flow != flow or (row.host, row.port) != where:
                row.flow, (row.host, row.port) = flow, where
                written.append(row)
        Registration.objects.bulk_update(written, ["flow", "host", "port"])
    return taken


def without_session(*, flow: str, host: str, now: datetime) -> int:
    """How many devices are registered over DTLS and known to no process that runs: they have to shake hands anew."""
    flows = {row.flow for row in processes.living(host=host, now=now)} | {flow}
    return Registration.objects.live().filter(transport=Transport.DTLS).exclude(flow__in=flows).count()


def adopt(*, device_ids: Iterable[int], flow: str, host: str, now: datetime) -> list[int]:
    """These answered this process: it is theirs now, unless another one that runs is; returns which it became."""
    flows = [row.flow for row in processes.living(host=host, now=now)]
    ids = sorted(set(device_ids))
    Registration.objects.live().filter(pk__in=ids).exclude(flow__in=flows).update(flow=flow)
    return list(Registration.objects.filter(pk__in=ids, flow=flow).values_list("pk", flat=True))
