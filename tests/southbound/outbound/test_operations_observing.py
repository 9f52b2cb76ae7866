"""Observe, Notify and cancel with a real device: stored before acknowledged, wanted beyond a registration."""

from __future__ import annotations

import pytest

from devices.commands.models import Command
from devices.observations.models import Observation
from devices.observations.services import observations
from devices.telemetry.models import ResourceHistory, ResourceValue
from lwm2m.requests import deregister_request
from tests.southbound.client import decode, management, until
from tests.southbound.management import managed, order, told
from tests.southbound.observing import active, client_observations, notification, observed_by_hand, value_is

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_changes_in_one_breath_are_all_kept(play, make_device):
    device = make_device()

    async def scene(southbound):
        wire, _, token = await observed_by_hand(southbound, device)
        for number in range(60, 80):
            wire.send(notification(token, 7000 + number, b"%d" % number, number=number))
        await value_is("/3/0/9", 79)
        rows = ResourceHistory.objects.filter(number__in=range(60, 80)).order_by("at")
        assert await until(lambda: list(rows.values_list("number", flat=True))) == list(range(60, 80))

    play(scene)


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
