"""What holds for an observation: the order of its notifications, its attributes, its size, and who may be observed."""

from __future__ import annotations

import pytest

from devices.observations.models import Observation
from devices.observations.services import observations
from devices.telemetry.models import ResourceHistory, ResourceValue, TraceMessage
from lwm2m.codes import Code
from lwm2m.requests import register_request, update_request
from provisioning.services import lifecycle
from simulator.faults import Faults
from tests.southbound.client import LINKS, decode, until
from tests.southbound.management import managed, order
from tests.southbound.observing import (
    active,
    client_observations,
    notification,
    notified,
    observed_by_hand,
    value_is,
)

pytestmark = pytest.mark.django_db(transaction=True)


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
        await until(lambda: lifecycle.suspend(device=device, reason="unpaid"))
        wire.send(notification(token, 7000, b"5"))
        assert (await wire.next())[0] == 0x70
        await until(lambda: Observation.objects.get().state == "wanted")
        await until(lambda: lifecycle.resume(device=device))
        asked = decode(await wire.next())
        assert asked.message.opt.observe == 0
        assert asked.message.token != token

    play(scene)
    assert not ResourceHistory.objects.filter(number=5).exists()


def test_a_notification_without_the_observe_option_is_the_last_one(play, make_device):
    """RFC 7641 section 3.2: what it says is stored, and the observation is over."""
    device = make_device("dev-1")

    async def scene(southbound):
        wire, _, token = await observed_by_hand(southbound, device)
        said = bytes((0x40 | len(token), 0x45)) + b"\x1b\x58" + token + b"\xc0\xff51"
        wire.send(said)
        assert await wire.next() == b"\x60\x00\x1b\x58"
        await value_is("/3/0/9", 51)
        ended = await until(lambda: Observation.objects.get())
        assert (ended.state, ended.cause) == ("refused", "OBSERVATION_ENDED")
        wire.send(notification(token, 7002, b"52"))
        assert (await wire.next())[0] == 0x70

    play(scene)


def test_what_is_left_out_of_an_update_is_observed_again_when_it_comes_back(play, make_device):
    device = make_device("dev-1")

    async def scene(southbound):
        wire, location, token = await observed_by_hand(southbound, device)
        assert (await wire.ask(update_request(location, object_links=b"</1/0>"))).code == "2.04"
        gone = await until(lambda: Observation.objects.filter(state="refused").first())
        assert gone.cause == "OBSERVED_PATH_GONE"
        assert (await wire.ask(update_request(location, object_links=LINKS))).code == "2.04"
        asked = await wire.next()
        assert asked[1] == 1
        assert asked[4 : 4 + (asked[0] & 15)] != token

    play(scene)
