"""Tables in pieces by time, on PostgreSQL (manual 5.12): made ahead, dropped whole. On SQLite each stays one table.

A piece is a calendar day or month in UTC and has its range in its name: `audit_ledgerevent_202611`,
`..._20261130`. A DEFAULT piece takes every other time, so no insert ever fails for want of one; where it already has
rows of a range, that range stays there.

Django's key stays what the model says; in the database the key has the time in it, as PostgreSQL demands, and what
else is unique is so within each piece.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import IntegrityError, OperationalError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from audit import collisions

logger = logging.getLogger(__name__)

_PIECE = re.compile(r"_(\d{4})(\d\d)(\d\d)?$")
_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '2s'"
"""Adding or dropping a piece locks the default piece or the whole table for a moment; the next run comes soon."""


@dataclass(frozen=True, slots=True)
class Partitioned:
    """A table, the columns of its key in the database, and columns that are unique together in each piece."""

    table: str
    key: tuple[str, ...]
    unique: tuple[tuple[str, ...], ...] = ()
    identity: str = ""  # a column that counts by itself
    column: str = "at"

    @property
    def default(self) -> str:
        return f"{self.table}_default"


@dataclass(frozen=True, slots=True, order=True)
class Piece:
    """From `start`, included, to `end`."""

    start: datetime
    end: datetime
    name: str


def day(table: str, at: datetime) -> Piece:
    start = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return Piece(start, start + timedelta(days=1), f"{table}_{start:%Y%m%d}")


def month(table: str, at: datetime) -> Piece:
    start = at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    end = (start + timedelta(days=32)).replace(day=1)
    return Piece(start, end, f"{table}_{start:%Y%m}")


def names(connection: BaseDatabaseWrapper, table: str) -> list[str]:
    """Every piece of the table, its default one too."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid "
            "WHERE inhparent = to_regclass(%s) ORDER BY c.relname",
            [table],
        )
        return [name for (name,) in cursor.fetchall()]


def pieces(connection: BaseDatabaseWrapper, table: str) -> list[Piece]:
    """Those with a range, oldest first."""
    return sorted(piece for name in names(connection, table) if (piece := _read(table, name)))


def install(connection: BaseDatabaseWrapper, spec: Partitioned) -> None:
    """Make the empty table, as Django has created it, one in pieces, with its default piece. For migrations."""
    if connection.vendor != "postgresql":
        return
    table, made = spec.table, f"{spec.table}_made"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
            "WHERE i.indrelid = to_regclass(%s) AND NOT i.indisunique ORDER BY c.relname",
            [table],
        )
        indexes = [definition for (definition,) in cursor.fetchall()]
        cursor.execute(
            f"CREATE TABLE {made} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE) "
            f"PARTITION BY RANGE ({spec.column})"
        )
        cursor.execute(f"DROP TABLE {table}")
        cursor.execute(f"ALTER TABLE {made} RENAME TO {table}")
        if spec.identity:
            sequence = f"{table}_{spec.identity}_seq"
            cursor.execute(f"CREATE SEQUENCE {sequence} OWNED BY {table}.{spec.identity}")
            cursor.execute(f"ALTER TABLE {table} ALTER {spec.identity} SET DEFAULT nextval('{sequence}')")
        cursor.execute(f"ALTER TABLE {table} ADD PRIMARY KEY ({', '.join(spec.key)})")
        for definition in indexes:
            cursor.execute(definition)
        cursor.execute(f"CREATE TABLE {spec.default} PARTITION OF {table} DEFAULT")
        for statement in _unique(spec, spec.default):
            cursor.execute(statement)


def add(
    connection: BaseDatabaseWrapper,
    spec: Partitioned,
    wanted: Iterable[Piece],
    *,
    guards: Callable[[str], Iterable[str]] = lambda name: (),
) -> list[str]:
    """Makes those pieces that are not there and overlap none; returns their names.

    `guards` are the statements that a piece of this name needs of its own: it is never there without them.
    """
    made: list[str] = []
    there = pieces(connection, spec.table)
    for piece in wanted:
        if any(piece.start < other.end and other.start < piece.end for other in there):
            continue
        # ATTACH lets readers and writers of the other pieces go on, which CREATE ... PARTITION OF does not.
        statements = (
            f"CREATE TABLE {piece.name} (LIKE {spec.table} INCLUDING ALL)",
            *_unique(spec, piece.name),
            *guards(piece.name),
            f"ALTER TABLE {spec.table} ATTACH PARTITION {piece.name} "
            f"FOR VALUES FROM ('{piece.start.isoformat()}') TO ('{piece.end.isoformat()}')",
        )
        if _changed(connection, spec, piece.name, statements, is_there=False):
            made.append(piece.name)
            there.append(piece)
    return made


def drop_before(connection: BaseDatabaseWrapper, spec: Partitioned, before: datetime) -> list[str]:
    """Drops the pieces that end at `before` or earlier; returns their names."""
    return [
        piece.name
        for piece in pieces(connection, spec.table)
        if piece.end <= before
        and _changed(connection, spec, piece.name, [f"DROP TABLE {piece.name}"], is_there=True)
    ]


def _changed(
    connection: BaseDatabaseWrapper,
    spec: Partitioned,
    name: str,
    statements: Iterable[str],
    *,
    is_there: bool,
) -> bool:
    """Whether this was done here and now, to a piece that is (not) there; what was not is for the next run."""
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute(_LOCK_TIMEOUT)
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [spec.table])
            if (name in names(connection, spec.table)) is not is_there:
                return False  # another process was first
            for statement in statements:
                cursor.execute(statement)
    except IntegrityError as error:
        logger.warning(
            "partition_not_added name=%s reason=the default one has its rows error=%s", name, error
        )
        return False
    except OperationalError as error:
        if not collisions.is_lock_timeout(error):
            raise
        logger.warning("partition_put_off name=%s reason=the table is in use", name)
        return False
    return True


def _unique(spec: Partitioned, name: str) -> list[str]:
    return [
        f"CREATE UNIQUE INDEX {name}_{'_'.join(columns)} ON {name} ({', '.join(columns)})"
        for columns in spec.unique
    ]


def _read(table: str, name: str) -> Piece | None:
    found = _PIECE.fullmatch(name.removeprefix(table))
    if found is None:
        return None
    year, of_year, of_month = found.groups()
    start = datetime(int(year), int(of_year), int(of_month or 1), tzinfo=UTC)
    return month(table, start) if of_month is None else day(table, start)
