"""The ledger's service: units of work, recording what happened, and erasing personal data from it.

    with ledger.unit_of_work():
        ...change rows...
        ledger.record(action=Action.DEVICE_SUSPENDED, operator_id=device.operator_id, device_id=device.pk)

An event is a row of the deed's own transaction, written at once: a savepoint that is rolled back takes its events
with it. Its place in the chain it gets from the sealer (`audit/sealing.py`), for which no deed waits.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q
from django.utils import timezone

from audit import events, rows, strangers
from audit.actions import Action
from audit.context import (
    ANONYMOUS,
    SYSTEM,
    Actor,
    context,
    current_actor,
    current_address,
    current_impersonator,
    current_request_id,
    user_actor,
)
from audit.entries import Datum, Entry, Event, entry
from audit.models import PersonalDatum

__all__ = [
    "ANONYMOUS",
    "SYSTEM",
    "Actor",
    "Event",
    "context",
    "current_actor",
    "current_address",
    "current_impersonator",
    "current_request_id",
    "erase_personal",
    "record",
    "record_many",
    "together",
    "unit_of_work",
    "user_actor",
]


@dataclass(frozen=True, slots=True)
class _Erasure:
    """Personal data of a subject that must not be stored by later events of the same unit either."""

    chain: int | None
    subject: str
    values: frozenset[str]

    def covers(self, chain: int, datum: Datum) -> bool:
        is_theirs = self.subject == datum.subject or datum.value in self.values
        return self.chain in (None, chain) and is_theirs


@dataclass(slots=True)
class _Unit:
    """What an open unit remembers until its end, `gathered` until the end of a `together`."""

    strangers: list[Entry] = field(default_factory=list)
    erasures: list[_Erasure] = field(default_factory=list)
    gathered: list[Entry] = field(default_factory=list)
    is_gathering: bool = False

    def mark(self) -> tuple[int, int, int]:
        return len(self.strangers), len(self.erasures), len(self.gathered)

    def back_to(self, mark: tuple[int, int, int]) -> None:
        del self.strangers[mark[0] :], self.erasures[mark[1] :], self.gathered[mark[2] :]


_open_units: WeakKeyDictionary[BaseDatabaseWrapper, _Unit] = WeakKeyDictionary()


@contextmanager
def unit_of_work(using: str | None = None) -> Iterator[None]:
    """A transaction with its ledger events; inner units are savepoints of it.

    Lock order of the house: `audit.locks`. Last, at the end of the outermost unit, come the tallies of strangers.
    """
    connection = connections[using or DEFAULT_DB_ALIAS]
    outer = _open_units.get(connection)
    if outer is not None:
        with _inner(outer, connection):
            yield
        return
    unit = _open_units[connection] = _Unit()
    try:
        with transaction.atomic(using=connection.alias):
            yield
            if unit.strangers and not connection.needs_rollback:
                _insert(strangers.admitted(unit.strangers), unit, connection)
    finally:
        del _open_units[connection]


@contextmanager
def _inner(outer: _Unit, connection: BaseDatabaseWrapper) -> Iterator[None]:
    mark = outer.mark()
    try:
        with transaction.atomic(using=connection.alias):
            yield
    except BaseException:
        outer.back_to(mark)
        raise


@contextmanager
def together() -> Iterator[None]:
    """What is recorded in this block goes in with one statement at its end.

    For services that work off many rows and record for each. A savepoint in it is a unit of work: the rollback of a
    bare `atomic` its events would survive.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    with _some_unit(connection) as unit:
        if unit.is_gathering:
            yield
            return
        unit.is_gathering = True
        try:
            yield
            _insert(unit.gathered, unit, connection)
        finally:
            unit.gathered, unit.is_gathering = [], False


@contextmanager
def _some_unit(connection: BaseDatabaseWrapper) -> Iterator[_Unit]:
    """The open one, or one of its own."""
    with nullcontext() if connection in _open_units else unit_of_work():
        yield _open_units[connection]


