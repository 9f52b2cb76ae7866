"""Databases made for a bench and thrown away after it: a SQLite file, or one in the server of DATABASE_URL."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from bench.accounting import parent_of

POSTGRESQL_SCHEMES = ("postgres", "postgresql", "psql")
ROOT = Path(__file__).resolve().parent.parent
WITH_SERVICES = ROOT / ".ci" / "with-services"


@dataclass(frozen=True)
class Database:
    """Its URL for DATABASE_URL, and the server whose children do its work (None: no server, or elsewhere)."""

    name: str
    url: str
    server_pid: int | None = None


def has_server() -> bool:
    """Whether the environment names a PostgreSQL server."""
    return urlsplit(os.environ.get("DATABASE_URL", "")).scheme in POSTGRESQL_SCHEMES


def can_start_services() -> bool:
    """Whether `.ci/with-services` finds what it starts: PostgreSQL and Redis of this machine."""
    from shutil import which

    return (
        WITH_SERVICES.exists()
        and bool(which("redis-server"))
        and any(Path("/usr/lib/postgresql").glob("*/bin"))
    )


@contextmanager
def sqlite(folder: Path) -> Iterator[Database]:
    yield Database("SQLite", f"sqlite:///{folder / 'bench.sqlite3'}")


@contextmanager
def postgresql(suffix: str = "") -> Iterator[Database]:
    """A database of its own in the server of DATABASE_URL, with that server's settings."""
    server = urlsplit(os.environ["DATABASE_URL"])
    name = f"bench_{os.getpid()}{suffix}"
    with psycopg.connect(server._replace(scheme="postgresql").geturl(), autocommit=True) as connection:
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield Database(
                "PostgreSQL",
                server._replace(path=f"/{name}").geturl(),
                parent_of(row[0]) if row and server.hostname in ("127.0.0.1", "localhost", "::1") else None,
            )
        finally:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def version(database: Database) -> str:
    """What `docs/performance.md` says of it."""
    if database.name == "SQLite":
        import sqlite3

        return f"SQLite {sqlite3.sqlite_version}, WAL, synchronous=FULL"
    with psycopg.connect(database.url.replace("postgres://", "postgresql://", 1)) as connection:
        row = connection.execute(
            "SELECT current_setting('server_version'), current_setting('synchronous_commit'),"
            " current_setting('fsync'), current_setting('shared_buffers')"
        ).fetchone()
    assert row
    number, commit, fsync, buffers = row
    return f"PostgreSQL {number.split()[0]}, synchronous_commit={commit}, fsync={fsync}, shared_buffers={buffers}"


def commit() -> str:
    """The version of the code that is measured."""
    asked = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return asked.stdout.strip() or "unknown"
