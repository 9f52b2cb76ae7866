"""Information reporting, OMA cases 301 to 313: what is observed arrives and is stored, and ends when it shall."""

from __future__ import annotations

import pytest

from devices.observations.models import Observation
from devices.operations.services import operations
from devices.registry.models import Registration
from devices.telemetry.models import ResourceHistory, ResourceValue
from lwm2m.codes import Code
from simulator.device import Muted
from tests.conformance import wire
from tests.conformance.wire import expect
from tests.southbound.client import until
from tests.southbound.management import ended, order, told

pytestmark = pytest.mark.django_db(transaction=True)


def observed(client) -> int:
    """How many observations the device holds for us."""
    return len(client.registrations[0].observations)


async def value_is(path: str, number: float) -> None:
    await until(lambda: ResourceValue.objects.filter(path=path, number=number).exists())


async def stored(path: str, count: int) -> None:
    await until(lambda: ResourceHistory.objects.filter(value__path=path).count() >= count)


async def state(*states: str) -> None:
    await until(lambda: list(Observation.objects.values_list("state", flat=True)) == list(states))


def test_int_301_observation_and_notification(drive):
    """OMA has 5 and 15 seconds; a second and two tell the same."""

    async def scene(device, client):
        for path in ("/3/0/7", "/3/0/8"):
            attributes = await order(device, "write-attributes", path, attributes={"pmin": 1, "pmax": 2})
            assert attributes.response_code == "2.04"
            first = told(await order(device, "observe", path))
            assert len(first) == 2
            assert wire.sent(client, Code.GET, path).observe == 0
        assert observed(client) == 2
        client.tree.set("/3/0/7", {0: 3700, 1: 5100})
        await value_is("/3/0/7/0", 3700)
        await value_is("/3/0/7/1", 5100)
        before = await until(lambda: Observation.objects.filter(last_notified_at__isnull=False).count())
        assert before >= 1
        # pmax: a value that does not change is told as well
        await until(lambda: Observation.objects.filter(last_notified_at__isnull=False).count() == 2)

    drive(scene)


def test_int_302_cancel_by_reset(drive):
    async def scene(device, client):
        await order(device, "observe", "/3/0/9")
        await state("active")
        cancelled = await order(device, "cancel-observe", "/3/0/9", mode="passive")
        assert cancelled.state == "done"
        assert (wire.last(client).observe, observed(client)) == (0, 1)  # nothing was sent
        client.tree.set("/3/0/9", 3)
        await until(lambda: observed(client) == 0)  # by the reset

    drive(scene)
    assert not ResourceValue.objects.filter(path="/3/0/9", number=3).exists()


def test_int_303_cancel_with_observe_1(drive):
    async def scene(device, client):
        await order(device, "observe", "/3/0/9", content_format=wire.SENML_JSON)
        observe = wire.sent(client, Code.GET, "/3/0/9")
        cancelled = await order(device, "cancel-observe", "/3/0/9")
        assert (cancelled.state, cancelled.response_code) == ("done", "2.05")
        cancel = wire.sent(client, Code.GET, "/3/0/9")
        assert (observe.observe, cancel.observe) == (0, 1)
        assert (cancel.accept, cancel.query) == (observe.accept, observe.query)
        assert observed(client) == 0  # the device knows an observation by its token
        await state("ended")

    drive(scene)


COMPOSITE = ["/3/0/9", "/1/0/1", "/4/0/2"]


def test_int_304_observe_composite(drive):
    async def scene(device, client):
        assert set(told(await order(device, "observe-composite", paths=COMPOSITE))) == set(COMPOSITE)
        assert wire.sent(client, Code.FETCH, "/").observe == 0
        for path in COMPOSITE:
            await stored(path, 1)
        client.tree.set("/3/0/9", 17)
        await value_is("/3/0/9", 17)
        for path in COMPOSITE:  # all of them are in the notification
            await until(
                lambda path=path: ResourceValue.objects.filter(
                    path=path, received_at__gte=ResourceValue.objects.get(path="/3/0/9").received_at
                ).exists()
            )

    drive(scene)


def test_int_305_cancel_composite(drive):
    async def scene(device, client):
        await order(device, "observe-composite", paths=COMPOSITE)
        observe = wire.sent(client, Code.FETCH, "/")
        expect(await order(device, "cancel-observe-composite", paths=COMPOSITE), "2.05")
        cancel = wire.sent(client, Code.FETCH, "/")
        assert (cancel.observe, cancel.payload, cancel.accept) == (1, observe.payload, observe.accept)
        assert observed(client) == 0
        await state("ended")

    drive(scene)


