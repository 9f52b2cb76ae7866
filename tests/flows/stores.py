"""A database that outlives the processes that use it, read without their help."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

_ROWS = """SELECT d.endpoint, r.registration_id, r.is_live, r.lifetime_seconds, r.last_seen_at
           FROM registry_registration r JOIN inventory_device d ON d.id = r.device_id"""


@dataclass(frozen=True)
class Row:
    """What the database says of a device's registration."""

    registration_id: str
    is_live: bool
    lifetime_seconds: int
    last_seen: float


@dataclass(frozen=True)
class Store:
    """`url` is for DATABASE_URL; empty: the SQLite file that the portal makes in its data directory."""

    url: str
    file: Path

    def rows(self) -> dict[str, Row]:
        """Registrations by endpoint name."""
        connection: Any = psycopg.connect(self.url) if self.url else sqlite3.connect(self.file)
        with closing(connection):
            found = connection.execute(_ROWS).fetchall()
        return {
            endpoint: Row(registration_id, bool(is_live), lifetime, _epoch(seen))
            for endpoint, registration_id, is_live, lifetime, seen in found
        }


@contextmanager
def own_store(folder: Path) -> Iterator[Store]:
    """A SQLite file in `folder`, or a database of its own in the PostgreSQL server of DATABASE_URL."""
    server = urlsplit(os.environ.get("DATABASE_URL", ""))
    if not server.scheme.startswith("postgres"):
        yield Store("", folder / "portal.sqlite3")
        return
    name = f"portal_{os.getpid()}_{secrets.token_hex(4)}"
    with psycopg.connect(server._replace(scheme="postgresql").geturl(), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield Store(server._replace(scheme="postgresql", path=f"/{name}").geturl(), folder)
        finally:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _epoch(value: datetime | str) -> float:
    if isinstance(value, str):  # SQLite keeps UTC as text
        return datetime.fromisoformat(value).replace(tzinfo=UTC).timestamp()
    return value.timestamp()
