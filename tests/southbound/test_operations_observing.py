"""Observe, Notify and cancel with a real device: stored before acknowledged, wanted beyond a registration."""

from __future__ import annotations

import pytest

from devices.models import Command
from devices.services import inventory, observations
from devices.telemetry import Observation, ResourceHistory, ResourceValue, TraceMessage
from lwm2m.codes import Code
from lwm2m.requests import deregister_request, register_request
from simulator.faults import Faults
from tests.southbound.client import LINKS, decode, management, until
from tests.southbound.management import managed, order, told

pytestmark = pytest.mark.django_db(transaction=True)


def client_observations(client) -> int:
    """How many observations the device has."""
    return len(client.registrations[0]._service.observations)


async def value_is(path: str, number: float) -> None:
    await until(lambda: ResourceValue.objects.filter(path=path, number=number).exists())


async def active(count: int = 1) -> Observation:
    return await until(
        lambda: (
            Observation.objects.filter(state="active").count() == count
            and (Observation.objects.filter(state="active").first() or True)
        )
    )


@pytest.mark.parametrize("confirmable", [False, True])
@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_int_301_observe_and_notify(play, make_device, confirmable, version):
    device = make_device()

    async def scene(southbound):
        async with managed(southbound, version=version, confirmable_notifications=confirmable) as client:
            first = await order(device, "observe", "/3/0/9", attributes={"pmin": 0, "pmax": 60})
            assert len(told(first)) == 1
            row = await active()
            for level in (11, 12, 13):
                client.tree.set("/3/0/9", level)
                await value_is("/3/0/9", level)
            seen = await until(lambda: Observation.objects.get(pk=row.pk))
            assert seen.last_notified_at is not None
            history = await until(lambda: ResourceHistory.objects.filter(number__in=[11, 12, 13]).count())
            assert history == 3

    play(scene)


def test_int_302_passive_cancel(play, make_device):
    device = make_device()

    async def scene(southbound):
        async with managed(southbound) as client:
            await order(device, "observe", "/3/0/9")
            await active()
            cancelled = await order(device, "cancel-observe", "/3/0/9", mode="passive")
            assert cancelled.state == "done"
            assert client_observations(client) == 1
            client.tree.set("/3/0/9", 3)
            await until(lambda: client_observations(client) == 0)

    play(scene)
    assert not ResourceValue.objects.filter(path="/3/0/9", number=3).exists()


def test_int_303_active_cancel(play, make_device):
    device = make_device()

    async def scene(southbound):
        async with managed(southbound) as client:
            await order(device, "observe", "/3/0/9")
            await active()
            cancelled = await order(device, "cancel-observe", "/3/0/9")
            assert (cancelled.state, cancelled.response_code) == ("done", "2.05")
            assert client_observations(client) == 0

    play(scene)
    assert Observation.objects.get().state == "ended"


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_what_is_observed_anew_is_observed_once(play, make_device, version):
    """A device keeps the old observation beside the new one; what it told under the old token would be lost."""
    device = make_device()

    async def scene(southbound):
        async with managed(southbound, version=version) as client:
            for attributes in ({}, {"pmax": 60}, {"pmax": 60}, {"pmax": 90}):
                told(await order(device, "observe", "/3/0/9", attributes=attributes))
                assert client_observations(client) == 1
            client.tree.set("/3/0/9", 5)
            await value_is("/3/0/9", 5)
            assert client_observations(client) == 1

    play(scene)
    assert Observation.objects.count() == 1


def test_int_304_305_observe_composite_and_its_cancel(play, make_device):
    device = make_device()
    paths = ["/3/0/9", "/1/0/1"]

    async def scene(southbound):
        async with managed(southbound) as client:
            assert set(told(await order(device, "observe-composite", paths=paths))) == set(paths)
            await active()
            client.tree.set("/3/0/9", 4)
            await value_is("/3/0/9", 4)
            assert (await order(device, "cancel-observe-composite", paths=paths)).state == "done"
            assert client_observations(client) == 0

    play(scene)


def test_what_is_wanted_is_observed_again_after_every_register(play, make_device):
    device = make_device()

    async def scene(southbound):
        await until(lambda: observations.want(device=device, path="/3/0/9", wanted_by="test"))
        async with managed(southbound) as client:
            first = await active()
            assert (await order(device, "execute", "/3/0/4")).response_code == "2.04"
            await until(
                lambda: (
                    Observation.objects.filter(state="active")
                    .exclude(registration_id=first.registration_id)
                    .exists()
                )
            )
            client.tree.set("/3/0/9", 6)
            await value_is("/3/0/9", 6)

    play(scene)
    assert Observation.objects.count() == 1


