"""What devices prove themselves with: looked up for a handshake, made for the management server, replaced on first use.

After a bootstrap the old and the new management credential are both accepted until the first registration with the
new one: a device may crash between the write and its use. Callers hold the device's lock where they write.
What is inside of one is its security mode's to say (`devices.inventory.security`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Q
from django.utils import timezone

from accounts.errors import Refused
from audit import ledger
from audit.actions import Action
from devices.inventory import events, locks, vault
from devices.inventory import security as modes
from devices.inventory.models import Credential, CredentialState, Device, Plane
from devices.inventory.security import Material
from devices.inventory.services import device_trail
from devices.inventory.states import Access

logger = logging.getLogger(__name__)

_USABLE = (CredentialState.PENDING, CredentialState.ACTIVE)
_MAY_CONNECT: dict[str, Any] = {
    "state__in": _USABLE,
    "device__access": Access.ACTIVE,
    "device__operator__is_active": True,
}


@dataclass(frozen=True, slots=True)
class Key:
    """What a handshake needs; the key is kept out of every printed form."""

    credential_id: int
    device_id: int
    endpoint: str
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Known:
    """Whom a refused identity belongs to, and why it was refused; without ids when nobody has it."""

    cause: str
    device_id: int | None = None
    operator_id: int | None = None
    endpoint: str = ""


def lookup(*, plane: str, identity: bytes) -> Key | None:
    """The usable key of an identity; one query. None when nobody who may connect has it."""
    return lookup_many(plane=plane, identities=[identity]).get(identity)


def lookup_many(*, plane: str, identities: Iterable[bytes]) -> dict[bytes, Key]:
    """`lookup` for handshakes that wait together; one query, and no entry for who may not connect."""
    found = answers(plane=plane, identities=identities)
    return {identity: answer for identity, answer in found.items() if isinstance(answer, Key)}


def answers(*, plane: str, identities: Iterable[bytes]) -> dict[bytes, Key | Known]:
    """What handshakes that wait together are told: a key, or why there is none.

    One query by an index, the same for names that somebody has and that nobody has: a stranger can neither make it
    walk the table nor tell one from the other by the time it takes.
    """
    wanted = list(identities)
    names = {identity: _text(identity) for identity in wanted}
    rows = (
        Credential.objects.filter(plane=plane, identity__in={name for name in names.values() if name})
        .order_by("pk")
        .values_list(
            "identity",
            "pk",
            "device_id",
            "device__operator_id",
            "device__endpoint",
            "device__access",
            "device__operator__is_active",
            "state",
            "kind",
            "sealed",
        )
    )
    newest: dict[str, _Row] = {}
    found: Any
    for found in rows:
        identity, *facts = found
        row = _Row(*facts)
        known = newest.get(identity)
        if known is None or row.is_usable or not known.is_usable:
            newest[identity] = row
    return {identity: _answer(newest.get(name or "")) for identity, name in names.items()}


def why_refused(*, plane: str, identity: bytes) -> Known:
    """Why `lookup` gave None."""
    answer = answers(plane=plane, identities=[identity])[identity]
    return answer if isinstance(answer, Known) else Known("", answer.device_id, endpoint=answer.endpoint)


@dataclass(frozen=True, slots=True)
class _Row:
    credential_id: int
    device_id: int
    operator_id: int
    endpoint: str
    access: str
    operator_is_active: bool
    state: str
    kind: str
    sealed: str = field(repr=False)

    @property
    def is_usable(self) -> bool:
        return self.state in _USABLE


def _answer(row: _Row | None) -> Key | Known:
    if row is None:
        return Known("PSK_IDENTITY_UNKNOWN")
    if row.access != Access.ACTIVE:
        cause = _ACCESS_CAUSES[Access(row.access)]
    elif not row.is_usable:
        cause = "PSK_IDENTITY_UNKNOWN"
    elif not row.operator_is_active:
        cause = "OPERATOR_INACTIVE"
    else:
        try:
            key = modes.of(row.kind).handshake_key(vault.open_sealed(row.sealed))
        except ImproperlyConfigured as error:  # one row must not keep the keys of the others back
            logger.error("key_unreadable credential=%d error=%s", row.credential_id, error)
            cause = "SECRET_UNREADABLE"
        else:
            if key is not None:
                return Key(row.credential_id, row.device_id, row.endpoint, key)
            cause = "WRONG_SECURITY"  # it has credentials, but of a kind that has no pre-shared key
    return Known(cause, row.device_id, row.operator_id, row.endpoint)


_ACCESS_CAUSES = {
    Access.SUSPENDED: "DEVICE_SUSPENDED",
    Access.BARRED: "DEVICE_BARRED",
    Access.RETIRED: "DEVICE_RETIRED",
}


def _text(identity: bytes) -> str | None:
    if len(identity) > 128:
        return None
    try:
        name = identity.decode()
    except UnicodeDecodeError:
        return None
    return name if name.isprintable() else None


def store(
    *,
    device: Device,
    plane: str,
    kind: str,
    material: Material,
    state: str = CredentialState.ACTIVE,
    origin: str,
) -> Credential:
    """Keep a credential of this mode, sealed. Raises IntegrityError when its identity is in use on the plane."""
    with ledger.unit_of_work():
        credential = Credential.objects.create(
            device=device,
            plane=plane,
            kind=kind,
            identity=material.identity,
            sealed=vault.seal(material.parts),
            state=state,
        )
        _record(Action.CREDENTIAL_MADE, credential, device, origin=origin)
    return credential


def make_management(*, device: Device, kind: str) -> Credential:
    """A new pending management credential of this portal's making; one that is pending already is retired.

    The identity is new, so it differs from the bootstrap identity and says nothing about the device.
    """
    with ledger.unit_of_work():
        older = Credential.objects.filter(
            device=device, plane=Plane.MANAGEMENT, state=CredentialState.PENDING
        )
        _retire(list(older), device, reason="replaced by a newer one before it was used")
        return store(
            device=device,
            plane=Plane.MANAGEMENT,
            kind=kind,
            material=modes.of(kind).make(endpoint=device.endpoint),
            state=CredentialState.PENDING,
            origin="portal",
        )


def ensure_management(*, device: Device, kind: str) -> Credential:
    """The credential of this mode that was made for the device and not yet used; made now if there is none."""
    pending = Credential.objects.filter(
        device=device, plane=Plane.MANAGEMENT, kind=kind, state=CredentialState.PENDING
    )
    return pending.order_by("-pk").first() or make_management(device=device, kind=kind)


def newest(device_id: int, plane: str) -> Credential | None:
    """The usable credential that was made last on the plane."""
    rows = Credential.objects.filter(device_id=device_id, plane=plane).usable()
    return rows.order_by("-pk").first()


def replace(
    *,
    device: Device,
    plane: str,
    material: Material,
    origin: str = "portal",
    reason: str = "",
) -> Credential:
    """Another secret of the device's own mode under this identity; the ones before open nothing from now on."""
    with ledger.unit_of_work():
        current = list(Credential.objects.filter(device=device, plane=plane).usable().order_by("pk"))
        _retire(current, device, reason=reason or "a new key was made")
        return store(device=device, plane=plane, kind=device.security, material=material, origin=origin)


