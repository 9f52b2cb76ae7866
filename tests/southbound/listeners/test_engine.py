"""Whatever is asked over whatever way ends at once when it is over, and the next request leaves at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

import coap
from coap import Tuning
from coap.message import empty
from coap.options import BLOCK1, BLOCK2, OBSERVE
from lwm2m.codes import Code
from lwm2m.messages import Request, Response
from southbound.counters import Counters
from southbound.listeners.engine import Engine
from southbound.listeners.lane import Lane
from southbound.listeners.replies import NoReply
from southbound.sms import tuning
from tests.coap.peer import block, message, mid_of, number, piggybacked, token_of

QUICK = Tuning(ack_timeout=0.01, max_retransmit=1, response_seconds=0.01)
PEER = ("192.0.2.1", 5683)
READ = Request(Code.GET, ("3", "0"))
KINDS = {
    "read": (READ, None),
    "observe": (replace(READ, observe=0), b"chosen"),
    "block-wise write": (Request(Code.PUT, ("5", "0", "0"), content_format=42, payload=bytes(5000)), None),
    "block-wise read": (READ, None),
}
WAYS = ("udp", "dtls", "tcp", "sms")


def run(scene) -> None:
    asyncio.run(asyncio.wait_for(scene(), 60))


class Way:
    """A lane whose datagrams stay in a list, and the engine behind it."""

    def __init__(self, transport: str, patience: Tuning = QUICK, engine: Engine | None = None) -> None:
        self.sent: list[bytes] = []
        self.counters = Counters()
        self.engine = engine or Engine(tuning=patience)
        slow = replace(patience, block_exponent=tuning.SMS_BLOCK_EXPONENT)
        self.lane = Lane(
            plane="management",
            transport=transport,
            transmit=lambda peer, data: self.sent.append(data),
            take=lambda exchange: exchange.answer(Response(Code.CHANGED)),
            engine=self.engine,
            counters=self.counters,
            tuning=slow if transport == "sms" else None,
        )
        self.engine.start(asyncio.get_running_loop())

    def ask(self, request: Request = READ, **more) -> asyncio.Task:
        return asyncio.get_running_loop().create_task(self.engine.request(self.lane, PEER, request, **more))

    def say(self, data: bytes) -> None:
        """As it would come in; on a stream what answers is no acknowledgement."""
        if self.lane.is_stream:
            data = bytes((data[0] & 0xCF | coap.NON << 4,)) + data[1:]
        self.lane.receive(data, PEER, PEER)

    async def next(self, count: int = 1) -> bytes:
        """The last of so many datagrams."""
        async with asyncio.timeout(30):
            while len(self.sent) < count:
                await asyncio.sleep(0)
        return self.sent[-1]


async def begun(way: Way, kind: str) -> asyncio.Task:
    """A request that is under way; those in blocks have come to their second one."""
    request, token = KINDS[kind]
    task = way.ask(request, token=token)
    asked = await way.next()
    if kind == "block-wise write":
        exponent = way.lane.endpoint.tuning.block_exponent
        way.say(piggybacked(asked, Code.CONTINUE, b"", block(BLOCK1, 0, True, exponent)))
        await way.next(2)
    elif kind == "block-wise read":
        way.say(piggybacked(asked, Code.CONTENT, bytes(16), block(BLOCK2, 0, True, 0)))
        await way.next(2)
    return task


async def next_leaves(way: Way) -> None:
    """Nothing of the one before is sent any more, and the next one is answered."""
    way.sent.clear()
    task = way.ask()
    asked = await way.next()
    way.say(piggybacked(asked, Code.CONTENT, b"hi", number(12, 0)))
    assert (await task).payload == b"hi"
    assert len(way.sent) == 1
    assert len(way.lane.endpoint) == 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("transport", WAYS)
def test_it_takes_too_long(transport, kind):
    async def scene():
        way = Way(transport)
        task = await begun(way, kind)
        with pytest.raises(NoReply) as caught:
            await task
        cause = "RESPONSE_TIMEOUT" if transport == "tcp" else "DEVICE_UNREACHABLE"
        assert caught.value.cause == cause
        await next_leaves(way)

    run(scene)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("transport", ["udp", "dtls", "sms"])
def test_it_is_acknowledged_and_never_answered(transport, kind):
    async def scene():
        way = Way(transport)
        task = await begun(way, kind)
        way.say(empty(coap.ACK, mid_of(way.sent[-1])))
        with pytest.raises(NoReply) as caught:
            await task
        assert caught.value.cause == "ACKNOWLEDGED_UNANSWERED"
        await next_leaves(way)

    run(scene)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("transport", WAYS)
def test_it_is_broken_off(transport, kind):
    """The device registered anew or moved: whoever asked is cancelled."""

    async def scene():
        way = Way(transport, Tuning())
        task = await begun(way, kind)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await next_leaves(way)

    run(scene)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("transport", WAYS)
def test_the_way_is_closed_or_the_process_stops(transport, kind):
    async def scene():
        way = Way(transport, Tuning())
        first, waiting = await begun(way, kind), way.ask()
        await asyncio.sleep(0)  # it has asked, and waits for its turn
        way.engine.drop(way.lane, PEER, "closed")
        for task in (first, waiting):
            with pytest.raises(NoReply, match="closed"):
                await task
        await next_leaves(way)
        last = way.ask()
        await way.next(2)
        way.engine.stop()
        with pytest.raises(NoReply, match="stopping"):
            await last
        with pytest.raises(NoReply, match="stopping"):
            await way.ask()

    run(scene)


def test_blocks_fit_the_way_and_the_peer():
    async def scene():
        for transport, size in (("udp", 1024), ("sms", 64)):
            way = Way(transport, Tuning())
            task = way.ask(KINDS["block-wise write"][0])
            asked = await way.next()
            assert asked[asked.rindex(b"\xff") + 1 :] == bytes(size)
            task.cancel()

    run(scene)


def test_what_the_device_says_about_a_block_is_progress():
    async def scene():
        way, told = Way("udp"), []
        task = way.ask(KINDS["block-wise write"][0], on_progress=lambda: told.append(len(way.sent)))
        for index in range(5):
            asked = await way.next(index + 1)
            is_last = index == 4
            code = Code.CHANGED if is_last else Code.CONTINUE
            way.say(piggybacked(asked, code, b"", block(BLOCK1, index, not is_last, 6)))
        assert (await task).code == Code.CHANGED
        assert len(told) == 4

    run(scene)


def test_one_space_of_message_ids_to_a_peer():
    """RFC 7252 section 4.4: our answers to what was not confirmable, and our requests."""

    async def scene():
        way = Way("udp", Tuning())
        drawn = []
        for step in range(3):
            task = way.ask()
            asked = await way.next()
            way.lane.receive(message(coap.NON, Code.POST, step, b"t", b""), PEER, PEER)
            drawn += [mid_of(asked), mid_of(way.sent[-1])]
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            way.sent.clear()
        assert drawn == [drawn[0] + step & 0xFFFF for step in range(6)]

    run(scene)


def test_a_separate_answer_that_comes_again_is_acknowledged_again():
    async def scene():
        way = Way("udp", Tuning())
        task = way.ask()
        asked = await way.next()
        said = message(coap.CON, Code.CONTENT, 77, token_of(asked), b"hi")
        way.say(said)
        assert (await task).payload == b"hi"
        way.say(said)
        assert way.sent[1:] == [empty(coap.ACK, 77)] * 2

    run(scene)


def test_an_answer_that_nobody_can_read_ends_the_request_and_is_reset():
    async def scene():
        for kind, expected in ((coap.CON, 1), (coap.ACK, 0), (coap.NON, 0)):
            way = Way("udp", Tuning())
            task = way.ask()
            asked = await way.next()
            way.say(message(kind, Code.CONTENT, mid_of(asked), token_of(asked), b"", ((9, b"x"),)))
            with pytest.raises(NoReply) as caught:
                await task
            assert caught.value.cause == "ANSWER_UNREADABLE"
            assert way.sent[1:] == [empty(coap.RST, mid_of(asked))] * expected
            await next_leaves(way)

    run(scene)


def test_a_way_that_cannot_send_harms_no_other():
    async def scene():
        way = Way("udp")
        other = Way("udp", engine=way.engine)

        def broken(peer, data):
            raise OSError("no room")

        way.lane.transmit = broken
        task, well = way.ask(), asyncio.create_task(way.engine.request(other.lane, PEER, READ))
        asked = await other.next()
        other.lane.receive(piggybacked(asked, Code.CONTENT), PEER, PEER)
        assert (await well).code == Code.CONTENT
        with pytest.raises(NoReply):
            await task
        assert way.counters.broken > 0

    run(scene)


def test_an_answer_says_everything():
    async def scene():
        way = Way("udp")
        task = way.ask(replace(READ, observe=0), token=b"chosen")
        asked = await way.next()
        assert token_of(asked) == b"chosen"
        options = (number(OBSERVE, 0x01000002), (8, b"rd"), number(12, 112), number(14, 9))
        way.say(piggybacked(asked, Code.CONTENT, b"x", *options))
        reply = await task
        assert (reply.observe, reply.location, reply.content_format, reply.max_age) == (2, ("rd",), 112, 9)

    run(scene)
