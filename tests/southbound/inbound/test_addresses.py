"""Two devices without encryption at one address, in every order and across operators: nothing is another's."""

from __future__ import annotations

import itertools

import pytest
from django.utils import timezone

from accounts.models import Operator
from audit import strangers
from audit.models import LedgerEvent
from devices.commands.models import Command
from devices.commands.services import mailbox
from devices.inventory.models import Device
from devices.observations.models import ObservationState
from devices.observations.services import observations
from devices.registry.models import Registration
from devices.registry.selectors import sessions, ways
from devices.registry.services import registrations
from devices.registry.services.registrations import Inbound
from devices.telemetry.models import ResourceValue
from lwm2m import formats
from lwm2m.codes import ContentFormat
from lwm2m.links import parse_object_links
from lwm2m.messages import Deregister, Register, Update
from lwm2m.nodes import Node
from lwm2m.paths import ROOT, Path
from lwm2m.registration import Origin
from lwm2m.requests import deregister_request, register_request, send_request, update_request
from southbound.peers import senders
from tests.southbound.client import management, until

pytestmark = pytest.mark.django_db(transaction=True)
LINKS = b'</>;rt="oma.lwm2m";ct="112",</1/0>,</3/0>,</3303/0>'
HERE, THERE = Origin("192.0.2.1", 1000), Origin("192.0.2.2", 2000)
FLOW = "southbound.0.test"


def senml(value: float) -> bytes:
    return formats.encode(ContentFormat.SENML_CBOR, [Node(Path(3303, 0, 5700), value)], ROOT)


@pytest.fixture(params=["one operator", "two operators"])
def pair(request, make_device) -> tuple[Device, Device]:
    """Both orders of their ids come by the tests' own orders."""
    other = {}
    if request.param == "two operators":
        other = {"operator": Operator.objects.create(slug="other", name="Other", allows_nosec=True)}
    return make_device("dev-a"), make_device("dev-b", **other)


def apply(*batch: tuple) -> list:
    inbound = [Inbound(message, origin) for message, origin in batch]
    return registrations.apply(batch=inbound, flow=FLOW, now=timezone.now())


def register(name: str, origin: Origin = HERE) -> tuple:
    return Register(name, object_links=parse_object_links(LINKS)), origin


def location(applied) -> str:
    return applied.outcome.response.location[1]


def standing(device: Device) -> tuple[str, int, bool]:
    row = Registration.objects.get(device=device)
    return row.host, row.port, row.is_live


def test_the_older_one_is_not_said_to_listen(pair):
    first, second = pair
    apply(register(first.endpoint))
    apply(register(second.endpoint))
    rows = Device.objects.select_related(*ways.PRESENCE)
    old, new = (sessions.of_device(rows.get(pk=device.pk), timezone.now()) for device in pair)
    assert (old.state, old.listens, old.cause) == ("registered", False, "ADDRESS_TAKEN")
    assert (new.state, new.listens, new.cause) == ("registered", True, "")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_what_comes_from_the_address_is_the_newer_ones(play, pair, order):
    first, second = (pair[number] for number in order)

    async def scene(southbound):
        wire = await management(southbound)
        places = {}
        for device in (first, second):
            answer = await wire.ask(register_request(endpoint=device.endpoint, object_links=LINKS))
            assert answer.code == "2.01"
            places[device.pk] = answer.location
        assert (await wire.ask(send_request(112, senml(21.5)))).code == "2.04"
        rows = await until(lambda: list(ResourceValue.objects.filter(path="/3303/0/5700")))
        assert [row.device_id for row in rows] == [second.pk]
        # The first one speaks again, by its location: now the address is its own.
        assert (await wire.ask(update_request(places[first.pk]))).code == "2.04"
        assert (await wire.ask(send_request(112, senml(4.5)))).code == "2.04"
        # The second ends what is its own, and nothing else.
        assert (await wire.ask(deregister_request(places[second.pk]))).code == "2.02"
        assert (await wire.ask(send_request(112, senml(5.5)))).code == "2.04"

    play(scene)
    assert ResourceValue.objects.get(device=second, path="/3303/0/5700").number == 21.5
    assert ResourceValue.objects.get(device=first, path="/3303/0/5700").number == 5.5


def test_what_waits_for_the_older_one_is_not_sent_to_the_newer_one(play, pair):
    first, second = pair

    async def scene(southbound):
        wire = await management(southbound)
        place = (await wire.ask(register_request(endpoint=first.endpoint, object_links=LINKS))).location
        await wire.ask(register_request(endpoint=second.endpoint, object_links=LINKS))
        command = await until(
            lambda: mailbox.enqueue(device=first, operation="read", path="/3/0/0", requested_by="test")
        )
        await southbound.delivery.flush(first.pk)
        row = await until(lambda: Command.objects.get(pk=command.pk))
        assert (row.state, row.attempts) == ("queued", 0)
        assert wire.inbox.empty()
        elsewhere = await management(southbound)
        await elsewhere.ask(update_request(place))  # it speaks, from where it is now
        await until(lambda: Command.objects.get(pk=command.pk).state == "sent")
        assert wire.inbox.empty()

    play(scene)


def test_what_was_on_its_way_to_the_older_one_is_broken_off(play, pair):
    first, second = pair

    async def scene(southbound):
        wire = await management(southbound)
        await wire.ask(register_request(endpoint=first.endpoint, object_links=LINKS))
        command = await until(
            lambda: mailbox.enqueue(device=first, operation="read", path="/3/0/0", requested_by="test")
        )
        southbound.delivery.wake(first.pk)
        await until(lambda: Command.objects.get(pk=command.pk).state == "sent")
        wire.send(wire.encode(register_request(endpoint=second.endpoint, object_links=LINKS)))
        await until(lambda: Command.objects.get(pk=command.pk).state == "queued")

    play(scene)


