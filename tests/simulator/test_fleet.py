"""Many devices at once, and the files and the portal they come from."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lwm2m.messages import Deregister, Register
from simulator import assembly, device_file
from simulator.device import Device
from simulator.device_file import BadFile, Entry
from simulator.enrolment import Enrolment
from simulator.fleet import Fleet
from simulator.subscriber import PortalRefused, Subscriber
from tests.fakes.devices import QUICK
from tests.fakes.waiting import eventually
from tests.simulator.peers import Server, running

KEY = bytes(range(16)).hex()


async def some(devices: list[Device]) -> AsyncIterator[Device]:
    for device in devices:
        yield device


async def test_a_fleet_comes_up_counts_and_leaves() -> None:
    async with running(Server()) as server:
        entries = assembly.numbered("s-", 60, bootstrap=None, server=server.uri, identity=None, key_hex=None)
        fleet = Fleet(per_second=2000)
        await fleet.start(some([assembly.device(entry, QUICK) for entry in entries]))
        await eventually(lambda: fleet.progress().registered == 60)
        progress = fleet.progress()
        assert (progress.devices, progress.registrations, progress.waiting) == (60, 60, 0)
        assert "60/60 registered" in str(progress)
        await fleet.stop(deregister=True)
        assert len(server.of(Deregister)) == 60
        assert {message.endpoint for message in server.of(Register)} == {f"s-{n}" for n in range(1, 61)}


async def test_stopping_does_not_wait_for_a_dead_server() -> None:
    fleet = Fleet(per_second=1000)
    entry = Entry("s", server="coap://127.0.0.1:1")
    await fleet.start(some([assembly.device(entry, QUICK)]))
    await eventually(lambda: fleet.progress().devices == 1)
    await fleet.stop(deregister=True, within_seconds=0.1)
    assert fleet.devices == []


def test_devices_are_kept_for_their_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "devices.json"
    entries = [Entry("a", bootstrap="coaps://h:1", identity="i", key_hex=KEY, queue_mode=True, version="1.0")]
    device_file.save(file, entries)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert device_file.load(file) == entries
    assert KEY not in repr(entries)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("{}", "must be a JSON list"),
        ("[{}]", "needs an endpoint"),
        ('[{"endpoint": "a", "kee": 1}]', "has 'kee'"),
        ('[{"endpoint": "a", "queue_mode": "yes"}]', "wrong type"),
        ('[{"endpoint": "a", "key_hex": "zz"}]', "not hexadecimal"),
        ('[{"endpoint": "a", "version": "2.0"}]', "must be one of"),
        ('[{"endpoint": "a"}, {"endpoint": "a"}]', "has a twice"),
    ],
)
def test_a_bad_file_is_explained(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "devices.json"
    file.write_text(text)
    with pytest.raises(BadFile, match=words):
        device_file.load(file)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (Entry("a"), "one address"),
        (Entry("a", bootstrap="coap://h", server="coap://h"), "one address"),
        (Entry("a", server="http://h"), "not a server URI"),
        (Entry("a", server="coap://h:x"), "not a server URI"),
        (Entry("a", server="coaps://h"), "needs an identity and a key"),
        (Entry("a", server="coaps://h", identity="i", key_hex="00"), "needs an identity and a key"),
    ],
)
def test_a_device_that_could_not_call_is_refused(entry: Entry, words: str) -> None:
    with pytest.raises(assembly.BadDevice, match=words):
        assembly.device(entry, QUICK)


class Portal(BaseHTTPRequestHandler):
    """As much of a portal as a subscriber's program sees."""

    devices: dict[str, str]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/api/v1/auth/login/":
            right = body == {"email": "s@example.org", "password": "secret"}
            self._say(
                200 if right else 401, {"token": "t"} if right else _problem("LOGIN_FAILED", "Try again.")
            )
        elif self.headers["Authorization"] != "Token t":
            self._say(401, _problem("NOT_SIGNED_IN", "Sign in."))
        elif body["endpoint"] in self.devices:
            self._say(400, _problem("ENDPOINT_TAKEN", "Choose another name."))
        else:
            self.devices[body["endpoint"]] = body.get("msisdn") or body["operator"]
            by_sms = {"identity": "", "key": None, "server": "tel:+491700000001"}
            by_key = {"identity": body["endpoint"], "key": KEY, "server": "coaps://127.0.0.1:5784"}
            told = by_sms if body.get("reach") == "sms" else by_key
            self._say(201, {"endpoint": body["endpoint"], **told})

    def do_GET(self) -> None:
        endpoint = self.path.removeprefix("/api/v1/devices/").strip("/")
        known = endpoint in self.devices
        self._say(200 if known else 404, {"endpoint": endpoint} if known else _problem("NOT_FOUND", "No."))

    def _say(self, status: int, answer: dict) -> None:
        payload = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *args: object) -> None:
        pass


