"""Whatever comes from the air gets the right code or silence, is counted, and never stops the others."""

from __future__ import annotations

import logging
import random

import pytest

from devices.models import Knock, Registration
from lwm2m.codes import Code
from lwm2m.messages import Request
from lwm2m.requests import register_request
from tests.southbound.client import LINKS, bootstrap, management, until

pytestmark = pytest.mark.django_db(transaction=True)

SILENT = {
    "empty": b"",
    "one byte": b"\x40",
    "cut header": b"\x44\x02\x00",
    "version 0": b"\x04\x02\x00\x01abcd",
    "version 2": b"\x84\x02\x00\x01abcd",
    "token of 9": b"\x49\x02\x00\x01123456789",
    "token of 15": b"\x4f\x02\x00\x01123456789012345",
    "cut token": b"\x48\x02\x00\x01abc",
    "cut option": b"\x40\x02\x00\x02\xb9rd",
    "reserved option length": b"\x40\x02\x00\x03\xbfrd",
    "marker without payload": b"\x40\x02\x00\x04\xb2rd\xff",
    "option number beyond 65535": b"\x40\x02\x00\x05\xe0\xff\xff\xe0\xff\xff",
    "request as ACK": b"\x60\x02\x00\x06\xb2rd",
    "request as RST": b"\x70\x02\x00\x07\xb2rd",
    "empty with a payload": b"\x40\x00\x00\x08\xffhello",
    "reserved class 1": b"\x40\x21\x00\x09",
    "reserved class 7": b"\x40\xe1\x00\x0a",
    "unasked response": b"\x60\x45\x00\x0b\xffhello",
    "unasked ACK": b"\x60\x00\x00\x0d",
    "unasked RST": b"\x70\x00\x00\x0e",
}
UNASKED = {
    "non-confirmable": b"\x50\x45\x00\x0c\xffhello",
    "with bad UTF-8": b"\x50\x45\x00\x0f\x82\xff\xfe",
}


@pytest.fixture(autouse=True)
def no_traceback(caplog):
    caplog.set_level(logging.WARNING)
    yield
    assert [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR] == []


def test_silence(play):
    async def scene(southbound):
        for open_wire in (management, bootstrap):
            wire = await open_wire(southbound)
            for data in SILENT.values():
                wire.send(data)
            await wire.is_alive()
            assert wire.inbox.empty()
        assert southbound.counters.malformed > 2 * 15

    play(scene)


def test_responses_that_nobody_asked_for_are_reset(play):
    """So whoever notifies what is not observed stops (RFC 7641 section 3.6). Bootstrap observes nothing."""

    async def scene(southbound):
        wire = await management(southbound)
        for data in UNASKED.values():
            wire.send(data)
        assert {await wire.inbox.get() for _ in UNASKED} == {b"\x70\x00\x00\x0c", b"\x70\x00\x00\x0f"}
        wire = await bootstrap(southbound)
        for data in UNASKED.values():
            wire.send(data)
        await wire.is_alive()
        assert wire.inbox.empty()

    play(scene)


@pytest.mark.parametrize(
    ("option", "value", "code"),
    [
        (9, b"x", "4.02"),  # OSCORE, critical and not spoken here
        (2049, b"x", "4.02"),  # unknown critical
        (35, b"coap://elsewhere", "5.05"),
        (2048, b"x", "2.01"),  # unknown elective
        (258, b"\x02", "2.01"),  # No-Response, elective
        (3, b"host", "2.01"),
        (17, b"123", "4.02"),
    ],
)
def test_options(play, make_device, option, value, code):
    from aiocoap.numbers.optionnumbers import OptionNumber
    from aiocoap.optiontypes import OpaqueOption

    make_device("dev-1")

    def add(message):
        message.opt.add_option(OpaqueOption(OptionNumber(option), value))

    async def scene(southbound):
        wire = await management(southbound)
        request = register_request(endpoint="dev-1", object_links=LINKS)
        assert (await wire.ask(request, options=add)).code == code

    play(scene)


