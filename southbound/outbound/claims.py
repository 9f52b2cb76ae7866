"""Claims commands for all devices that have some waiting: settle what was answered, claim what is next.

A group commit of its own: what comes while one is being written shares the next one, so that a thousand devices
at once cost a few transactions, and a single device waits for nobody.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Hashable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from django.conf import settings
from django.utils import timezone

from audit import ledger
from devices.commands.models import Operation
from devices.commands.outcomes import Claimed, Outcome, came_from_device
from devices.commands.selectors import waking
from devices.commands.services import delivery
from devices.gateways.services import route_locks
from devices.inventory.models import Device, Plane
from devices.messaging.services import sms_numbers
from devices.operations.services import settlement
from devices.registry import awake, sender_rows
from devices.registry.models import Transport
from devices.registry.sender_rows import WayRow
from lwm2m.presence import presence
from lwm2m.registration import Origin
from southbound.counters import Counters
from southbound.listeners.engine import TOKEN_BYTES
from southbound.listeners.lane import Lane
from southbound.peers import targets
from southbound.peers.targets import Target
from southbound.threads.group_commit import GroupCommit
from southbound.threads.guard import Guard

logger = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 5.0
PROLONG_PART = 0.25
"""Of its lease is over when a command that goes on is prolonged: the rest is longer than one block may take."""
QUEUE_LIMIT = 1_000_000
"""A device claims one command at a time, so devices are the bound; an answer that came must not be turned away."""
OBSERVES = (Operation.OBSERVE, Operation.OBSERVE_COMPOSITE)
_CANCELS = (Operation.CANCEL_OBSERVE, Operation.CANCEL_OBSERVE_COMPOSITE)


@dataclass(frozen=True, slots=True)
class Ready:
    """A claimed command, and the way to its device."""

    claimed: Claimed
    target: Target
    lane: Lane
    peer: Hashable
    registration_id: str
    token: bytes | None
    is_current: bool = True


@dataclass(frozen=True, slots=True)
class Settled:
    """How a command of a device ended; the device may be one behind the gateway that claims it."""

    device_id: int
    command_id: int
    outcome: Outcome
    until: datetime | None = None
    """The lease: until then nobody else takes the command, and the outcome may be written."""


@dataclass(frozen=True, slots=True)
class Prolonged:
    """A command in flight that goes on for so many seconds."""

    command_id: int
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class _Claim:
    """What one device wants: first that the outcome of its command is written, then its next command.

    Or only that the lease of the one in flight is prolonged.
    """

    device_id: int
    settled: Settled | None
    prolonged: Prolonged | None
    taken: asyncio.Future[Ready | None]


@dataclass(frozen=True, slots=True)
class _Taken:
    """It was written; `ready` None: there is nothing to send."""

    ready: Ready | None


class Ways(Protocol):
    """The ports: where a device is reached."""

    def route(
        self, plane: Plane, origin: Origin, operator_id: int | None = None
    ) -> tuple[Lane, Hashable] | None:
        """None when the way is closed."""


class ClaimFailed(Exception):
    """The database did not take it: nothing was settled, nothing was claimed."""


class Claims:
    """`take` is awaited on the loop."""

    def __init__(
        self,
        *,
        flow: str,
        ways: Ways,
        counters: Counters,
        patience: float = 0.0,
        guard: Guard | None = None,
    ) -> None:
        """`patience`: how many seconds an exchange by SMS may take."""
        self._flow = flow
        self._patience = int(patience)
        self._ways = ways
        self.commits: GroupCommit[_Claim, _Taken] = GroupCommit(
            name="claims",
            write=self._write,
            answer=self._answer,
            counters=counters,
            guard=guard,
            queue_limit=QUEUE_LIMIT,
        )

    async def take(self, device_id: int, settled: Settled | None = None) -> Ready | None:
        """Settle, and claim the next command if the device listens and can be reached from here."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                return await self._once(device_id, settled)
            except ClaimFailed:
                if settled is None or self.commits.is_closing or _is_over(settled):
                    raise
            # What a device said is not lost to a deadlock, nor to a database that is away for a moment: a device
            # that has executed something would be told to have been silent.
            if pause == FIRST_PAUSE_SECONDS:
                logger.warning("outcome_waits device=%d command=%d", settled.device_id, settled.command_id)
            try:
                await asyncio.sleep(pause)
            except asyncio.CancelledError:
                self._submit(device_id, settled)  # the last commits of a stop may take it along
                raise
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def prolong(self, device_id: int, command_id: int, seconds: float) -> None:
        """What is being sent goes on: it is ours for so many seconds more."""
        await self._submit(device_id, None, Prolonged(command_id, seconds))

    async def _once(self, device_id: int, settled: Settled | None) -> Ready | None:
        return await self._submit(device_id, settled)

    def _submit(
        self, device_id: int, settled: Settled | None, prolonged: Prolonged | None = None
    ) -> asyncio.Future[Ready | None]:
        taken: asyncio.Future[Ready | None] = asyncio.get_running_loop().create_future()
        if not self.commits.submit(_Claim(device_id, settled, prolonged, taken)):
            taken.set_exception(ClaimFailed("Too much waits, or this process is stopping."))
        return taken

    def _answer(self, claim: _Claim, written: _Taken | None) -> None:
        if claim.taken.done():  # whoever waited was cancelled
            return
        if written is None:
            claim.taken.set_exception(ClaimFailed("It could not be stored."))
        else:
            claim.taken.set_result(written.ready)

    # -- on the writer thread --------------------------------------------------------------------------------
    def _write(self, batch: Sequence[_Claim]) -> list[_Taken]:
        now = timezone.now()
        with ledger.unit_of_work():
            settled = [claim.settled for claim in batch if claim.settled is not None]
            wanted = {claim.device_id for claim in batch if claim.prolonged is None}
            outcomes = [(one.command_id, one.outcome) for one in settled]
            # Whose way an answer about object 25 may change is locked with the others, in one order.
            concerned = {claim.device_id for claim in batch} | {one.device_id for one in settled}
            devices = route_locks.lock(concerned, route_locks.answers(outcomes))
            for prolonged in (claim.prolonged for claim in batch if claim.prolonged is not None):
                until = now + timedelta(seconds=prolonged.seconds)
                delivery.prolong(command_id=prolonged.command_id, flow=self._flow, until=until)
            if settled:
                settlement.settle(devices=devices, outcomes=outcomes, now=now)
            # Before the next command is claimed: an answer, and a block that was acknowledged, make a device in queue
            # mode listen anew (OMA-TS-LightweightM2M_Transport 6.5). Others are not written.
            sender_rows.heard({claim.device_id for claim in batch if _has_spoken(claim)}, now=now)
            ready = self._claimed({pk: device for pk, device in devices.items() if pk in wanted}, now)
        return [
            _Taken(None if claim.prolonged is not None else ready.pop(claim.device_id, None))
            for claim in batch
        ]

    def _claimed(self, devices: Mapping[int, Device], now: datetime) -> dict[int, Ready]:
        """The next commands of those that listen and can be reached, and the way there."""
        rows = sender_rows.ways(list(devices))
        found = {pk: self._route(row, devices[pk], now) for pk, row in rows.items()}
        asleep = waking.waiting(pk for pk, route in found.items() if route is None)
        found |= {pk: self._way(rows[pk], devices[pk], now) for pk in asleep}
        routes = {pk: route for pk, route in found.items() if route is not None}
        reached = {pk: device for pk, device in devices.items() if pk in routes}
        patient = {pk for pk, (lane, _) in routes.items() if lane.tuning}
        claimed = self._claim(reached, patient, asleep, now)
        details = sender_rows.details(list(claimed)) if claimed else {}
        children = targets.end_devices(c.device_id for pk, c in claimed.items() if c.device_id != pk)
        return {
            pk: Ready(
                command,
                targets.of(details.get(pk), devices[pk].operator_id, children.get(command.device_id)),
                *routes[pk],
                rows[pk].registration_id,
                _token(command),
            )
            for pk, command in claimed.items()
        }

    def _claim(
        self, devices: Mapping[int, Device], patient: Set[int], asleep: Set[int], now: datetime
    ) -> dict[int, Claimed]:
        """Those of lanes with a patience of their own get a lease as long."""
        claimed: dict[int, Claimed] = {}
        quick = {pk: device for pk, device in devices.items() if pk not in patient}
        slow = {pk: device for pk, device in devices.items() if pk in patient}
        if quick:
            claimed |= delivery.claim(devices=quick, flow=self._flow, now=now, asleep=asleep)
        if slow:
            lease = delivery.LEASE_SECONDS + self._patience
            claimed |= delivery.claim(
                devices=slow, flow=self._flow, now=now, lease_seconds=lease, asleep=asleep
            )
        return claimed

    def _route(self, row: WayRow, device: Device, now: datetime) -> tuple[Lane, Hashable] | None:
        window = awake.seconds(device, row.transport)
        listens = presence(row, now.timestamp(), window, settings.LIFETIME_GRACE_SECONDS)
        return self._way(row, device, now) if listens.is_reachable else None

    def _way(self, row: WayRow, device: Device, now: datetime) -> tuple[Lane, Hashable] | None:
        operator_id: int = device.operator_id
        is_sms = row.transport == Transport.SMS
        if is_sms and not sms_numbers.has_budget(device_id=row.device_id, operator_id=operator_id, now=now):
            return None
        origin = Origin(row.host, row.port, row.transport, row.identity or None, row.credential_id)
        return self._ways.route(Plane.MANAGEMENT, origin, operator_id)


