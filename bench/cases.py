"""What is measured: which server, how secured, how many processes, which request; and how one case is played."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any

from bench import generator, processes
from bench.accounting import Meter, resident_bytes
from bench.databases import Database
from bench.generator import Generator, Load
from bench.processes import Serving

PLAIN = {"aiocoap": "default", "aiocoap-simple": "simple6,simplesocketserver"}
"""The servers to compare with: aiocoap's own choice of transport, and the one it is fastest with."""
REQUESTS = {"update": "update", "register": "reregister"}
"""As we call them, and as the generator calls the phase."""
SOURCE_PORT = 5_000
"""Where source ports begin when more devices are wanted than there are ephemeral ports. A DTLS session needs its own
port to stay, so one address has room for 60,000 of them, and more come from the next address."""


@dataclass(frozen=True)
class Sizes:
    """How long and how large; `memory` are numbers of registered devices."""

    seconds: float
    devices: int
    window: int
    memory: tuple[int, ...]
    memory_secured: tuple[int, ...]


FULL = Sizes(6.0, 1000, 256, (1_000, 10_000, 100_000), (1_000, 10_000, 100_000))
QUICK = Sizes(1.0, 300, 256, (1_000,), ())


@dataclass(frozen=True)
class Rate:
    """One line of the table of rates."""

    server: str
    secured: bool
    processes: int
    request: str
    load: Load
    played: int = 1
    span: tuple[float, float] | None = None

    @property
    def key(self) -> str:
        return rate_key(self.server, self.secured, self.processes, self.request)

    def micros(self, seconds: float) -> float:
        """CPU seconds of the span as microseconds per answered request."""
        return seconds * 1e6 / max(1, self.load.answered)

    @property
    def cpu(self) -> float:
        """Microseconds per request of everything that serves it."""
        used = self.load.usage
        return self.micros(used.server + used.database + used.redis)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"cpu_us": round(self.cpu, 1), "others_cores": round(self.load.others_cores, 2)}


@dataclass(frozen=True)
class Memory:
    """Resident memory of one southbound process before and after so many devices registered."""

    secured: bool
    devices: int
    before: int
    after: int

    @property
    def per_device(self) -> float:
        return (self.after - self.before) / self.devices


def rate_key(server: str, secured: bool, count: int, request: str) -> str:
    return f"{server.lower()}/{'dtls' if secured else 'nosec'}/{count}/{request}"


class Bench:
    """Plays cases one after the other; `wanted` says which by their keys."""

    def __init__(
        self, using: Generator, sizes: Sizes, wanted: Callable[[str], bool], redis: int | None
    ) -> None:
        self._generator = using
        self._sizes = sizes
        self._wanted = wanted
        self.redis = redis

    def plain(self, name: str) -> Iterator[Rate]:
        """The aiocoap server, which stores nothing."""
        if any(self._wanted(rate_key(name, False, 1, request)) for request in REQUESTS):
            yield from self._rates(name, processes.plain_site(PLAIN[name]), None, secured=False, count=1)

    def southbound(self, database: Database, env: dict[str, str], counts: tuple[int, ...]) -> Iterator[Rate]:
        """Ours, on one database, without and with DTLS, with so many processes."""
        for count in counts:
            for secured in (False, True):
                keys = [rate_key(database.name, secured, count, request) for request in REQUESTS]
                if any(map(self._wanted, keys)):
                    serving = processes.southbound(env, processes=count)
                    yield from self._rates(database.name, serving, database, secured=secured, count=count)

    def _rates(
        self,
        name: str,
        starting: AbstractContextManager[Serving],
        database: Database | None,
        *,
        secured: bool,
        count: int,
    ) -> Iterator[Rate]:
        with starting as serving:
            for request, phase in REQUESTS.items():
                if self._wanted(rate_key(name, secured, count, request)):
                    load = self._load(serving, database, phase=phase, secured=secured)
                    rate = Rate(name, secured, count, request, load)
                    say(
                        f"{rate.key:<32} {load.rate:>8,.0f}/s  p99 {load.p99:6.1f} ms  {rate.cpu:7.0f} µs CPU"
                    )
                    yield rate

    def _load(
        self,
        serving: Serving,
        database: Database | None,
        *,
        phase: str,
        secured: bool,
        devices: int = 0,
        first: int = 1,
        source_port: int = 0,
        source_address: str = "",
        at_end: Callable[[], None] | None = None,
    ) -> Load:
        meter = Meter(
            serving.pids,
            database.server_pid if database else None,
            self.redis if database and database.server_pid else None,
        )
        return generator.run(
            generator.OURS if source_address else self._generator,
            meter,
            port=serving.coaps if secured else serving.coap,
            phase=phase,
            devices=devices or self._sizes.devices,
            window=self._sizes.window,
            seconds=self._sizes.seconds,
            secured=secured,
            first=first,
            source_port=source_port,
            source_address=source_address,
            at_end=at_end,
        )

    def memory(self, database: Database, env: dict[str, str]) -> Iterator[Memory]:
        """Each size in a fresh process, so that nothing is counted that an earlier size left."""
        for secured, sizes in ((False, self._sizes.memory), (True, self._sizes.memory_secured)):
            for devices in sizes:
                if self._wanted(f"memory/{'dtls' if secured else 'nosec'}/{devices}"):
                    measured = self._memory(database, env, secured=secured, devices=devices)
                    say(f"memory, {devices:,} devices: {measured.per_device:,.0f} bytes each")
                    yield measured

    def _memory(self, database: Database, env: dict[str, str], *, secured: bool, devices: int) -> Memory:
        """Registers in rounds when there are more devices than sockets; all stay registered."""
        after = 0

        def look() -> None:
            nonlocal after
            after = resident_bytes(serving.pids[0])

        with processes.southbound(env) as serving:
            before = resident_bytes(serving.pids[0])
            most = generator.most_devices()
            for turn, first in enumerate(range(1, devices + 1, most)):
                size = min(most, devices + 1 - first)
                addresses, ports = divmod(turn if secured else 0, (65_536 - SOURCE_PORT) // most)
                load = self._load(
                    serving, database, phase="register", secured=secured, devices=size, first=first,
                    source_port=SOURCE_PORT + ports * most,
                    source_address=f"127.0.0.{addresses + 1}" if addresses else "", at_end=look,
                )  # fmt: skip
                if load.answered < size:
                    say(f"warning: {load.answered} of {size} devices registered")
        return Memory(secured, devices, before, after)


def say(text: str) -> None:
    """Progress, apart from the result."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
