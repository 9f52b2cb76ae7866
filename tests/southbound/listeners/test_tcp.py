"""CoAP over TCP: aiocoap as the device, frames by hand, and whatever else arrives on a stream."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiocoap import DELETE, POST, Context, Message, resource

from coap import stream
from coap.codes import ABORT, CSM, PING, PONG, RELEASE
from coap.options import BLOCK1, walk
from coap.stream import Frame, Splitter
from devices.commands.models import Command
from devices.commands.services import mailbox
from devices.inventory.models import Knock, Plane
from devices.observations.models import Observation
from devices.operations.services import operations
from devices.registry.models import Registration, RegistrationDetail
from devices.telemetry.models import ResourceValue
from lwm2m.registration import Origin
from lwm2m.requests import register_request, send_request
from southbound.listeners import tcp
from southbound.process.ports import PortSettings
from tests.southbound.client import Wire, until
from tests.southbound.conftest import running
from tests.southbound.management import order, told

PORTS = PortSettings("127.0.0.1", 0, 0, 0, 0, coap_tcp=0, bootstrap_coap_tcp=0)
LINKS = b'</>;rt="oma.lwm2m";ct="60 110 112",</1/0>,</3/0>'


def register_frame(token: bytes) -> bytes:
    rest = bytearray(b"\xb2rd\x11\x28")
    for query, head in ((b"ep=dev-1", b"\x38"), (b"lwm2m=1.1", b"\x09"), (b"b=T", b"\x03")):
        rest += head + query
    return Frame(2, token, bytes(rest) + b"\xff" + LINKS).encode()


# -- connections -----------------------------------------------------------------------------------------------
@pytest.fixture
def on_tcp(transactional_db, settings, tmp_path, monkeypatch):
    """Run a scene with the port of CoAP over TCP."""
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(tcp, "WATCH_SECONDS", 0.05)

    def run(scene):
        async def main():
            async with running(ports=PORTS) as southbound:
                port = southbound.ports.stream_port_of(Plane.MANAGEMENT)
                return await asyncio.wait_for(scene(southbound, port), 90)

        return asyncio.run(main())

    return run


class Battery(resource.ObservableResource):
    """/3/0/9."""

    level = 50

    async def render_get(self, request):
        return Message(payload=str(self.level).encode(), content_format=0)

    def changed(self, level):
        self.level = level
        self.updated_state()


class Reboot(resource.Resource):
    async def render_post(self, request):
        return Message(code=68)


@asynccontextmanager
async def aiocoap_device(battery) -> AsyncIterator[Context]:
    """aiocoap's own TCP client; it serves /3 on the connection that it opens."""
    site = resource.Site()
    site.add_resource(["3", "0", "9"], battery)
    site.add_resource(["3", "0", "4"], Reboot())
    context = await Context.create_client_context(transports=["tcpclient"])
    context.serversite = site
    try:
        yield context
    finally:
        await context.shutdown()


async def ask(context, port, path, code=POST, query=(), payload=b""):
    uri = f"coap+tcp://127.0.0.1:{port}{path}" + ("?" + "&".join(query) if query else "")
    message = Message(code=code, uri=uri, payload=payload)
    if payload:
        message.opt.content_format = 40
    return await context.request(message).response


@pytest.mark.django_db(transaction=True)
def test_int_106_registration_over_tcp_and_all_that_follows(on_tcp, make_device):
    device = make_device()
    battery = Battery()

    async def scene(southbound, port):
        async with aiocoap_device(battery) as context:
            query = ("ep=dev-1", "lt=600", "lwm2m=1.1", "b=T")
            answer = await ask(context, port, "/rd", query=query, payload=LINKS)
            assert str(answer.code) == "2.01 Created"
            location = "/" + "/".join(answer.opt.location_path)
            row = await until(lambda: Registration.objects.get())
            assert (row.transport, row.is_live, row.host) == ("tcp", True, "127.0.0.1")
            assert str((await ask(context, port, location)).code) == "2.04 Changed"

            assert told(await order(device, "read", "/3/0/9")) == {"/3/0/9": 50}
            assert (await order(device, "execute", "/3/0/4")).response_code == "2.04"
            assert (await order(device, "read", "/3/0/17")).response_code == "4.04"
            observed = await order(device, "observe", "/3/0/9")
            assert observed.state == "done"
            await until(lambda: Observation.objects.filter(state="active").exists())
            for level in (49, 48, 47):
                battery.changed(level)
                await until(lambda n=level: ResourceValue.objects.filter(path="/3/0/9", number=n).exists())
            assert (await order(device, "cancel-observe", "/3/0/9")).state == "done"

            assert str((await ask(context, port, location, code=DELETE)).code) == "2.02 Deleted"
        await until(lambda: not Registration.objects.get().is_live)

    on_tcp(scene)


