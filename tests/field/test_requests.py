"""What the portal asks of a scripted device, and what it makes of its answers: blocks, codes, observations, sleep."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from django.utils import timezone

from devices.commands.models import Command
from devices.observations.models import Observation
from devices.observations.services import observations
from devices.operations.services import operations
from devices.registry.models import Registration
from devices.telemetry.models import ResourceValue
from lwm2m.requests import register_request, send_request, update_request
from tests.field import scripted
from tests.field.cases import one
from tests.southbound.client import Wire, decode, management, until
from tests.southbound.management import ended

pytestmark = pytest.mark.django_db(transaction=True)
WITHOUT = b'</>;rt="oma.lwm2m";ct="0 42 60 110 112 11542 11543 11544",</1/0>,</3/0>'
PATH = "/32700/0/1"


@pytest.fixture
def device(make_device):
    made = make_device()
    scripted.load_model(made)
    return made


async def ask(device, operation: str, path: str = PATH, **arguments) -> Command:
    return await until(
        lambda: operations.request(
            device=device, operation=operation, path=path, arguments=arguments, requested_by="test"
        )
    )


def block1(datagram: bytes) -> tuple[int, bool, int] | None:
    """Number, more and size exponent of a request's Block1."""
    found = decode(datagram).message.opt.block1
    return None if found is None else (found.block_number, found.more, found.size_exponent)


def with_block1(asked: bytes, code: int, block: tuple[int, bool, int] | None) -> bytes:
    token = scripted.token_of(asked)
    head = bytes((0x60 | len(token), code)) + asked[2:4] + token
    if block is None:
        return head
    number, more, exponent = block
    value = number << 4 | more << 3 | exponent
    length = (value.bit_length() + 7) // 8
    return head + bytes((0xD0 | length, 27 - 13)) + value.to_bytes(length, "big")


# -- blocks and codes ------------------------------------------------------------------------------------------
def test_block1_begins_again_after_413_with_a_smaller_size(play, device):
    assert one("block1-413-smaller-szx-1").expected.startswith("begins again with (0,1,szx3)")
    content = bytes(range(256)) * 12
    content = content[:3000]

    async def scene(southbound):
        wire, _ = await scripted.registered(southbound)
        command = await ask(device, "write", "/32700/0/5", value={"base64": _base64(content)})
        asked = await wire.next()
        assert block1(asked) == (0, True, 6)
        wire.send(with_block1(asked, 0x8D, (0, True, 3)))
        taken, wanted = b"", 0
        while True:
            asked = await wire.next()
            block = block1(asked)
            assert block is not None
            assert (block[0], block[2]) == (wanted, 3), block
            taken += decode(asked).payload
            wanted += 1
            wire.send(with_block1(asked, 0x5F if block[1] else 0x44, block))
            if not block[1]:
                break
        return await ended(command), taken

    command, taken = play(scene)
    assert (command.state, command.response_code) == ("done", "2.04")
    assert taken == content


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def test_continue_is_never_a_final_answer(play, device):
    assert one("success-code-of-another-operation-1").expected.startswith("not done")

    async def scene(southbound):
        wire, _ = await scripted.registered(southbound)
        command = await ask(device, "write", "/32700/0/5", value={"base64": _base64(b"x" * 3000)})
        asked = await wire.next()
        wire.send(with_block1(asked, 0x5F, None))
        return await ended(command)

    command = play(scene)
    assert command.state != "done"
    assert command.cause


def test_valid_without_our_etag_is_no_value(play, device):
    assert one("success-code-of-another-operation-3").expected.startswith("not done")

    async def scene(southbound):
        wire, _ = await scripted.registered(southbound)
        return await scripted.read(wire, device, PATH, code="2.03", number=None, payload=b"")

    command = play(scene)
    assert command.state != "done"
    assert not ResourceValue.objects.exists()


# -- observations ----------------------------------------------------------------------------------------------
async def observed(wire: Wire, device, first: bytes = b"1") -> bytes:
    """An observation of PATH that the device answered; its token."""
    await until(lambda: observations.want(device=device, path=PATH, wanted_by="test"))
    return await established(wire, first)


async def established(wire: Wire, first: bytes = b"1") -> bytes:
    asked = await wire.next()
    message = decode(asked).message
    assert (message.opt.observe, message.opt.uri_path) == (0, tuple(PATH.strip("/").split("/")))
    wire.send(scripted.answer_to(asked, "2.05", 0, first, observe=b"\x01"))
    await until(lambda: Observation.objects.filter(state="active").exists())
    return scripted.token_of(asked)