@pytest.mark.parametrize("number", [wire.SENML_JSON, wire.SENML_CBOR])
def test_int_306_send(drive, number):
    async def scene(device, client):
        expect(await order(device, "write", "/1/0/23", value=False), "2.04")
        before = await until(lambda: Registration.objects.get())
        answer = await client.send(["/3/0/9", "/3/0/7"], content_format=number)
        assert answer.code is Code.CHANGED
        found = dict(await until(lambda: list(ResourceValue.objects.values_list("path", "number"))))
        assert (found["/3/0/7/1"], found["/3/0/9"]) == (5000, client.tree.value(3, 0, 9))
        assert (await until(lambda: Registration.objects.get())).expires_at == before.expires_at

    drive(scene)


def test_int_307_muting_send(drive):
    async def scene(device, client):
        for is_muted in (False, True):
            asked = await until(
                lambda is_muted=is_muted: operations.mute_send(
                    device=device, is_muted=is_muted, requested_by="test"
                )
            )
            expect(await ended(asked), "2.04")
            wire.sent(client, Code.PUT, "/1/0/23")
            assert client.tree.value(1, 0, 23) is is_muted
            if is_muted:
                with pytest.raises(Muted):
                    await client.send(["/3/0/9"])
            else:
                assert (await client.send(["/3/0/9"])).code is Code.CHANGED

    drive(scene)


def test_int_308_observe_composite_and_create(drive):
    async def scene(device, client):
        await order(device, "observe-composite", paths=["/16", "/3/0/9"])
        made = await order(device, "create", "/16", instance_id=1, values={"/16/1/0/0": "another"})
        assert made.response_code == "2.01"
        await until(lambda: ResourceValue.objects.filter(path="/16/1/0/0", text="another").exists())
        assert observed(client) == 1

    drive(scene, objects=(16,))


def test_int_309_observe_composite_and_delete(drive):
    async def scene(device, client):
        client.tree.set_instance(16, 1, {0: {0: "another"}})
        await order(device, "observe-composite", paths=["/16", "/3/0/9"])
        deleted = await order(device, "delete", "/16/1")
        assert deleted.response_code == "2.02"
        await until(lambda: Observation.objects.get().last_notified_at is not None)
        assert observed(client) == 1
        client.tree.set("/3/0/9", 18)
        await value_is("/3/0/9", 18)

    drive(scene, objects=(16,))


def test_int_310_observe_composite_and_a_changed_attribute(drive):
    """OMA has pmax=5; one second tells the same. Nothing changes: only pmax can be why the device speaks."""

    async def scene(device, client):
        await order(device, "observe-composite", paths=["/3/0/9", "/1/0/1"])
        assert (await until(lambda: Observation.objects.get())).last_notified_at is None
        expect(await order(device, "write-attributes", "/3", attributes={"pmax": 1}), "2.04")
        await stored("/3/0/9", 2)

    drive(scene)


def test_int_311_send_of_what_is_asked_for(drive):
    async def scene(device, client):
        client.tree.set("/1/0/23", False)
        assert (await client.send(["/1/0/1", "/3/0/11/0"])).code is Code.CHANGED
        found = await until(lambda: dict(ResourceValue.objects.values_list("path", "number")))
        assert found == {"/1/0/1": 86400, "/3/0/11/0": 0}

    drive(scene)


def test_int_312_observe_with_attributes(drive):
    async def scene(device, client):
        await order(device, "observe", "/3/0/7", attributes={"pmin": 1, "pmax": 2})
        request = wire.sent(client, Code.GET, "/3/0/7")
        assert (request.observe, set(request.query)) == (0, {"pmin=1", "pmax=2"})
        assert not any(request.code == Code.PUT for request, _ in client.asked)
        await stored("/3/0/7/0", 2)  # by pmax alone
        expect(await order(device, "cancel-observe", "/3/0/7"), "2.05")
        cancel = wire.last(client)
        assert (cancel.observe, set(cancel.query)) == (1, {"pmin=1", "pmax=2"})
        assert observed(client) == 0

    drive(scene, version="1.2")


def test_int_313_attributes_of_observe_go_before_written_ones(drive):
    async def scene(device, client):
        expect(await order(device, "write-attributes", "/3/0/7", attributes={"pmax": 600}), "2.04")
        await order(device, "observe", "/3/0/7", attributes={"pmin": 0, "pmax": 1})
        await stored("/3/0/7/0", 2)  # long before 600 seconds
        links = (await order(device, "discover", "/3/0/7")).answer["links"]
        assert "pmax=600" in links  # what was written stays

    drive(scene, version="1.2")
