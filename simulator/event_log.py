"""`/20`, Event Log: between Start and Stop it writes down what happens to the device."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from lwm2m.paths import Path
from simulator.equipment import Host, not_executable

CLASS, START, STOP, STATUS, DATA, FORMAT = 4010, 4011, 4012, 4013, 4014, 4015
STOPPED, HAS_DATA = 1, 2
"""Bits of `/20/0/4013`; running is the first one not being set."""

LINES = 50


class EventLog:
    """The data are lines of text, one an event, oldest first."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._lines: deque[str] = deque(maxlen=LINES)
        self._is_running = False
        host.tree.set_instance(20, 0, {CLASS: 0, STATUS: STOPPED, DATA: b"", FORMAT: 0})
        host.listeners.append(lambda _, event, detail: self._heard(event))

    def execute(self, path: Path, arguments: bytes) -> Callable[[], None] | None:
        """Start begins an empty log."""
        if path.ids[2] == START:
            self._lines.clear()
            self._run(is_running=True)
        elif path.ids[2] == STOP:
            self._run(is_running=False)
        else:
            raise not_executable(path)
        return None

    def _heard(self, event: str) -> None:
        if self._is_running:
            self._lines.append(event)
            self._show()

    def close(self) -> None:
        """The device is switched off; the log stays."""

    def _run(self, *, is_running: bool) -> None:
        self._is_running = is_running
        self._show()

    def _show(self) -> None:
        status = (0 if self._is_running else STOPPED) | (HAS_DATA if self._lines else 0)
        self._host.tree.set(f"/20/0/{DATA}", "\n".join(self._lines).encode())
        self._host.tree.set(f"/20/0/{STATUS}", status)