async def connected(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    first = await read_frame(reader)
    assert first.code == CSM
    return reader, writer


async def read_frame(reader) -> Frame | None:
    splitter = Splitter()
    while data := await reader.read(1):
        for frame in splitter.feed(data):
            return frame
    return None


@pytest.mark.django_db(transaction=True)
def test_ping_release_and_an_empty_message(on_tcp):
    async def scene(southbound, port):
        reader, writer = await connected(port)
        writer.write(stream.csm() + b"\x00\x00" + Frame(PING, b"tok", b"").encode())
        pong = await read_frame(reader)
        assert (pong.code, pong.token) == (PONG, b"tok")
        writer.write(Frame(RELEASE, b"", b"").encode())
        assert await reader.read() == b""
        writer.close()

    on_tcp(scene)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["release", "half-closed"])
@pytest.mark.parametrize("asked", [1, 200])
def test_a_device_that_leaves_has_answers_to_what_it_asked_before(on_tcp, make_device, way, asked):
    """RFC 8323 section 5.5: the closing is delayed until every request that came before has its answer."""
    make_device()

    async def scene(southbound, port):
        reader, writer = await connected(port)
        said = stream.csm() + b"".join(register_frame(n.to_bytes(2, "big")) for n in range(asked))
        if way == "release":
            writer.write(said + Frame(RELEASE, b"", b"").encode() + register_frame(b"late"))
        else:
            writer.write(said)
            writer.write_eof()
        answered = list(Splitter().feed(await reader.read()))
        assert [frame.code for frame in answered] == [0x41] * asked
        assert sorted(frame.token for frame in answered) == [n.to_bytes(2, "big") for n in range(asked)]
        row = await until(lambda: Registration.objects.get())
        origin = Origin(row.host, row.port, "tcp")
        assert southbound.ports.route(Plane.MANAGEMENT, origin) is None
        writer.close()

    on_tcp(scene)


