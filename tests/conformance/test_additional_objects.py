"""Additional objects, OMA cases 1200 to 2001: cellular, APN, bearer, portfolio, binary data and event log."""

from __future__ import annotations

import base64

import pytest

from devices.inventory.models import Credential, Plane
from devices.inventory.security import Material
from devices.inventory.services import credentials
from devices.registry.models import Registration, RegistrationDetail
from devices.telemetry.models import ResourceValue
from lwm2m.codes import Code
from tests.conformance import wire
from tests.conformance.wire import OPAQUE, SENML_CBOR, TEXT, TLV, expect
from tests.fakes.devices import running_device
from tests.southbound.client import until
from tests.southbound.management import order, told

pytestmark = pytest.mark.django_db(transaction=True)


def announced() -> dict:
    return RegistrationDetail.objects.get().object_links["objects"]


async def value_is(path: str, **value) -> None:
    await until(lambda: ResourceValue.objects.filter(path=path, **value).exists())


def opaque(value: bytes) -> dict[str, str]:
    return {"base64": base64.b64encode(value).decode()}


def test_int_1200_cellular_connectivity_is_read(drive):
    async def scene(device, client):
        values = await wire.read(device, client, "/10/0", TLV)
        assert (values["/10/0/4"], values["/10/0/5"]) == (3600, 20)
        assert values["/10/0/11/0"] == {"object_link": "11:0"}

    drive(scene, objects=(10,))


def test_int_1201_the_resources_of_1_1_are_read_by_its_model(drive):
    async def scene(device, client):
        assert (await until(announced))["10"]["version"] == "1.1"
        values = await wire.read(device, client, "/10/0", TLV)
        # typed by the model of 1.1: TLV itself does not tell a number from bytes
        assert [values[f"/10/0/{number}"] for number in (12, 13, 14)] == [3, 0, 0]

    drive(scene, objects=(10,))


def test_int_1202_setting_power_saving(drive):
    async def scene(device, client):
        sent = await wire.write(device, client, "/10/0", TLV, values={"14": 2})
        assert sent.payload == bytes.fromhex("c10e02")
        assert client.tree.value(10, 0, 14) == 2
        await wire.write(device, client, "/10/0/13", TEXT, value=1)
        assert await wire.read(device, client, "/10/0/13", TEXT) == {"/10/0/13": 1}

    drive(scene, objects=(10,))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param("/10/0/13", 2, id="int_1203"),
        pytest.param("/10/0/4", 7200, id="int_1204_psm"),
        pytest.param("/10/0/5", 60, id="int_1204_active"),
    ],
)
def test_int_1203_1204_power_saving_is_observed(drive, path, value):
    async def scene(device, client):
        attributes = await order(device, "write-attributes", path, attributes={"pmin": 0, "pmax": 60})
        expect(attributes, "2.04")
        assert list(told(await order(device, "observe", path))) == [path]
        client.tree.set(path, value)
        await value_is(path, number=value)

    drive(scene, objects=(10,))


@pytest.mark.parametrize("number", [TLV, SENML_CBOR])
def test_conmgmt_1_1_int_1250_configuring_an_apn(drive, number):
    profile = {"0": "fleet", "1": "fleet.example", "3": True, "4": 1, "5": "user", "24": 2}

    async def scene(device, client):
        values = {f"/11/1/{name}": value for name, value in profile.items()}
        made = await order(device, "create", "/11", instance_id=1, values=values, content_format=number)
        expect(made, "2.01")
        assert wire.sent(client, Code.POST, "/11").content_format == number
        # the device tells its new list, and the server keeps it
        await until(lambda: announced()["11"]["instances"] == [0, 1])
        found = await wire.read(device, client, "/11/1", number)
        assert {name: found[f"/11/1/{name}"] for name in profile} == profile
        assert await until(lambda: Registration.objects.get().is_live)

    drive(scene, objects=(10, 11))


