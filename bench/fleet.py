"""A fleet of devices that are managed: registers them, then notifies, or answers what they are asked.

    python -m bench.fleet --port 5683 --devices 1000 notify --seconds 6      prints lines as bench/load.py does
    python -m bench.fleet --port 5683 --devices 1000 answer                  until its input ends

`notify` waits until all are observed. `answer` prints `registered`, sends an Update of each device for each line it
reads, and prints at the end how many requests it answered and with how much CPU.
"""

from __future__ import annotations

import argparse
import json
import select
import sys
import time

from bench.fleet_device import ManagedDevice
from bench.load import STEP_SECONDS, Run, cpu_seconds, quantile
from bench.load_device import REGISTER, UPDATE

REGISTER_WINDOW = 32


class Fleet(Run[ManagedDevice]):
    """The devices of a run, which also listen while nothing is begun."""

    def listen(self, seconds: float = STEP_SECONDS) -> list[ManagedDevice]:
        """Read what came, answer requests; the devices whose notification was answered."""
        now = time.monotonic()
        heard = [self._by_descriptor[descriptor] for descriptor, _ in self._poll.poll(seconds)]
        return [device for device in heard if device.read(now) is not None]

    def await_observed(self, limit: float) -> int:
        devices, ends = list(self._by_descriptor.values()), time.monotonic() + limit
        while not all(device.is_observed for device in devices) and time.monotonic() < ends:
            self.listen()
        return sum(device.is_observed for device in devices)

    def notify(self, seconds: float) -> None:
        """Each observed device notifies again as soon as its notification is acknowledged."""
        now = begun = time.monotonic()
        cpu, latencies, repeated = cpu_seconds(), list[float](), 0
        active = [device for device in self._by_descriptor.values() if device.is_observed]
        for device in active:
            device.notify(now)
        scan_at = begun + STEP_SECONDS
        while now < begun + seconds:
            for device in self.listen():
                now = time.monotonic()
                latencies.append(now - device.begun_at)
                if device.is_observed:
                    device.notify(now)
            now = time.monotonic()
            if now >= scan_at:
                scan_at = now + STEP_SECONDS
                repeated += sum(device.repeat(now) for device in active if device.is_observed)
        latencies.sort()
        _print(
            phase="notify", usable=len(active), seconds=now - begun, ok=len(latencies),
            rps=len(latencies) / (now - begun), non2xx=sum(not device.is_observed for device in active),
            retrans=repeated, lost=0, hs_fail=0, cpu_s={"self": cpu_seconds() - cpu},
            lat_us={"p50": quantile(latencies, 0.5), "p99": quantile(latencies, 0.99)},
        )  # fmt: skip

    def answer(self) -> None:
        devices = list(self._by_descriptor.values())
        for line in _lines(self):
            if line.strip() == "update":
                for device in devices:
                    device.begin(UPDATE, time.monotonic())
        _print(phase="answer", ok=sum(device.reads for device in devices), cpu_s={"self": cpu_seconds()})


def _lines(fleet: Fleet):  # type: ignore[no-untyped-def]
    """Lines of the input, while the devices go on answering."""
    while True:
        ready, _, _ = select.select([sys.stdin], [], [], 0)
        if ready:
            line = sys.stdin.readline()
            if not line:
                return
            yield line
        fleet.listen(0.02)


def _print(**line: object) -> None:
    print(json.dumps(line), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--setup-limit", type=float, default=60.0)
    parser.add_argument("--ep-prefix", default="fleet-")
    parser.add_argument("mode", choices=["notify", "answer"])
    options = parser.parse_args()
    devices = [
        ManagedDevice(options.port, f"{options.ep_prefix}{number:06d}", ports=iter(()), identity=b"", key=b"")
        for number in range(options.first, options.first + options.devices)
    ]
    fleet = Fleet(devices)
    limit = options.setup_limit
    fleet.phase(REGISTER, devices, window=REGISTER_WINDOW, seconds=limit, once=True, label="setup-register")
    if options.mode == "answer":
        fleet.answer()
        return
    _print(phase="setup-observe", ok=fleet.await_observed(limit), usable=len(devices))
    if sys.stdin.readline():  # the word to begin
        fleet.notify(options.seconds)


if __name__ == "__main__":
    main()
