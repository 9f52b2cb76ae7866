"""`manage.py simulate`: a fleet of virtual devices, until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from argparse import ArgumentTypeError
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError, CommandParser

from simulator import assembly, device_file, sim_cards
from simulator.device import Device
from simulator.device_file import Entry
from simulator.enrolment import Enrolment
from simulator.fleet import Fleet, TooManyDevices
from simulator.gateway import VERSIONS as GATEWAY_VERSIONS
from simulator.gateway_children import KINDS
from simulator.nameplate import OURS, STACKS, Firmware
from simulator.sim_cards import Provider
from simulator.subscriber import PortalRefused, Subscriber

MISTAKES = (assembly.BadDevice, sim_cards.BadCard, device_file.BadFile, PortalRefused, TooManyDevices)
DEFAULT_KEYS = Path("var/simulated-devices.json")
BOOTSTRAP_COAPS_PORT = 5784
LONGEST_GOODBYE_SECONDS = 2.0


def positive(text: str) -> int:
    """A whole number above zero."""
    if not text.isdigit() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a number above zero")
    return int(text)


class Command(BaseCommand):
    help = "Runs virtual LwM2M devices that bootstrap, register and answer, until Ctrl-C."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_argument_group("which devices")
        what.add_argument("--count", type=positive, default=1, metavar="N", help="how many (1)")
        what.add_argument("--endpoint-prefix", default="sim-", metavar="TEXT", help="names are TEXT1 … TEXTN")
        what.add_argument("--devices", type=Path, metavar="FILE", help="a JSON list of devices instead")
        what.add_argument("--identity", metavar="TEXT", help="PSK identity; {endpoint} is filled in")
        what.add_argument("--key", metavar="HEX", help="PSK key, 16 to 64 bytes")
        where = parser.add_argument_group("whom they call")
        where.add_argument(
            "--bootstrap", metavar="URI", help="bootstrap server, coap(s)://HOST:PORT or tel:NUMBER"
        )
        where.add_argument("--server", metavar="URI", help="management server, without bootstrap")
        portal = parser.add_argument_group("adding them to a portal first, as a subscriber")
        portal.add_argument("--portal", metavar="URL", help="such as http://127.0.0.1:8000")
        portal.add_argument("--operator", metavar="SLUG", help="the operator whose subscriber this is")
        portal.add_argument("--login", metavar="EMAIL")
        portal.add_argument("--password-env", metavar="NAME", help="environment variable with the password")
        portal.add_argument(
            "--keys", type=Path, default=DEFAULT_KEYS, metavar="FILE", help=f"({DEFAULT_KEYS})"
        )
        sms = parser.add_argument_group("devices that have SMS")
        sms.add_argument(
            "--sms",
            metavar="NUMBER",
            help="the telephone number of the first, such as +491511000001; the others count up. They are bound at the "
            "SMSC with it: see `manage.py smsc`",
        )
        sms.add_argument("--smsc", default="127.0.0.1:2775", metavar="HOST:PORT", help="(127.0.0.1:2775)")
        sms.add_argument("--smsc-account", default="device", metavar="SYSTEM_ID", help="(device)")
        sms.add_argument(
            "--smsc-password-env",
            metavar="NAME",
            help="environment variable with the password (or it is: device)",
        )
        sms.add_argument(
            "--smsc-password-file",
            type=Path,
            metavar="FILE",
            help="file with the password; that of the portal's demo is demo-modem-password.txt in its DATA_DIR (var)",
        )
        gateway = parser.add_argument_group("end devices behind them")
        gateway.add_argument(
            "--gateway",
            type=positive,
            metavar="N",
            help="make each an M2M gateway with N end devices (object 25), named ENDPOINT:0 … ENDPOINT:N-1; they are"
            f' in turn: {", ".join(KINDS)}. In a --devices file: "children": {{"ID": "KIND"}}',
        )
        gateway.add_argument(
            "--gateway-version", default="2.0", choices=GATEWAY_VERSIONS, help="version of object 25 (2.0)"
        )
        how = parser.add_argument_group("how they behave")
        how.add_argument("--rate", type=positive, default=50, metavar="N", help="starts per second (50)")
        how.add_argument("--lifetime", type=positive, default=86_400, metavar="S", help="unless bootstrapped")
        how.add_argument("--update-every", type=positive, metavar="S", help="before the lifetime demands it")
        how.add_argument("--queue-mode", action="store_true")
        how.add_argument("--lwm2m", default="1.1", choices=device_file.VERSIONS, help="LwM2M version (1.1)")
        how.add_argument(
            "--stack",
            default=OURS,
            choices=STACKS,
            help=f"whose CoAP they speak ({OURS}); aiocoap is an independent implementation, without security",
        )
        how.add_argument("--deregister", action="store_true", help="say good-bye at the end")
        how.add_argument("--quiet", action="store_true", help="no progress line")

    def handle(self, *args: Any, **options: Any) -> None:
        firmware = Firmware(
            version=options["lwm2m"],
            lifetime_seconds=options["lifetime"],
            queue_mode=options["queue_mode"],
            update_seconds=options["update_every"],
            cid=b"",
            stack=options["stack"],
        )
        try:
            enrolment = self._enrolment(options) if options["portal"] else None
            entries = [] if enrolment else self._entries(options)
            behind = assembly.Behind(options["gateway"] or 0, options["gateway_version"])
            provider = _provider(options)
            for entry in entries:
                assembly.check(entry, firmware, behind)
            making = partial(assembly.device, firmware=firmware, behind=behind, provider=provider)
            asyncio.run(self._run(entries, enrolment, making, options))
            signal.setitimer(signal.ITIMER_REAL, 0)  # while Python winds up, the alarm would kill it
        except MISTAKES as error:
            raise CommandError(str(error)) from None

    # -- which devices -------------------------------------------------------------------------------------

    def _entries(self, options: dict[str, Any]) -> list[Entry]:
        bootstrap, server = options["bootstrap"], options["server"]
        if options["devices"] is not None:
            found = device_file.load(options["devices"])
            return [
                entry
                if entry.bootstrap or entry.server
                else replace(entry, bootstrap=bootstrap, server=server)
                for entry in found
            ]
        if not bootstrap and not server:
            raise assembly.BadDevice(
                "Say whom to call: --bootstrap URI, --server URI, --devices FILE or --portal URL."
            )
        entries = list(
            assembly.numbered(
                options["endpoint_prefix"],
                options["count"],
                bootstrap=bootstrap,
                server=server,
                identity=options["identity"],
                key_hex=options["key"],
            )
        )
        return entries if options["sms"] is None else list(sim_cards.numbered(entries, options["sms"]))

    def _enrolment(self, options: dict[str, Any]) -> Enrolment:
        """Sign in to the portal; without ``--bootstrap`` its host is asked at the usual port."""
        for name in ("operator", "login", "password_env"):
            if not options[name]:
                raise PortalRefused(f"--portal needs --{name.replace('_', '-')} as well.")
        if options["sms"]:
            sim_cards.counted(options["sms"], 0)
        if options["devices"] or options["server"]:
            raise PortalRefused("--portal adds devices that bootstrap; leave --devices and --server out.")
        password = os.environ.get(options["password_env"])
        if not password:
            raise PortalRefused(
                f"The environment variable {options['password_env']} is empty; put the password there."
            )
        subscriber = Subscriber(options["portal"])
        subscriber.login(options["login"], password)
        host = urlsplit(options["portal"]).hostname
        bootstrap = options["bootstrap"] or f"coaps://{host}:{BOOTSTRAP_COAPS_PORT}"
        return Enrolment(subscriber, options["operator"], options["keys"], bootstrap, options["sms"])

    # -- running them --------------------------------------------------------------------------------------

    async def _run(
        self,
        entries: list[Entry],
        enrolment: Enrolment | None,
        making: Callable[[Entry], Device],
        options: dict[str, Any],
    ) -> None:
        fleet = Fleet(options["rate"])
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stopped.set)
        names = [f"{options['endpoint_prefix']}{number}" for number in range(1, options["count"] + 1)]
        source = enrolment.entries(names) if enrolment else _each(entries)
        starting = asyncio.create_task(self._start(fleet, source, making))
        waiting = asyncio.create_task(stopped.wait())
        showing = None if options["quiet"] else asyncio.create_task(self._show(fleet))
        try:
            await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
            await waiting
        finally:
            _leave_in_time(status=0 if stopped.is_set() else 1)
            tasks = [task for task in (starting, waiting, showing) if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if not options["quiet"]:
                self.stdout.write(f"\nStopping. {fleet.progress()}")
                self.stdout.flush()
            await fleet.stop(deregister=options["deregister"], within_seconds=LONGEST_GOODBYE_SECONDS / 2)

    async def _start(
        self, fleet: Fleet, source: AsyncIterator[Entry], making: Callable[[Entry], Device]
    ) -> None:
        async with contextlib.aclosing(source) as entries:  # type: ignore[type-var]
            await fleet.start(making(entry) async for entry in entries)

    async def _show(self, fleet: Fleet) -> None:
        """One line that renews itself on a terminal, a line every few seconds elsewhere."""
        is_terminal = self.stdout.isatty()
        while True:
            await asyncio.sleep(1 if is_terminal else 5)
            line = str(fleet.progress())
            self.stdout.write(f"\r\x1b[2K{line}" if is_terminal else line, ending="" if is_terminal else "\n")
            self.stdout.flush()


def _leave_in_time(*, status: int) -> None:
    """Cancelling ten thousand devices in order may take long; what is left then is the system's to close."""
    signal.signal(signal.SIGALRM, lambda *_: os._exit(status))
    signal.setitimer(signal.ITIMER_REAL, LONGEST_GOODBYE_SECONDS)


def _provider(options: dict[str, Any]) -> Provider:
    name, file = options["smsc_password_env"], options["smsc_password_file"]
    try:
        password = file.read_text().strip() if file else os.environ.get(name) if name else "device"
    except OSError as error:
        raise sim_cards.BadCard(f"The password cannot be read from {file}: {error.strerror}.") from None
    if not password:
        where = f"The file {file}" if file else f"The environment variable {name}"
        raise sim_cards.BadCard(f"{where} is empty; put the password there.")
    return Provider.parse(options["smsc"], options["smsc_account"], password)


async def _each(entries: list[Entry]) -> AsyncIterator[Entry]:
    for entry in entries:
        yield entry
