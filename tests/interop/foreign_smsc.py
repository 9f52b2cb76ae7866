"""An SMSC that we did not write: npm's package `smpp` as a server, in a process of its own, for tests.

    with running_smsc(accounts={"portal": "secret"}) as smsc:
        ... bind to 127.0.0.1:smsc.port ...
        smsc.until(lambda: smsc.binds())                             # or `await eventually(...)` in a coroutine
        smsc.set(throttle=2, silent=1, slow_ms=50)                   # every setting: smsc/smsc.js, `settings`
        smsc.deliver(b"...", source="+4917...", destination="+49...")            # one SMS, user data as it stands
        smsc.deliver_message(payload, source=..., destination=..., reference=7, size=100, order=(3, 1, 2, 2))
        smsc.until(lambda: smsc.acknowledged("id") == [0])
        [pdu["short_message"] for pdu in smsc.pdus("submit_sm")]     # user data in hex, header included
        smsc.order("raw", hex="00000004")                            # no PDU; also enquire, unbind, alert
        smsc.down(), smsc.up()                                       # same port

Whoever is bound with the destination as ``address_range`` gets a submit_sm as deliver_sm, so simulated devices can
use it too; other messages are acknowledged, reported delivered if they ask (``receipts``), and go nowhere.
Optional parameters go by the package's names (``tlvs={"source_port": 5683, "dest_port": 5683}``).
`running_smsc` skips the test where node or the package cannot be had. Tests of the folder have it as the fixture
`foreign_smsc`.
"""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent / "smsc"
HOME = Path(__file__).resolve().parents[2] / "var" / "interop-smsc"
ACCOUNTS = {"portal": "secret", "device": "device"}


class ForeignSmsc:
    """``log`` grows by itself: a dict for each thing that happened, in order."""

    host = "127.0.0.1"

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.log: list[dict[str, Any]] = []
        self.port = 0
        self._process = process
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.log.append(json.loads(line))

    # -- what happened -------------------------------------------------------------------------------------

    def events(self, name: str) -> list[dict[str, Any]]:
        """What was told under a name: connected, bound, pdu, acknowledged, closed, error and others."""
        return [event for event in list(self.log) if event["event"] == name]

    def pdus(self, command: str) -> list[dict[str, Any]]:
        """The PDUs of a command that came from ESMEs, fields as the package names them."""
        return [event for event in self.events("pdu") if event["command"] == command]

    def binds(self) -> list[dict[str, Any]]:
        return self.events("bound")

    def acknowledged(self, message: str) -> list[int]:
        """The statuses with which a delivered message was acknowledged."""
        return [event["status"] for event in self.events("acknowledged") if event["id"] == message]

    def until(self, condition: Callable[[], object], seconds: float = 60.0) -> None:
        """Wait until something is true; for tests that are no coroutines."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not within {seconds} s; the end of the log: {self.log[-5:]}"
            time.sleep(0.01)

    # -- what to do ----------------------------------------------------------------------------------------

    def order(self, do: str, **what: Any) -> None:
        """Have something done; it is done when this returns. AssertionError when it went wrong."""
        before = sum("do" in event for event in list(self.log))
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **what}) + "\n")
        self._process.stdin.flush()
        self.until(lambda: sum("do" in event for event in list(self.log)) > before)
        done = [event for event in list(self.log) if "do" in event][before]
        assert done["event"] == "done", done

    def set(self, **settings: Any) -> None:
        """Change what it does wrong on purpose."""
        self.order("set", settings=settings)

    def deliver(self, user_data: bytes, *, source: str, destination: str, **what: Any) -> str:
        """Send one deliver_sm; the id to ask `acknowledged` with."""
        name = str(what.pop("id", f"message {len(self.log)}"))
        self.order("deliver", id=name, source=source, destination=destination, hex=user_data.hex(), **what)
        return name

    def deliver_message(
        self,
        payload: bytes,
        *,
        source: str,
        destination: str,
        reference: int = 1,
        size: int = 120,
        order: Sequence[int] | None = None,
        ports: bool = True,
        **what: Any,
    ) -> list[str]:
        """Send a payload in concatenated SMS to the ports of CoAP; ``order`` names parts from 1, more than once too.

        The bytes of the header are put together here, by 3GPP TS 23.040 section 9.2.3.24, and not by our codec.
        """
        cuts = [payload[at : at + size] for at in range(0, len(payload), size)] or [b""]
        addressed = bytes.fromhex("050416331633") if ports else b""
        sent = []
        for number in order or range(1, len(cuts) + 1):
            elements = addressed
            if len(cuts) > 1:
                elements += bytes((0x00, 3, reference, len(cuts), number))
            header = bytes((len(elements),)) + elements if elements else b""
            data, esm_class = header + cuts[number - 1], 0x40 if header else 0
            sent.append(
                self.deliver(data, source=source, destination=destination, esm_class=esm_class, **what)
            )
        return sent

    def down(self) -> None:
        """Close every connection and accept none."""
        self.order("down")

    def up(self) -> None:
        """Listen again, on the same port."""
        before = len(self.events("listening"))
        self.order("up")
        self.until(lambda: len(self.events("listening")) > before)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


@contextmanager
def running_smsc(accounts: Mapping[str, str] = ACCOUNTS, port: int = 0) -> Iterator[ForeignSmsc]:
    """The SMSC on a port of loopback inside the block. Skips the test when it cannot be had."""
    command = [*_node(), json.dumps(dict(accounts)), str(port)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    smsc = ForeignSmsc(process)
    try:
        smsc.until(lambda: smsc.events("listening"))
        smsc.port = smsc.events("listening")[0]["port"]
        yield smsc
    finally:
        smsc.stop()


def _node() -> list[str]:
    """The command line that starts it, after the package was brought."""
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed, so the SMSC of npm's smpp cannot run")
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes
        _bring()
    return ["node", str(HOME / "smsc.js")]


def _bring() -> None:
    for name in ("package.json", "package-lock.json", "smsc.js"):
        if not (HOME / name).exists() or (HOME / name).read_bytes() != (HERE / name).read_bytes():
            shutil.copy(HERE / name, HOME / name)
    if (HOME / "node_modules" / "smpp" / "package.json").exists():
        return
    brought = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
        cwd=HOME,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if brought.returncode:
        pytest.skip(f"the registry of npm is not reachable: {brought.stderr.strip().splitlines()[-1:]}")
