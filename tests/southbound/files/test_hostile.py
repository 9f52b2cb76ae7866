"""Whatever comes to the port of the file server: nothing breaks, little is kept, and a device is served beside it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import socket

import pytest
from aiocoap.numbers.constants import TransportTuning
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from coap.message import ACK, CON, Block, Request, empty
from coap.options import BLOCK2, URI_PATH
from devices.packages.services import addresses
from southbound.files import gate
from southbound.files.gate import Judgement
from southbound.files.shelf import Shelf
from tests.southbound.client import until
from tests.southbound.files.test_serving import PORTS, package

__all__ = ["package"]
GET, POST = 1, 2
EMPTY_ACK_DELAY = TransportTuning.EMPTY_ACK_DELAY


def datagram(
    path: tuple[str, ...], mid: int, *, block: int = 0, code: int = GET, token: bytes = b"tok"
) -> bytes:
    options = [(URI_PATH, segment.encode()) for segment in path]
    return Request(code, (*options, (BLOCK2, Block(block, False, 6).encode()))).encode(mid, token)


class Peer:
    """One address that sends what it likes."""

    def __init__(self, port: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.connect(("127.0.0.1", port))

    def send(self, data: bytes) -> None:
        with contextlib.suppress(BlockingIOError):
            self.socket.send(data)

    async def answer(self, seconds: float = 30.0) -> bytes:
        async with asyncio.timeout(seconds):
            return await asyncio.get_running_loop().sock_recv(self.socket, 2048)

    async def ask(self, data: bytes) -> bytes:
        """Repeats itself, as a device does, until the answer to this very message is there."""
        while True:
            self.send(data)
            with contextlib.suppress(TimeoutError):
                while (found := await self.answer(1.0))[2:4] != data[2:4]:
                    pass
                return found

    def heard(self) -> int:
        """How many answers wait; they are read away."""
        count = 0
        with contextlib.suppress(BlockingIOError):
            while self.socket.recv(2048):
                count += 1
        return count


@pytest.fixture
def at_the_gate(play):
    """Play a scene that gets the southbound and a maker of peers."""

    def run(scene):
        peers: list[Peer] = []

        def peer(southbound) -> Peer:
            peers.append(Peer(southbound.files.port))
            return peers[-1]

        async def whole(southbound):
            await until(lambda: southbound.files.generations)
            await scene(southbound, lambda: peer(southbound))

        try:
            play(whole, ports=PORTS)
        finally:
            for each in peers:
                each.socket.close()

    return run


def is_block(answer: bytes) -> bool:
    return answer[0] >> 4 & 3 == ACK and answer[1] == 0x45


def test_one_address_that_floods_is_held_and_another_is_served(at_the_gate, package, settings):
    settings.NOSEC_RATE, settings.COAP_FILES_RATE = 40, 10_000
    path = addresses.path(package.token, None)

    async def scene(southbound, peer):
        noisy, told = peer(), southbound.counters
        for mid in range(3_000):
            noisy.send(datagram(path, mid))
            if mid % 100 == 0:
                await asyncio.sleep(0)
        await until(lambda: told.throttled > 1_000)
        assert is_block(await noisy.ask(datagram(path, 5_000)))  # when its window is over

    at_the_gate(scene)


def test_all_together_get_so_many_and_strangers_very_few(at_the_gate, package, monkeypatch):
    monkeypatch.setattr(gate, "WINDOW_SECONDS", 3_600.0)
    monkeypatch.setattr(gate, "STRANGERS_A_SECOND", 7)
    path = addresses.path(package.token, None)

    async def scene(southbound, peer):
        stranger, device = peer(), peer()
        for mid in range(100):
            stranger.send(datagram(("p", "made", "up.00"), mid))
        await until(lambda: southbound.counters.throttled >= 93)
        assert is_block(await device.ask(datagram(path, 1)))
        await until(lambda: stranger.heard() or True)
        assert southbound.counters.throttled == 93

    at_the_gate(scene)


def test_so_many_peers_are_kept_and_the_newest_are_served(at_the_gate, package, monkeypatch):
    monkeypatch.setattr(gate, "PEERS", 4)
    path = addresses.path(package.token, None)

    async def scene(southbound, peer):
        for mid, each in enumerate([peer() for _ in range(20)]):
            assert is_block(await each.ask(datagram(path, mid)))
        assert southbound.files.peers == 4

    at_the_gate(scene)


def test_a_message_that_comes_twice_gets_its_answer_twice(at_the_gate, package):
    path = addresses.path(package.token, None)

    async def scene(southbound, peer):
        device = peer()
        first = await device.ask(datagram(path, 9, block=3))
        assert is_block(first)
        assert await device.ask(datagram(path, 9, block=3)) == first

    at_the_gate(scene)


def test_what_a_device_acknowledges_holds_nothing_up(at_the_gate, package, monkeypatch):
    """A slow database: each answer is a message of its own, and is over with its acknowledgement."""
    path = addresses.path(package.token, None)
    read = Shelf.read

    async def slowly(self, *what):
        await asyncio.sleep(3 * EMPTY_ACK_DELAY)
        return await read(self, *what)

    monkeypatch.setattr(Shelf, "read", slowly)

    async def scene(southbound, peer):
        device = peer()
        for number in range(3):
            token = b"tok%d" % number
            device.send(datagram(path, number, block=number, token=token))
            async with asyncio.timeout(30):  # aiocoap holds back what follows for 62 s and more
                while (answer := await device.answer())[4:8] != token or answer[0] >> 4 & 3 != CON:
                    pass
            device.send(empty(ACK, answer[2] << 8 | answer[3]))

    at_the_gate(scene)


def test_a_generation_that_breaks_while_another_ends_is_followed_by_one(at_the_gate, package):
    path = addresses.path(package.token, None)

    async def scene(southbound, peer):
        files = southbound.files
        files._renew()
        await until(lambda: files.generations == 2)
        files._present.end()  # within the linger of the first one
        await until(lambda: files.generations == 3)
        assert is_block(await peer().ask(datagram(path, 1)))

    at_the_gate(scene)


def test_garbage_breaks_nothing_and_says_nothing(at_the_gate, package, caplog):
    """Noise, and good requests with flipped and missing bytes."""
    dice = random.Random(7252)
    path = addresses.path(package.token, None)

    def noise(mid: int) -> bytes:
        if dice.random() < 0.3:
            return dice.randbytes(dice.randrange(80))
        data = bytearray(datagram(path, mid, code=dice.choice([GET, POST, 4, 5, 0, 0x45, 0xE1])))
        for _ in range(dice.randrange(4)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        return bytes(data[: dice.randrange(1, len(data) + 1)]) if dice.random() < 0.3 else bytes(data)

    async def scene(southbound, peer):
        hostile, device = peer(), peer()
        for round_ in range(20):
            for mid in range(100):
                hostile.send(noise(mid))
            assert is_block(await device.ask(datagram(path, round_)))

    with caplog.at_level(logging.WARNING):
        at_the_gate(scene)
    assert [(one.name, one.getMessage()) for one in caplog.records] == []


pieces = st.tuples(
    st.sampled_from([3, 6, 7, 8, 11, 11, 11, 12, 13, 15, 17, 20, 23, 27, 35, 39, 60, 258, 2049]),
    st.binary(max_size=12) | st.text(max_size=8).map(str.encode),
)


@settings(max_examples=1_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.binary(max_size=60)
    | st.builds(
        lambda options, code: Request(code, tuple(sorted(options, key=lambda each: each[0])), b"x").encode(
            1, b"t"
        ),
        st.lists(pieces, max_size=6),
        st.integers(0, 255),
    )
)
@example(b"")
@example(b"\x44\x01\x00\x00abcd")
@example(b"\x49\x01\x00\x00abcdefghi")
@example(b"\x44\x01\x00\x00abcd\xb2\xff\xfe")
def test_the_gate_judges_whatever_comes(data):
    assert gate.judged(data) in (Judgement.IGNORED, Judgement.STRANGE, 0x80, 0x82, 0xA5)


def test_what_is_let_in():
    path = addresses.path("any-package", 7)
    assert gate.judged(datagram(path, 1)) is Judgement.OURS
    assert gate.judged(datagram(path, 1, code=POST)) is Judgement.STRANGE
    assert gate.judged(datagram(("p",), 1)) is Judgement.STRANGE
    assert gate.judged(datagram(path, 1)[:-1]) is Judgement.IGNORED
    assert gate.judged(datagram(path, 1) + b"\xff" + b"x" * gate.MAX_REQUEST) is Judgement.IGNORED


def test_a_critical_option_that_nobody_knows_is_refused_before_anything_is_forwarded(at_the_gate, package):
    options = [(URI_PATH, segment.encode()) for segment in addresses.path(package.token, None)]
    unknown = Request(GET, (*options, (2049, b""))).encode(77, b"tok")
    assert gate.judged(b"\x53" + unknown[1:]) is Judgement.IGNORED  # it wants no acknowledgement

    async def scene(southbound, peer):
        assert await peer().ask(unknown) == b"\x63\x82\x00\x4dtok"

    at_the_gate(scene)
