"""Fetches a file by HTTP, as a device does that was told where its firmware is."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from simulator.download_errors import BrokenOff, NotThere

MAX_BYTES = 4 * 1024 * 1024
SECONDS = 10.0


async def get(uri: str) -> bytes:
    """The file at an ``http`` address. Raises `NotThere` or `BrokenOff`."""
    parts = urlsplit(uri)
    try:
        async with asyncio.timeout(SECONDS):
            return await _fetch(parts.hostname or "", parts.port or 80, parts.path or "/")
    except (TimeoutError, asyncio.IncompleteReadError):
        raise BrokenOff(uri) from None
    except (OSError, ValueError, asyncio.LimitOverrunError):
        raise NotThere(uri) from None


async def _fetch(host: str, port: int, path: str) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        if " 200 " not in f"{lines[0]} ":
            raise NotThere(lines[0])
        fields = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        return await reader.readexactly(min(int(fields.get("content-length", "0")), MAX_BYTES))
    finally:
        writer.close()
