"""Who sent a report: the live registration by the identity of the session, or in NoSec by the address."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from devices.registry import sender_rows, standing_rows
from devices.registry.sender_rows import SenderRow
from devices.registry.services import admission
from lwm2m.registration import Origin
from southbound.listeners.lane import Exchange, Lane
from southbound.listeners.notifications import Listens, Notification
from southbound.listeners.tcp import Connection
from southbound.peers import targets
from southbound.peers.targets import Target

_NO_ONE = "?"
"""An identity under which nobody is registered: of a session without one, or where there are no sessions."""


@dataclass(frozen=True, slots=True)
class Sender:
    """A registered device; `is_welcome` false where its operator or its access does not let it in (L-04)."""

    device_id: int
    operator_id: int
    registration_id: str
    has_waiting: bool
    is_welcome: bool
    target: Target
    queue_mode: bool = False


def of_exchange(exchange: Exchange) -> Origin:
    """Where a Send came from, as far as a registration is known by it."""
    if isinstance(exchange.peer, Connection) and not exchange.peer.is_registered:
        return _nobody(exchange.lane)
    return exchange.origin.sender


def of_notification(notification: Notification) -> Origin:
    """Where a notification came from, likewise."""
    if isinstance(notification.peer, Connection) and not notification.peer.is_registered:
        return _nobody(notification.lane)
    peer = notification.peer.address if isinstance(notification.peer, Connection) else notification.peer
    if isinstance(peer, tuple):
        return Origin(str(peer[0]), int(peer[1]), notification.lane.transport, None)
    identity = getattr(peer, "identity", None)
    text = identity.decode(errors="replace") if isinstance(identity, bytes) else str(identity or "")
    return Origin("", 0, notification.lane.transport, text or _NO_ONE, getattr(peer, "key_id", None))


def _nobody(lane: Lane | Listens) -> Origin:
    """On a new connection an address says nothing: the one who registered from it had another connection."""
    return Origin("", 0, lane.transport, _NO_ONE)


def find(origins: Sequence[Origin]) -> dict[Origin, Sender]:
    """Origin -> the device that is registered from there: by identity, or in NoSec by address (L-16)."""
    identities = {origin.identity for origin in origins if origin.identity is not None}
    plain = {(origin.host, origin.port) for origin in origins if origin.identity is None}
    ids = [
        *(standing_rows.standing_as(sorted(identities)) if identities else ()),
        *(standing_rows.standing_at(sorted(plain)) if plain else ()),
    ]
    rows = sender_rows.live(ids) if ids else []
    # Should two stand at one address for a moment, the one that spoke last counts: later rows take its place.
    by_key: dict[tuple[str, str | tuple[str, int]], SenderRow] = {
        (row.transport, row.identity) if row.identity else (row.transport, (row.host, row.port)): row
        for row in rows
    }
    found: dict[Origin, Sender] = {}
    for origin in origins:
        key = (origin.transport, origin.identity or (origin.host, origin.port))
        row = by_key.get(key)
        if row is not None and origin not in found:
            found[origin] = _sender(row, origin)
    return found


def heard(senders: Iterable[Sender], *, now: datetime) -> None:
    """These are awake now; their lifetime stays what it is (R-03)."""
    sender_rows.heard({sender.device_id for sender in senders if sender.queue_mode}, now=now)


def _sender(row: SenderRow, origin: Origin) -> Sender:
    problem = admission.problem(row, origin, registering=False, credential_id=row.credential_id)
    said = None if row.version is None or row.object_links is None else (row.version, row.object_links)
    return Sender(
        row.device_id,
        row.operator_id,
        row.registration_id,
        bool(row.has_waiting),
        problem is None,
        targets.of(said, row.operator_id),
        bool(row.queue_mode),
    )
