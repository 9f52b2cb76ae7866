"""Whatever an HTTP server says, a download ends as a file or as one of its errors."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from simulator import http_download
from simulator.download_errors import BrokenOff, NotThere


def fetched(said: bytes, *, stays: bool = False) -> bytes:
    """What comes of a server that says this and, unless it stays, closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        if stays:
            await reader.read()  # until the client has had enough
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        over.set()

    over = asyncio.Event()

    async def scene() -> bytes:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        try:
            return await http_download.get(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/file")
        finally:
            await over.wait()
            server.close()

    return asyncio.run(scene())


def test_a_file():
    assert fetched(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc") == b"abc"


@pytest.mark.parametrize("said", [b"x" * 100_000, b"HTTP/1.1 404 Not Found\r\n\r\n"], ids=["endless", "404"])
def test_no_file(said):
    with pytest.raises(NotThere):
        fetched(said)


@pytest.mark.parametrize("stays", [False, True])
def test_half_a_file(stays, monkeypatch):
    monkeypatch.setattr(http_download, "SECONDS", 0.5 if stays else 30.0)
    with pytest.raises(BrokenOff):
        fetched(b"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\nabc", stays=stays)