def _problem(code: str, detail: str) -> dict[str, str]:
    return {"code": code, "detail": detail}


@pytest.fixture
def portal() -> Iterator[str]:
    Portal.devices = {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), Portal)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


async def test_a_subscriber_adds_devices_once_and_keeps_their_keys(portal: str, tmp_path: Path) -> None:
    subscriber = Subscriber(portal)
    subscriber.login("s@example.org", "secret")
    enrolment = Enrolment(subscriber, "north", tmp_path / "keys.json", "coaps://127.0.0.1:5784")
    names = [f"sim-{number}" for number in range(1, 13)]
    first = [entry async for entry in enrolment.entries(names)]
    assert Portal.devices == dict.fromkeys(names, "north")
    assert first[0] == Entry("sim-1", bootstrap="coaps://127.0.0.1:5784", identity="sim-1", key_hex=KEY)
    assert device_file.load(tmp_path / "keys.json") == first
    assert [entry async for entry in enrolment.entries(names)] == first
    del Portal.devices["sim-3"]
    assert [entry async for entry in enrolment.entries(names)] == first
    assert "sim-3" in Portal.devices


async def test_a_subscriber_adds_devices_that_have_sms_alone(portal: str, tmp_path: Path) -> None:
    subscriber = Subscriber(portal)
    subscriber.login("s@example.org", "secret")
    keys = tmp_path / "keys.json"
    enrolment = Enrolment(subscriber, "north", keys, "coaps://127.0.0.1:5784", "+491711000009")
    entries = [entry async for entry in enrolment.entries(["sim-1", "sim-2"])]
    assert Portal.devices == {"sim-1": "+491711000009", "sim-2": "+491711000010"}
    assert entries[1] == Entry("sim-2", bootstrap="tel:+491700000001", sms="+491711000010")
    assert device_file.load(keys) == entries
    device = assembly.device(entries[1], QUICK)
    assert device.modem is not None
    assert device.modem.sim.number == "+491711000010"


async def test_what_the_portal_added_is_kept_when_it_then_refuses(portal: str, tmp_path: Path) -> None:
    subscriber = Subscriber(portal)
    subscriber.login("s@example.org", "secret")
    Portal.devices["sim-2"] = "somebody"
    enrolment = Enrolment(subscriber, "north", tmp_path / "keys.json", "coaps://127.0.0.1:5784")
    with pytest.raises(PortalRefused, match="ENDPOINT_TAKEN, Choose another name"):
        assert [entry async for entry in enrolment.entries(["sim-1", "sim-2"])]
    assert [entry.endpoint for entry in device_file.load(tmp_path / "keys.json")] == ["sim-1"]


def test_a_wrong_password_or_address_is_explained(portal: str) -> None:
    with pytest.raises(PortalRefused, match="LOGIN_FAILED, Try again"):
        Subscriber(portal).login("s@example.org", "guess")
    with pytest.raises(PortalRefused, match="not the address of a portal"):
        Subscriber("ftp://portal")
    with pytest.raises(PortalRefused, match="does not answer"):
        Subscriber("http://127.0.0.1:1").login("a", "b")
