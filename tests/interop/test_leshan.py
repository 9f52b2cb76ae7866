"""Eclipse Leshan's client (2.0.0-M18) against the running portal: register on UDP and PSK, bootstrap with PSK."""

from __future__ import annotations

import pytest

from tests.interop.leshan_device import LeshanDevice, device
from tests.rest import Rest
from tests.running_portal import RunningPortal, until

KEY = "00112233445566778899aabbccddeeff"


def session_of(rest: Rest, endpoint: str) -> str:
    return str(rest.device(endpoint)["session"]["state"])


def goes_round(leshan_device: LeshanDevice, rest: Rest, endpoint: str) -> None:
    """Registered, the job read /3/0, an Update is accepted, and a stop de-registers."""
    leshan_device.said("REGISTERED")
    until(
        lambda: session_of(rest, endpoint) == "registered", seconds=20, what="the portal shows it registered"
    )
    until(lambda: rest.device(endpoint)["manufacturer"] == "Eclipse Leshan", seconds=30, what="/3/0 was read")
    until(lambda: rest.device(endpoint)["provisioning"] == "applied", seconds=30, what="the job has ended")
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