@pytest.mark.django_db(transaction=True)
def test_a_device_that_leaves_is_not_waited_for_without_end(on_tcp, make_device, monkeypatch):
    make_device()
    monkeypatch.setattr(tcp, "ANSWER_SECONDS", 0.2)

    async def scene(southbound, port):
        monkeypatch.setattr(southbound.requests.commits, "submit", lambda *args, **options: True)
        reader, writer = await connected(port)
        writer.write(stream.csm() + register_frame(b"a") + Frame(RELEASE, b"", b"").encode())
        assert await reader.read() == b""
        writer.close()

    on_tcp(scene)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "said",
    [
        Frame(2, b"", b"\xb2rd").encode(),  # a request before the capabilities
        Frame(PING, b"", b"").encode(),  # a signal before them
        Frame(CSM, b"", b"\x90").encode(),  # a critical option that nobody knows
        Frame(CSM, b"", b"\xee\xff\xff").encode(),  # options cut off
        b"\x0f\x01",  # a token of 15 bytes
        b"\xf0\xff\xff\xff\xff\x01",  # 4 GB
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_what_is_no_coap_ends_the_connection_with_a_reason(on_tcp, said):
    async def scene(southbound, port):
        reader, writer = await connected(port)
        writer.write(said)
        last = await read_frame(reader)
        assert last.code == ABORT
        assert last.rest[1:]
        assert await reader.read() == b""
        writer.close()
        southbound_counts = southbound.counters
        assert (southbound_counts.malformed, southbound_counts.broken) == (1, 0)

    on_tcp(scene)
    assert Knock.objects.filter(cause="MESSAGE_MALFORMED").exists()


async def aborted(reader) -> str:
    """The reason that the connection was ended for; it is gone behind it."""
    last = await read_frame(reader)
    assert last.code == ABORT
    assert await reader.read() == b""
    return last.rest[1:].decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("patience", "said", "reason"),
    [
        ("CSM_SECONDS", b"", "no capabilities were said"),
        ("CSM_SECONDS", b"\x00\x00" * 9, "no capabilities were said"),
        ("FRAME_SECONDS", stream.csm() + b"\xd0", "a message was begun and not ended"),
        ("FRAME_SECONDS", stream.csm() + register_frame(b"x")[:-1], "a message was begun and not ended"),
        ("IDLE_SECONDS", stream.csm(), "nothing was registered"),
        ("IDLE_SECONDS", stream.csm() + register_frame(b"x"), "nothing was registered"),  # nobody's name
    ],
)
def test_connections_that_are_of_no_use_end(on_tcp, monkeypatch, patience, said, reason):
    monkeypatch.setattr(tcp, patience, 0.2)

    async def scene(southbound, port):
        reader, writer = await connected(port)
        writer.write(said)
        frame = await read_frame(reader)
        if frame.code == 0x83:  # the refused Register was answered
            frame = await read_frame(reader)
        assert (frame.code, frame.rest[1:].decode()) == (ABORT, reason)
        assert await reader.read() == b""
        writer.close()

    on_tcp(scene)


@pytest.mark.django_db(transaction=True)
def test_a_connection_with_a_registration_stands_until_it_is_deregistered(on_tcp, make_device, monkeypatch):
    make_device()
    monkeypatch.setattr(tcp, "IDLE_SECONDS", 0.5)

    async def scene(southbound, port):
        reader, writer = await connected(port)
        writer.write(stream.csm() + register_frame(b"a"))
        assert (await read_frame(reader)).code == 0x41
        other, stranger = await connected(port)
        stranger.write(stream.csm())
        assert await aborted(other) == "nothing was registered"  # so a look was had at this one, too
        row = await until(lambda: Registration.objects.get())
        path = b"".join(bytes((len(part),)) + part for part in (row.registration_id.encode(),))
        writer.write(Frame(4, b"b", b"\xb2rd" + path).encode())
        assert (await read_frame(reader)).code == 0x42
        assert await aborted(reader) == "nothing was registered"
        writer.close()
        stranger.close()

    on_tcp(scene)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("room", "per_host", "taken"), [(3, 9, 3), (9, 2, 2)])
def test_connections_are_bounded_in_number_and_for_each_host(on_tcp, settings, room, per_host, taken):
    settings.COAP_TCP_CONNECTIONS = room
    settings.COAP_TCP_CONNECTIONS_PER_HOST = per_host

    async def scene(southbound, port):
        open_ones = [await connected(port) for _ in range(taken)]
        crowded, other = await asyncio.open_connection("127.0.0.1", port)
        assert await aborted(crowded) == "no room for more connections"
        other.close()
        open_ones.pop()[1].close()
        await until(lambda: len(southbound.ports._streams[Plane.MANAGEMENT]) < taken)
        again = await connected(port)
        for _, writer in [again, *open_ones]:
            writer.close()
        assert southbound.counters.overloaded == 1

    on_tcp(scene)


@pytest.mark.django_db(transaction=True)
def test_connections_never_take_all_descriptors(on_tcp, monkeypatch):
    """The soft limit of systemd's default leaves 256 for each port, and 64 for each host."""
    monkeypatch.setattr("southbound.process.descriptors.limit", lambda: 1024)

    async def scene(southbound, port):
        listener = southbound.ports._streams[Plane.MANAGEMENT]
        assert (listener._room, listener._room_per_host) == (256, 64)

    on_tcp(scene)


