"""Registration, OMA cases 101 to 111: the server accepts, refreshes, forgets and holds back as it has to."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from django.utils import timezone

from devices.commands.models import Command
from devices.operations.services import operations
from devices.registry.models import Registration, RegistrationDetail
from lwm2m.codes import Code
from lwm2m.messages import Request
from lwm2m.requests import update_request
from tests.conformance import wire
from tests.conformance.wire import expect
from tests.fakes.devices import new_device
from tests.simulator.peers import Server, running
from tests.southbound.client import management, until
from tests.southbound.management import ended, managed, order, told, uri

pytestmark = pytest.mark.django_db(transaction=True)
AWAKE = timedelta(seconds=1)


def objects() -> dict:
    return RegistrationDetail.objects.get().object_links["objects"]


async def registration() -> Registration:
    return await until(lambda: Registration.objects.get())


def test_int_101_initial_registration(play, make_device):
    make_device()
    links = b'</>;rt="oma.lwm2m";ct="60 110 112",</0/0>,</1/0>,</3>;ver=1.1,</3/0>,</21/0>,</6>'

    async def scene(southbound):
        client = await management(southbound)
        query = ("ep=dev-1", "lt=300", "lwm2m=1.1", "b=U", "sms=358401234567")
        answer = await client.ask(Request(Code.POST, ("rd",), query, 40, links))
        assert (answer.code, answer.location[0], len(answer.location)) == ("2.01", "rd", 2)
        row = await registration()
        assert answer.location[1] == row.registration_id
        assert (row.is_live, row.lifetime_seconds, row.port) == (True, 300, client.local_port)

    play(scene)
    detail = RegistrationDetail.objects.get()
    assert (detail.version, detail.binding) == ("1.1", "U")
    assert sorted(objects()) == ["1", "3", "6"]  # never /0 and /21
    assert (objects()["3"]["version"], objects()["1"]["instances"]) == ("1.1", [0])


def test_int_102_registration_update(drive):
    """OMA writes 20 seconds; two tell the same. The device then is switched off and forgotten."""

    async def scene(device, client):
        before = await registration()
        expect(await order(device, "write", "/1/0/1", value=2), "2.04")
        await client.until(lambda: client.counts["updated"] >= 1)
        after = await until(lambda: Registration.objects.filter(lifetime_seconds=2).first())
        assert (after.registration_id, after.is_live) == (before.registration_id, True)
        client.power_off()
        await until(lambda: not Registration.objects.get().is_live)

    drive(scene)
    assert RegistrationDetail.objects.get().end_cause == "LIFETIME_EXPIRED"


def test_int_103_deregistration(drive):
    async def scene(device, client):
        client.tree.set("/1/0/5", 86400)
        expect(await order(device, "execute", "/1/0/4"), "2.04")
        await client.until(lambda: client.counts["deregistered"] == 1)
        assert ("deregistered", "2.02") in client.journal
        await until(lambda: not Registration.objects.get().is_live)

    drive(scene)
    assert RegistrationDetail.objects.get().end_cause == "DEREGISTERED"


def test_int_104_update_trigger(drive):
    async def scene(device, client):
        before = await registration()
        expect(await order(device, "execute", "/1/0/8"), "2.04")
        assert wire.sent(client, Code.POST, "/1/0/8").payload == b""
        await client.until(lambda: client.counts["updated"] == 1)
        after = await until(lambda: Registration.objects.filter(expires_at__gt=before.expires_at).first())
        assert (after.registration_id, after.lifetime_seconds) == (
            before.registration_id,
            before.lifetime_seconds,
        )

    drive(scene)


def test_int_105_discarded_update(drive):
    """The server has forgotten the device: its lifetime ended before the device spoke again."""

    async def scene(device, client):
        first = await registration()
        await until(lambda: not Registration.objects.get().is_live)
        await client.until(lambda: client.counts["registered"] == 2)
        assert ("refused", "Update was answered 4.04") in client.journal
        second = await until(lambda: Registration.objects.filter(is_live=True).first())
        assert second.registration_id != first.registration_id

    drive(scene, lifetime_seconds=1, update_seconds=1.7)


def test_int_107_extending_the_lifetime(drive):
    async def scene(device, client):
        before = await registration()
        expect(await order(device, "write", "/1/0/1", value=120), "2.04")
        after = await until(lambda: Registration.objects.filter(lifetime_seconds=120).first())
        assert after.registration_id == before.registration_id
        assert (after.expires_at - after.last_seen_at).total_seconds() == pytest.approx(120, abs=1)

    drive(scene)


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_int_108_turn_on_queue_mode(drive, version):
    async def scene(device, client):
        row = await registration()
        assert row.queue_mode is True

    drive(scene, queue_mode=True, version=version)
    assert RegistrationDetail.objects.get().binding == "U"


def test_int_109_behavior_in_queue_mode(play, make_device, settings):
    """OMA's 93 seconds are one here, for the server and for the device, which is deaf when they are over."""
    settings.AWAKE_SECONDS = AWAKE.total_seconds()
    device = make_device()

    async def scene(southbound):
        async with managed(southbound, queue_mode=True, awake_seconds=1.0) as client:
            await client.until(lambda: client.is_registered)
            connection = client.registrations[0].connection
            while connection.is_awake:
                await asyncio.sleep(0.05)
            await until(lambda: Registration.objects.get().last_seen_at < timezone.now() - AWAKE)
            held = await until(
                lambda: operations.request(
                    device=device, operation="read", path="/3/0/2", requested_by="test"
                )
            )
            southbound.delivery.wake(device.pk)
            await until(lambda: not southbound.delivery._flushing)
            waiting = await until(lambda: Command.objects.get(pk=held.pk))
            assert (waiting.state, waiting.attempts) == ("queued", 0)
            assert not client.asked
            await client.update()
            done = await ended(held)
            assert told(done) == {"/3/0/2": "dev-1"}
            assert done.attempts == 1

    play(scene)