def test_conmgmt_1_1_int_1350_bearer_selection_from_a_new_address(play, make_device):
    """Over DTLS with a connection id: the device speaks from another port and stays who it is."""
    key = bytes(range(16))
    device = make_device(security="psk")
    credentials.store(
        device=device, plane=Plane.MANAGEMENT, kind="psk", material=Material("psk-1", key), origin="test"
    )

    async def scene(southbound):
        server = f"coaps://127.0.0.1:{southbound.ports.port_of(Plane.MANAGEMENT, secured=True)}"
        what = {"identity": "psk-1", "key": key, "cid": b"", "objects": (13,)}
        async with running_device("dev-1", server=server, **what) as client:
            await client.until(lambda: client.is_registered)
            before = await until(lambda: Registration.objects.get())
            values = {"/13/0/0/0": 6, "/13/0/0/1": 2, "/13/0/3": -110}
            expect(await order(device, "create", "/13", instance_id=0, values=values), "2.01")
            await until(lambda: announced()["13"]["instances"] == [0])
            client.rebind()
            await client.update()
            after = await until(lambda: Registration.objects.exclude(port=before.port).first())
            assert (after.registration_id, after.is_live) == (before.registration_id, True)
            found = told(await order(device, "read", "/13/0"))
            assert (found["/13/0/0/0"], found["/13/0/0/1"], found["/13/0/3"]) == (6, 2, -110)

    play(scene)
    assert Credential.objects.get().state == "active"


@pytest.mark.parametrize("named", [True, False], ids=["named", "chosen"])
def test_int_1630_creating_a_portfolio_instance(drive, named):
    texts = {
        0: "Host Device ID #1",
        1: "Host Device Manufacturer #1",
        2: "Host Device Model #1",
        3: "Host SW 1",
    }

    async def scene(device, client):
        where = {"instance_id": 1} if named else {}
        values = {f"{'/16/1/' if named else ''}0/{number}": text for number, text in texts.items()}
        made = await order(device, "create", "/16", values=values, content_format=TLV, **where)
        expect(made, "2.01")
        request = wire.sent(client, Code.POST, "/16")
        # an instance of id 1 around a multiple resource, or the resource alone
        assert request.payload[0] >> 6 == (0 if named else 2)
        assert named or made.answer["created"] == "/16/1"
        await until(lambda: announced()["16"]["instances"] == [0, 1])
        assert client.tree.instance(16, 1)[0] == texts
        links = (await order(device, "discover", "/16/1")).answer["links"]
        assert "</16/1/0>;dim=4" in links

    drive(scene, objects=(16,))


def test_int_1635_deleting_every_portfolio_instance(drive):
    async def scene(device, client):
        client.tree.set_instance(16, 1, {0: {0: "another"}})
        for number in (0, 1):
            expect(await order(device, "delete", f"/16/{number}"), "2.02")
            wire.sent(client, Code.DELETE, f"/16/{number}")
        assert client.tree.instance_ids(16) == []
        await until(lambda: announced()["16"]["instances"] == [])
        links = (await order(device, "discover", "/16")).answer["links"]
        assert links == "</16>"

    drive(scene, objects=(16,))


def test_int_1900_binary_data_is_observed(drive):
    async def scene(device, client):
        first = told(await order(device, "observe", "/19/0/0"))
        assert first == {"/19/0/0/0": opaque(b"\0\1\2"), "/19/0/0/1": opaque(b"second")}
        client.tree.set("/19/0/0", {0: b"\xff\x00\xfe", 1: b"second"})
        await value_is("/19/0/0/0", text=base64.b64encode(b"\xff\x00\xfe").decode())

    drive(scene, objects=(19,))


def test_int_1901_binary_data_is_written(drive):
    data = bytes(range(256))

    async def scene(device, client):
        sent = await wire.write(device, client, "/19/0/0/0", OPAQUE, value=opaque(data))
        assert sent.payload == data
        assert client.tree.instance(19, 0)[0] == {0: data, 1: b"second"}
        assert await wire.read(device, client, "/19/0/0/0", OPAQUE) == {"/19/0/0/0": opaque(data)}

    drive(scene, objects=(19,))


def test_int_2000_the_event_log_is_started(drive):
    async def scene(device, client):
        assert (await wire.read(device, client, "/20/0", TLV))["/20/0/4013"] == 1  # stopped, and empty
        expect(await order(device, "execute", "/20/0/4011"), "2.04")
        wire.sent(client, Code.POST, "/20/0/4011")
        assert (await wire.read(device, client, "/20/0", TLV))["/20/0/4013"] == 0
        await client.update()
        assert (await wire.read(device, client, "/20/0", TLV))["/20/0/4013"] == 2  # runs, and has data

    drive(scene, objects=(20,))


def test_int_2001_the_event_log_is_read(drive):
    async def scene(device, client):
        expect(await order(device, "execute", "/20/0/4011"), "2.04")
        await client.update()
        expect(await order(device, "execute", "/20/0/4012"), "2.04")
        await client.update()
        found = await wire.read(device, client, "/20/0/4014", OPAQUE)
        assert found == {"/20/0/4014": opaque(b"updated")}

    drive(scene, objects=(20,))
