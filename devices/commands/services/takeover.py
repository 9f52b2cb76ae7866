"""What a southbound process that died left behind: commands in its hands, and devices that wait and have no process.

Each process that runs looks; whoever is first takes, under the locks of the mailbox.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from devices.commands.models import Command, CommandState
from devices.commands.selectors.mailbox import orphaned
from devices.commands.services import mailbox
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