class Prolonging:
    """Told of each block of a transfer that was answered; once a while it prolongs the lease of the command."""

    def __init__(self, claims: Claims, ready: Ready) -> None:
        self._claims = claims
        self._ready = ready
        self._seconds = (ready.claimed.lease_until - timezone.now()).total_seconds()
        self._began = time.monotonic()
        self._task: asyncio.Task[None] | None = None

    def __call__(self) -> None:
        if time.monotonic() - self._began < self._seconds * PROLONG_PART:
            return
        self._began = time.monotonic()
        self._task = asyncio.get_running_loop().create_task(self._prolong(), name="prolong")

    async def _prolong(self) -> None:
        claimed = self._ready.claimed
        try:
            await self._claims.prolong(claimed.device_id, claimed.command_id, self._seconds)
        except ClaimFailed:  # the next block tries again, and most of the lease is left
            self._began -= self._seconds


def _is_over(settled: Settled) -> bool:
    return settled.until is not None and settled.until <= timezone.now()


def _has_spoken(claim: _Claim) -> bool:
    return claim.prolonged is not None or (
        claim.settled is not None and came_from_device(claim.settled.outcome)
    )


def _token(claimed: Claimed) -> bytes | None:
    """A new one for what shall be observed; for the end of an observation the one that it has (int-303)."""
    if claimed.operation in OBSERVES:
        return secrets.token_bytes(TOKEN_BYTES)
    if claimed.operation not in _CANCELS:
        return None
    try:
        return bytes.fromhex(str(claimed.arguments.get("token") or ""))[:TOKEN_BYTES] or None
    except ValueError:
        return None
