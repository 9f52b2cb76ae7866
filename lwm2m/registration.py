"""The life of a registration as one pure step: what stands, what came and ``now`` in; what stands after, out.

Times are seconds of one clock chosen by the caller. All moves of the machine:

- nothing stands: Register -> REGISTERED 2.01; Update, De-register -> REFUSED 4.04
- alive: Register -> REPLACED 2.01 with a new id; Update -> REFRESHED or UPDATED 2.04;
  De-register -> DEREGISTERED 2.02; Update and De-register from another identity or security -> REFUSED 4.00
- past its time: Register -> REPLACED 2.01; Update, De-register -> REFUSED 4.04; time -> EXPIRED

`OMA-TS-LightweightM2M_Core 6.2.1` to `6.2.3`. Who may use an endpoint name is the caller's to decide.
"""

from __future__ import annotations

from dataclasses import replace

from lwm2m import queries
from lwm2m.codes import Code
from lwm2m.errors import Lwm2mError
from lwm2m.links import ObjectLinks
from lwm2m.messages import Deregister, Register, Response, Update
from lwm2m.registration_state import Change, Origin, Outcome, Registration, refreshed

__all__ = [
    "Change",
    "Origin",
    "Outcome",
    "Registration",
    "deregister",
    "expire",
    "refreshed",
    "register",
    "update",
]

_NOTHING: frozenset[str] = frozenset()
_UPDATED = Response(Code.CHANGED)
_DELETED = Response(Code.DELETED)
_COMPARED = (
    "version",
    "binding",
    "queue_mode",
    "lifetime_seconds",
    "sms_number",
    "origin",
    "object_links",
    "attributes",
    "profile_ids",
)


def register(
    message: Register,
    *,
    current: Registration | None,
    endpoint: str,
    origin: Origin,
    registration_id: str,
    now: float,
) -> Outcome:
    """Register ``endpoint``, the name that the credentials allow; a standing registration is replaced (R-01).

    ``registration_id`` must never have been used before (L-02). A message with profile ids only must have
    got its object list by `lwm2m.object_links.ObjectLinks.merged` from the caller, else it is refused with 4.09.
    """
    if message.endpoint is not None and message.endpoint != endpoint:
        return _refused(current, _identity_mismatch())
    if message.object_links is None:
        return _refused(current, _profile_unknown())
    fresh = Registration(
        registration_id=registration_id,
        endpoint=endpoint,
        version=message.version,
        binding=message.binding,
        queue_mode=message.queue_mode,
        lifetime_seconds=message.lifetime_seconds,
        sms_number=message.sms_number,
        origin=origin,
        registered_at=now,
        last_seen_at=now,
        expires_at=_expiry(now, message.lifetime_seconds),
        object_links=message.object_links,
        attributes=message.attributes,
        profile_ids=message.profile_ids,
    )
    response = Response(Code.CREATED, location=("rd", registration_id))
    if current is None:
        return Outcome(response, fresh, Change.REGISTERED)
    return Outcome(response, fresh, Change.REPLACED, _differences(current, fresh), previous=current)


def update(
    message: Update, *, current: Registration | None, origin: Origin, now: float, grace_seconds: float
) -> Outcome:
    """Refresh ``current`` and take over what the message names.

    A changed address is accepted and reported as ``origin`` in ``changed``: with DTLS the identity holds
    (R-05); in NoSec the standard wants a new Register, but NAT moves ports and lwm2m-node-lib uses a new
    source port for every Update. Another identity or security is 4.00, an unknown or expired id 4.04.
    """
    if current is None or current.registration_id != message.registration_id:
        return _refused(current, _unknown())
    expires_at = current.expires_at
    if expires_at is not None and expires_at + grace_seconds <= now:
        return _refused(current, _unknown())
    moved = origin is not current.origin and origin != current.origin
    if moved and (problem := _foreign(origin, current)) is not None:
        return _refused(current, problem)
    if (
        moved
        or message.lifetime_seconds is not None
        or message.object_links is not None
        or message.binding is not None
        or message.queue_mode is not None
        or message.sms_number is not None
        or message.attributes
        or message.profile_ids
    ):
        return _merge(message, current, origin, now)
    return Outcome(_UPDATED, refreshed(current, now=now), Change.REFRESHED, _NOTHING, "", "", current)


def _merge(message: Update, current: Registration, origin: Origin, now: float) -> Outcome:
    try:
        binding, queue_mode = _binding(message, current)
        object_links, profile_ids = _contents(message, current)
    except Lwm2mError as error:
        return _refused(current, error)
    lifetime = current.lifetime_seconds if message.lifetime_seconds is None else message.lifetime_seconds
    merged = replace(
        current,
        binding=binding,
        queue_mode=queue_mode,
        lifetime_seconds=lifetime,
        sms_number=message.sms_number or current.sms_number,
        origin=origin,
        last_seen_at=now,
        expires_at=_expiry(now, lifetime),
        object_links=object_links,
        attributes=_attributes(message, current),
        profile_ids=profile_ids,
    )
    changed = _differences(current, merged)
    change = Change.UPDATED if changed else Change.REFRESHED
    return Outcome(_UPDATED, merged, change, changed, previous=current)


