"""HTTP connections: bounded in number, and ended when somebody begins and does not go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn

from m2m_portal import web_connections

ASKED = b"GET / HTTP/1.1\r\nHost: x\r\n"


async def application(scope, receive, send) -> None:
    """Says how long the body was; or, to a WebSocket, what it heard."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        said = await receive()
        await send({"type": "websocket.send", "text": said["text"]})
        await receive()
        return
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message["body"]
        if not message["more_body"]:
            break
    text = b"%d" % len(body)
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(text))]}
    )
    await send({"type": "http.response.body", "body": text})


class Quiet(uvicorn.Server):
    def install_signal_handlers(self) -> None:
        return None


@asynccontextmanager
async def serving(**more) -> AsyncIterator[int]:
    config = uvicorn.Config(
        application,
        host="127.0.0.1",
        port=0,
        lifespan="off",
        log_level="error",
        timeout_graceful_shutdown=1,
        **(web_connections.options() | more),
    )
    server = Quiet(config)
    task = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


def play(scene, **more):
    async def main():
        async with serving(**more) as port:
            await asyncio.wait_for(scene(port), 60)

    asyncio.run(main())


async def connected(port):
    return await asyncio.open_connection("127.0.0.1", port)


async def answer(reader) -> bytes:
    """Status line and body of one answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return head.split(b"\r\n")[0].split(b" ")[1] + b" " + await reader.readexactly(length)


@pytest.mark.parametrize("said", [b"", b"G", ASKED, b"POST / HTTP/1.1\r\nContent-Length: 9\r\n"])
def test_headers_that_do_not_end_end_the_connection(monkeypatch, said):
    monkeypatch.setattr(web_connections, "HEADER_SECONDS", 0.2)

    async def scene(port):
        reader, writer = await connected(port)
        writer.write(said)
        ended = await reader.read()
        assert ended.startswith(b"HTTP/1.1 408") if said else ended == b""
        writer.close()

    play(scene)


def test_headers_of_a_second_request_have_a_deadline_too(monkeypatch):
    monkeypatch.setattr(web_connections, "HEADER_SECONDS", 0.3)

    async def scene(port):
        reader, writer = await connected(port)
        writer.write(ASKED + b"\r\n")
        assert await answer(reader) == b"200 0"
        writer.write(ASKED)
        assert (await reader.read()).startswith(b"HTTP/1.1 408")
        writer.close()

    play(scene)


def test_a_header_that_drips_is_not_prolonged_by_each_byte(monkeypatch):
    monkeypatch.setattr(web_connections, "HEADER_SECONDS", 0.3)

    async def scene(port):
        reader, writer = await connected(port)
        ended = asyncio.create_task(reader.read())
        writer.write(ASKED + b"X-Long: ")
        while not ended.done():
            writer.write(b"x")
            await asyncio.sleep(0.02)
        (end,) = await asyncio.gather(ended, return_exceptions=True)
        # What it still wrote when all was over may turn the end into a reset.
        assert isinstance(end, ConnectionResetError) or end.startswith(b"HTTP/1.1 408")
        writer.close()

    play(scene)


BODY = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n"


def test_a_body_that_does_not_go_on_ends_the_connection(monkeypatch):
    monkeypatch.setattr(web_connections, "BODY_SECONDS", 0.2)

    async def scene(port):
        reader, writer = await connected(port)
        writer.write(BODY + b"half of it")
        assert await reader.read() == b""
        writer.close()

    play(scene)


def test_a_body_may_take_longer_than_headers(monkeypatch):
    monkeypatch.setattr(web_connections, "HEADER_SECONDS", 0.2)

    async def scene(port):
        reader, writer = await connected(port)
        writer.write(BODY)
        other, idle = await connected(port)
        assert await other.read() == b""  # so long has passed meanwhile
        writer.write(b"x" * 20)
        assert await answer(reader) == b"200 20"
        writer.close()
        idle.close()

    play(scene)


def test_connections_are_bounded_in_number(monkeypatch):
    monkeypatch.setattr(web_connections, "room", lambda: 2)

    async def scene(port):
        open_ones = [await connected(port) for _ in range(2)]
        crowded, other = await connected(port)
        assert (await crowded.read()).startswith(b"HTTP/1.1 503")
        other.close()
        for reader, writer in open_ones:
            writer.write(ASKED + b"Connection: close\r\n\r\n")
            assert await answer(reader) == b"200 0"
            writer.close()

    play(scene, limit_concurrency=None)


def test_a_websocket_outlives_the_deadlines_of_requests(monkeypatch):
    monkeypatch.setattr(web_connections, "HEADER_SECONDS", 0.2)
    monkeypatch.setattr(web_connections, "BODY_SECONDS", 0.2)
    from websockets.asyncio.client import connect

    async def scene(port):
        async with connect(f"ws://127.0.0.1:{port}/") as there:
            reader, writer = await connected(port)
            await reader.read()  # this one was ended meanwhile
            writer.close()
            await there.send("still here")
            assert await there.recv() == "still here"

    play(scene)


def test_both_ways_to_serve_have_the_bounds():
    options = web_connections.options()
    assert options["http"] is web_connections.BoundedProtocol
    assert options["limit_concurrency"] == web_connections.room() >= 1