def notification(token: bytes, mid: int, observe: bytes, payload: bytes, code: int = 0x45) -> bytes:
    head = bytes((0x40 | len(token), code)) + mid.to_bytes(2, "big") + token
    return head + bytes((0x60 | len(observe),)) + observe + (b"\x60\xff" + payload if payload else b"")


def test_what_is_wanted_is_observed_again_when_its_path_returns(play, device):
    assert one("observation-after-object-returns-1").expected.startswith("observed again")

    async def scene(southbound):
        wire, answer = await scripted.registered(southbound)
        token = await observed(wire, device)
        head = bytes((0x40 | len(token), 0x84)) + b"\x70\x01" + token
        wire.send(head)
        assert (await wire.next())[:2] == b"\x60\x00"
        await until(lambda: not Observation.objects.filter(state="active").exists())
        for links in (WITHOUT, scripted.LINKS):
            update = update_request(answer.location, object_links=links)
            assert (await wire.ask(update)).code == "2.04"
        await established(wire)

    play(scene)


def test_observed_anew_after_a_registration_and_the_old_token_is_reset(play, device):
    assert one("observation-after-reregister-1").expected.startswith("a new Observe")

    async def scene(southbound):
        wire, _ = await scripted.registered(southbound)
        old = await observed(wire, device)
        again = await wire.ask(register_request(endpoint="dev-1", object_links=scripted.LINKS))
        assert again.code == "2.01"
        new = await established(wire)
        assert new != old
        wire.send(notification(old, 0x7001, b"\x09", b"9"))
        assert await wire.next() == b"\x70\x00\x70\x01"

    play(scene)


@pytest.mark.parametrize(
    ("case", "values", "stands"),
    [("observe-order-2", "567", 6), ("observe-order-4", "67", 7), ("observe-order-5", "67", 7)],
)
def test_the_order_of_notifications(play, device, case, values, stands):
    numbers = [bytes.fromhex(number) for number in one(case).input]

    async def scene(southbound):
        wire, _ = await scripted.registered(southbound)
        token = await observed(wire, device)
        for at, (number, value) in enumerate(zip(numbers, values, strict=True)):
            wire.send(notification(token, 0x7001 + at, number, value.encode()))
            assert (await wire.next())[:2] == b"\x60\x00"

    play(scene)
    assert ResourceValue.objects.get(path=PATH).number == stands


# -- devices that sleep ----------------------------------------------------------------------------------------
class Clock:
    """The time of day, moved on by hand."""

    def __init__(self, monkeypatch) -> None:
        self.ahead = timedelta()
        now = timezone.now
        monkeypatch.setattr(timezone, "now", lambda: now() + self.ahead)

    def forward(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)


@pytest.fixture
def clock(monkeypatch) -> Clock:
    return Clock(monkeypatch)


async def asleep(southbound) -> tuple[Wire, tuple[str, ...]]:
    wire = await management(southbound)
    request = register_request(endpoint="dev-1", object_links=scripted.LINKS, binding="U", queue_mode=True)
    answer = await wire.ask(request)
    assert answer.code == "2.01"
    assert (await until(lambda: Registration.objects.get())).queue_mode
    return wire, answer.location


def test_the_window_of_queue_mode_counts_from_an_answer_too(play, device, clock):
    assert one("queue-mode-window-1").expected.startswith("sent at once")
    type(device).objects.update(awake_seconds=12)

    async def scene(southbound):
        wire, _ = await asleep(southbound)
        clock.forward(7)
        command = await ask(device, "read")
        asked = await wire.next()
        clock.forward(1.2)
        wire.send(scripted.answer_to(asked, "2.05", 0, b"1"))
        assert (await ended(command)).state == "done"
        clock.forward(6.3)
        command = await ask(device, "read")
        wire.send(scripted.answer_to(await wire.next(), "2.05", 0, b"2"))
        assert (await ended(command)).state == "done"
        clock.forward(13)
        command = await ask(device, "read")
        await wire.is_alive()
        assert (await until(lambda: Command.objects.get(pk=command.pk))).state == "queued"

    play(scene)


def test_the_window_of_queue_mode_counts_from_a_send(play, device, clock):
    assert one("queue-mode-window-3").expected == "sent at once"
    type(device).objects.update(awake_seconds=4)

    async def scene(southbound):
        wire, _ = await asleep(southbound)
        clock.forward(2.5)
        assert (await wire.ask(send_request(110, b'[{"n":"/32700/0/1","v":1}]'))).code == "2.04"
        clock.forward(3)
        await ask(device, "read")
        await wire.next()

    play(scene)