def record(
    *,
    action: Action,
    operator_id: int | None,
    actor: Actor | None = None,
    result: str = "ok",
    cause: str = "",
    target: str = "",
    device_id: int | None = None,
    subscriber_id: int | None = None,
    job_id: int | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
    detail: Mapping[str, Any] | None = None,
    personal: Mapping[str, str] | None = None,
    subject: str = "",
    at: datetime | None = None,
) -> None:
    """Write one event in the open unit of work, or in a unit of its own where none is open.

    `operator_id` None means the platform's own chain. Secrets in `before`, `after` and `detail` are masked by
    their names; what identifies a person (e-mail, phone number, name) belongs in `personal`, where it can be
    erased. Raises ValueError for an unknown cause or result.
    """
    record_many(
        [
            Event(
                action=action,
                operator_id=operator_id,
                actor=actor,
                result=result,
                cause=cause,
                target=target,
                device_id=device_id,
                subscriber_id=subscriber_id,
                job_id=job_id,
                before=before,
                after=after,
                reason=reason,
                detail=detail,
                personal=personal,
                subject=subject,
                at=at,
            )
        ]
    )


def record_many(events: Sequence[Event]) -> None:
    """Like `record` for hundreds at once: the rows go in together.

    Of an event with `by_stranger`, which anybody can cause without being known, only so many an hour are written; the
    rest is told as one with its number. These wait for the end of the outermost unit, which locks their tallies: record
    them in units of work, not in a bare `atomic` within one, whose rollback they would survive.
    """
    now = timezone.now()
    entries = [entry(event, now=now) for event in events]
    if not entries:
        return
    connection = connections[DEFAULT_DB_ALIAS]
    with _some_unit(connection) as unit:
        unit.strangers += [entry for entry in entries if entry.by_stranger]
        known = [entry for entry in entries if not entry.by_stranger]
        if unit.is_gathering:
            unit.gathered += known
        else:
            _insert(known, unit, connection)


def erase_personal(
    *,
    operator_id: int | None,
    reason: str,
    subject: str | None = None,
    values: Iterable[str] = (),
    before: datetime | None = None,
    actor: Actor | None = None,
) -> int:
    """Delete personal strings for good and record that; returns how many were deleted. Chains stay whole.

    Of one `subject` ("user:42", "subscriber:7"), or of events older than `before`, or both. `values` are strings that
    name the subject, such as an e-mail address: they go wherever they stand, for somebody else may have written them.
    `operator_id` limits it to that operator's chain; None erases in all chains and is recorded by the platform.
    Events of the same unit of work, this very record included, keep nothing of the subject either.
    """
    if subject is None and before is None:
        raise ValueError("say whose personal data to erase, or before which time")
    if subject == "":
        raise ValueError("an empty subject is nobody; erase what belongs to nobody by time")
    with unit_of_work():
        data = PersonalDatum.objects.all()
        if operator_id is not None:
            data = data.filter(event__chain=operator_id)
        named = frozenset(values)
        if subject is not None:
            data = data.filter(Q(subject=subject) | Q(value__in=named))
        if before is not None:
            data = data.filter(event__at__lt=before)
        erased, _ = data.delete()
        if subject is not None and before is None:
            _open_units[connections[DEFAULT_DB_ALIAS]].erasures.append(_Erasure(operator_id, subject, named))
        record(
            action=Action.AUDIT_PERSONAL_ERASED,
            operator_id=operator_id,
            actor=actor,
            target=subject or "",
            reason=reason,
            detail={"rows": erased, "before": before},
        )
    return erased


def _insert(entries: Sequence[Entry], unit: _Unit, connection: BaseDatabaseWrapper) -> None:
    if not entries:
        return
    ids = rows.insert(entries, connection=connection)
    kept = [
        PersonalDatum(
            event_id=pk, field=datum.field, salt=datum.salt, value=datum.value, subject=datum.subject
        )
        for pk, entry in zip(ids, entries, strict=True)
        for datum in entry.personal
        if not any(erasure.covers(entry.chain, datum) for erasure in unit.erasures)
    ]
    if kept:
        PersonalDatum.objects.using(connection.alias).bulk_create(kept)
    events.unsealed()
