"""DTLS sessions end with the key that they were made with, in every process and after a restart."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from django.utils import timezone

from accounts.models import Operator
from devices.commands.services import mailbox
from devices.inventory.models import Credential, CredentialState, Knock, Plane
from devices.inventory.security import Material
from devices.inventory.services import credentials
from devices.registry import sender_rows
from devices.registry.models import Registration
from devices.registry.services import registrations
from devices.registry.services.registrations import Inbound
from lwm2m.messages import Deregister, Register, Update
from lwm2m.object_links import ObjectLinks
from lwm2m.registration import Origin
from provisioning.services import lifecycle
from southbound.peers import senders
from southbound.process import session_file
from tests.fakes.devices import running_device
from tests.southbound.client import until
from tests.southbound.conftest import ANY_PORTS, running
from tests.southbound.listeners.test_dtls import KEY, uri

pytestmark = pytest.mark.django_db(transaction=True)
OTHER = bytes(range(16, 32))


@pytest.fixture
def secured(make_device):
    device = make_device("dtls-1", security="psk")
    credentials.store(
        device=device, plane=Plane.MANAGEMENT, kind="psk", material=Material("psk-1", KEY), origin="test"
    )
    return device


def replace_key(device):
    credentials.replace(device=device, plane=Plane.MANAGEMENT, material=Material("psk-1", OTHER))


def retire_keys(device):
    credentials.retire_all(device=device, reason="test")


def suspend(device):
    lifecycle.suspend(device=device, reason="test")


def bar(device):
    lifecycle.bar(device=device, reason="test")


def remove(device):
    lifecycle.release(device=device, reason="test")


WAYS = [replace_key, retire_keys, suspend, bar, remove]


@pytest.mark.parametrize("cid", [None, b""])
@pytest.mark.parametrize("take_back", WAYS)
def test_a_session_ends_with_its_key_and_can_not_be_resumed(play, secured, take_back, cid):
    async def scene(southbound):
        where = uri(southbound)
        async with running_device("dtls-1", server=where, identity="psk-1", key=KEY, cid=cid) as client:
            await client.until(lambda: client.is_registered)
            (session,) = southbound.ports.sessions(Plane.MANAGEMENT)
            assert session.key_id == (await until(lambda: Credential.objects.get(device=secured).pk))
            await until(lambda: take_back(secured) is None)
            await until(lambda: session.is_closed)
            for registration in client.registrations:
                registration.wish_update()
            await until(lambda: Knock.objects.filter(device=secured).exists())  # it tried to come back
            assert southbound.ports.sessions(Plane.MANAGEMENT) == []

    play(scene)


def test_with_its_new_key_the_device_goes_on_with_its_registration(play, secured):
    async def scene(southbound):
        async with running_device("dtls-1", server=uri(southbound), identity="psk-1", key=KEY) as client:
            await client.until(lambda: client.is_registered)
            await until(lambda: replace_key(secured) is None)
            await until(lambda: southbound.ports.sessions(Plane.MANAGEMENT) == [] or None)
        async with running_device("dtls-1", server=uri(southbound), identity="psk-1", key=OTHER) as client:
            await client.until(lambda: client.is_registered)
            command = await until(
                lambda: mailbox.enqueue(device=secured, operation="read", path="/3/0/0", requested_by="test")
            )
            southbound.delivery.wake(secured.pk)
            await until(lambda: type(command).objects.get(pk=command.pk).state == "done")

    play(scene)


def test_who_misses_the_event_finds_out_by_looking(play, secured):
    async def scene(southbound):
        async with running_device("dtls-1", server=uri(southbound), identity="psk-1", key=KEY) as client:
            await client.until(lambda: client.is_registered)
            await until(lambda: Credential.objects.update(state=CredentialState.RETIRED))
            assert await southbound.ports.end_unusable() == 1
            assert southbound.ports.sessions(Plane.MANAGEMENT) == []
            assert await southbound.ports.end_unusable() == 0

    play(scene)


def test_an_operator_that_is_not_active_has_no_sessions(play, secured):
    async def scene(southbound):
        async with running_device("dtls-1", server=uri(southbound), identity="psk-1", key=KEY) as client:
            await client.until(lambda: client.is_registered)
            await until(lambda: Operator.objects.update(is_active=False))
            assert await southbound.ports.end_unusable() == 1

    play(scene)


@pytest.mark.parametrize("take_back", WAYS)
def test_a_key_that_was_taken_back_while_nobody_listened_opens_nothing_after_the_restart(
    transactional_db, secured, settings, tmp_path, take_back
):
    settings.DATA_DIR = tmp_path

    async def main():
        async with running() as first:
            port = first.ports.port_of(Plane.MANAGEMENT, secured=True)
            where = running_device("dtls-1", server=uri(first), identity="psk-1", key=KEY, cid=b"")
            client = await where.__aenter__()
            await client.until(lambda: client.is_registered)
        assert list(tmp_path.rglob("*.sealed"))
        await until(lambda: take_back(secured) is None)
        async with running(ports=replace(ANY_PORTS, coaps=port)) as second:
            assert second.ports.sessions(Plane.MANAGEMENT) == []
            seen = timezone.now()
            for registration in client.registrations:
                registration.wish_update()
            await until(lambda: Knock.objects.filter(device=secured).exists())
            updated = await until(lambda: [Registration.objects.filter(last_seen_at__gt=seen).exists()])
            assert updated == [False]
            await where.__aexit__(None, None, None)

    asyncio.run(main())


def test_every_message_is_judged_by_the_key_and_not_by_its_name(secured):
    """The event may be on its way still: nothing of the old session is taken meanwhile."""
    old = Credential.objects.get()
    before, now = Origin("192.0.2.1", 1, "dtls", "psk-1", old.pk), timezone.now()

    def apply(message, origin):
        batch = [Inbound(message, origin)]
        return registrations.apply(batch=batch, flow="southbound.0.test", now=now)[0].outcome

    links = {"object_links": ObjectLinks()}
    place = apply(Register("dtls-1", **links), before).response.location[1]
    assert apply(Update(place), before).cause == ""
    assert senders.find([before.sender])[before.sender].is_welcome
    replace_key(secured)
    new = Credential.objects.exclude(pk=old.pk).get()
    after = replace(before, credential_id=new.pk)
    for message in (Update(place), Deregister(place), Register("dtls-1", **links)):
        assert apply(message, before).cause == "PSK_IDENTITY_UNKNOWN"
    both = senders.find([before.sender, after.sender])
    assert (both[before.sender].is_welcome, both[after.sender].is_welcome) == (False, True)
    assert sender_rows.ways([secured.pk])[secured.pk].credential_id == new.pk
    assert apply(Update(place), replace(before, credential_id=None)).cause == "PSK_IDENTITY_UNKNOWN"
    refreshed = apply(Update(place), after)
    assert (refreshed.cause, refreshed.changed) == ("", frozenset())


def test_a_file_of_an_older_make_is_no_session(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    session_file.write(0, "management", b"DTS1 of before")
    assert session_file.take(0, "management") == b"DTS1 of before"