PROFILE = "6:27354b9a"


def register(endpoint: str, links: bytes = b"") -> Request:
    query = (f"ep={endpoint}", "lt=300", "lwm2m=1.2", "b=U", f"pid={PROFILE}")
    return Request(Code.POST, ("rd",), query, 40 if links else None, links)


async def learned(southbound, make_device) -> None:
    """A profile is an opaque name until a device brought it together with its list."""
    await until(lambda: make_device("teacher"))
    teacher = await management(southbound)
    assert (await teacher.ask(register("teacher", b"</1/0>,</3/0>"))).code == "2.01"


def objects_of(endpoint: str) -> list[str]:
    return sorted(RegistrationDetail.objects.get(device__endpoint=endpoint).object_links["objects"])


def test_int_110_registration_with_a_profile(play, make_device):
    make_device()

    async def scene(southbound):
        client = await management(southbound)
        assert (await client.ask(register("dev-1"))).code == "4.09"  # not known yet: come with the list
        await learned(southbound, make_device)
        answer = await client.ask(register("dev-1"))
        assert (answer.code, answer.location[0]) == ("2.01", "rd")
        assert (await client.ask(update_request(answer.location))).code == "2.04"

    play(scene)
    assert objects_of("dev-1") == ["1", "3"]


def test_int_111_registration_with_a_profile_and_a_list(play, make_device):
    make_device()

    async def scene(southbound):
        await learned(southbound, make_device)
        client = await management(southbound)
        assert (await client.ask(register("dev-1", b"</4/0>"))).code == "2.01"

    play(scene)
    assert objects_of("dev-1") == ["1", "3", "4"]


@asynccontextmanager
async def two_servers(southbound, other: str):
    """A device with our account as the first and another server's as the second (C.14)."""
    client = new_device("dev-1", server=uri(southbound))
    client.tree.set_instance(0, 2, {0: other, 1: False, 2: 3, 10: 2})
    client.tree.set_instance(1, 1, {0: 2, 1: 400, 6: True, 7: "U"})
    client.start()
    try:
        yield client
    finally:
        await client.stop()


def test_int_950_of_two_servers_ours_accepts(play, make_device):
    """The other server, one of the simulator's tests, accepts too; neither hears of the other."""
    device = make_device()

    async def scene(southbound):
        async with running(Server()) as other, two_servers(southbound, other.uri) as client:
            await client.until(lambda: len(client.registrations) == 2 and client.is_registered)
            row = await registration()
            assert row.is_live
            assert [each.location[0] for each in client.registrations] == ["rd", "rd"]
            assert client.registrations[0].location[1] == row.registration_id
            assert list(other.registered) == ["dev-1"]
            assert told(await order(device, "read", "/1"))["/1/1/0"] == 2

    play(scene)


def test_int_951_attributes_belong_to_the_server_that_wrote_them(play, make_device):
    device = make_device()

    async def scene(southbound):
        async with running(Server()) as other, two_servers(southbound, other.uri) as client:
            await client.until(lambda: len(client.registrations) == 2 and client.is_registered)
            written = await order(device, "write-attributes", "/3/0/9", attributes={"pmin": 10, "pmax": 60})
            expect(written, "2.04")
            await other.registered["dev-1"].ask(Code.PUT, "/3/0/9?pmin=20")
            ours = (await order(device, "discover", "/3/0/9")).answer["links"]
            theirs = await other.registered["dev-1"].ask(Code.GET, "/3/0/9", accept=wire.LINK)
            assert ours == "</3/0/9>;pmin=10;pmax=60"
            assert theirs.payload == b"</3/0/9>;pmin=20"

    play(scene)
