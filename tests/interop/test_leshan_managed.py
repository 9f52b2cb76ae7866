"""Eclipse Leshan's client (2.0.0-M18) managed through the portal's REST API, as an operator's program does it.

What this client does in its own way (rule R-20 of a server: believe the client, write it down):

- It is not deaf in queue mode: it registers with Q and listens all the same. That a command was held is therefore
  seen in the portal (queued, no attempt), not in the client's silence.
- It does not know /1/x/23 and answers 4.04; its Send is never muted.
- Its list of error codes /3/0/11 is empty and is answered as such, where OMA's cases expect one instance, 0.
- In LwM2M JSON it writes an object link as text ("sv"), where the format has "ov"; the portal's decoder takes both.
- It lets a server delete any instance of the test object, the last one too.
- Attributes that are written while a path is observed change nothing until it is observed anew.
- It announces no LwM2M CBOR and no SenML ETCH, so a resource instance is not deleted by Write-Composite.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.interop.leshan_device import LeshanDevice, device
from tests.interop.ordering import Managed
from tests.rest import Rest
from tests.running_portal import RunningPortal, until

FORMATS = {"text": 0, "cbor": 60, "senml-json": 110, "senml-cbor": 112, "tlv": 11542, "json": 11543}
WHOLE = [name for name in FORMATS if name not in ("text", "cbor")]
VALUES = {  # of the test object, one of each type
    "/3442/0/110": "grün & <blau>",
    "/3442/0/120": -(2**40),
    "/3442/0/125": 2**63 + 1,
    "/3442/0/130": -0.5,
    "/3442/0/140": True,
    "/3442/0/150": {"base64": "AP8Q"},
    "/3442/0/160": 1_700_000_000,
    "/3442/0/170": {"object_link": "3:0"},
}


def added(staff: Rest, endpoint: str) -> Managed:
    body = {"endpoint": endpoint, "operator": "northwind", "onboarding": "direct", "security": "none"}
    answer = staff.call("POST", "devices/", body)
    assert answer.status == 201, answer
    return Managed(staff, endpoint)


def at(portal: RunningPortal) -> str:
    return f"coap://127.0.0.1:{portal.ports['COAP_PORT']}"


@pytest.fixture(scope="module")
def running(leshan: list[str], portal: RunningPortal, staff: Rest) -> Iterator[LeshanDevice]:
    added(staff, "leshan-managed")
    with device(leshan, "-n", "leshan-managed", "-u", at(portal)) as client:
        client.said("REGISTERED")
        until(
            lambda: staff.device("leshan-managed")["provisioning"] == "applied",
            seconds=30,
            what="the portal's own job has read the device",
        )
        yield client


@pytest.fixture
def managed(running: LeshanDevice, staff: Rest) -> Managed:
    return Managed(staff, "leshan-managed")


@pytest.mark.parametrize("name", FORMATS)
def test_int_201_211_leshan_is_read_in_every_format(managed: Managed, name: str) -> None:
    answer = managed.done("read", "/3/0/0", content_format=name)
    assert answer["content_format"] == FORMATS[name]
    assert answer["nodes"] == [{"path": "/3/0/0", "value": "Eclipse Leshan"}]


def test_int_222_223_224_225_237_leshan_is_read_at_every_level(managed: Managed) -> None:
    managed.done("execute", "/3442/0/0", "2.04")  # its first values
    assert managed.told("read", "/3")["/3/0/2"] == "LESHAN-1"
    assert managed.told("read", "/3/0")["/3/0/15"]
    assert managed.told("read", "/3/0/11", content_format="tlv") == {"/3/0/11": None}
    several = managed.told("read", "/3442/0/1120")
    path, value = next(iter(several.items()))
    assert managed.told("read", path) == {path: value}
    assert managed.latest("/3/0/2") == "LESHAN-1"
    absent = managed.order("read", "/3/0/9")
    assert (absent["state"], absent["response_code"]) == ("refused", "4.04")


def test_int_260_261_leshan_discovers_and_keeps_attributes(managed: Managed) -> None:
    managed.done("write-attributes", "/3442/0/130", "2.04", attributes={"pmin": 1, "pmax": 50, "gt": 3.5})
    links = managed.done("discover", "/3442/0")["links"]
    assert "</3442/0/130>;" in links
    said = next(part for part in links.split(",") if part.startswith("</3442/0/130>"))
    assert {"pmin=1", "pmax=50"} <= set(said.split(";"))
    assert float(dict(p.split("=") for p in said.split(";")[1:])["gt"]) == 3.5
    managed.done(
        "write-attributes", "/3442/0/130", "2.04", attributes={"pmin": None, "pmax": None, "gt": None}
    )
    assert "pmax" not in managed.done("discover", "/3442/0/130")["links"]


@pytest.mark.parametrize("name", WHOLE)
def test_int_215_220_233_234_leshan_is_written_in_every_format(managed: Managed, name: str) -> None:
    managed.done("execute", "/3442/0/2", "2.04")  # clear
    managed.done("write", "/3442/0", "2.04", values=VALUES, content_format=name)
    found = managed.told("read", "/3442/0", content_format=name)
    assert {path: found[path] for path in VALUES} == VALUES
    managed.done("write", "/3442/0/1120", "2.04", value={"0": 7, "3": -9}, content_format=name)
    assert managed.told("read", "/3442/0/1120") == {"/3442/0/1120/0": 7, "/3442/0/1120/3": -9}
    managed.done("write", "/3442/0/1120/3", "2.04", value=1, content_format=name)
    assert managed.told("read", "/3442/0/1120") == {"/3442/0/1120/0": 7, "/3442/0/1120/3": 1}


def test_int_205_212_256_leshan_takes_and_refuses_single_values(managed: Managed) -> None:
    for name in ("text", "cbor"):
        managed.done("write", "/3442/0/130", "2.04", value=FORMATS[name] + 0.25, content_format=name)
        assert managed.told("read", "/3442/0/130") == {"/3442/0/130": FORMATS[name] + 0.25}
    refused = managed.order("write", "/3/0/0", value="another", force=True)
    assert (refused["state"], refused["response_code"]) == ("refused", "4.05")


def test_int_104_107_leshan_is_executed_and_updates(managed: Managed, running: LeshanDevice) -> None:
    before = sum(line == "UPDATED" for line in running.lines)
    managed.done("execute", "/1/0/8", "2.04")
    running.said("UPDATED", times=before + 1)
    managed.done("execute", "/3442/0/3", "2.04", arguments={"0": "a", "3": None})
    assert list(managed.told("read", "/3442/0/4").values()) != []


def test_int_270_290_leshan_creates_and_deletes_an_instance(managed: Managed) -> None:
    made = managed.done("create", "/3442", "2.01", instance_id=5, values={"/3442/5/110": "made"})
    assert made.get("created", "/3442/5") == "/3442/5"
    assert managed.told("read", "/3442/5/110") == {"/3442/5/110": "made"}
    managed.done("delete", "/3442/5", "2.02")
    assert managed.order("read", "/3442/5/110")["response_code"] == "4.04"


def test_int_229_235_236_leshan_reads_composite(managed: Managed) -> None:
    managed.done("write", "/3442/0/110", "2.04", value="here")
    for name in ("senml-json", "senml-cbor"):
        found = managed.told("read-composite", paths=["/3/0/0", "/3442/0/110", "/3/0/9"], content_format=name)
        assert (found["/3/0/0"], found["/3442/0/110"]) == ("Eclipse Leshan", "here")
        assert found.get("/3/0/9") is None


def test_int_230_leshan_writes_composite(managed: Managed) -> None:
    values = {"/3442/0/110": "both", "/3442/0/1110/2": "two", "/1/0/6": True}
    managed.done("write-composite", "", "2.04", values=values)
    assert managed.told("read", "/3442/0/110") == {"/3442/0/110": "both"}
    assert managed.told("read", "/3442/0/1110")["/3442/0/1110/2"] == "two"


def test_int_301_303_leshan_is_observed(managed: Managed, running: LeshanDevice) -> None:
    managed.done("observe", "/3442/0/130")
    for value in (11.5, 12.5):
        running.say(f"set 130 {value}")
        managed.becomes("/3442/0/130", value)
    history = [row["value"] for row in managed.list("resources/3442/0/130/history/")]
    assert history[:2] == [12.5, 11.5]
    assert managed.observation("active")["last_notified_at"]
    managed.done("cancel-observe", "/3442/0/130")
    running.say("set 130 99.5")
    assert managed.told("read", "/3442/0/120")  # a round trip later no notification has come
    assert managed.latest("/3442/0/130") == 12.5


def test_int_302_leshan_notifies_nobody_after_a_passive_cancel(
    managed: Managed, running: LeshanDevice
) -> None:
    managed.done("observe", "/3442/0/130")
    before = managed.latest("/3442/0/130")
    cancelled = managed.order("cancel-observe", "/3442/0/130", mode="passive")
    assert cancelled["state"] == "done"
    for value in (
        100.5,
        101.5,
    ):  # the first is reset, which takes the observation away; the second not even sent
        running.say(f"set 130 {value}")
        assert managed.told("read", "/3442/0/120")
    assert managed.latest("/3442/0/130") == before
    assert not managed.list("observations/?state=active")


def test_int_304_305_leshan_is_observed_composite(managed: Managed, running: LeshanDevice) -> None:
    paths = ["/3442/0/130", "/3/0/2"]
    assert set(managed.told("observe-composite", paths=paths)) == set(paths)
    running.say("set 130 21.25")
    managed.becomes("/3442/0/130", 21.25)
    managed.done("cancel-observe-composite", paths=paths)
    running.say("set 130 99.5")
    assert managed.told("read", "/3442/0/120")
    assert managed.latest("/3442/0/130") == 21.25


def test_int_310_leshan_and_an_attribute_under_an_observation(
    managed: Managed, running: LeshanDevice
) -> None:
    """This client takes a new attribute with the next Observe only, so to observe anew is what changes it (R-20)."""
    path = "/3442/0/130"
    managed.done("observe", path)
    managed.done("write-attributes", path, "2.04", attributes={"gt": 1000})
    running.say("set 130 41.5")
    managed.becomes(path, 41.5)  # below gt, and told all the same
    managed.done("observe", path, attributes={"gt": 1000})
    running.say("set 130 42.5")
    running.say("set 130 2000.5")
    managed.becomes(path, 2000.5)
    told = [row["value"] for row in managed.list(f"resources{path}/history/")]
    assert 42.5 not in told
    managed.done("cancel-observe", path)
    managed.done("write-attributes", path, "2.04", attributes={"gt": None})


def test_int_306_311_leshan_sends(managed: Managed, running: LeshanDevice) -> None:
    managed.done("write", "/3442/0/110", "2.04", value="sent by itself")
    running.say("set 130 31.25")
    running.say("send /3442/0/130 /3442/0/110")
    assert running.said("SENT").startswith("SENT CHANGED")
    assert managed.latest("/3442/0/130") == 31.25
    assert managed.latest("/3442/0/110") == "sent by itself"
    muted = managed.order("mute-send")
    assert (muted["state"], muted["response_code"]) == ("refused", "4.04")


def test_int_109_leshan_in_queue_mode_gets_its_commands_with_the_next_update(
    leshan: list[str], portal: RunningPortal, staff: Rest
) -> None:
    managed = added(staff, "leshan-queue")
    with device(leshan, "-n", "leshan-queue", "-u", at(portal), "-q") as client:
        client.said("REGISTERED")
        until(lambda: staff.device("leshan-queue")["provisioning"] == "applied", seconds=30, what="was read")
        until(
            lambda: staff.device("leshan-queue")["session"]["state"] == "asleep", seconds=20, what="it sleeps"
        )
        read, second, third = (managed.ask("read", f"/3/0/{number}")["id"] for number in (0, 1, 2))
        assert managed.cancel(second)["state"] == "cancelled"
        held = [managed.command(number) for number in (read, third)]
        assert {(command["state"], command["attempts"]) for command in held} == {("queued", 0)}
        client.say("update")
        client.said("UPDATED")
        ended = [managed.ended(number) for number in (read, third)]
        assert [command["answer"]["nodes"][0]["value"] for command in ended] == ["Eclipse Leshan", "LESHAN-1"]
        assert ended[0]["sent_at"] < ended[1]["sent_at"]
        assert managed.command(second)["state"] == "cancelled"
        assert managed.command(second)["attempts"] == 0
