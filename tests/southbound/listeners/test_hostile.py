"""Whatever comes from the air gets the right code or silence, is counted, and never stops the others."""

from __future__ import annotations

import logging
import random

import pytest

from coap.assemblies import MAX_REQUEST_BYTES
from devices.inventory.models import Knock
from devices.registry.models import Registration
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
    "non-confirmable, token of 9": b"\x59\x02\x00\x01123456789",
    "non-confirmable, reserved class 1": b"\x50\x21\x00\x09",
    "non-confirmable, cut option": b"\x50\x02\x00\x02\xb9rd",
    "non-confirmable, empty": b"\x50\x00\x00\x02",
    "non-confirmable, option 2049": b"\x50\x02\x00\x20\xb2rd\xe1\x06\xe9x",
    "non-confirmable, OSCORE": b"\x50\x02\x00\x21\x91x\x22rd",
    "non-confirmable, Accept of 3 bytes": b"\x50\x02\x00\x22\xb2rd\x63123",
    "non-confirmable response, critical option": b"\x50\x45\x00\x23\x91x\xffhello",
    "request as ACK": b"\x60\x02\x00\x06\xb2rd",
    "request as RST": b"\x70\x02\x00\x07\xb2rd",
    "ACK with a token of 9": b"\x69\x45\x00\x01123456789",
    "RST with a payload": b"\x70\x00\x00\x08\xffhello",
    "unasked response": b"\x60\x45\x00\x0b\xffhello",
    "unasked ACK": b"\x60\x00\x00\x0d",
    "unasked RST": b"\x70\x00\x00\x0e",
}
"""What cannot be answered, or is thrown away without a word (RFC 7252 sections 3, 4.2 and 4.3)."""
RESET = {
    "token of 9": b"\x49\x02\x00\x01123456789",
    "token of 15": b"\x4f\x02\x00\x02123456789012345",
    "cut token": b"\x48\x02\x00\x03abc",
    "cut option": b"\x40\x02\x00\x04\xb9rd",
    "reserved option length": b"\x40\x02\x00\x05\xbfrd",
    "reserved option delta": b"\x40\x02\x00\x06\xf1rd",
    "cut option header": b"\x40\x02\x00\x07\xe0",
    "marker without payload": b"\x40\x02\x00\x08\xb2rd\xff",
    "option number beyond 65535": b"\x40\x02\x00\x09\xe0\xff\xff\xe0\xff\xff",
    "empty with a payload": b"\x40\x00\x00\x0a\xffhello",
    "empty with a token": b"\x44\x00\x00\x0babcd",
    "reserved class 1": b"\x40\x21\x00\x0c",
    "reserved class 6": b"\x40\xc1\x00\x0d",
    "reserved class 7": b"\x40\xe1\x00\x0e",
    "response, cut option": b"\x40\x45\x00\x0f\xc9x",
    "response, critical option": b"\x40\x45\x00\x10\x91x\xffhello",
    "response, Block2 of 4 bytes": b"\x40\x45\x00\x11\xd4\x0a1234\xffhello",
    "response, Uri-Path": b"\x40\x45\x00\x12\xb1x\xffhello",
}
"""Confirmable messages that make no sense (RFC 7252 sections 4.2 and 5.4.1, RFC 8974 section 2.2.2)."""
RESPONSES = [
    # a notification with Observe, Content-Format, Max-Age and ETag; confirmable and not
    b"\x44\x45\x00\x31abcd\x42ET\x23\x00\x00\x05\x61\x70\x21\x3c\xff\x81\xa2\x00\x63/3/",
    b"\x54\x45\x00\x32abcd\x61\x05\x62\x2d\x16\xff\xc1\x09\x64",
    # an answer in blocks, one to a Create, and errors
    b"\x64\x45\x00\x33abcd\xc1\x3c\xb1\x0e\xff" + bytes(64),
    b"\x44\x41\x00\x34abcd\x81\x33\x01\x30",
    b"\x44\x84\x00\x35abcd\xff not found",
    b"\x54\xa3\x00\x36abcd\xd1\x01\x05",
]
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
        assert southbound.counters.malformed == 2 * 12
        assert southbound.counters.broken == 0

    play(scene)


def test_what_is_confirmable_and_makes_no_sense_is_reset(play):
    async def scene(southbound):
        for open_wire in (management, bootstrap):
            wire = await open_wire(southbound)
            for name, data in RESET.items():
                wire.send(data)
                assert await wire.next() == b"\x70\x00" + data[2:4], name
                wire.send(data)
                assert await wire.next() == b"\x70\x00" + data[2:4], f"{name}, repeated"
            await wire.is_alive()
        assert southbound.counters.broken == 0

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
        (39, b"coap", "5.05"),
        (2048, b"x", "2.01"),  # unknown elective
        (258, b"\x02", "2.01"),  # No-Response, elective
        (3, b"host", "2.01"),
        (3, b"", "4.02"),
        (17, b"123", "4.02"),
        (7, b"123", "4.02"),
        (27, b"1234", "4.02"),
        (23, b"1234", "4.02"),
        (23, b"\x07", "4.00"),
        (27, b"\x07", "4.00"),
        (15, b"x" * 256, "4.02"),
        (1, b"etag", "4.02"),
        (6, b"12345", "2.01"),
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
        "'; DROP TABLE inventory_device; --",
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
        assert answer.code == ("4.02" if len(name) > 252 else "4.00" if not name.isprintable() else "4.03")
        assert (await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))).code == "2.01"
        await until(Knock.objects.exists)

    play(scene)
    assert Registration.objects.count() == 1


def test_a_datagram_that_is_too_large(play):
    async def scene(southbound):
        wire = await management(southbound)
        answer = await wire.ask(Request(Code.POST, ("rd",), (), 40, b"x" * 6000))
        assert answer.code == "4.13"
        assert answer.message.opt.size1 == MAX_REQUEST_BYTES
        assert answer.message.opt.block1 == (0, True, 6)

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


def test_random_bytes_and_mutated_messages_stop_nobody(play, make_device, settings):
    settings.NOSEC_RATE = settings.NOSEC_NETWORK_RATE = 0
    make_device("dev-1")
    dice = random.Random(7)

    async def scene(southbound):
        wire = await management(southbound)
        other = await bootstrap(southbound)
        register = wire.encode(register_request(endpoint="dev-1", object_links=LINKS))
        assert (await wire.ask_raw(register)).code == "2.01"  # so what it says as responses is looked at
        good = [register, register, *RESPONSES]
        for _ in range(2000):
            data = bytearray(
                dice.choice(good) if dice.random() < 0.8 else dice.randbytes(dice.randrange(1, 200))
            )
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
    from devices.inventory.models import Plane
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
    from devices.registry.services import knocks

    monkeypatch.setattr(knocks, "NOBODY_LIMIT", 50)
    monkeypatch.setattr(knocks, "LOOK_AFTER", 1)

    async def scene(southbound):
        wire = await management(southbound)
        for number in range(300):
            wire.send(wire.encode(register_request(endpoint=f"nobody-{number}", object_links=LINKS)))
        await until(lambda: southbound.counters.refusals == 300)
        await until(Knock.objects.exists)

    play(scene)
    assert Knock.objects.count() <= 50


def test_oscore_has_a_cause_of_its_own(play):
    async def scene(southbound):
        wire = await management(southbound)
        assert (await wire.ask_raw(b"\x41\x02\x00\x21t\x91x\x22rd")).code == "4.02"
        await until(lambda: Knock.objects.filter(cause="OSCORE_UNSUPPORTED").exists())

    play(scene)
