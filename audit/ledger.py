"""The ledger's service: units of work, recording what happened, and erasing personal data from it.

    with ledger.unit_of_work():
        ...change rows...
        ledger.record(action="device.suspended", operator_id=device.operator_id, device_id=device.pk)

Events of a unit are chained and written as its last statements, whatever order the code recorded them in, so
the head of a chain is locked only for the moment before the commit and always after every other row.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q
from django.utils import timezone

from audit import chains, strangers
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


@dataclass(frozen=True, slots=True, eq=False)
class _Pending:
    """What a unit still has to write, kept among the connection's on-commit callbacks.

    There Django drops it by itself when the savepoint it belongs to is rolled back, be it of a nested
    unit or of a plain `atomic`. The unit takes it out again before the commit, so it is never called.
    """

    items: Sequence[Entry | _Erasure]

    def __call__(self) -> None:
        raise AssertionError("a ledger event was left over at commit")


_open_units: WeakKeyDictionary[BaseDatabaseWrapper, bool] = WeakKeyDictionary()


@contextmanager
def unit_of_work(using: str | None = None) -> Iterator[None]:
    """A transaction whose ledger events are written just before it commits; inner units are savepoints of it.

    Lock order of the house: device, registration, command, and last, here, the heads of the chains.
    Inside a bare `transaction.atomic()` the heads stay locked until that one ends, so start with a unit.
    """
    connection = connections[using or DEFAULT_DB_ALIAS]
    with transaction.atomic(using=connection.alias):
        if connection in _open_units:
            yield
            return
        _open_units[connection] = True
        try:
            yield
            _write_pending(connection)
        finally:
            del _open_units[connection]


def record(
    *,
    action: str,
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
    """Add one event to the open unit of work, or in a unit of its own where none is open.

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
    """Like `record` for hundreds at once: each chain's head is locked once and the rows go in together.

    Of an event with `by_stranger`, which anybody can cause without being known, only so many an hour are written; the
    rest is told as one with its number.
    """
    now = timezone.now()
    entries = [entry(event, now=now) for event in events]
    if entries:
        _add(entries)


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
        rows = PersonalDatum.objects.all()
        if operator_id is not None:
            rows = rows.filter(event__chain=operator_id)
        named = frozenset(values)
        if subject is not None:
            rows = rows.filter(Q(subject=subject) | Q(value__in=named))
        if before is not None:
            rows = rows.filter(event__at__lt=before)
        erased, _ = rows.delete()
        if subject is not None and before is None:
            _add([_Erasure(operator_id, subject, named)])
        record(
            action="audit.personal_erased",
            operator_id=operator_id,
            actor=actor,
            target=subject or "",
            reason=reason,
            detail={"rows": erased, "before": before},
        )
    return erased


def _add(items: Sequence[Entry | _Erasure]) -> None:
    connection = connections[DEFAULT_DB_ALIAS]
    if connection in _open_units:
        connection.on_commit(_Pending(items))
        return
    with unit_of_work():
        connection.on_commit(_Pending(items))


def _write_pending(connection: BaseDatabaseWrapper) -> None:
    pending = [callback for _, callback, _ in connection.run_on_commit if isinstance(callback, _Pending)]
    if not pending or connection.needs_rollback:
        return
    connection.run_on_commit = [
        entry for entry in connection.run_on_commit if not isinstance(entry[1], _Pending)
    ]
    items = [item for callback in pending for item in callback.items]
    erasures = [item for item in items if isinstance(item, _Erasure)]
    chains.append(
        strangers.admitted([item for item in items if isinstance(item, Entry)]),
        connection=connection,
        is_erased=lambda chain, datum: any(erasure.covers(chain, datum) for erasure in erasures),
    )
