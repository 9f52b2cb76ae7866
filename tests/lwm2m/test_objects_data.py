"""The shipped data: structure, and the versions and numbers of resources of the OMA registry."""

import json
from importlib import resources

import pytest

from lwm2m.object_json import shipped
from lwm2m.object_versions import order
from lwm2m.objects import ObjectModel, ValueType, core, from_json, to_json

# Object, version: number of resources, as the registry's newest file of that version has them.
COUNTS = {
    (0, "1.0"): 13,
    (0, "1.1"): 18,
    (0, "1.2"): 31,
    (1, "1.0"): 9,
    (1, "1.1"): 24,
    (1, "1.2"): 28,
    (2, "1.0"): 4,
    (2, "1.1"): 4,
    (3, "1.0"): 23,
    (3, "1.1"): 23,
    (3, "1.2"): 23,
    (4, "1.0"): 11,
    (4, "1.1"): 12,
    (4, "1.2"): 13,
    (4, "1.3"): 14,
    (5, "1.0"): 9,
    (5, "1.1"): 13,
    (5, "1.2"): 14,
    (6, "1.0"): 7,
    (7, "1.0"): 9,
    (8, "1.0"): 6,
    (9, "1.0"): 19,
    (10, "1.0"): 12,
    (10, "1.1"): 14,
    (11, "1.1"): 34,
    (12, "1.1"): 49,
    (13, "1.1"): 13,
    (14, "1.0"): 6,
    (15, "2.0"): 8,
    (16, "1.0"): 4,
    (19, "1.0"): 6,
    (20, "1.0"): 6,
    (20, "2.1"): 8,
    (21, "1.0"): 6,
    (21, "1.1"): 7,
    (21, "2.0"): 7,
    (22, "1.1"): 7,
    (23, "1.0"): 3,
    (24, "1.0"): 9,
    (25, "1.0"): 3,
    (25, "2.0"): 3,
    (26, "1.0"): 2,
    (27, "1.0"): 21,
    (28, "1.0"): 8,
    (3200, "1.1"): 10,
    (3300, "1.1"): 13,
    (3303, "1.1"): 12,
    (3305, "1.1"): 23,
    (3311, "1.0"): 8,
    (3316, "1.1"): 13,
    (3334, "1.1"): 18,
    (3336, "2.0"): 10,
    (3340, "1.0"): 11,
    (3347, "1.1"): 5,
    (3441, "1.0"): 19,
    (3442, "1.0"): 25,
}
IPSO = {*range(3200, 3204), *range(3300, 3351)} - {3307, 3309}
EVERY = [pytest.param(model, id=f"{model.object_id}-{model.version}") for model in shipped()]


def test_every_object_is_there_in_every_version() -> None:
    known = {(model.object_id, model.version): len(model.resources) for model in shipped()}
    assert {key: known.get(key) for key in COUNTS} == COUNTS
    assert set(core().objects) == {*range(17), *range(19, 29), *IPSO, 3441, 3442}
    assert {key for key in known if key[0] < 100} == {key for key in COUNTS if key[0] < 100}


def test_objects_stand_in_order_and_once() -> None:
    keys = [(model.object_id, order(model.version)) for model in shipped()]
    oma = [key for key in keys if key[0] not in IPSO]
    ipso = [key for key in keys if key[0] in IPSO]
    assert oma == sorted(set(oma))
    assert ipso == sorted(set(ipso))


@pytest.mark.parametrize("model", EVERY)
def test_a_model_holds_together(model: ObjectModel) -> None:
    assert model.resources
    assert list(model.resources) == sorted(model.resources)
    assert order(model.version) > (0, 0)
    assert model.name == model.name.strip() != ""
    names = [one.name for one in model.resources.values()]
    assert len(set(names)) == len(names)
    for number, one in model.resources.items():
        assert one.resource_id == number
        assert one.name == one.name.strip() != ""
        assert one.operations in ("", "R", "W", "RW", "E")
        assert (one.type is ValueType.NONE) is (one.operations == "E")
        assert not (one.multiple and one.operations == "E")
        assert from_json(to_json(model)) == model


def test_rows_of_the_files_overlap_in_no_version() -> None:
    """A row that starts where another of its id still stands would silently win."""
    folder = resources.files("lwm2m").joinpath("data")
    for value in json.loads(folder.joinpath("oma.json").read_text(encoding="utf-8")):
        for version in value["versions"]:
            here = order(version)
            ids = [row[0] for row in value["resources"] if len(row) < 8 or _stands(row[7], here)]
            assert ids == sorted(set(ids)), (value["id"], version)
    shared = json.loads(folder.joinpath("ipso.json").read_text(encoding="utf-8"))
    ids = [row[0] for row in shared["resources"]]
    used = {int(entry.rstrip("!")) for row in shared["objects"] for entry in row[3].split()}
    assert ids == sorted(used)


def _stands(span: str, here: tuple[int, int]) -> bool:
    first, last = span.split("..")
    return order(first) <= here and (not last or here <= order(last))


def test_keys_and_secrets_are_for_bootstrap_servers_only() -> None:
    for number in (0, 21, 23):
        for model in core().versions[number].values():
            assert not any(one.operations for one in model.resources.values())


def test_the_test_objects_have_every_type() -> None:
    types = {one.type for one in core().objects[3442].resources.values()}
    assert types == set(ValueType) - {ValueType.UNKNOWN}