async def observed_by_hand(southbound, device):
    """A bare client that is registered and answered one Observe; its location, and the token."""
    wire = await management(southbound)
    location = (await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))).location
    await until(lambda: observations.want(device=device, path="/3/0/9", wanted_by="test"))
    asked = await wire.next()
    token = asked[4 : 4 + (asked[0] & 15)]
    answered = bytes((0x60 | len(token), 0x45)) + asked[2:4] + token + bytes((0x61, 1, 0x60, 0xFF)) + b"50"
    wire.send(answered)
    await active()
    return wire, location, token


def notification(
    token: bytes,
    mid: int,
    payload: bytes,
    *,
    kind: int = 0x40,
    code: int = 0x45,
    number: int = 2,
    form: int = 0,
) -> bytes:
    """`form` is a content format below 256; 0 is text."""
    head = bytes((kind | len(token), code)) + mid.to_bytes(2, "big") + token
    content_format = bytes((0x61, form)) if form else b"\x60"
    return head + bytes((0x61, number)) + content_format + b"\xff" + payload


def test_a_notification_is_stored_before_it_is_acknowledged_and_once(play, make_device):
    device = make_device()

    async def scene(southbound):
        wire, _, token = await observed_by_hand(southbound, device)
        for _ in range(2):
            wire.send(notification(token, 7000, b"41"))
            assert await wire.next() == bytes((0x60, 0)) + (7000).to_bytes(2, "big")
            await value_is("/3/0/9", 41)
        stranger = await management(southbound)
        stranger.send(notification(token, 7001, b"99"))
        assert (await stranger.next())[:2] == bytes((0x70, 0))
        wire.send(notification(b"unknown!", 7002, b"99"))
        assert (await wire.next())[:2] == bytes((0x70, 0))

    play(scene)
    assert ResourceHistory.objects.filter(number=41).count() == 1
    assert not ResourceHistory.objects.filter(number=99).exists()


def test_garbage_leaves_the_observation_and_an_error_ends_it(play, make_device):
    device = make_device()

    async def scene(southbound):
        wire, _, token = await observed_by_hand(southbound, device)
        wire.send(notification(token, 7000, b"not a number"))
        assert (await wire.next())[0] == 0x60
        assert (await until(lambda: Observation.objects.get())).state == "active"
        wire.send(notification(token, 7001, b"\x00gone", code=0x84))
        assert (await wire.next())[0] == 0x60
        assert (await until(lambda: Observation.objects.get())).state == "refused"
        wire.send(notification(token, 7002, b"5"))
        assert (await wire.next())[0] == 0x70

    play(scene)


def test_a_deregistered_device_observes_nothing(play, make_device):
    device = make_device()

    async def scene(southbound):
        wire, location, token = await observed_by_hand(southbound, device)
        assert (await wire.ask(deregister_request(location))).code == "2.02"
        wire.send(notification(token, 7000, b"5"))
        assert (await wire.next())[0] == 0x70
        await until(lambda: Observation.objects.get().state == "wanted")

    play(scene)


def test_a_notification_in_blocks_leads_to_a_read(play, make_device):
    device = make_device()

    async def scene(southbound):
        wire, _, token = await observed_by_hand(southbound, device)
        first = bytearray(notification(token, 7000, b"4"))
        first[first.rindex(0xFF) : first.rindex(0xFF)] = bytes((0xB1, 0x08))
        wire.send(bytes(first))
        said = [decode(await wire.next()) for _ in range(2)]
        assert {answer.raw[0] >> 4 for answer in said} == {6, 4}
        await until(lambda: Command.objects.filter(operation="read", requested_by="system").exists())

    play(scene)


async def notified(wire, *datagram, **more) -> None:
    """Sent and acknowledged, and with that stored."""
    data = notification(*datagram, **more)
    wire.send(data)
    assert await wire.next() == bytes((0x60, 0)) + data[2:4]


def test_a_notification_that_was_overtaken_is_no_news(play, make_device):
    device = make_device()

    async def scene(southbound):
        wire, _, token = await observed_by_hand(southbound, device)
        await notified(wire, token, 7000, b"45", number=9)
        await notified(wire, token, 7001, b"44", number=8)
        assert southbound.counters.late == 1
        own_time = b'[{"n":"/3/0/9","v":43,"t":1700000000}]'
        await notified(wire, token, 7002, own_time, number=7, form=110)
        latest = await until(lambda: ResourceValue.objects.get(path="/3/0/9"))
        assert latest.number == 45
        await notified(wire, token, 7003, b"46", number=10)
        await value_is("/3/0/9", 46)

    play(scene)
    assert set(ResourceHistory.objects.values_list("number", flat=True)) == {50, 45, 43, 46}
    assert Observation.objects.get().notified_number == 10


