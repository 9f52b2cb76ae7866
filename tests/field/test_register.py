"""Object lists and endpoint names as devices spell them, and definitions as they are published."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from rest_framework.test import APIClient

from accounts.errors import Refused
from devices.inventory import object_models as catalogues
from devices.inventory.models import Device, ObjectDefinition
from devices.inventory.services import object_models
from devices.inventory.services.object_models import Result, Source
from devices.operations.services import operations
from devices.registry.models import RegistrationDetail
from lwm2m.object_links import ObjectLinks
from lwm2m.requests import register_request
from tests.devices import making
from tests.devices.conftest import register as register_row
from tests.field import scripted
from tests.field.cases import Case, by_way
from tests.provisioning.conftest import worker  # noqa: F401 a fixture
from tests.southbound.client import management

VERSIONS = {
    "link-list-2": {1: "1.1"},
    "link-list-4": {44: "2.2"},
}
INSTANCES = {
    "link-list-2": [(1, 0), (3, 0)],
    "link-list-4": [(1, 0), (44, 0)],
    "link-list-5": [(1, 1), (3, 0)],
    "link-list-6": [(1, 0), (3, 0)],
}


@by_way("link-list")
@pytest.mark.django_db(transaction=True)
def test_an_object_list_is_read_as_it_is_meant(play, make_device, case: Case):
    make_device()

    async def scene(southbound):
        wire = await management(southbound)
        return await wire.ask(register_request(endpoint="dev-1", object_links=case.payload))

    assert play(scene).code == "2.01"
    found = ObjectLinks.from_json(RegistrationDetail.objects.get().object_links)
    paths = [(path.object_id, path.instance_id) for path in found.paths()]
    assert set(paths) >= set(INSTANCES[case.id]), paths
    for number, version in VERSIONS.get(case.id, {}).items():
        assert found.objects[number].version == version


def _name(case: Case) -> str:
    said = case.input
    return said.split("endpoint=")[1].split(";")[0] if said.startswith("POST") else said


@by_way("endpoint-name-in-rest-path")
@pytest.mark.django_db
def test_a_device_of_any_accepted_name_is_reached_over_rest(worker, case: Case):  # noqa: F811
    name = _name(case)
    sam = APIClient()
    sam.force_authenticate(making.subscriber(making.operator("northwind")).user)
    added = sam.post("/api/v1/devices/", {"endpoint": name}, format="json")
    if "refused at POST" in str(case.expected) and added.status_code == 400:
        assert added.data["code"] == "ENDPOINT_INVALID"
        return
    assert added.status_code == 201, added.data
    there = f"/api/v1/devices/{quote(name, safe='')}/"
    assert sam.get(there).data["endpoint"] == name
    assert sam.delete(there).status_code == 204
    assert Device.objects.get().access == "retired"


@by_way("endpoint-name-in-rest-path")
@pytest.mark.django_db(transaction=True)
def test_a_device_of_any_accepted_name_registers(play, make_device, case: Case):
    make_device(_name(case))

    async def scene(southbound):
        await scripted.registered(southbound, _name(case))

    play(scene)


@by_way("registry-definition-refused")
@pytest.mark.django_db
def test_a_published_definition_loads_and_its_limits_count(make_device, case: Case):
    device = make_device()
    catalogues.forget()
    [report] = object_models.load(operator=device.operator, files=[Source("x.xml", case.input.encode())])
    assert report.result is Result.LOADED, report
    definition = ObjectDefinition.objects.get().definition
    if "is refused" in case.expected:
        register_row(device, links=b'</>;rt="oma.lwm2m",</31000/0>')
        limit = int(case.expected.split(" of ")[1].split(" ")[0]) - 1
        write = {"device": device, "operation": "write", "path": "/31000/0/0", "requested_by": "test"}
        operations.request(**write, arguments={"value": "x" * limit})
        with pytest.raises(Refused):
            operations.request(**write, arguments={"value": "x" * (limit + 1)})
    if "range" in case.expected:
        assert "-30..-120" not in str(definition)
    catalogues.forget()
