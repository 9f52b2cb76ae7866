"""Looks at every row lock of every unit of work, and says where one comes out of the order of `audit.locks`.

Two transactions deadlock when each waits for a row that the other has; they cannot where all take rows in one order.
An inversion is found here in any run on any database, by one thread alone; the deadlock itself takes two and bad luck.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db.models.query import QuerySet
from django.db.models.signals import post_save

from audit import ledger, locks
from devices.inventory import sql

DEVICES = "inventory_device"
_RANKS = {table: rank for rank, table in enumerate(locks.ORDER)}
_LOCKED_TABLE = re.compile(r"FROM (\w+)")


@dataclass
class _Unit:
    """What one unit of work holds. `free` are the rows that no device's lock covers."""

    held: set[tuple[str, object]] = field(default_factory=set)
    devices: list[object] = field(default_factory=list)
    made: set[object] = field(default_factory=set)
    last: str = ""

    def copy(self) -> _Unit:
        return _Unit(set(self.held), list(self.devices), set(self.made), self.last)


@dataclass
class Recorder:
    """`inversions` are sentences; `seen` counts the rows that were looked at."""

    inversions: list[str] = field(default_factory=list)
    seen: int = 0
    _units: threading.local = field(default_factory=threading.local)

    def begun(self) -> None:
        self._units.open = _Unit()

    def ended(self) -> None:
        self._units.open = None

    def mark(self) -> _Unit | None:
        unit: _Unit | None = getattr(self._units, "open", None)
        return None if unit is None else unit.copy()

    def back_to(self, mark: _Unit | None) -> None:
        """A savepoint was rolled back: what was locked since is let go."""
        self._units.open = mark

    def locked(self, table: str, rows: list[tuple[object, object]]) -> None:
        """These rows, (key, id of the device that it belongs to or None), in the order in which they were taken."""
        unit: _Unit | None = getattr(self._units, "open", None)
        if unit is None:
            return
        for key, device_id in rows:
            self.seen += 1
            if (table, key) in unit.held:
                continue
            unit.held.add((table, key))
            if device_id is not None and device_id in unit.made.union(unit.devices):
                continue
            self._judge(unit, table, key)

    def made(self, table: str, key: object) -> None:
        """A new row: nobody else can see it before the end."""
        unit: _Unit | None = getattr(self._units, "open", None)
        if unit is None:
            return
        unit.held.add((table, key))
        if table == DEVICES:
            unit.made.add(key)

    def _judge(self, unit: _Unit, table: str, key: object) -> None:
        if table not in _RANKS:
            self.inversions.append(f"{table} is locked and not in audit.locks.ORDER")
            return
        if unit.last and _RANKS[table] < _RANKS[unit.last]:
            self.inversions.append(f"{table} {key} is locked after {unit.last}")
        if table == DEVICES:
            if unit.devices and key < unit.devices[-1]:
                self.inversions.append(f"device {key} is locked after device {unit.devices[-1]}")
            unit.devices.append(key)
        if not unit.last or _RANKS[table] > _RANKS[unit.last]:
            unit.last = table


@contextlib.contextmanager
def recorded() -> Iterator[Recorder]:
    """Whatever units of work do meanwhile, on any thread, is looked at."""
    recorder = Recorder()
    fetch, unit_of_work, select = QuerySet._fetch_all, ledger.unit_of_work, sql.select

    def fetching(queryset: QuerySet) -> None:
        is_new = queryset._result_cache is None
        fetch(queryset)
        if is_new and queryset.query.select_for_update:
            rows = queryset._result_cache
            recorder.locked(
                queryset.model._meta.db_table, [(row.pk, row.__dict__.get("device_id")) for row in rows]
            )

    @contextlib.contextmanager
    def unit(using: str | None = None) -> Iterator[None]:
        connection = ledger.connections[using or ledger.DEFAULT_DB_ALIAS]
        is_outermost = connection not in ledger._open_units
        if is_outermost:
            recorder.begun()
        mark = recorder.mark()
        try:
            with unit_of_work(using):
                yield
        except BaseException:
            recorder.back_to(mark)
            raise
        finally:
            if is_outermost:
                recorder.ended()

    def selecting(sql: str, ids, *, lock: str = ""):
        rows = select(sql, ids, lock=lock)
        if lock:
            table = _LOCKED_TABLE.search(sql).group(1)
            keys = [row[0] for row in rows]  # a device's id in either table
            recorder.locked(table, [(key, None if table == DEVICES else key) for key in keys])
        return rows

    def saved(sender, instance, created: bool, **_: object) -> None:
        if created:
            recorder.made(sender._meta.db_table, instance.pk)

    post_save.connect(saved)
    QuerySet._fetch_all, ledger.unit_of_work, sql.select = fetching, unit, selecting
    try:
        yield recorder
    finally:
        post_save.disconnect(saved)
        QuerySet._fetch_all, ledger.unit_of_work = fetch, unit_of_work
        sql.select = select
