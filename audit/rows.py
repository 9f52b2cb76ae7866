"""The ledger's own statements, on its two databases: inserting events, finding the unsealed, sealing them.

Without the ORM, whose price per row is a multiple of everything else that an event costs here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from audit import canonical
from audit.entries import Entry
from audit.models import FIRST_HASH, LedgerEvent, LedgerHead

_EVENT = LedgerEvent._meta.db_table
_HEAD = LedgerHead._meta.db_table
_COLUMNS = (*canonical.COLUMNS, "digest")
_NAMES = ", ".join(f'"{column}"' for column in _COLUMNS)
_TYPES = {
    "version": "smallint",
    "at": "timestamptz",
    **dict.fromkeys(("chain", "device_id", "subscriber_id", "operator_id", "job_id"), "bigint"),
}
_ARRAYS = ", ".join(f"%s::{_TYPES.get(column, 'text')}[]" for column in _COLUMNS)
_VALUES = ", ".join(
    f'"{column}"::jsonb' if column in canonical.JSON_COLUMNS else f'"{column}"' for column in _COLUMNS
)
_INSERT = (
    f"INSERT INTO {_EVENT} ({_NAMES}, hash) "  # noqa: S608 our own names
    f"SELECT {_VALUES}, '' FROM unnest({_ARRAYS}) AS e({_NAMES}) RETURNING id"
)
_INSERT_SQLITE = f"INSERT INTO {_EVENT} ({_NAMES}, hash) VALUES "  # noqa: S608 our own names
_PLACES_SQLITE = f"({', '.join(['%s'] * len(_COLUMNS))}, '')"
_ROWS_SQLITE = 500  # an SQLite statement has at most 32,766 parameters

_UNSEALED = f"SELECT id, at, digest FROM {_EVENT} WHERE chain = %s AND sequence IS NULL ORDER BY id LIMIT %s"  # noqa: S608
# Partitions are found by `at`; without it each of them would be asked for each id.
_SEAL = f"""
    UPDATE {_EVENT} AS e SET sequence = s.sequence, hash = s.hash
    FROM unnest(%s::bigint[], %s::timestamptz[], %s::bigint[], %s::text[]) AS s(id, at, sequence, hash)
    WHERE e.id = s.id AND e.at = s.at AND e.sequence IS NULL
"""  # noqa: S608 our own names
_SEAL_SQLITE = f"UPDATE {_EVENT} SET sequence = %s, hash = %s WHERE id = %s AND sequence IS NULL"  # noqa: S608
_NEXT_CHAIN = f"SELECT min(chain) FROM {_EVENT} WHERE sequence IS NULL AND chain > %s"  # noqa: S608 our own names


class Head(NamedTuple):
    """The end of a chain."""

    sequence: int
    hash: str


class Unsealed(NamedTuple):
    """An event without a place; `at` as the driver gives it."""

    id: int
    at: Any
    digest: str


class Seal(NamedTuple):
    """The place of an event."""

    event: Unsealed
    sequence: int
    hash: str


def insert(entries: Sequence[Entry], *, connection: BaseDatabaseWrapper) -> list[int]:
    """Writes these events, unsealed, and returns their ids in the same order."""
    times = {
        at: connection.ops.adapt_datetimefield_value(at) for at in {entry.row["at"] for entry in entries}
    }
    rows = [
        [times[row["at"]] if name == "at" else row[name] for name in _COLUMNS]
        for row in (e.row for e in entries)
    ]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_INSERT, [list(column) for column in zip(*rows, strict=True)])
            return [pk for (pk,) in cursor.fetchall()]
        ids: list[int] = []
        for start in range(0, len(rows), _ROWS_SQLITE):
            part = rows[start : start + _ROWS_SQLITE]
            places = ", ".join([_PLACES_SQLITE] * len(part))
            cursor.execute(f"{_INSERT_SQLITE}{places} RETURNING id", [value for row in part for value in row])
            ids += [pk for (pk,) in cursor.fetchall()]
        return ids


def chains_unsealed(*, connection: BaseDatabaseWrapper) -> list[int]:
    """The chains with events that have no place yet, along the index from one to the next."""
    found: list[int] = []
    with connection.cursor() as cursor:
        while True:
            cursor.execute(_NEXT_CHAIN, [found[-1] if found else -1])
            (chain,) = cursor.fetchone()
            if chain is None:
                return found
            found.append(chain)


def unsealed(chain: int, *, limit: int, connection: BaseDatabaseWrapper) -> list[Unsealed]:
    with connection.cursor() as cursor:
        cursor.execute(_UNSEALED, [chain, limit])
        return [Unsealed(*row) for row in cursor.fetchall()]


def make_head(chain: int, *, connection: BaseDatabaseWrapper) -> None:
    """Where it is missing."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {_HEAD} (chain, sequence, hash) VALUES (%s, 0, %s) ON CONFLICT (chain) DO NOTHING",  # noqa: S608
            [chain, FIRST_HASH],
        )


def seal(seals: Sequence[Seal], *, connection: BaseDatabaseWrapper) -> int:
    """Gives these events their places; returns how many had none before."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                _SEAL,
                [
                    [one.event.id for one in seals],
                    [one.event.at for one in seals],
                    [one.sequence for one in seals],
                    [one.hash for one in seals],
                ],
            )
        else:
            cursor.executemany(_SEAL_SQLITE, [(one.sequence, one.hash, one.event.id) for one in seals])
        return int(cursor.rowcount)