def test_the_order_holds_within_one_batch_and_begins_anew_with_a_registration(play, make_device):
    device = make_device()

    async def scene(southbound):
        wire, _, token = await observed_by_hand(southbound, device)
        for mid, number, level in ((7000, 200, b"20"), (7001, 199, b"19"), (7002, 201, b"21")):
            wire.send(notification(token, mid, level, number=number))
        assert {(await wire.next())[0] for _ in range(3)} == {0x60}
        await value_is("/3/0/9", 21)
        await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))
        asked = await wire.next()
        token = asked[4 : 4 + (asked[0] & 15)]
        wire.send(
            bytes((0x60 | len(token), 0x45)) + asked[2:4] + token + bytes((0x61, 1, 0x60, 0xFF)) + b"50"
        )
        await active()
        await notified(wire, token, 7003, b"51", number=3)
        await value_is("/3/0/9", 51)

    play(scene)
    assert not ResourceHistory.objects.filter(number=19).exists()


MANY = ["/3/0/9"] + [f"/3/0/{number}" for number in range(26_000, 26_090)]
"""As many as one observation may have, nearly; over 1,024 bytes in any format."""


def test_a_composite_observation_that_fills_several_datagrams(play, make_device):
    """Its paths leave in blocks, all under the token that the device then notifies under; so does the cancel."""
    device = make_device()

    async def scene(southbound):
        async with managed(southbound, version="1.1") as client:
            first = await order(device, "observe-composite", paths=MANY)
            assert (first.state, first.response_code) == ("done", "2.05"), first.detail
            row = await active()
            assert client_observations(client) == 1
            client.tree.set("/3/0/9", 4)
            await value_is("/3/0/9", 4)
            assert row.is_composite
            ended = await order(device, "cancel-observe-composite", paths=MANY)
            assert (ended.state, ended.response_code) == ("done", "2.05"), ended.detail
            assert client_observations(client) == 0

    play(scene)
    asked = TraceMessage.objects.filter(method="FETCH", direction="out")
    assert all(row.payload_bytes > 1024 for row in asked)
    assert len(asked) == 2


def sent(device) -> list[str]:
    rows = TraceMessage.objects.filter(device=device, path__startswith="/3/0/9").order_by("number")
    return [f"{row.direction} {row.method} {row.path} {row.code}".strip() for row in rows]


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_int_312_attributes_are_written_before_or_go_with_the_observe(play, make_device, version):
    """The wish is older than the registration, so nobody knew the version."""
    device = make_device()
    wished = {"pmin": 0, "pmax": 60}
    apart = ["out PUT /3/0/9?pmin=0&pmax=60", "in PUT /3/0/9?pmin=0&pmax=60 2.04", "out GET /3/0/9"]
    within = ["out GET /3/0/9?pmin=0&pmax=60"]

    async def scene(southbound):
        await until(
            lambda: observations.want(
                device=device, path="/3/0/9", arguments={"attributes": wished}, wanted_by="test"
            )
        )
        async with managed(southbound, version=version) as client:
            await active()
            begin = within if version == "1.2" else apart
            await until(lambda: sent(device)[: len(begin)] == begin)
            client.tree.set("/3/0/9", 14)
            await value_is("/3/0/9", 14)

    play(scene)


def test_attributes_that_are_refused_end_in_no_observation_without_them(play, make_device):
    device = make_device()
    faults = Faults(refuse={"write-attributes": Code.METHOD_NOT_ALLOWED})

    async def scene(southbound):
        async with managed(southbound, version="1.1", faults=faults) as client:
            asked = await order(device, "observe", "/3/0/9", attributes={"pmin": 5})
            assert (asked.state, asked.response_code, asked.cause) == ("refused", "4.05", "COMMAND_REFUSED")
            assert client_observations(client) == 0
            again = await order(device, "observe", "/3/0/9")
            assert again.state == "done"
            await active()

    play(scene)
    assert not any(line.startswith("out GET") for line in sent(device)[:2])


def test_what_was_refused_says_why_on_the_observation(play, make_device):
    device = make_device()
    faults = Faults(refuse={"write-attributes": Code.METHOD_NOT_ALLOWED})

    async def scene(southbound):
        async with managed(southbound, version="1.0", faults=faults):
            await order(device, "observe", "/3/0/9", attributes={"pmin": 5})

    play(scene)
    row = Observation.objects.get()
    assert (row.state, row.cause) == ("refused", "COMMAND_REFUSED")
    assert "refused the attributes" in row.detail


def test_what_a_suspended_device_notifies_is_reset_and_resuming_observes_it_anew(play, make_device):
    device = make_device()

    async def scene(southbound):
        wire, _, token = await observed_by_hand(southbound, device)
        await until(lambda: inventory.suspend(device=device, reason="unpaid"))
        wire.send(notification(token, 7000, b"5"))
        assert (await wire.next())[0] == 0x70
        await until(lambda: Observation.objects.get().state == "wanted")
        await until(lambda: inventory.resume(device=device))
        asked = decode(await wire.next())
        assert asked.message.opt.observe == 0
        assert asked.message.token != token

    play(scene)
    assert not ResourceHistory.objects.filter(number=5).exists()
