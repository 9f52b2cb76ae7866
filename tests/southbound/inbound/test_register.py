"""Register, Update and De-register over plain UDP, by real sockets: reference section 3.7."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from devices.inventory.models import Plane
from devices.registry.models import Registration, RegistrationDetail
from devices.registry.services import registrations
from lwm2m.codes import Code
from lwm2m.messages import Request
from lwm2m.requests import deregister_request, register_request, update_request
from tests.southbound.client import LINKS, bootstrap, management, until

pytestmark = pytest.mark.django_db(transaction=True)


def test_int_101_initial_registration(play, make_device):
    device = make_device("dev-1")

    async def scene(southbound):
        wire = await management(southbound)
        answer = await wire.ask(
            register_request(endpoint="dev-1", object_links=LINKS, lifetime_seconds=300, sms_number="4917012")
        )
        assert answer.code == "2.01"
        assert answer.location[0] == "rd"
        assert len(answer.location[1]) == 10
        return answer, wire.local_port

    answer, port = play(scene)
    row = Registration.objects.get(device=device)
    assert row.registration_id == answer.location[1]
    assert (row.is_live, row.host, row.port, row.transport) == (True, "127.0.0.1", port, "udp")
    assert row.lifetime_seconds == 300
    assert (row.expires_at - row.last_seen_at).total_seconds() == pytest.approx(300)
    detail = RegistrationDetail.objects.get(device=device)
    assert detail.sms_number == "4917012"
    assert sorted(detail.object_links["objects"]) == ["1", "3"]


def test_int_102_107_update_and_int_103_deregister(play, make_device):
    make_device("dev-1")

    async def scene(southbound):
        wire = await management(southbound)
        location = (await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))).location
        assert (await wire.ask(update_request(location))).code == "2.04"
        assert (await wire.ask(update_request(location, lifetime_seconds=20))).code == "2.04"
        row = await until(lambda: Registration.objects.get())
        assert row.lifetime_seconds == 20
        assert (await wire.ask(deregister_request(location))).code == "2.02"
        assert (await wire.ask(deregister_request(location))).code == "4.04"
        assert (await wire.ask(update_request(location))).code == "4.04"

    play(scene)
    assert not Registration.objects.get().is_live


def test_a_repetition_gets_the_same_answer(play, make_device):
    make_device("dev-1")

    async def scene(southbound):
        wire = await management(southbound)
        data = wire.encode(register_request(endpoint="dev-1", object_links=LINKS))
        first = await wire.ask_raw(data)
        assert (await wire.ask_raw(data)).raw == first.raw

    play(scene)


def test_a_register_repeated_to_another_process_keeps_its_location(play, make_device):
    """After a restart the system spreads addresses anew, and the other process has not seen the first one."""
    make_device("dev-1")

    async def scene(southbound):
        wire = await management(southbound)
        data = wire.encode(register_request(endpoint="dev-1", object_links=LINKS))
        first = await wire.ask_raw(data)
        lane = southbound.ports._plain[Plane.MANAGEMENT].lane
        lane.endpoint.drop(("127.0.0.1", wire.local_port), "restarted", time.monotonic())
        again = await wire.ask_raw(data)
        assert again.raw == first.raw
        assert southbound.counters.duplicates == 0
        assert (await wire.ask(update_request(first.location))).code == "2.04"

    play(scene)


@pytest.mark.parametrize("end", ["deregistered", "expired"])
def test_a_device_that_starts_anew_with_the_same_message_is_registered(play, make_device, end):
    """leshan#697: after its registration was over, the answer of a minute ago would be about none that stands."""
    make_device("dev-1")

    async def scene(southbound):
        wire = await management(southbound)
        data = wire.encode(register_request(endpoint="dev-1", object_links=LINKS))
        first = await wire.ask_raw(data)
        if end == "deregistered":
            assert (await wire.ask(deregister_request(first.location))).code == "2.02"
        else:
            past = timezone.now() - timedelta(days=3)
            await until(lambda: Registration.objects.update(expires_at=past))
            expire = partial(registrations.expire, now=timezone.now())
            device_id = await until(lambda: Registration.objects.get().device_id)
            assert await asyncio.to_thread(expire, device_ids=[device_id]) == [device_id]
        again = await wire.ask_raw(data)
        assert again.code == "2.01"
        row = await until(lambda: Registration.objects.get(is_live=True))
        assert row.registration_id == again.location[1] != first.location[1]
        assert (await wire.ask(update_request(again.location))).code == "2.04"

    play(scene)


def test_unknown_path_and_ping(play):
    async def scene(southbound):
        wire = await management(southbound)
        await wire.is_alive()
        assert (await wire.ask(Request(Code.GET, ("nothing",)))).code == "4.04"
        found = await wire.ask(Request(Code.GET, (".well-known", "core")))
        assert found.code == "2.05"
        assert b"</rd>" in found.payload

    play(scene)


def test_what_nobody_proved_to_have_asked_for_is_no_larger_than_the_question(play):
    """Whoever forges an address makes us send no more than they send themselves (RFC 7252 section 11.3)."""

    async def scene(southbound):
        for open_wire in (management, bootstrap):
            wire = await open_wire(southbound)
            question = b"\x40\x01\x00\x01\xbb.well-known\x04core"
            wire.send(question)
            answer = await wire.next()
            assert answer[1] == Code.CONTENT
            assert len(answer) <= len(question)

    play(scene)
