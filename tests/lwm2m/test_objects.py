import ast
from pathlib import Path as File

import pytest

import lwm2m
from lwm2m.errors import Lwm2mError
from lwm2m.objects import Catalogue, ObjectModel, ValueType, core, from_json, implied_version
from lwm2m.paths import Path

FRAMEWORKS = {"django", "rest_framework", "celery", "channels", "asgiref", "aiocoap"}
FORBIDDEN = FRAMEWORKS | {"asyncio", "socket", "time", "random", "logging", "threading", "datetime"}


def test_core_objects_are_known() -> None:
    catalogue = core()
    assert {0, 1, 2, 3, 4, 5, 6, 7} <= set(catalogue.objects)
    assert [len(catalogue.objects[number].resources) for number in range(8)] == [31, 28, 4, 23, 14, 14, 7, 9]
    assert catalogue.name(Path.parse("/3/0/9")) == "Device / Battery level"
    assert catalogue.name(Path.parse("/32999/0/1")) == ""
    assert catalogue.resource(Path(3)) is None


def test_keys_and_operations() -> None:
    security = core().objects[0]
    assert all(resource.operations == "" for resource in security.resources.values())
    assert core().objects[1].resources[8].type is ValueType.NONE
    for model in core().objects.values():
        for resource in model.resources.values():
            assert set(resource.operations) <= set("RWE")
            assert (resource.type is ValueType.NONE) is (resource.operations == "E")


def test_l_12_versions_that_are_implied() -> None:
    assert implied_version(3, "1.0") == "1.0"
    assert implied_version(3, "1.1") == "1.1"
    assert implied_version(5, "1.2") == "1.1"
    assert implied_version(3303, "1.2") == "1.0"


def test_more_models_can_be_added() -> None:
    mine = from_json(
        {
            "id": 3,
            "name": "Mine",
            "version": "9.0",
            "multiple": False,
            "mandatory": True,
            "resources": [[0, "A", "string", "R"]],
        }
    )
    extended = core().extended([mine])
    assert extended.name(Path(3, 0, 0)) == "Mine / A"
    assert core().objects[3].name == "Device"
    assert 1 in extended.objects


@pytest.mark.parametrize(
    "value", [{}, {"id": 1, "name": "x", "version": "1", "multiple": 0, "mandatory": 0, "resources": [[1]]}]
)
def test_broken_models_are_refused(value: dict[str, object]) -> None:
    with pytest.raises(Lwm2mError):
        from_json(value)


def test_the_protocol_imports_no_framework_clock_or_dice() -> None:
    for file in File(lwm2m.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.split(".")[0] for name in names} & FORBIDDEN, file


def test_versions_stand_side_by_side() -> None:
    catalogue = core()
    assert [len(catalogue.versions[5][version].resources) for version in ("1.0", "1.1", "1.2")] == [9, 13, 14]
    assert catalogue.versions[1]["1.1"].resources[1].type is ValueType.INTEGER
    assert catalogue.versions[1]["1.2"].resources[1].type is ValueType.UNSIGNED
    assert catalogue.versions[1]["1.1"].resources[13].operations == ""
    assert catalogue.versions[25]["1.0"].resources[1].operations == "RW"
    assert 2 not in catalogue.versions[25]["2.0"].resources


@pytest.mark.parametrize(
    ("object_id", "version", "enabler", "found"),
    [
        (3, None, "1.0", "1.0"),
        (3, None, "1.1", "1.1"),
        (3, "", "1.2", "1.2"),
        (3, None, "1.2.1", "1.2"),
        (3, None, "2.0", "1.2"),
        (3, None, "nonsense", "1.0"),
        (4, None, "1.1", "1.2"),
        (5, None, "1.2", "1.1"),
        (5, "1.2", "1.0", "1.2"),
        (21, None, "1.1", "1.0"),
        (21, None, "1.2", "2.0"),
        (3, "1.9", "1.1", "1.2"),  # the closest that is known
        (3303, None, "1.1", "1.1"),  # means 1.0, of which 1.1 is a superset
        (25, "2.0", "1.1", "2.0"),
        (25, None, "1.1", "1.0"),
        (25, "3.0", "1.1", None),  # another major may mean anything
        (25, "later", "1.1", None),
        (15, None, "1.1", "2.0"),  # the only one there is
        (17, None, "1.1", None),
    ],
)
def test_the_version_that_a_device_means(
    object_id: int, version: str | None, enabler: str, found: str | None
) -> None:
    model = core().model(object_id, version, enabler)
    assert (model and model.version) == found


def test_a_catalogue_for_one_device() -> None:
    seen = core().for_device({1: None, 5: "1.0", 25: "3.0", 3303: None}, "1.1")
    assert seen.objects[1].version == "1.1"
    assert seen.resource(Path(5, 0, 10)) is None
    assert seen.resource(Path(25, 0, 0)) is None
    assert seen.name(Path(3303, 0, 5700)) == "Temperature / Sensor value"
    assert seen.objects[3].version == "1.2"
    assert core().objects[5].version == "1.2"


def test_loaded_versions_join_those_that_are_known() -> None:
    def mine(version: str) -> ObjectModel:
        return ObjectModel(3, f"Mine {version}", version, False, True)

    catalogue = core().extended([mine("1.1"), mine("2.0"), mine("1.10")])
    assert catalogue.objects[3].version == "2.0"
    assert set(catalogue.versions[3]) == {"1.0", "1.1", "1.2", "1.10", "2.0"}
    assert catalogue.model(3, "1.1") == mine("1.1")
    assert catalogue.model(3, "1.9") == core().model(3, "1.2")
    assert catalogue.model(3, "1.11") == mine("1.10")
    assert core().model(3, "1.1") != mine("1.1")
    alone = Catalogue({3: mine("1.0")})
    assert alone.model(3) == mine("1.0")