def _binding(message: Update, current: Registration) -> tuple[str, bool]:
    """``b`` and ``Q`` after an Update, judged by the registered version (L-07).

    In 1.0 the letters of ``b`` say both. Since 1.1 ``Q`` switches queue mode on and its absence keeps it:
    Anjay repeats ``Q`` only in Register and registers anew to leave queue mode.
    """
    if message.binding is None and message.queue_mode is None:
        return current.binding, current.queue_mode
    letters = current.binding if message.binding is None else message.binding
    binding, queue_mode = queries.binding(letters, bool(message.queue_mode), current.version)
    return binding, queue_mode or (current.queue_mode and current.version != "1.0")


def _contents(message: Update, current: Registration) -> tuple[ObjectLinks | None, tuple[str, ...]]:
    """An object list replaces the old one whole; new profile ids need one (the caller's cache, or 4.09)."""
    if message.object_links is not None:
        return message.object_links, message.profile_ids or current.profile_ids
    if message.profile_ids and message.profile_ids != current.profile_ids:
        raise _profile_unknown()
    return current.object_links, current.profile_ids


def _attributes(message: Update, current: Registration) -> tuple[tuple[str, str], ...]:
    if not message.attributes:
        return current.attributes
    merged = tuple({**dict(current.attributes), **dict(message.attributes)}.items())
    # A client that sends ever new names must not grow the row without bound.
    return merged[-queries.MAX_ATTRIBUTES :]


def deregister(
    message: Deregister, *, current: Registration | None, origin: Origin, now: float, grace_seconds: float
) -> Outcome:
    """End ``current`` at the client's wish; the same refusals as `update`."""
    if current is None or current.registration_id != message.registration_id:
        return _refused(current, _unknown())
    if not current.is_alive(now=now, grace_seconds=grace_seconds):
        return _refused(current, _unknown())
    if (problem := _foreign(origin, current)) is not None:
        return _refused(current, problem)
    return Outcome(_DELETED, None, Change.DEREGISTERED, previous=current)


def expire(current: Registration, *, now: float, grace_seconds: float) -> Outcome | None:
    """End ``current`` when its lifetime and the grace are over (R-02); None while it is alive."""
    if current.is_alive(now=now, grace_seconds=grace_seconds):
        return None
    detail = (
        f"No Update came within the lifetime of {current.lifetime_seconds} s; the device must register anew."
    )
    return Outcome(None, None, Change.EXPIRED, cause="LIFETIME_EXPIRED", detail=detail, previous=current)


def _expiry(now: float, lifetime_seconds: int) -> float | None:
    return now + lifetime_seconds if lifetime_seconds else None


def _differences(old: Registration, new: Registration) -> frozenset[str]:
    return frozenset(name for name in _COMPARED if getattr(old, name) != getattr(new, name))


def _foreign(origin: Origin, current: Registration) -> Lwm2mError | None:
    """L-05: the registered security and identity must hold; only the address may move.

    A client without security that registered both U and S may speak by either (binding US or UQS): what comes by
    SMS is from its own number, which the caller has checked. The registration follows to where it spoke last.
    """
    if origin.is_secured != current.origin.is_secured:
        return Lwm2mError(
            Code.BAD_REQUEST,
            "WRONG_SECURITY",
            f"Registered over {current.origin.transport}, sent over {origin.transport}; register anew there.",
        )
    if origin.identity == current.origin.identity or _changes_over(origin, current):
        return None
    return _identity_mismatch()


def _changes_over(origin: Origin, current: Registration) -> bool:
    by_sms = [each.transport == "sms" for each in (origin, current.origin)]
    return any(by_sms) and not all(by_sms) and {"U", "S"}.issubset(current.binding)


def _identity_mismatch() -> Lwm2mError:
    return Lwm2mError(
        Code.BAD_REQUEST,
        "ENDPOINT_IDENTITY_MISMATCH",
        "The credentials belong to another endpoint; use those that were issued for this one.",
    )


def _unknown() -> Lwm2mError:
    return Lwm2mError(Code.NOT_FOUND, "REGISTRATION_UNKNOWN", "No such registration; register anew.")


def _profile_unknown() -> Lwm2mError:
    return Lwm2mError(
        Code.CONFLICT,
        "PROFILE_ID_UNKNOWN",
        "This profile id is not known here yet; register with the object list.",
    )


def _refused(current: Registration | None, error: Lwm2mError) -> Outcome:
    response = Response(error.code)
    return Outcome(response, current, Change.REFUSED, _NOTHING, error.cause, error.detail, current)
