"""An event as a caller states it, checked and made storable; its place in the chain is the sealer's."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from audit import canonical, causes, masking
from audit.actions import Action
from audit.context import Actor, current_actor, current_address, current_impersonator, current_request_id
from audit.models import PLATFORM_CHAIN, Result

_ACTIONS = frozenset(Action.values)
_RESULTS = frozenset(Result.values)
_RESERVED = frozenset({"actor", "impersonator", "address"})
_SALT_BYTES = 16
_NAME_LIMIT = 255
_REASON_LIMIT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What `ledger.record` takes, as a value. What is left out comes from the context of the caller."""

    action: Action
    operator_id: int | None
    actor: Actor | None = None
    result: str = "ok"
    cause: str = ""
    target: str = ""
    device_id: int | None = None
    subscriber_id: int | None = None
    job_id: int | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    reason: str = ""
    detail: Mapping[str, Any] | None = None
    personal: Mapping[str, str] | None = None
    subject: str = ""  # whose `personal` is; else the subscriber's, else the actor's
    at: datetime | None = None
    by_stranger: bool = False  # whoever needs no key for it has a budget: see `audit.strangers`


@dataclass(frozen=True, slots=True)
class Datum:
    """A personal string on its way to its own row."""

    field: str
    salt: bytes
    value: str
    subject: str


@dataclass(slots=True)
class Entry:
    """An event ready to be written: `row` has the columns of `canonical.COLUMNS` and `digest`; JSON as text."""

    chain: int
    row: dict[str, Any]
    personal: list[Datum]
    by_stranger: bool = False


def entry(event: Event, *, now: datetime | None = None) -> Entry:
    """Raises ValueError for what a program must not say: an unknown cause or result, a naive time."""
    _check(event)
    actor = event.actor or current_actor()
    impersonator = current_impersonator()
    personal = _personal(event, actor, impersonator)
    chain = PLATFORM_CHAIN if event.operator_id is None else event.operator_id
    row = {
        "chain": chain,
        "version": canonical.VERSION,
        "at": event.at or now or timezone.now(),
        "actor_kind": actor.kind,
        "actor_id": masking.text(actor.id, limit=_NAME_LIMIT),
        "actor_label": "" if actor.is_person else masking.text(actor.label, limit=_NAME_LIMIT),
        "impersonator_id": "" if impersonator is None else masking.text(impersonator.id, limit=_NAME_LIMIT),
        "request_id": masking.text(current_request_id(), limit=64),
        "action": str(event.action),
        "result": str(event.result),
        "cause": event.cause,
        "target": masking.text(event.target, limit=_NAME_LIMIT),
        "device_id": event.device_id,
        "subscriber_id": event.subscriber_id,
        "operator_id": event.operator_id,
        "job_id": event.job_id,
        "before": canonical.json_text(masking.masked(event.before)),
        "after": canonical.json_text(masking.masked(event.after)),
        "detail": canonical.json_text(masking.masked(event.detail)),
        "reason": masking.text(event.reason, limit=_REASON_LIMIT),
        "personal": _commitments(personal),
    }
    row["digest"] = canonical.digest(row)
    return Entry(chain, row, personal, event.by_stranger)


def _check(event: Event) -> None:
    if event.action not in _ACTIONS:
        raise ValueError(
            f"unknown action {event.action!r}: add it to audit/actions.py or use one that is there"
        )
    if event.result not in _RESULTS:
        raise ValueError(f"unknown result {event.result!r}, known are {', '.join(sorted(_RESULTS))}")
    if event.cause and event.cause not in causes.CAUSES:
        raise ValueError(f"unknown cause {event.cause!r}: add it to audit/catalogue or use one that is there")
    if event.operator_id is not None and event.operator_id <= PLATFORM_CHAIN:
        raise ValueError(f"an operator's id is positive, None is the platform: {event.operator_id!r}")
    if event.at is not None and timezone.is_naive(event.at):
        raise ValueError("the time of an event needs a time zone")


def _personal(event: Event, actor: Actor, impersonator: Actor | None) -> list[Datum]:
    address = current_address()
    if not (actor.is_person or address or impersonator or event.personal):
        return []
    subscriber = f"subscriber:{event.subscriber_id}" if event.subscriber_id is not None else ""
    # Under impersonation the address is the impersonator's, not that of the person they look like.
    present = impersonator or actor
    data = [
        _datum("actor", actor.label if actor.is_person else "", actor.subject),
        _datum("impersonator", impersonator.label if impersonator else "", present.subject),
        _datum("address", address, present.subject),
    ]
    for name, value in (event.personal or {}).items():
        if name in _RESERVED or masking.is_secret_name(name):
            raise ValueError(f"{name!r} is no name for a personal datum")
        data.append(_datum(name, value, event.subject or subscriber or actor.subject))
    return [datum for datum in data if datum is not None]


def _commitments(personal: list[Datum]) -> str:
    if not personal:
        return "{}"
    return canonical.dumps(
        {datum.field: canonical.commitment(salt=datum.salt, value=datum.value) for datum in personal}
    )


def _datum(field: str, value: str, subject: str) -> Datum | None:
    if not value:
        return None
    return Datum(field, os.urandom(_SALT_BYTES), masking.text(value), subject[:128])
