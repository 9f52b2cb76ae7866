"""What a device and the server say to each other can be read afterwards, and costs nobody his turn."""

from __future__ import annotations

import asyncio

import pytest
from channels.layers import get_channel_layer

from devices.observations.models import Observation
from devices.observations.services import observations
from devices.telemetry.models import TraceHead, TraceMessage
from live import groups
from lwm2m.requests import deregister_request, register_request, send_request, update_request
from southbound.tracing import recorder
from tests.southbound.client import LINKS, management, until
from tests.southbound.management import managed, order
from tests.southbound.observing import notification, observed_by_hand

pytestmark = pytest.mark.django_db(transaction=True)


def lines(device) -> list[str]:
    rows = TraceMessage.objects.filter(device=device).order_by("number")
    return [f"{row.direction} {row.method} {row.path} {row.code}".strip() for row in rows]


async def traced(device, *wanted: str) -> list[str]:
    """All lines, once the last ones are these."""
    await until(lambda: lines(device)[-len(wanted) :] == list(wanted))
    return await until(lambda: lines(device))


def test_the_life_of_a_registration_is_traced(play, make_device):
    device = make_device()

    async def scene(southbound):
        wire = await management(southbound)
        location = (await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))).location
        place = f"/{'/'.join(location)}"
        await wire.ask(update_request(location))
        await wire.ask(update_request(location, lifetime_seconds=600))
        await wire.ask(send_request(110, b'[{"n":"/3/0/9","v":55}]'))
        await wire.ask(deregister_request(location))
        found = await traced(device, f"in DELETE {place}", f"out DELETE {place} 2.02")
        assert found == [
            "in POST /rd?ep=dev-1&lt=86400&lwm2m=1.1&b=U",
            "out POST /rd?ep=dev-1&lt=86400&lwm2m=1.1&b=U 2.01",
            f"in POST {place}",
            f"out POST {place} 2.04",
            f"in POST {place}?lt=600",
            f"out POST {place}?lt=600 2.04",
            "in POST /dp",
            "out POST /dp 2.04",
            f"in DELETE {place}",
            f"out DELETE {place} 2.02",
        ]

    play(scene)
    rows = {(row.direction, row.path): row for row in TraceMessage.objects.all()}
    assert rows["in", "/dp"].payload == {"nodes": [{"path": "/3/0/9", "value": 55}]}
    assert "</3/0>" in rows["in", "/rd?ep=dev-1&lt=86400&lwm2m=1.1&b=U"].payload["links"]
    assert all((row.duration_ms is not None) == (row.direction == "out") for row in rows.values())


def test_what_is_asked_and_answered_is_traced_with_its_duration_and_without_secrets(play, make_device):
    device = make_device()

    async def scene(southbound):
        async with managed(southbound):
            assert (await order(device, "read", "/3/0/9")).state == "done"
            await traced(device, "out GET /3/0/9", "in GET /3/0/9 2.05")
            await order(device, "write", "/11/0/6", value="open sesame", force=True)
            await until(lambda: lines(device)[-1].startswith("in PUT /11/0/6 4."))

    play(scene)
    answer = TraceMessage.objects.get(path="/3/0/9", direction="in")
    assert answer.duration_ms > 0
    assert [node["path"] for node in answer.payload["nodes"]] == ["/3/0/9"]
    written = TraceMessage.objects.get(path="/11/0/6", direction="out")
    assert written.payload == {"nodes": [{"path": "/11/0/6", "value": "(hidden)"}]}


def test_notifications_are_traced_and_so_is_their_reset(play, make_device):
    device = make_device()

    async def scene(southbound):
        wire, _, token = await observed_by_hand(southbound, device)
        wire.send(notification(token, 7000, b"41"))
        await wire.next()
        row = await until(lambda: Observation.objects.get())
        await traced(device, "out GET /3/0/9", "in GET /3/0/9 2.05", "in NOTIFY /3/0/9 2.05")
        await until(lambda: observations.unwant(observation=row, mode="passive", by="test"))
        wire.send(notification(token, 7001, b"42"))
        await traced(device, "in NOTIFY (not observed) 2.05", "out NOTIFY (not observed) RST")

    play(scene)
    assert TraceMessage.objects.get(path="/3/0/9", method="NOTIFY").payload == {
        "nodes": [{"path": "/3/0/9", "value": 41}]
    }


def test_a_refused_request_of_a_known_address_is_traced_and_a_strangers_is_not(play, make_device):
    device = make_device()

    async def scene(southbound):
        stranger = await management(southbound)
        assert (await stranger.ask(send_request(110, b"[]"))).code == "4.00"
        wire = await management(southbound)
        await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))
        assert (await wire.ask(update_request(("rd", "unknown")))).code == "4.04"
        await traced(device, "in POST /rd/unknown", "out POST /rd/unknown 4.04")

    play(scene)
    assert len(lines(device)) == 4


def test_the_pages_of_the_device_are_told_and_no_board(play, make_device):
    device = make_device()

    async def scene(southbound):
        layer = get_channel_layer()
        page, board = await layer.new_channel(), await layer.new_channel()
        await layer.group_add(groups.device(device.pk), page)
        await layer.group_add(groups.BOARD, board)
        wire = await management(southbound)
        await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))
        heard: list[str] = []
        async with asyncio.timeout(10):
            while "trace" not in heard:
                heard += (await layer.receive(page))["what"]
        assert (await layer.receive(board))["what"] != ["trace"]
        assert await until(lambda: lines(device))

    play(scene)


def test_under_a_storm_refreshes_are_left_out_and_counted(play, make_device, monkeypatch):
    device = make_device()
    monkeypatch.setattr(recorder, "ROOM_FOR_REFRESHES", 5)
    monkeypatch.setattr(recorder, "PAUSE_SECONDS", 60.0)

    async def scene(southbound):
        wire = await management(southbound)
        location = (await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))).location
        for _ in range(12):
            assert (await wire.ask(update_request(location))).code == "2.04"
        assert southbound.counters.untraced == 7

    play(scene)  # what waits is written at the end
    assert TraceHead.objects.get(device=device).count == 12


def test_after_a_storm_there_is_room_again(play, make_device, monkeypatch):
    make_device()
    monkeypatch.setattr(recorder, "ROOM_FOR_REFRESHES", 3)
    monkeypatch.setattr(recorder, "ROOM_IN_STORM", 1)
    monkeypatch.setattr(recorder, "PAUSE_SECONDS", 60.0)

    async def scene(southbound):
        wire = await management(southbound)
        location = (await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))).location

        async def left_out_of(count: int) -> int:
            before = southbound.counters.untraced
            for _ in range(count):
                assert (await wire.ask(update_request(location))).code == "2.04"
            await southbound.tracing._write()
            return southbound.counters.untraced - before

        assert [await left_out_of(count) for count in (5, 3, 3)] == [2, 2, 0]

    play(scene)
