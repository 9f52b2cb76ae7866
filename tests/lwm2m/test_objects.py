import ast
from pathlib import Path as File

import pytest

import lwm2m
from lwm2m.errors import Lwm2mError
from lwm2m.objects import ValueType, core, from_json, implied_version
from lwm2m.paths import Path

FRAMEWORKS = {"django", "rest_framework", "celery", "channels", "asgiref", "aiocoap"}
FORBIDDEN = FRAMEWORKS | {"asyncio", "socket", "time", "random", "logging", "threading", "datetime"}


def test_core_objects_are_known() -> None:
    catalogue = core()
    assert {0, 1, 2, 3, 4, 5, 6, 7} <= set(catalogue.objects)
    assert [len(catalogue.objects[number].resources) for number in range(8)] == [31, 28, 4, 23, 14, 13, 7, 9]
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
