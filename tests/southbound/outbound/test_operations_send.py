"""Send: values that a device reports on its own, stored before they are acknowledged (OMA cases 306 and 311)."""

from __future__ import annotations

import time

import pytest

from devices.inventory.models import Knock
from devices.inventory.states import Access
from devices.registry.models import Registration
from devices.telemetry.models import ResourceHistory, ResourceValue
from devices.telemetry.services import values
from lwm2m import formats
from lwm2m.codes import Code
from lwm2m.links import parse_object_links
from lwm2m.nodes import Node
from lwm2m.paths import ROOT, Path
from lwm2m.requests import register_request, send_request
from southbound.inbound import report_verdicts
from tests.southbound.client import LINKS, management, until
from tests.southbound.management import managed, order

pytestmark = pytest.mark.django_db(transaction=True)
AT = 1_700_000_000.0


def report(*nodes: Node, number: int = 112) -> bytes:
    return formats.encode(number, list(nodes), ROOT)


def test_int_306_311_send(play, make_device):
    device = make_device()

    async def scene(southbound):
        async with managed(southbound) as client:
            await order(device, "write", "/1/0/23", value=False)
            before = await until(lambda: Registration.objects.get())
            answer = await client.send(["/1/0/1", "/3/0/11/0"])
            assert answer.code is Code.CHANGED
            stored = await until(lambda: list(ResourceValue.objects.values_list("path", "number")))
            assert {("/1/0/1", 86400.0), ("/3/0/11/0", 0.0)} <= set(stored)
            after = await until(lambda: Registration.objects.get())
            assert after.expires_at == before.expires_at

    play(scene)


def test_values_keep_their_own_time_and_late_ones_go_into_history(play, make_device):
    make_device()

    async def scene(southbound):
        wire = await management(southbound)
        await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))
        for at, value in ((AT, 50), (AT - 60, 60), (AT - 30, 55)):
            payload = report(Node(Path(3, 0, 9), value, at))
            assert (await wire.ask(send_request(112, payload))).code == "2.04"
        await wire.ask(send_request(112, report(Node(Path(3, 0, 10), 7, -5.0))))

    play(scene)
    latest = ResourceValue.objects.get(path="/3/0/9")
    assert (latest.number, latest.at.timestamp()) == (50, AT)
    assert ResourceHistory.objects.filter(value=latest).count() == 3
    assert time.time() - ResourceValue.objects.get(path="/3/0/10").at.timestamp() > 4.9


@pytest.mark.parametrize(
    ("number", "payload", "code"),
    [
        (112, report(Node(Path(5, 0, 3), 1)), "4.04"),
        (112, report(Node(Path(0, 0, 5), b"key")), "4.04"),
        (112, b"\xff\xff", "4.00"),
        (110, b"[{", "4.00"),
        (0, b"7", "4.00"),
        (112, b"", "4.00"),
        (110, b'[{"n":"/3/0/9","v":1e999}]', "4.00"),
    ],
)
def test_what_cannot_be_taken_is_refused_and_not_stored(play, make_device, number, payload, code):
    make_device()

    async def scene(southbound):
        wire = await management(southbound)
        await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))
        assert (await wire.ask(send_request(number, payload))).code == code
        await wire.is_alive()

    play(scene)
    assert not ResourceValue.objects.exists()


def test_strangers_and_suspended_devices_are_400(play, make_device):
    device = make_device()
    payload = report(Node(Path(3, 0, 9), 1))

    async def scene(southbound):
        stranger, wire = await management(southbound), await management(southbound)
        await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))
        assert (await stranger.ask(send_request(112, payload))).code == "4.00"
        assert (await wire.ask(send_request(112, payload))).code == "2.04"
        await until(lambda: type(device).objects.update(access=Access.SUSPENDED))
        assert (await wire.ask(send_request(112, payload))).code == "4.00"

    play(scene)


def test_new_values_without_room_are_413_and_known_ones_stay_up_to_date(play, make_device, monkeypatch):
    device = make_device()
    monkeypatch.setattr(values, "LIMIT", 2)

    async def scene(southbound):
        wire = await management(southbound)
        await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))
        known = [Node(Path(3, 0, 9), 50), Node(Path(3, 0, 10), 1)]
        assert (await wire.ask(send_request(112, report(*known)))).code == "2.04"
        more = [Node(Path(3, 0, 9), 60), Node(Path(3, 0, 13), 1)]
        assert (await wire.ask(send_request(112, report(*more)))).code == "4.13"
        assert (await wire.ask(send_request(112, report(*known)))).code == "2.04"
        monkeypatch.setattr(report_verdicts, "SEND_LIMIT", 1)
        assert (await wire.ask(send_request(112, report(*known)))).code == "4.13"
        await until(Knock.objects.filter(cause="VALUES_LIMIT").exists)

    play(scene)
    assert dict(ResourceValue.objects.values_list("path", "number")) == {"/3/0/9": 50, "/3/0/10": 1}
    assert ResourceHistory.objects.filter(number=60).exists()
    assert Knock.objects.get(cause="VALUES_LIMIT").device == device


@pytest.mark.parametrize("name", ["dev0", "urn:dev:os:abc", "coap://x", "..", "lwm2m2"])
def test_a_name_that_is_nobodys_is_refused_with_all_beside_it(play, make_device, name):
    make_device()
    links = parse_object_links(b'</lwm2m>;rt="oma.lwm2m",</lwm2m/1/0>,</lwm2m/3/0>')

    async def scene(southbound):
        wire = await management(southbound)
        await wire.ask(register_request(endpoint="dev-1", object_links=links))
        mixed = report(Node(Path(3, 0, 9), 1), Node(Path(3, 0, 10), 1, prefix=name))
        assert (await wire.ask(send_request(112, mixed))).code == "4.04"
        await until(Knock.objects.filter(cause="PATH_UNREGISTERED").exists)
        rooted = report(Node(Path(3, 0, 9), 1, prefix="lwm2m"))
        assert (await wire.ask(send_request(112, rooted))).code == "2.04"

    play(scene)
    assert list(ResourceValue.objects.values_list("path", flat=True)) == ["/3/0/9"]
    assert name in Knock.objects.get(cause="PATH_UNREGISTERED").detail