def test_path_that_is_no_utf_8(play):
    async def scene(southbound):
        wire = await management(southbound)
        assert (await wire.ask_raw(b"\x44\x02\x10\x00abcd\xb2\xff\xfe")).code == "4.02"

    play(scene)


@pytest.mark.parametrize(
    "name",
    [
        "'; DROP TABLE devices_device; --",
        "<script>alert(1)</script>",
        "%s%s%n",
        "nul\0inside",
        "line\nbreak",
        "\u202etxt.exe",
        "💡" * 60,
        "x" * 4000,
    ],
)
def test_names_that_mean_harm(play, make_device, name):
    make_device("dev-1")

    async def scene(southbound):
        wire = await management(southbound)
        answer = await wire.ask(register_request(endpoint=name, object_links=LINKS))
        assert answer.code in ("4.00", "4.03")
        assert (await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))).code == "2.01"
        await until(Knock.objects.exists)

    play(scene)
    assert Registration.objects.count() == 1


def test_a_datagram_that_is_too_large(play):
    async def scene(southbound):
        wire = await management(southbound)
        assert (await wire.ask(Request(Code.POST, ("rd",), (), 40, b"x" * 6000))).code == "4.13"

    play(scene)


def test_non_confirmable_register_is_refused(play, make_device):
    make_device("dev-1")

    async def scene(southbound):
        wire = await management(southbound)
        request = Request(Code.POST, ("rd",), ("ep=dev-1", "lwm2m=1.1"), 40, LINKS, confirmable=False)
        answer = await wire.ask(request)
        assert answer.code == "4.00"
        assert answer.raw[0] >> 4 & 3 == 1
        await until(lambda: Knock.objects.filter(cause="NOT_CONFIRMABLE").exists())

    play(scene)


def test_random_bytes_and_mutated_messages_stop_nobody(play, make_device):
    make_device("dev-1")
    dice = random.Random(7)

    async def scene(southbound):
        wire = await management(southbound)
        other = await bootstrap(southbound)
        good = wire.encode(register_request(endpoint="dev-1", object_links=LINKS))
        for _ in range(1500):
            data = bytearray(good if dice.random() < 0.7 else dice.randbytes(dice.randrange(1, 200)))
            for _ in range(dice.randrange(1, 6)):
                data[dice.randrange(len(data))] = dice.randrange(256)
            for target in (wire, other):
                target.send(bytes(data[: dice.randrange(1, len(data) + 1)]))
            if dice.random() < 0.02:
                await wire.is_alive()
        await wire.is_alive()
        await other.is_alive()
        assert southbound.counters.broken == 0
        fresh = await management(southbound)
        assert (await fresh.ask(register_request(endpoint="dev-1", object_links=LINKS))).code == "2.01"
        assert all(code < 0xA0 or code in (0xA1, 0xA3, 0xA5) for code in codes(wire) | codes(other))

    play(scene)


def codes(wire) -> set[int]:
    seen = set()
    while not wire.inbox.empty():
        seen.add(wire.inbox.get_nowait()[1])
    return seen


def test_random_bytes_at_the_dtls_ports(play):
    from devices.models import Plane
    from tests.southbound.client import Wire

    dice = random.Random(8)

    async def scene(southbound):
        for plane in Plane:
            wire = await Wire.to(southbound.ports.port_of(plane, secured=True))
            for _ in range(500):
                head = dice.choice([b"\x16\xfe\xfd", b"\x17\xfe\xfd\x00\x01", b"\x19\xfe\xfd\x00\x01", b""])
                wire.send(head + dice.randbytes(dice.randrange(1, 300)))
        plain = await management(southbound)
        await plain.is_alive()

    play(scene)


def test_a_flood_of_unknown_names_grows_counters_and_not_tables(play, monkeypatch):
    from devices.services import knocks

    monkeypatch.setattr(knocks, "TABLE_LIMIT", 50)

    async def scene(southbound):
        wire = await management(southbound)
        for number in range(300):
            wire.send(wire.encode(register_request(endpoint=f"nobody-{number}", object_links=LINKS)))
        await until(lambda: southbound.counters.refusals == 300)
        await until(Knock.objects.exists)

    play(scene)
    assert Knock.objects.count() <= 50
