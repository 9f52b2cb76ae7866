"""Who sent a report: the live registration by the identity of the session, or in NoSec by the address."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Exists, OuterRef

from devices import object_models
from devices.gateways import EndDevice
from devices.models import (
    Command,
    CommandState,
    Credential,
    CredentialState,
    Plane,
    Registration,
    RegistrationDetail,
    Security,
    Transport,
)
from devices.services import registration_store
from devices.states import Access
from lwm2m.links import ObjectLinks
from lwm2m.objects import Catalogue
from lwm2m.registration import Origin
from southbound.operations import Target
from southbound.transports.notices import Notice
from southbound.transports.tcp import Connection

KEPT_LIMIT = 1_000
_kept: dict[tuple[int, tuple[tuple[int, str | None], ...], str], tuple[Catalogue, Catalogue]] = {}


@dataclass(frozen=True, slots=True)
class Sender:
    """A registered device; `is_welcome` false where its operator or its access does not let it in (L-04)."""

    device_id: int
    operator_id: int
    registration_id: str
    has_waiting: bool
    is_welcome: bool
    target: Target


def of_notice(notice: Notice) -> Origin:
    """Where a notification came from, as far as a registration is known by it."""
    peer = notice.peer.address if isinstance(notice.peer, Connection) else notice.peer
    if isinstance(peer, tuple):
        return Origin(str(peer[0]), int(peer[1]), notice.lane.transport, None)
    identity = getattr(peer, "identity", None)
    text = identity.decode(errors="replace") if isinstance(identity, bytes) else str(identity or "")
    return Origin("", 0, notice.lane.transport, text or "?")


def find(origins: Sequence[Origin]) -> dict[Origin, Sender]:
    """Origin -> the device that is registered from there: by identity, or in NoSec by address (L-16)."""
    identities = {origin.identity for origin in origins if origin.identity is not None}
    plain = {(origin.host, origin.port) for origin in origins if origin.identity is None}
    ids = [
        *(registration_store.standing_as(sorted(identities)) if identities else ()),
        *(registration_store.standing_at(sorted(plain)) if plain else ()),
    ]
    waiting = Command.objects.filter(
        device_id=OuterRef("device_id"), state__in=[CommandState.QUEUED, CommandState.SENT]
    )
    waiting_behind = Command.objects.filter(
        device__end_device__gateway_id=OuterRef("device_id"),
        state__in=[CommandState.QUEUED, CommandState.SENT],
    )
    counts = Credential.objects.filter(
        plane=Plane.MANAGEMENT, identity=OuterRef("identity"), device_id=OuterRef("device_id")
    ).exclude(state=CredentialState.RETIRED)
    rows = list(
        Registration.objects.filter(pk__in=ids, is_live=True)
        .select_related("device__operator")
        .annotate(has_waiting=Exists(waiting) | Exists(waiting_behind), credential_counts=Exists(counts))
    )
    details = RegistrationDetail.objects.in_bulk([row.pk for row in rows])
    by_key = {
        (row.transport, row.identity) if row.identity else (row.transport, (row.host, row.port)): row
        for row in rows
    }
    found: dict[Origin, Sender] = {}
    for origin in origins:
        key = (origin.transport, origin.identity or (origin.host, origin.port))
        row = by_key.get(key)
        if row is not None and origin not in found:
            found[origin] = _sender(row, details.get(row.pk))
    return found


def heard(device_ids: Iterable[int], *, now: datetime) -> None:
    """These are awake now; their lifetime stays what it is (R-03). Rows are locked by device id, as everywhere."""
    rows = Registration.objects.filter(device_id__in=set(device_ids), is_live=True, queue_mode=True)
    ids = list(rows.select_for_update().order_by("device_id").values_list("device_id", flat=True))
    if ids:
        Registration.objects.filter(device_id__in=ids).update(last_seen_at=now)


def target(
    detail: RegistrationDetail | None, operator_id: int, end_device: EndDevice | None = None
) -> Target:
    """What a device said it is, read with the object models of its operator.

    An end device has its own objects, beneath the alternate path and in the formats of its gateway.
    """
    known = object_models.catalogue(operator_id)
    prefix = "" if end_device is None else end_device.prefix
    if detail is None or not detail.object_links:
        return Target("1.0" if detail is None else detail.version, None, known, prefix)
    links = ObjectLinks.from_json(detail.object_links)
    if end_device is not None:
        own = ObjectLinks.from_json(end_device.object_links) if end_device.object_links else ObjectLinks()
        links = replace(links, objects=own.objects)
    announced = tuple((object_id, link.version) for object_id, link in links.objects.items())
    return Target(detail.version, links, _meant(known, announced, detail.version), prefix)


def _meant(known: Catalogue, announced: tuple[tuple[int, str | None], ...], version: str) -> Catalogue:
    """`for_device`, kept: devices of one kind announce the same, and a storm asks for each of their messages."""
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


def _sender(row: Registration, detail: RegistrationDetail | None) -> Sender:
    device = row.device
    operator = device.operator
    is_open = operator.is_active and device.access == Access.ACTIVE
    return Sender(
        row.pk,
        operator.pk,
        row.registration_id,
        row.has_waiting,  # type: ignore[attr-defined]
        bool(is_open and _is_secure(row) and (row.identity or operator.allows_nosec)),
        target(detail, operator.pk),
    )


def _is_secure(row: Registration) -> bool:
    """Its registration still has what let it in."""
    if row.transport == Transport.SMS:
        return bool(row.identity == row.device.msisdn and row.device.security != Security.PSK)
    if row.identity:
        return bool(row.credential_counts)  # type: ignore[attr-defined]
    return bool(row.device.security == Security.NONE)
