"""Whose report it is: found by exactly its address or identity, and never by a look at all registrations."""

from __future__ import annotations

import pytest
from django.db import connection
from django.utils import timezone

from devices.registry import standing_rows
from devices.registry.models import Registration, Transport
from lwm2m.registration import Origin
from southbound.peers import senders

pytestmark = pytest.mark.django_db


@pytest.fixture
def registered(make_device):
    def register(name: str, host: str, port: int, *, identity: str = "", is_live: bool = True):
        now = timezone.now()
        device = make_device(name)
        Registration.objects.create(
            device=device,
            registration_id=f"i{device.pk}",
            is_live=is_live,
            transport=Transport.DTLS if identity else Transport.UDP,
            identity=identity,
            host=host,
            port=port,
            flow="southbound.0.test",
            lifetime_seconds=300,
            registered_at=now,
            last_seen_at=now,
        )
        return device.pk

    return register


def test_host_and_port_count_together(registered):
    here = registered("here", "192.0.2.1", 1000)
    there = registered("there", "192.0.2.2", 2000)
    registered("crossed", "192.0.2.1", 2000)
    registered("ended", "192.0.2.3", 3000, is_live=False)
    secured = registered("secured", "192.0.2.2", 2000, identity="psk")
    asked = [
        Origin("192.0.2.1", 1000),
        Origin("192.0.2.2", 2000),
        Origin("192.0.2.3", 3000),
        Origin("", 0, "dtls", "psk"),
        Origin("", 0, "dtls", "nobody"),
    ]
    found = {origin: sender.device_id for origin, sender in senders.find(asked).items()}
    assert found == {asked[0]: here, asked[1]: there, asked[3]: secured}


def test_as_many_as_a_batch_may_have(registered):
    ids = {registered(f"dev-{number}", "192.0.2.1", number) for number in range(600)}
    addresses = [("192.0.2.1", number) for number in range(700)]
    assert set(standing_rows.standing_at(addresses)) == ids


@pytest.mark.parametrize(
    ("index", "look"),
    [
        ("registration_address", lambda: standing_rows.standing_at([("192.0.2.1", 1)])),
        ("registration_identity", lambda: standing_rows.standing_as(["psk"])),
    ],
)
def test_an_index_leads_there(monkeypatch, index, look):
    """Asked of the planner, with the very statement."""
    asked: list[tuple[str, object]] = []
    if connection.vendor == "postgresql":
        monkeypatch.setattr(standing_rows.sql, "prepared", lambda *both: asked.append(both) or [])
        look()
    else:
        with connection.execute_wrapper(lambda run, *given: asked.append(given[:2]) or run(*given)):
            look()
    statement, parameters = asked[0]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # the table is small here
            cursor.execute(f"EXPLAIN {statement}", parameters)
        else:
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
        assert index in str(cursor.fetchall())


@pytest.mark.skipif(connection.vendor != "postgresql", reason="HOT is PostgreSQL's")
def test_a_refresh_is_written_in_place():
    """None of its columns is in an index, and each page has room for the next version."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reloptions FROM pg_class WHERE relname = 'registry_registration'")
        ((options,),) = cursor.fetchall()
        assert "fillfactor=75" in options
        cursor.execute(
            """SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY(indkey)
               WHERE indrelid = 'registry_registration'::regclass"""
        )
        indexed = {name for (name,) in cursor.fetchall()}
    assert indexed.isdisjoint({"last_seen_at", "expires_at", "flow"})
