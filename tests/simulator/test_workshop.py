"""The harness that flow tests use, against the little server of this folder."""

from __future__ import annotations

import pytest

from simulator.device import State
from tests.fakes.workshop import Workshop, devices
from tests.simulator.peers import Server, running

__all__ = ["devices"]


def test_devices_run_beside_a_test_that_is_no_coroutine(devices: Workshop) -> None:
    manager = running(Server())
    server = devices.do(manager.__aenter__())
    device = devices.start("dev-1", server=server.uri)
    devices.wait(device, lambda: device.is_registered)
    devices.do(device.update())
    devices.call(device.reboot)
    devices.wait(device, lambda: device.counts["registered"] == 2)
    devices.do(manager.__aexit__(None, None, None))


def test_waiting_in_vain_tells_the_story(devices: Workshop) -> None:
    device = devices.start("dev-1", server="coaps://127.0.0.1:1", identity="i", key=b"short")
    with pytest.raises(AssertionError, match="unusable credentials"):
        devices.wait(device, lambda: device.is_registered, seconds=0.3)
    assert device.state in (State.REGISTERING, State.WAITING)