def rename(*, device: Device, credential: Credential, identity: str) -> Credential:
    """The same secret under another identity; the old one opens nothing from now on."""
    with ledger.unit_of_work():
        _retire([credential], device, reason="the endpoint name was corrected")
        renamed = Credential.objects.create(
            device=device,
            plane=credential.plane,
            kind=credential.kind,
            identity=identity,
            sealed=credential.sealed,
            state=credential.state,
        )
        _record(Action.CREDENTIAL_MADE, renamed, device, origin="label")
    return renamed


def opened(*, credential: Credential, purpose: str) -> Material:
    """The credential in the clear; reading it is an event of the ledger, `purpose` says what for. Raises Refused."""
    with ledger.unit_of_work():
        _record(Action.CREDENTIAL_READ, credential, credential.device, purpose=purpose)
    try:
        return Material(credential.identity, vault.open_sealed(credential.sealed))
    except vault.Unreadable:
        raise Refused("STORED_SECRET_UNREADABLE") from None


def is_known(credential: Credential, material: Material) -> bool:
    """Whether this secret is inside, under whichever identity."""
    return credential.security_mode.is_same(vault.open_sealed(credential.sealed), material.parts)


def first_use(*, credential_ids: Iterable[int], now: datetime) -> None:
    """Devices registered with these keys: pending ones become active, older ones of the device are retired.

    Cheap (one query) for keys that were used before. Part of the caller's unit of work.
    """
    with ledger.unit_of_work():
        new = list(
            locks.rows(Credential.objects.all())
            .select_related("device")
            .filter(pk__in=list(credential_ids))
            .filter(Q(state=CredentialState.PENDING) | Q(first_used_at__isnull=True))
            .usable()
            .order_by("pk")
        )
        for credential in new:
            credential.state = CredentialState.ACTIVE
            credential.first_used_at = now
            credential.save(update_fields=["state", "first_used_at"])
            _record(Action.CREDENTIAL_FIRST_USED, credential, credential.device)
            older = Credential.objects.usable().filter(
                device_id=credential.device_id,
                plane=credential.plane,
                pk__lt=credential.pk,
            )
            _retire(list(older), credential.device, reason="the device uses a newer one")


def usable(credential_ids: Iterable[int]) -> set[int]:
    """Of these, whose that may connect: what `lookup_many` asks, for sessions that stand already."""
    rows = Credential.objects.filter(pk__in=list(credential_ids), **_MAY_CONNECT)
    return set(rows.values_list("pk", flat=True))


def end_sessions(*, device: Device) -> None:
    """The device may not connect now: its sessions end, and its keys open none until it may again."""
    rows = Credential.objects.filter(device=device).usable()
    _end_sessions(rows.values_list("pk", flat=True))


def _end_sessions(credential_ids: Iterable[int]) -> None:
    """A hint, after commit; who misses it looks at all its sessions every minute."""
    events.SESSIONS_ENDED.tell(credential_ids)


def retire_all(*, device: Device, reason: str) -> None:
    """No key of the device opens anything any more."""
    _retire(list(Credential.objects.filter(device=device).usable()), device, reason=reason)


def _retire(credentials: list[Credential], device: Device, *, reason: str) -> None:
    if not credentials:
        return
    with ledger.unit_of_work():
        Credential.objects.filter(pk__in=[row.pk for row in credentials]).update(
            state=CredentialState.RETIRED, retired_at=timezone.now()
        )
        for credential in credentials:
            _record(Action.CREDENTIAL_RETIRED, credential, device, reason=reason)
        _end_sessions(row.pk for row in credentials)


def _record(
    action: Action, credential: Credential, device: Device, *, reason: str = "", **detail: str
) -> None:
    device_trail.record(
        device,
        action,
        reason=reason,
        detail={
            "plane": credential.plane,
            "kind": credential.kind,
            "identity": credential.identity,
            **detail,
        },
    )
