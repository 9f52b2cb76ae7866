"""A small closed-loop generator of our own, for machines without lwm2mload: slower, with the same flags and lines.

Each device is a connected UDP socket, over plain CoAP or DTLS, with at most one request open; `--window` are open
over all.
"""

from __future__ import annotations

import argparse
import json
import resource
import select
import time
from collections import Counter, deque
from collections.abc import Sequence
from typing import Generic, TypeVar

from bench.load_device import HANDSHAKE, REGISTER, UPDATE, Device

STEP_SECONDS = 0.05
GIVE_UP_SECONDS = 30.0


AnyDevice = TypeVar("AnyDevice", bound=Device)


class Run(Generic[AnyDevice]):
    """Keeps `window` requests outstanding over devices that take turns."""

    def __init__(self, devices: Sequence[AnyDevice]) -> None:
        self._poll = select.epoll()
        self._by_descriptor = {device.descriptor: device for device in devices}
        for descriptor in self._by_descriptor:
            self._poll.register(descriptor, select.EPOLLIN)

    def phase(
        self,
        name: str,
        devices: Sequence[AnyDevice],
        *,
        window: int,
        seconds: float,
        once: bool,
        label: str = "",
    ) -> None:
        """Plays a phase and prints its line. `once`: until each device was answered, `seconds` at most."""
        idle, open_ones = deque(devices), set[AnyDevice]()
        counts: Counter[str] = Counter()
        latencies: list[float] = []
        begun, cpu = time.monotonic(), cpu_seconds()
        ends, scan_at = begun + seconds, begun + STEP_SECONDS
        now = begun
        while now < ends and (idle or open_ones):
            while idle and len(open_ones) < window:
                device = idle.popleft()
                device.begin(name, now)
                open_ones.add(device)
            for descriptor, _ in self._poll.poll(STEP_SECONDS):
                device = self._by_descriptor[descriptor]
                code = device.read(time.monotonic())
                if code is not None and device in open_ones:
                    open_ones.discard(device)
                    counts["ok" if code >> 5 in (0, 2) else "bad"] += 1
                    latencies.append(time.monotonic() - device.begun_at)
                    if not once:
                        idle.append(device)
            now = time.monotonic()
            if now >= scan_at:
                scan_at = now + STEP_SECONDS
                for device in list(open_ones):
                    if now - device.begun_at > GIVE_UP_SECONDS:
                        open_ones.discard(device)
                        counts["lost"] += 1
                    else:
                        counts["retrans"] += device.repeat(now)
        passed = time.monotonic() - begun
        cpu = cpu_seconds() - cpu
        self._print(label or name, counts, sorted(latencies), len(devices), len(open_ones), passed, cpu)

    def _print(
        self,
        label: str,
        counts: Counter[str],
        latencies: list[float],
        usable: int,
        unfinished: int,
        seconds: float,
        cpu: float,
    ) -> None:
        line = {
            "phase": label,
            "usable": usable,
            "seconds": round(seconds, 3),
            "ok": counts["ok"],
            "rps": round(counts["ok"] / seconds, 1),
            "non2xx": counts["bad"],
            "retrans": counts["retrans"],
            "lost": counts["lost"],
            "unfinished": unfinished,
            "hs_fail": 0,
            "lat_us": {"p50": quantile(latencies, 0.5), "p99": quantile(latencies, 0.99)},
            "cpu_s": {"self": round(cpu, 3)},
        }
        print(json.dumps(line), flush=True)


def quantile(ordered: Sequence[float], share: float) -> float:
    """Of seconds, in microseconds."""
    return round(ordered[int(share * (len(ordered) - 1))] * 1e6, 1) if ordered else 0.0


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--phase", choices=[REGISTER, UPDATE, "reregister", HANDSHAKE], default=UPDATE)
    for flag, default in (
        ("devices", 1000),
        ("window", 64),
        ("setup-window", 32),
        ("first", 1),
        ("source-port", 0),
    ):
        parser.add_argument(f"--{flag}", type=int, default=default)
    for flag, seconds in (("seconds", 10.0), ("setup-limit", 60.0), ("hold", 0.0)):
        parser.add_argument(f"--{flag}", type=float, default=seconds)
    parser.add_argument("--source-address", default="127.0.0.1", help="of --source-port")
    parser.add_argument("--ep-prefix", default="dev-")
    parser.add_argument("--psk", default="", help="key in hex; identities are --psk-prefix and six digits")
    parser.add_argument("--psk-prefix", default="psk-")
    parser.add_argument("--json", action="store_true", help="the only form there is")
    options = parser.parse_args()

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, options.devices + 64)), hard))
    ports = iter(range(options.source_port, 65_536) if options.source_port else ())
    devices = [
        Device(
            options.port,
            f"{options.ep_prefix}{number:06d}",
            ports=ports,
            identity=f"{options.psk_prefix}{number:06d}".encode(),
            key=bytes.fromhex(options.psk),
            address=options.source_address,
        )
        for number in range(options.first, options.first + options.devices)
    ]
    _play(Run(devices), devices, options)
    time.sleep(options.hold)


def _play(run: Run[Device], devices: list[Device], options: argparse.Namespace) -> None:
    setup = {"window": options.setup_window, "seconds": options.setup_limit, "once": True}
    timed = {"window": options.window, "seconds": options.seconds, "once": False}
    if options.phase == HANDSHAKE:
        run.phase(HANDSHAKE, devices, **timed)
        return
    if options.psk:
        run.phase(HANDSHAKE, devices, **setup, label="setup-handshake")
    if options.phase == REGISTER:
        run.phase(REGISTER, devices, **setup | {"window": options.window})
        return
    run.phase(REGISTER, devices, **setup, label="setup-register")
    registered = [device for device in devices if device.location]
    run.phase(UPDATE if options.phase == UPDATE else REGISTER, registered, **timed, label=options.phase)


if __name__ == "__main__":
    main()
