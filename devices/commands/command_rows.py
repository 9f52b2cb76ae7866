"""Writes what became of commands: one statement for a batch on PostgreSQL, one prepared statement on SQLite."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.db import connection

from devices.commands.models import Command
from devices.inventory import sql

_COLUMNS = {
    "state": "text",
    "ended_at": "timestamptz",
    "lease_until": "timestamptz",
    "claimed_by": "text",
    "response_code": "text",
    "answer": "jsonb",
    "cause": "text",
    "detail": "text",
    "attempts": "smallint",
    "broken_off": "smallint",
}
_UPDATE = f"""
    UPDATE commands_command AS c SET {", ".join(f"{name} = u.{name}" for name in _COLUMNS)}
    FROM unnest({", ".join(f"%s::{kind}[]" for kind in _COLUMNS.values())}, %s::bigint[])
        AS u({", ".join(_COLUMNS)}, id)
    WHERE c.id = u.id
"""  # noqa: S608 our own names
_UPDATE_SQLITE = f"""
    UPDATE commands_command SET {", ".join(f"{name} = %s" for name in _COLUMNS)} WHERE id = %s
"""  # noqa: S608 our own names
_TIMES = ("ended_at", "lease_until")


def write(commands: Sequence[Command]) -> None:
    """These columns of these rows, which the caller has locked."""
    if not commands:
        return
    rows = [[_stored(command, name) for name in (*_COLUMNS, "pk")] for command in commands]
    if connection.vendor == "postgresql":
        sql.prepared(_UPDATE, [list(column) for column in zip(*rows, strict=True)])
        return
    with connection.cursor() as cursor:
        cursor.executemany(_UPDATE_SQLITE, rows)


def _stored(command: Command, name: str) -> Any:
    value = getattr(command, name)
    if name == "answer":
        return None if value is None else json.dumps(value)
    if name == "state":
        return str(value)
    if name in _TIMES and connection.vendor != "postgresql":
        return sql.stored(value)
    return value