def test_the_trail_says_it_to_whom_it_concerns_and_not_whose_the_address_is_now(pair):
    first, second = pair
    apply(register("dev-a"))
    (taker,) = apply(register("dev-b"))
    assert taker.displaced == (first.pk,)
    event = LedgerEvent.objects.get(action="registration.address_ended")
    assert (event.device_id, event.operator_id, event.cause) == (first.pk, first.operator_id, "ADDRESS_TAKEN")
    assert "dev-b" not in str([event.before, event.after, event.detail, event.target])
    assert standing(first) == ("", 0, True)
    assert standing(second) == ("192.0.2.1", 1000, True)


def test_two_names_that_take_an_address_from_each_other_fill_no_ledger(pair):
    """Anybody who knows two names can: so many an hour are told, the others are counted."""
    for _ in range(strangers.PER_SUBJECT + 5):
        apply(register("dev-a"))
        apply(register("dev-b"))
    for device in pair:
        told = LedgerEvent.objects.filter(action="registration.address_ended", device_id=device.pk)
        assert told.count() == strangers.PER_SUBJECT


@pytest.mark.parametrize("order", list(itertools.permutations([0, 1])))
def test_in_one_batch_the_last_one_has_it(pair, order):
    names = [pair[number].endpoint for number in order]
    apply(*(register(name) for name in names))
    last = Device.objects.get(endpoint=names[-1])
    assert senders.find([HERE])[HERE].device_id == last.pk
    assert standing(Device.objects.get(endpoint=names[0])) == ("", 0, True)


def test_a_refresh_after_a_registration_of_one_batch_takes_the_address_back(pair):
    first, second = pair
    (registered,) = apply(register("dev-a"))
    apply(register("dev-b"), (Update(location(registered)), HERE))
    assert standing(first) == ("192.0.2.1", 1000, True)
    assert standing(second) == ("", 0, True)


def test_an_update_from_another_address_takes_that_one(pair):
    first, second = pair
    (registered,) = apply(register("dev-a"))
    apply(register("dev-b", THERE))
    (moved,) = apply((Update(location(registered)), THERE))
    assert moved.displaced == (second.pk,)
    assert standing(first) == ("192.0.2.2", 2000, True)
    assert standing(second) == ("", 0, True)
    (back,) = apply((Update(Registration.objects.get(device=second).registration_id), HERE))
    assert (back.outcome.cause, back.displaced) == ("", ())
    assert standing(second) == ("192.0.2.1", 1000, True)


def test_transports_have_ports_of_their_own_and_credentials_have_no_address(pair, make_device):
    apply(register("dev-a"))
    (over_tcp,) = apply(register("dev-b", Origin("192.0.2.1", 1000, "tcp")))
    assert over_tcp.displaced == ()
    secured = make_device("dev-c", security="psk")
    Registration.objects.create(
        device=secured,
        registration_id="c",
        transport="dtls",
        identity="psk",
        host="192.0.2.1",
        port=1000,
        flow=FLOW,
        lifetime_seconds=300,
        registered_at=timezone.now(),
        last_seen_at=timezone.now(),
    )
    (again,) = apply(register("dev-a"))
    assert again.displaced == ()
    assert standing(secured) == ("192.0.2.1", 1000, True)


def test_one_that_has_lost_its_address_may_still_sign_off(pair):
    (registered,) = apply(register("dev-a"))
    apply(register("dev-b"))
    (ended,) = apply((Deregister(location(registered)), HERE))
    assert ended.outcome.cause == ""
    assert standing(pair[1]) == ("192.0.2.1", 1000, True)


def test_should_two_stand_at_one_address_the_one_that_spoke_last_counts(pair):
    """Another writer held the row of the older one when its address should have ended."""
    for device in pair:
        apply(register(device.endpoint, Origin("192.0.2.9", device.pk)))
    Registration.objects.update(host="192.0.2.1", port=1000)
    for device in (*pair, *reversed(pair)):
        Registration.objects.filter(device=device).update(last_seen_at=timezone.now())
        assert senders.find([HERE])[HERE].device_id == device.pk


def test_observations_of_the_older_one_are_not_fed_by_the_newer_one(play, pair):
    first, second = pair

    async def scene(southbound):
        wire = await management(southbound)
        await wire.ask(register_request(endpoint=first.endpoint, object_links=LINKS))
        row = await until(lambda: observations.want(device=first, path="/3303/0/5700", wanted_by="test"))
        await until(
            lambda: observations.established(
                observation_id=row.pk,
                registration_id=Registration.objects.get(device=first).registration_id,
                token="0a0b",
                now=timezone.now(),
            )
        )
        await wire.ask(register_request(endpoint=second.endpoint, object_links=LINKS))
        while not wire.inbox.empty():
            wire.inbox.get_nowait()
        # A confirmable notification of the second device that happens to have the first one's token.
        wire.send(bytes((0x42, 0x45, 0x12, 0x34)) + b"\x0a\x0b" + b"\x61\x05\x61\x70\xff" + senml(9.9))
        assert (await wire.inbox.get())[0] >> 4 & 3 == 3  # a reset
        assert await until(lambda: [ResourceValue.objects.filter(path="/3303/0/5700").exists()]) == [False]
        assert (await until(lambda: type(row).objects.get(pk=row.pk))).state == ObservationState.ACTIVE

    play(scene)
