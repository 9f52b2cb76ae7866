"""PostgreSQL under many clients: connections stay bounded, nobody gets a 500, and every wait has an end."""

from __future__ import annotations

import asyncio
import threading

import pytest
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.db import OperationalError, connection, connections, transaction

from accounts.models import Operator
from audit import collisions, locks
from m2m_portal import environment
from southbound.threads.database import Database

CLIENTS = 40
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no pool")


async def get(application, path: str) -> int:
    """One request as a server makes it: in a context of its own, with a thread of its own."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
    }
    done, status, body = asyncio.Event(), [], [b""]

    async def receive():
        if body:
            body.pop()
            return {"type": "http.request", "body": b"", "more_body": False}
        await done.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        if message["type"] == "http.response.start":
            status.append(message["status"])
        elif not message.get("more_body"):
            done.set()

    await application(scope, receive, send)
    return status[0]


def connected() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return cursor.fetchone()[0]


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_many_clients_share_few_connections_and_none_gets_a_500():
    application = get_asgi_application()

    async def main():
        async def client():
            return [await get(application, "/") for _ in range(5)]

        return [
            status for said in await asyncio.gather(*(client() for _ in range(CLIENTS))) for status in said
        ]

    assert set(asyncio.run(main())) == {200}
    assert connected() <= settings.DATABASES["default"]["OPTIONS"]["pool"]["max_size"]


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_the_threads_of_southbound_give_their_connections_back():
    async def main():
        database = Database()
        try:
            await asyncio.gather(*(database.run(Operator.objects.count) for _ in range(50)))
            return await database.run(lambda: connection.pool.get_stats())
        finally:
            await database.close()

    stats = asyncio.run(main())
    assert stats["pool_size"] <= settings.DATABASES["default"]["OPTIONS"]["pool"]["max_size"]
    pool = connections["default"].pool.get_stats()
    assert pool["pool_size"] - pool["pool_available"] <= 1, "but that of this very test"


def wait_for(operator: Operator) -> None:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = 50")
        locks.rows(Operator.objects).get(pk=operator.pk)


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_a_lock_for_ever():
    operator = Operator.objects.create(slug="lab", name="Lab")
    held, free = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            locks.rows(Operator.objects).get(pk=operator.pk)
            held.set()
            free.wait(60)
        connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert held.wait(60)
        with pytest.raises(OperationalError) as caught:
            wait_for(operator)
    finally:
        free.set()
        thread.join()
    assert collisions.is_lock_timeout(caught.value)
    assert not collisions.is_deadlock(caught.value)


@on_postgresql
@pytest.mark.django_db
def test_every_session_has_its_time_outs():
    with connection.cursor() as cursor:
        found = []
        for name in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
            cursor.execute(f"SHOW {name}")
            found.append(cursor.fetchone()[0])
    assert found == ["10s", "1min", "1min"]


def test_what_the_url_says_is_kept_and_a_pool_too_small_for_southbound_is_refused(monkeypatch):
    monkeypatch.setenv("DATABASE_POOL_SIZE", "12")
    monkeypatch.setenv("DATABASE_LOCK_SECONDS", "3")
    made = environment.pooled_postgresql({"sslmode": "require", "options": "-c search_path=portal"})
    assert made["CONN_MAX_AGE"] == 0
    assert made["OPTIONS"]["sslmode"] == "require"
    assert made["OPTIONS"]["pool"] == {"min_size": 1, "max_size": 12, "timeout": 10}
    assert "-c lock_timeout=3000 " in made["OPTIONS"]["options"]
    assert made["OPTIONS"]["options"].endswith("-c search_path=portal")
    monkeypatch.setenv("DATABASE_POOL_SIZE", "4")
    with pytest.raises(environment.ImproperlyConfigured, match="DATABASE_POOL_SIZE=4 is out of range"):
        environment.pooled_postgresql({})
