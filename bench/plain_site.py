"""What everything is compared with: a plain aiocoap `Site` that answers Register and Update and stores nothing."""

from __future__ import annotations

import asyncio
import itertools
import signal
import sys

import aiocoap
from aiocoap import Message, resource

_numbers = itertools.count(1)


class Registrations(resource.Resource):
    """`POST /rd`."""

    async def render_post(self, request: Message) -> Message:
        return Message(code=aiocoap.CREATED, location_path=("rd", f"{next(_numbers):016d}"))


class Registration(resource.Resource, resource.PathCapable):
    """`POST /rd/{id}`."""

    async def render_post(self, request: Message) -> Message:
        return Message(code=aiocoap.CHANGED)


async def main(port: int, transports: str) -> None:
    site = resource.Site()
    site.add_resource(["rd"], Registrations())
    site.add_resource(["rd"], Registration())
    chosen = None if transports == "default" else transports.split(",")
    context = await aiocoap.Context.create_server_context(site, bind=("127.0.0.1", port), transports=chosen)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    print("ready", flush=True)
    await stop.wait()
    await context.shutdown()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
