"""The resource tree of the file server: each GET is answered with the block that it asks for (RFC 7959 section 2.4).

Nothing is kept between two requests, so that a transfer goes on after a restart, at another process, or tomorrow.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import aiocoap
from aiocoap import error, resource
from django.db import Error as DatabaseError

from devices.packages.services import addresses
from devices.packages.services.packages import Stored
from southbound.files.shelf import Shelf

logger = logging.getLogger(__name__)

LARGEST_EXPONENT = 6
"""Blocks of 1,024 bytes."""
OCTETS = 42
RETRY_SECONDS = 30
ETAG_BYTES = 8


@dataclass(frozen=True, slots=True)
class Sent:
    """A block that left for whom its address was given out; `is_last` if nothing is behind it."""

    package: Stored
    device_id: int | None
    at: float
    start: int
    length: int
    is_last: bool


def site(shelf: Shelf, told: Callable[[Sent], None]) -> resource.Site:
    """`told` hears of each first and last block, in the thread of this site."""
    root = resource.Site()
    root.add_resource([addresses.ROOT], _Packages(shelf, told))
    return root


class _Packages(resource.Resource, resource.PathCapable):  # type: ignore[misc]  # aiocoap tells no types
    """Everything below `/p`. No Observe, no Block1, and nothing to be written."""

    def __init__(self, shelf: Shelf, told: Callable[[Sent], None]) -> None:
        super().__init__()
        self.shelf = shelf
        self.told = told

    async def needs_blockwise_assembly(self, request: aiocoap.Message) -> bool:
        return False  # the blocks are cut here: aiocoap would keep the whole of it for each peer

    async def render_get(self, request: aiocoap.Message) -> aiocoap.Message:
        address = addresses.read((addresses.ROOT, *request.opt.uri_path))
        if address is None:
            raise error.NotFound
        try:
            return await self.answer(address, request)
        except DatabaseError as problem:
            logger.warning("package_unreadable error=%s: %s", type(problem).__name__, problem)
            return aiocoap.Message(code=aiocoap.SERVICE_UNAVAILABLE, max_age=RETRY_SECONDS)

    async def answer(self, address: addresses.Address, request: aiocoap.Message) -> aiocoap.Message:
        """One block."""
        package = await self.shelf.find(address)
        if package is None:
            raise error.NotFound
        etag = bytes.fromhex(package.sha256)[:ETAG_BYTES]
        if etag in request.opt.etags:
            return aiocoap.Message(code=aiocoap.VALID, etag=etag)
        number, exponent = 0, LARGEST_EXPONENT
        if request.opt.block2 is not None:
            number, _, exponent = request.opt.block2
            if exponent > LARGEST_EXPONENT:
                raise error.BadRequest("There is no block of this size over UDP.")
        size = 1 << (exponent + 4)
        start = number * size
        if start >= package.size:
            raise error.BadRequest("There is no such block.")
        payload = await self.shelf.read(package, start, size)
        if payload is None:
            raise error.NotFound
        is_last = start + size >= package.size
        answer = aiocoap.Message(code=aiocoap.CONTENT, payload=payload, etag=etag, content_format=OCTETS)
        if number or not is_last or request.opt.block2 is not None:
            answer.opt.block2 = (number, not is_last, exponent)
        if number == 0:
            answer.opt.size2 = package.size
        if number == 0 or is_last:
            self.told(Sent(package, address.device_id, time.time(), start, len(payload), is_last))
        return answer
