"""The secured ports: PSK registration (OMA int-401), identity rules, connection ids, clean restart."""

from __future__ import annotations

import pytest
from django.utils import timezone

from audit.models import LedgerEvent
from devices.commands.services import mailbox
from devices.inventory.models import Credential, Device, Knock, Plane
from devices.inventory.security import Material
from devices.inventory.services import credentials
from devices.inventory.states import Access
from devices.registry.models import Registration
from lwm2m.requests import register_request, update_request
from tests.fakes.devices import running_device
from tests.southbound.client import LINKS, management, until

pytestmark = pytest.mark.django_db(transaction=True)
KEY = bytes(range(16))


@pytest.fixture
def secured(make_device):
    def make(endpoint="dtls-1", identity="psk-1", key=KEY) -> Device:
        device = make_device(endpoint, security="psk")
        credentials.store(
            device=device, plane=Plane.MANAGEMENT, kind="psk", material=Material(identity, key), origin="test"
        )
        return device

    return make


def uri(southbound) -> str:
    return f"coaps://127.0.0.1:{southbound.ports.port_of(Plane.MANAGEMENT, secured=True)}"


def test_int_401_registration_and_read_over_psk(play, secured):
    device = secured()

    async def scene(southbound):
        async with running_device("dtls-1", server=uri(southbound), identity="psk-1", key=KEY) as client:
            await client.until(lambda: client.is_registered)
            command = await until(
                lambda: mailbox.enqueue(device=device, operation="read", path="/3/0", requested_by="test")
            )
            southbound.delivery.wake(device.pk)
            await until(lambda: type(command).objects.get(pk=command.pk).state == "done")
            return type(command).objects

    commands = play(scene)
    row = Registration.objects.get(device=device)
    assert (row.transport, row.identity, row.is_live) == ("dtls", "psk-1", True)
    command = commands.get()
    assert command.response_code == "2.05"
    assert {node["path"] for node in command.answer["nodes"]} >= {"/3/0/0", "/3/0/1"}
    assert Credential.objects.get().first_used_at is not None


def test_unknown_identity_is_counted_and_a_suspended_device_named(play, secured):
    device = secured()
    Device.objects.filter(pk=device.pk).update(access=Access.SUSPENDED)

    async def scene(southbound):
        async with running_device("dtls-1", server=uri(southbound), identity="psk-1", key=KEY):
            await until(lambda: Knock.objects.filter(cause="DEVICE_SUSPENDED", device=device).exists())
        async with running_device("dtls-1", server=uri(southbound), identity="nobody", key=KEY):
            await until(
                lambda: Knock.objects.filter(cause="PSK_IDENTITY_UNKNOWN", claimed_name="nobody").exists()
            )
        async with running_device("dtls-1", server=uri(southbound), identity="psk-1", key=bytes(16)):
            pass

    play(scene)
    assert LedgerEvent.objects.filter(action="device.refused", cause="DEVICE_SUSPENDED").count() == 1


def test_another_endpoint_than_the_credentials_is_refused_and_recorded(play, secured):
    device = secured()
    secured("dtls-2", "psk-2")

    async def scene(southbound):
        async with running_device("dtls-2", server=uri(southbound), identity="psk-1", key=KEY) as client:
            await client.until(lambda: client.counts["registration-failed"] > 0)
            await until(lambda: Knock.objects.filter(cause="ENDPOINT_IDENTITY_MISMATCH").exists())

    play(scene)
    assert not Registration.objects.exists()
    event = LedgerEvent.objects.get(cause="ENDPOINT_IDENTITY_MISMATCH")
    assert event.device_id == device.pk


def test_update_over_plain_udp_for_a_dtls_registration_is_refused(play, secured):
    secured()

    async def scene(southbound):
        async with running_device("dtls-1", server=uri(southbound), identity="psk-1", key=KEY) as client:
            await client.until(lambda: client.is_registered)
            row = await until(lambda: Registration.objects.get())
            wire = await management(southbound)
            assert (await wire.ask(update_request(("rd", row.registration_id)))).code == "4.00"
            refused = await wire.ask(register_request(endpoint="dtls-1", object_links=LINKS))
            assert refused.code == "4.03"

    play(scene)


