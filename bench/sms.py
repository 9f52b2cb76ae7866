"""Registrations by SMS, end to end over a real SMPP link: `python -m bench.sms [--devices 1000] [--json]`.

The loopback SMSC and one line that has the numbers of all devices are in this process, `manage.py southbound` is the
other. Each device registers anew as soon as it is answered. So a registration is four SMPP hops: submitted to the SMSC,
delivered to the portal, stored, acknowledged, answered from the outbox, submitted, and delivered to the device.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections import deque
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import databases, processes
from bench.cases import say
from bench.databases import Database
from simulator.smpp_wire import SmppWire
from simulator.smsc import Smsc
from smpp import Address, Answered, Bind, Event, Limits, Received, Session, part_of, split, submit_sm

OURS = "+491700000001"
NUMBERS = "4915100"
WARM_SECONDS = 2.0
PATIENCE = 60.0


@dataclass(frozen=True)
class Registered:
    """Registrations in a second, and seconds from the first byte of a Register to the last of its answer."""

    database: str
    devices: int
    open: int
    seconds: float
    rate: float
    p50: float
    p99: float


class Line:
    """The devices: one open Register each, of at most `open` at a time."""

    def __init__(self, devices: int, open_at_once: int) -> None:
        self.free = deque(range(1, devices + 1))
        self.sent_at: dict[str, tuple[int, float]] = {}
        self.took: list[float] = []
        self.loop = asyncio.get_running_loop()
        self._open = open_at_once
        self._mid = 0
        self._ours = Address.parse(OURS)
        bind = Bind("devices", "devices", addr_ton=1, addr_npi=1, address_range=f"^{NUMBERS}")
        self._session = Session(bind, Limits(window=1000))
        self._wire = SmppWire(self._session, self._handle)

    async def connect(self, smsc: Smsc) -> None:
        await self.loop.create_connection(lambda: self._wire, smsc.host, smsc.port)
        self._wire.act(self._session.start(self.loop.time()))
        async with asyncio.timeout(PATIENCE):
            while not self._session.is_bound:
                await asyncio.sleep(0.01)

    def fill(self) -> None:
        while self.free and len(self.sent_at) < self._open and self._session.room(self.loop.time()):
            self._register(self.free.popleft())

    def _register(self, device: int) -> None:
        self._mid = self._mid % 0xFFFF + 1
        number = f"+{NUMBERS}{device:06d}"
        self.sent_at[number] = (device, time.monotonic())
        for part in split(_message(device, self._mid)):
            message = submit_sm(part, source=Address.parse(number), destination=self._ours)
            self._wire.act(self._session.submit(message, number, self.loop.time()))

    def _handle(self, event: Event) -> None:
        if isinstance(event, Received):
            self._wire.act(self._session.acknowledge(event.handle, now=self.loop.time()))
            known = self.sent_at.pop(str(event.body.destination), None)
            if known is not None and part_of(event.body).payload[1] == 0x41:
                device, sent_at = known
                self.took.append(time.monotonic() - sent_at)
                self.free.append(device)
            self.fill()
        elif isinstance(event, Answered):
            self.fill()


def _message(device: int, mid: int) -> bytes:
    """CON POST /rd?ep=dev-000001&lt=86400&lwm2m=1.1&b=S with an object list."""
    ep = f"ep=dev-{device:06d}".encode()
    query = bytes((0x3D, len(ep) - 13)) + ep
    for text in (b"lt=86400", b"lwm2m=1.1", b"b=S"):
        query += bytes((len(text),)) + text
    return b"\x42\x02" + mid.to_bytes(2, "big") * 2 + b"\xb2rd\x11\x28" + query + b"\xff</1/0>,</3/0>"


def _seed(port: int) -> None:
    from django.db.models import F, Value
    from django.db.models.functions import Concat, Substr

    from accounts.models import Operator
    from devices.inventory.models import Device, Reach
    from devices.messaging.services import smsc_links

    Device.objects.update(
        reach=Reach.SMS,
        security="msisdn",
        msisdn=Concat(Value(f"+{NUMBERS}"), Substr(F("endpoint"), 5)),
    )
    smsc_links.save(
        operator=Operator.objects.get(), host="127.0.0.1", port=port, system_id="portal", password="portal",
        address=OURS, window=500, messages_per_second=10_000, daily_messages=10_000_000, wants_receipts=False,
    )  # fmt: skip


async def _play(env: dict[str, str], options: argparse.Namespace) -> tuple[float, list[float]]:
    smsc = Smsc({"portal": "portal", "devices": "devices"}, limits=Limits(window=1000))
    await smsc.start()
    try:
        await asyncio.to_thread(_seed, smsc.port)
        serving = processes.southbound(env)
        await asyncio.to_thread(serving.__enter__)
        try:
            line = Line(options.devices, options.open)
            await line.connect(smsc)
            line.fill()
            async with asyncio.timeout(PATIENCE):
                while not line.took:
                    await asyncio.sleep(0.05)
            await asyncio.sleep(WARM_SECONDS)
            line.took.clear()
            began = time.monotonic()
            await asyncio.sleep(options.seconds)
            return time.monotonic() - began, sorted(line.took)
        finally:
            await asyncio.to_thread(serving.__exit__, None, None, None)
    finally:
        await smsc.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--open", type=int, default=256, help="Registers without an answer at a time (256)")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        store: AbstractContextManager[Database] = (
            databases.postgresql() if databases.has_server() else databases.sqlite(Path(folder))
        )
        with store as database:
            env = processes.environment(database, Path(folder) / database.name)
            os.environ.update(env | {"DJANGO_SETTINGS_MODULE": "m2m_portal.settings"})
            import django

            django.setup()
            say(f"{database.name}: registrations by SMS of {options.devices:,} devices")
            processes.prepare(env, plain=options.devices, secured=0)
            seconds, took = asyncio.run(_play(env, options))
    if not took:
        raise SystemExit("No Register was answered.")
    found = Registered(
        database.name, options.devices, options.open, round(seconds, 2), round(len(took) / seconds, 1),
        round(took[len(took) // 2], 4), round(took[len(took) * 99 // 100], 4),
    )  # fmt: skip
    if options.json:
        print(json.dumps(asdict(found)))
        return
    print(
        f"{found.rate:,.0f} registrations by SMS a second, {found.open} open at a time; "
        f"half within {found.p50 * 1000:,.0f} ms, 99 % within {found.p99 * 1000:,.0f} ms; {found.database}."
    )


if __name__ == "__main__":
    main()
