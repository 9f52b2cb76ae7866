"""libcoap's clients (Debian's libcoap3-bin) against the running portal: Register, Update, De-register."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from tests.rest import Rest
from tests.running_portal import RunningPortal, until

KEY = "libcoap-key-0001"
LINKS = '</>;rt="oma.lwm2m",</1/0>,</3/0>'
LINK_FORMAT = "40"
SECURED = ["coap-client-openssl", "coap-client-gnutls"]


class LibcoapDevice:
    """Each request is a process, and with DTLS a handshake, of its own: the session ends with it."""

    def __init__(self, binary: str, endpoint: str, server: str, key: str = "") -> None:
        if shutil.which(binary) is None:
            pytest.skip(f"{binary} is not installed (Debian: libcoap3-bin)")
        self._command = [binary, "-v", "7", "-B", "20", "-U"]
        if key:
            self._command += ["-u", endpoint, "-k", key]
        self._server = server
        self.output = ""

    def ask(self, method: str, path: str, *flags: str) -> str:
        """The answer's code in words of libcoap, such as "2.01"; "" when nothing came."""
        done = subprocess.run(
            [*self._command, "-m", method, *flags, f"{self._server}/{path}"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.output = done.stdout + done.stderr
        codes = re.findall(r"v:1 t:\w+ c:(\d\.\d\d) ", self.output)
        return codes[-1] if codes else ""

    def register(self, endpoint: str) -> str:
        """Register and return the location's path."""
        query = f"rd?ep={endpoint}&lt=300&lwm2m=1.1&b=U"
        assert self.ask("post", query, "-t", LINK_FORMAT, "-e", LINKS) == "2.01", self.output
        location = re.findall(r"Location-Path:([^\s,]+)", self.output)
        assert len(location) == 2, self.output
        return "/".join(location)


def add(staff: Rest, endpoint: str, **security: str) -> None:
    body = {"endpoint": endpoint, "operator": "northwind", "onboarding": "direct", **security}
    added = staff.call("POST", "devices/", body)
    assert added.status == 201, added
    until(lambda: staff.device(endpoint)["provisioning"] != "draft", seconds=20, what="the job let it in")


def goes_round(device: LibcoapDevice, staff: Rest, endpoint: str) -> None:
    def state() -> str:
        return str(staff.device(endpoint)["session"]["state"])

    location = device.register(endpoint)
    until(lambda: state() == "registered", seconds=20, what="the portal shows it registered")
    assert device.ask("post", f"{location}?lt=600") == "2.04", device.output
    assert device.ask("delete", location) == "2.02", device.output
    until(lambda: state() != "registered", seconds=20, what="the portal shows it gone")
    assert device.ask("post", location) == "4.04", device.output


@pytest.mark.parametrize("binary", SECURED)
def test_int_401_libcoap_registers_over_dtls_psk(binary: str, portal: RunningPortal, staff: Rest) -> None:
    endpoint = f"libcoap-{binary.rpartition('-')[2]}"
    device = LibcoapDevice(binary, endpoint, f"coaps://127.0.0.1:{portal.ports['COAPS_PORT']}", KEY)
    add(staff, endpoint, psk_identity=endpoint, psk_key=KEY.encode().hex())
    goes_round(device, staff, endpoint)


@pytest.mark.parametrize("binary", SECURED)
def test_libcoap_with_a_wrong_key_is_not_answered(binary: str, portal: RunningPortal, staff: Rest) -> None:
    endpoint = f"libcoap-wrong-{binary.rpartition('-')[2]}"
    device = LibcoapDevice(binary, endpoint, f"coaps://127.0.0.1:{portal.ports['COAPS_PORT']}", KEY[::-1])
    add(staff, endpoint, psk_identity=endpoint, psk_key=KEY.encode().hex())
    assert device.ask("post", f"rd?ep={endpoint}&lwm2m=1.1", "-t", LINK_FORMAT, "-e", LINKS, "-B", "5") == ""
    assert staff.device(endpoint)["session"]["state"] != "registered"


def test_int_101_libcoap_registers_over_udp(portal: RunningPortal, staff: Rest) -> None:
    device = LibcoapDevice(
        "coap-client-notls", "libcoap-udp", f"coap://127.0.0.1:{portal.ports['COAP_PORT']}"
    )
    add(staff, "libcoap-udp", security="none")
    goes_round(device, staff, "libcoap-udp")