def test_a_moved_device_with_a_cid_keeps_its_registration_and_is_read_at_its_new_port(play, secured):
    device = secured()

    async def scene(southbound):
        async with running_device(
            "dtls-1", server=uri(southbound), identity="psk-1", key=KEY, cid=b""
        ) as client:
            await client.until(lambda: client.is_registered)
            before = await until(lambda: Registration.objects.get())
            client.rebind()
            await client.update()
            after = await until(lambda: Registration.objects.exclude(port=before.port).first())
            assert after.registration_id == before.registration_id
            command = await until(
                lambda: mailbox.enqueue(device=device, operation="read", path="/3/0/0", requested_by="test")
            )
            southbound.delivery.wake(device.pk)
            await until(lambda: type(command).objects.get(pk=command.pk).state == "done")
            assert southbound.ports.sessions(Plane.MANAGEMENT)[0].has_cid

    play(scene)


def test_a_revoked_credential_ends_updates_on_its_live_session(play, secured):
    device = secured()

    async def scene(southbound):
        async with running_device("dtls-1", server=uri(southbound), identity="psk-1", key=KEY) as client:
            await client.until(lambda: client.is_registered)
            await until(lambda: credentials.retire_all(device=device, reason="test") is None)
            for registration in client.registrations:
                registration.wish_update()
            await until(lambda: Knock.objects.filter(cause="PSK_IDENTITY_UNKNOWN", device=device).exists())

    play(scene)


def test_sessions_survive_a_clean_restart(transactional_db, secured, settings, tmp_path):
    import asyncio
    from dataclasses import replace

    from tests.southbound.conftest import ANY_PORTS, running

    settings.DATA_DIR = tmp_path
    secured()

    async def main():
        async with running() as first:
            port = first.ports.port_of(Plane.MANAGEMENT, secured=True)
            client_context = running_device(
                "dtls-1", server=f"coaps://127.0.0.1:{port}", identity="psk-1", key=KEY
            )
            client = await client_context.__aenter__()
            await client.until(lambda: client.is_registered)
            ports = replace(
                ANY_PORTS,
                coaps=port,
                bootstrap_coaps=first.ports.port_of(Plane.BOOTSTRAP, secured=True),
            )
        files = list(tmp_path.rglob("*.sealed"))
        assert len(files) == 1
        assert files[0].stat().st_mode & 0o777 == 0o600
        async with running(ports=ports) as second:
            assert not list(tmp_path.rglob("*.sealed"))
            seen = timezone.now()
            await client.update()
            await until(lambda: Registration.objects.filter(last_seen_at__gt=seen).exists())
            assert second.ports._secured[Plane.MANAGEMENT].server.statistics.handshakes == 0
            await client_context.__aexit__(None, None, None)

    asyncio.run(main())


def test_a_peer_that_takes_short_records_gets_blocks_that_fit_them(play, secured):
    """RFC 6066 section 4: what is longer than agreed is dropped by the device without a word."""
    device = secured()

    async def scene(southbound):
        async with running_device("dtls-1", server=uri(southbound), identity="psk-1", key=KEY) as client:
            await client.until(lambda: client.is_registered)
            southbound.ports.sessions(Plane.MANAGEMENT)[0].max_plaintext = 512
            command = await until(
                lambda: mailbox.enqueue(
                    device=device,
                    operation="write",
                    path="/3/0/15",
                    arguments={"value": "Europe/Berlin " * 100},
                    requested_by="test",
                )
            )
            southbound.delivery.wake(device.pk)
            ended = await until(
                lambda: (
                    type(command).objects.filter(pk=command.pk).exclude(state__in=("queued", "sent")).first()
                )
            )
            assert (ended.state, ended.cause, southbound.counters.unsent) == ("done", "", 0)

    play(scene)
