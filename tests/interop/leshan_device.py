"""A device made of Eclipse Leshan's client library: a Java process that is told words and prints what happens to it."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.running_portal import until


class LeshanDevice:
    """The Java process and the lines it printed."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.lines: list[str] = []
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self.process.stdout
        with self.process.stdout as lines:
            for line in lines:
                self.lines.append(line.rstrip())

    def end(self) -> None:
        self.process.kill()
        self.process.wait(timeout=60)
        self._listener.join(timeout=60)
        assert self.process.stdin
        self.process.stdin.close()

    def said(self, word: str, *, seconds: float = 40, times: int = 1) -> str:
        def heard() -> str | None:
            lines = [line for line in self.lines if line.split(" ")[0] == word]
            return lines[times - 1] if len(lines) >= times else None

        try:
            return until(heard, seconds=seconds, what=f"Leshan says {word}")  # type: ignore[return-value]
        except AssertionError as error:
            raise AssertionError(f"{error}\n" + "\n".join(self.lines[-40:])) from None

    def say(self, word: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()


@contextmanager
def device(command: list[str], *flags: str) -> Iterator[LeshanDevice]:
    running = LeshanDevice([*command, *flags])
    try:
        yield running
    finally:
        running.end()
