"""`manage.py southbound`: one southbound process, for production; several may share the ports."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from channels.layers import get_channel_layer
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

import dtls
from devices.registry.services.processes import NoNumberFree
from southbound.listeners.sockets import PortUnavailable
from southbound.process import descriptors
from southbound.process.worker import Options, Southbound
from southbound.threads.guard import EXIT_CODE


class Command(BaseCommand):
    help = (
        "Serves devices on COAP_PORT, COAPS_PORT, BOOTSTRAP_COAP_PORT and BOOTSTRAP_COAPS_PORT until SIGTERM."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--number",
            type=int,
            help="this process's number, 0 to 255, the same at every start; needed with --shared",
        )
        parser.add_argument(
            "--shared", action="store_true", help="share the ports with other southbound processes"
        )

    def handle(self, *args: Any, number: int | None, shared: bool, **options: Any) -> None:
        if number is not None and not 0 <= number <= 255:
            raise CommandError(f"--number {number} is out of range. Choose 0 to 255.")
        if shared and number is None:
            raise CommandError("--shared needs --number: each process its own, the same at every start.")
        descriptors.raise_limit()
        try:
            asyncio.run(self._serve(Options(number=number, shared=shared)))
        except (PortUnavailable, NoNumberFree) as error:
            raise CommandError(str(error)) from None
        except DatabaseError as error:
            reason = str(error).strip().splitlines()[0]
            raise CommandError(
                f"The database cannot be used ({reason}). Check DATABASE_URL, and run: manage.py migrate"
            ) from None
        except dtls.BackendUnusable as error:
            raise CommandError(
                f"DTLS cannot be served: {error}. Check requirements.txt and DTLS_BACKEND."
            ) from None

    async def _serve(self, options: Options) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        southbound = Southbound(channel_layer=get_channel_layer(), options=options)
        await southbound.start()
        self.stdout.write(
            f"Southbound {southbound.number} serves devices on {settings.BIND_ADDRESS}: "
            f"coap {settings.COAP_PORT}, coaps {settings.COAPS_PORT}, "
            f"bootstrap coap {settings.BOOTSTRAP_COAP_PORT}, coaps {settings.BOOTSTRAP_COAPS_PORT}{_others()}."
        )
        self.stdout.flush()
        asked = asyncio.create_task(stop.wait(), name="stop")
        broken = asyncio.create_task(southbound.guard.wait(), name="guard")
        await asyncio.wait([asked, broken], return_when=asyncio.FIRST_COMPLETED)
        await southbound.stop()
        if southbound.guard.words:
            raise CommandError(f"{southbound.guard.words}; start it again.", returncode=EXIT_CODE)
        self.stdout.write("Stopped. Everything acknowledged is stored.")


def _others() -> str:
    """The ports that need not be there."""
    ports = (
        ("coap+tcp", settings.COAP_TCP_PORT),
        ("bootstrap coap+tcp", settings.BOOTSTRAP_COAP_TCP_PORT),
        ("packages coap", settings.COAP_FILES_PORT),
    )
    return "".join(f", {name} {port}" for name, port in ports if port)
