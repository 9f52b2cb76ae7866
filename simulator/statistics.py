"""`/7`, Connectivity Statistics: counts between Start and Stop, or for as long as `/7/0/8` says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from lwm2m.paths import Path
from simulator.equipment import Host, not_executable
from simulator.objects import Sensor
from simulator.traffic import Traffic

START, STOP, PERIOD = 6, 7, 8
KILOBYTE = 1024


class Statistics:
    """Nothing is counted before the first Start, and every Start begins at 0."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._before = Traffic()
        self._counted: Traffic | None = Traffic()
        self._timer: asyncio.TimerHandle | None = None
        host.tree.set_instance(
            7,
            0,
            {
                2: Sensor(lambda: self._now().sent_bytes // KILOBYTE),
                3: Sensor(lambda: self._now().received_bytes // KILOBYTE),
                4: Sensor(lambda: self._now().largest_bytes),
                5: Sensor(self._average),
                PERIOD: 0,
            },
        )

    def execute(self, path: Path, arguments: bytes) -> Callable[[], None] | None:
        """Start or stop; the answer to Start is counted, the request was before."""
        if path.ids[2] == START:
            return self._start
        if path.ids[2] == STOP:
            return self._stop
        raise not_executable(path)

    @property
    def is_counting(self) -> bool:
        return self._counted is None

    def close(self) -> None:
        """The device is switched off."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _start(self) -> None:
        self.close()
        self._before, self._counted = self._host.traffic, None
        seconds = self._host.tree.value(7, 0, PERIOD)
        if isinstance(seconds, int) and seconds > 0:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._stop)

    def _stop(self) -> None:
        self.close()
        self._counted = self._now()

    def _now(self) -> Traffic:
        if self._counted is not None:
            return self._counted
        all_of_it, before = self._host.traffic, self._before
        return Traffic(
            all_of_it.sent_bytes - before.sent_bytes,
            all_of_it.received_bytes - before.received_bytes,
            all_of_it.messages - before.messages,
            all_of_it.largest_bytes,
        )

    def _average(self) -> int:
        found = self._now()
        return (found.sent_bytes + found.received_bytes) // max(1, found.messages)