@pytest.mark.django_db(transaction=True)
def test_many_messages_in_one_segment_are_all_answered(on_tcp):
    """More than one turn of the loop takes."""

    async def scene(southbound, port):
        reader, writer = await connected(port)
        tokens = [b"%d" % number for number in range(tcp.FRAMES_PER_TURN * 5)]
        writer.write(stream.csm() + b"".join(Frame(PING, token, b"").encode() for token in tokens))
        assert [(await read_frame(reader)).token for _ in tokens] == tokens
        writer.close()

    on_tcp(scene)


@pytest.mark.django_db(transaction=True)
def test_tls_on_this_port_has_a_cause_of_its_own(on_tcp):
    async def scene(southbound, port):
        reader, writer = await connected(port)
        writer.write(bytes.fromhex("16030100a5010000a10303"))
        assert await aborted(reader) == "no TLS here"
        writer.close()
        await until(lambda: Knock.objects.filter(cause="TLS_UNSUPPORTED").exists())

    on_tcp(scene)


# -- sizes of messages -----------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("size", "block"), [(256, 128), (160, 32), (1152, 1024)])
def test_what_is_sent_fits_the_messages_that_a_device_takes(on_tcp, make_device, size, block):
    device = make_device()
    value = "".join(chr(65 + number % 26) for number in range(1500))

    async def scene(southbound, port):
        reader, writer = await connected(port)
        writer.write(stream.csm(size) + register_frame(b"a"))
        assert (await read_frame(reader)).code == 0x41
        waiting = asyncio.create_task(order(device, "write", "/3/0/15", value=value, content_format="text"))
        got = b""
        while not waiting.done():
            frame = await read_frame(reader)
            assert len(frame.encode()) <= size
            options, payload = walk(frame.rest, 0)
            (said,) = [value for number, value in options if number == BLOCK1]
            got += payload
            more = said[-1] & 8
            assert len(payload) == block or not more
            echo = bytes((0xD0 | len(said), 14)) + said
            writer.write(Frame(0x5F if more else 0x44, frame.token, echo).encode())
            if not more:
                break
        assert (await waiting).response_code == "2.04"
        assert got == value.encode()
        writer.close()

    on_tcp(scene)


@pytest.mark.django_db(transaction=True)
def test_what_a_device_cannot_take_is_not_sent_and_told_at_once(on_tcp, make_device):
    device = make_device()

    async def scene(southbound, port):
        reader, writer = await connected(port)
        writer.write(register_in(b"a"))
        assert (await read_frame(reader)).code == 0x41
        writer.write(stream.csm(12))
        asked = {"operation": "read", "path": "/3/0/9", "arguments": {}, "requested_by": "test"}
        await until(lambda: operations.request(device=device, **asked))
        row = await until(lambda: Command.objects.exclude(state__in=("queued", "sent")).first())
        assert (row.state, row.cause, row.attempts) == ("refused", "MESSAGE_TOO_LARGE", 1)
        assert "at most 12" in row.detail
        assert southbound.counters.unsent
        writer.close()

    def register_in(token):
        return stream.csm() + register_frame(token)

    on_tcp(scene)


@pytest.mark.parametrize(
    ("options", "size"),
    [(b"", None), (b"\x22\x10\x00", 4096), (b"\x21\x80\x20", 128), (b"\x25" + b"\xff" * 5, None)],
)
def test_the_size_that_a_peer_says(options, size):
    assert stream.said_size(Frame(CSM, b"", options)) == size


