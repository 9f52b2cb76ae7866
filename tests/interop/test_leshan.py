"""Eclipse Leshan's client (2.0.0-M18) against the running portal: register on UDP and PSK, bootstrap with PSK."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.rest import Rest
from tests.running_portal import RunningPortal, until

KEY = "00112233445566778899aabbccddeeff"


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
        self.process.wait(timeout=20)
        self._listener.join(timeout=20)
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


def session_of(rest: Rest, endpoint: str) -> str:
    return str(rest.device(endpoint)["session"]["state"])


def goes_round(leshan_device: LeshanDevice, rest: Rest, endpoint: str) -> None:
    """Registered, the job read /3/0, an Update is accepted, and a stop de-registers."""
    leshan_device.said("REGISTERED")
    until(
        lambda: session_of(rest, endpoint) == "registered", seconds=20, what="the portal shows it registered"
    )
    until(lambda: rest.device(endpoint)["manufacturer"] == "Eclipse Leshan", seconds=30, what="/3/0 was read")
    assert rest.device(endpoint)["provisioning"] == "applied"
    leshan_device.say("update")
    leshan_device.said("UPDATED")
    leshan_device.say("stop")
    leshan_device.said("DEREGISTERED")


def test_int_101_leshan_registers_over_udp(leshan: list[str], portal: RunningPortal, staff: Rest) -> None:
    added = staff.call(
        "POST", "devices/",
        {"endpoint": "leshan-udp", "operator": "northwind", "onboarding": "direct", "security": "none"},
    )  # fmt: skip
    assert added.status == 201, added
    with device(leshan, "-n", "leshan-udp", "-u", f"coap://127.0.0.1:{portal.ports['COAP_PORT']}") as running:
        goes_round(running, staff, "leshan-udp")


@pytest.mark.parametrize("cid", ["off", "on", "6"])
def test_int_401_leshan_registers_over_dtls_psk(
    leshan: list[str], portal: RunningPortal, staff: Rest, cid: str
) -> None:
    endpoint = f"leshan-psk-cid-{cid}"
    added = staff.call(
        "POST", "devices/",
        {"endpoint": endpoint, "operator": "northwind", "onboarding": "direct", "psk_identity": endpoint,
         "psk_key": KEY},
    )  # fmt: skip
    assert added.status == 201, added
    uri = f"coaps://127.0.0.1:{portal.ports['COAPS_PORT']}"
    with device(leshan, "-n", endpoint, "-u", uri, "-i", endpoint, "-p", KEY, "-cid", cid) as running:
        goes_round(running, staff, endpoint)


def test_int_1_leshan_bootstraps_with_psk_and_registers(
    leshan: list[str], portal: RunningPortal, subscriber: Rest
) -> None:
    added = subscriber.call("POST", "devices/", {"endpoint": "leshan-bs", "name": "A Leshan"})
    assert added.status == 201, added
    uri = f"coaps://127.0.0.1:{portal.ports['BOOTSTRAP_COAPS_PORT']}"
    flags = ("-n", "leshan-bs", "-u", uri, "-b", "-i", added.body["identity"], "-p", added.body["key"])
    with device(leshan, *flags) as running:
        running.said("BOOTSTRAPPED")
        goes_round(running, subscriber, "leshan-bs")
