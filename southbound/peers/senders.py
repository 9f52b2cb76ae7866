"""Who sent a report: the live registration by the identity of the session, or in NoSec by the address."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from devices.gateways.models import EndDevice
from devices.inventory import object_models
from devices.registry import stored_links
from devices.registry.services import admission, registration_store, sender_store
from devices.registry.services.sender_store import SenderRow
from lwm2m.links import ObjectLinks
from lwm2m.objects import Catalogue
from lwm2m.registration import Origin
from southbound.listeners.lane import Exchange, Lane
from southbound.listeners.notifications import Listens, Notice
from southbound.listeners.tcp import Connection
from southbound.outbound.operations import Target

_NO_ONE = "?"
"""An identity under which nobody is registered: of a session without one, or where there are no sessions."""
KEPT_LIMIT = 1_000
SHARED_BYTES = 4_096
"""A longer object list is read each time: a thousand of them would be too much to keep."""
_kept: dict[tuple[int, tuple[tuple[int, str | None], ...], str], tuple[Catalogue, Catalogue]] = {}
_targets: dict[tuple[int, str, str], _Kept] = {}


@dataclass(frozen=True, slots=True)
class _Kept:
    """A target, and the catalogue that it was made with."""

    catalogue_of: Catalogue
    target: Target


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


def of_notice(notice: Notice) -> Origin:
    """Where a notification came from, likewise."""
    if isinstance(notice.peer, Connection) and not notice.peer.is_registered:
        return _nobody(notice.lane)
    peer = notice.peer.address if isinstance(notice.peer, Connection) else notice.peer
    if isinstance(peer, tuple):
        return Origin(str(peer[0]), int(peer[1]), notice.lane.transport, None)
    identity = getattr(peer, "identity", None)
    text = identity.decode(errors="replace") if isinstance(identity, bytes) else str(identity or "")
    return Origin("", 0, notice.lane.transport, text or _NO_ONE, getattr(peer, "key_id", None))


def _nobody(lane: Lane | Listens) -> Origin:
    """On a new connection an address says nothing: the one who registered from it had another connection."""
    return Origin("", 0, lane.transport, _NO_ONE)


def find(origins: Sequence[Origin]) -> dict[Origin, Sender]:
    """Origin -> the device that is registered from there: by identity, or in NoSec by address (L-16)."""
    identities = {origin.identity for origin in origins if origin.identity is not None}
    plain = {(origin.host, origin.port) for origin in origins if origin.identity is None}
    ids = [
        *(registration_store.standing_as(sorted(identities)) if identities else ()),
        *(registration_store.standing_at(sorted(plain)) if plain else ()),
    ]
    rows = sender_store.live(ids) if ids else []
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
    sender_store.heard({sender.device_id for sender in senders if sender.queue_mode}, now=now)


def target(detail: tuple[str, str] | None, operator_id: int, end_device: EndDevice | None = None) -> Target:
    """What a device said it is, its version and object list, read with the object models of its operator.

    An end device has its own objects, beneath the alternate path and in the formats of its gateway.
    """
    known = object_models.catalogue(operator_id)
    prefix = "" if end_device is None else end_device.prefix
    if detail is None or (links := _links(detail[1])) is None:
        return Target("1.0" if detail is None else detail[0], None, known, prefix)
    if end_device is not None:
        own = stored_links.read(end_device.object_links) or ObjectLinks()
        links = replace(links, objects=own.objects)
        return Target(detail[0], links, _meant(known, links, detail[0]), prefix)
    return _kept_target(known, detail[0], detail[1], links)


def _links(text: str) -> ObjectLinks | None:
    return _links_shared(text) if len(text) <= SHARED_BYTES else _read_links(text)


def _read_links(text: str) -> ObjectLinks | None:
    """None where a device never said what it has."""
    return stored_links.read(json.loads(text))


_links_shared = lru_cache(maxsize=KEPT_LIMIT)(_read_links)


def _kept_target(known: Catalogue, version: str, text: str, links: ObjectLinks) -> Target:
    """Devices of one kind say the same, and a storm asks for each of their messages."""
    key = (id(known), version, text)
    kept = _targets.get(key)
    if kept is not None and kept.catalogue_of is known:
        return kept.target
    found = Target(version, links, _meant(known, links, version))
    if len(text) <= SHARED_BYTES:
        if len(_targets) >= KEPT_LIMIT:
            _targets.clear()
        _targets[key] = _Kept(known, found)
    return found


def _meant(known: Catalogue, links: ObjectLinks, version: str) -> Catalogue:
    """`for_device`, kept for all that announce the same objects."""
    announced = tuple((object_id, link.version) for object_id, link in links.objects.items())
    key = (id(known), announced, version)
    kept = _kept.get(key)
    if kept is None or kept[0] is not known:
        if len(_kept) >= KEPT_LIMIT:
            _kept.clear()
        kept = _kept[key] = (known, known.for_device(dict(announced), version))
    return kept[1]


def behind(device_ids: Iterable[int]) -> dict[int, EndDevice]:
    """Device id -> what its gateway tells of it."""
    ids = set(device_ids)
    return {
        row.device.pk: row
        for row in EndDevice.objects.filter(device_id__in=ids).select_related("device")
        if row.device
    }


def _sender(row: SenderRow, origin: Origin) -> Sender:
    problem = admission.problem(row, origin, registering=False, credential_id=row.credential_id)
    said = None if row.version is None or row.object_links is None else (row.version, row.object_links)
    return Sender(
        row.device_id,
        row.operator_id,
        row.registration_id,
        bool(row.has_waiting),
        problem is None,
        target(said, row.operator_id),
        bool(row.queue_mode),
    )