@pytest.mark.django_db(transaction=True)
def test_several_blocks_in_one_message(on_tcp, make_device):
    """BERT: our capabilities say that it is understood (RFC 8323 sections 5.3.2 and 6)."""
    make_device()
    links = LINKS + b"".join(b",</%d/0>" % number for number in range(5000, 5500))
    assert 3 * 1024 < len(links) < 6 * 1024

    async def scene(southbound, port):
        reader, writer = await connected(port)
        writer.write(stream.csm())
        head, _, _ = register_frame(b"").partition(b"\xff")
        options = head[3:] if head[0] >> 4 == 13 else head[2:]
        for block, payload, code in (
            (b"\x0f", links[:3072], 0x5F),
            (b"\x37", links[3072:], 0x41),
        ):
            rest = options + b"\xc1" + block + b"\xff" + payload
            writer.write(Frame(2, b"t", rest).encode())
            frame = await read_frame(reader)
            assert frame.code == code
            assert b"\xd1\x0e" + block in frame.rest or frame.rest.endswith(block)
        writer.close()

    on_tcp(scene)
    assert "5499" in RegistrationDetail.objects.get().object_links["objects"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("rest", [b"\xb2r", b"\xbfrd", b"\xb2rd\xff"])
def test_a_message_with_a_broken_form_ends_the_connection(on_tcp, rest):
    async def scene(southbound, port):
        reader, writer = await connected(port)
        writer.write(stream.csm() + Frame(2, b"t", rest).encode())
        assert await aborted(reader)
        writer.close()

    on_tcp(scene)


@pytest.mark.django_db(transaction=True)
def test_a_command_waits_for_the_connection_and_the_device_registers_anew_on_another(on_tcp, make_device):
    device = make_device()

    async def scene(southbound, port):
        reader, writer = await connected(port)
        writer.write(stream.csm() + register_frame(b"a"))
        assert (await read_frame(reader)).code == 0x41
        writer.close()
        await until(lambda: not southbound.ports.route(Plane.MANAGEMENT, origin_of()))
        waiting = asyncio.create_task(order(device, "read", "/3/0/9"))
        reader, writer = await connected(port)
        writer.write(stream.csm() + register_frame(b"b"))
        answered = None
        while answered is None:
            frame = await read_frame(reader)
            if frame.code == 1:
                writer.write(Frame(0x45, frame.token, b"\xc0\xff7").encode())
                answered = await waiting
        assert told(answered) == {"/3/0/9": 7}
        writer.close()

    def origin_of():
        row = Registration.objects.get()
        return Origin(row.host, row.port, "tcp", None)

    on_tcp(scene)


# -- whose connection ------------------------------------------------------------------------------------------
def _gone_without_a_word(connected: socket.socket) -> None:
    """Reset, so that the address can be used again at once."""
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connected.close()


@pytest.mark.django_db(transaction=True)
def test_a_new_connection_from_a_known_address_is_nobodys(on_tcp, make_device):
    """A NAT gives a port anew: who comes there is not the device that had it, and gets nothing that is for it."""
    device = make_device()
    register = Wire().encode(register_request(endpoint="dev-1", object_links=LINKS))
    send = Wire().encode(send_request(110, b'[{"n":"/3/0/9","v":7}]'))

    async def connected(port: int, own: int) -> socket.socket:
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(("127.0.0.1", own))
        made.setblocking(False)
        await asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", port))
        await asyncio.get_running_loop().sock_sendall(made, b"\x00\xe1")
        return made

    async def answer(to: socket.socket, datagram: bytes) -> int:
        """Asks, and gives the code of the answer."""
        loop, splitter = asyncio.get_running_loop(), Splitter()
        await loop.sock_sendall(to, stream.from_datagram(datagram).encode())
        while True:
            for frame in splitter.feed(await loop.sock_recv(to, 4096)):
                if frame.code >> 5 in (2, 4, 5):
                    return frame.code

    async def scene(southbound, port):
        first = await connected(port, 0)
        own = first.getsockname()[1]
        assert await answer(first, register) == 0x41
        assert await answer(first, send) == 0x44
        _gone_without_a_word(first)
        second = await connected(port, own)
        assert await answer(second, send) == 0x80
        command = await until(
            lambda: mailbox.enqueue(device=device, operation="read", path="/3/0/0", requested_by="test")
        )
        await southbound.delivery.flush(device.pk)
        row = await until(lambda: type(command).objects.get(pk=command.pk))
        assert (row.state, row.attempts) == ("queued", 0)
        assert await answer(second, register) == 0x41
        assert await answer(second, send) == 0x44
        _gone_without_a_word(second)

    on_tcp(scene)
    assert ResourceValue.objects.get(path="/3/0/9").number == 7
