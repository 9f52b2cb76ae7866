"""Odd resources of published definitions are loosened and noted (lwm2m-registry#690, #446, #47, leshan#834)."""

import re

import pytest

from lwm2m import ddf, ranges
from lwm2m.codes import ContentFormat as CF
from lwm2m.formats import decode
from lwm2m.objects import Catalogue, ObjectModel, ResourceModel, ValueType
from lwm2m.paths import Path
from tests.lwm2m.test_ddf import definition, file, item


def odd(content: str) -> tuple[ObjectModel, list[str]]:
    notes = ddf.Notes()
    (model,) = ddf.parse(file(definition(item(id=9, name="Sound"), content)), notes)
    assert model.resources[9] == ResourceModel(9, "Sound", ValueType.INTEGER, "R")
    assert all(re.match(r"Line \d+: .*\.\Z", note) for note in notes)
    return model, notes


@pytest.mark.parametrize(
    ("changes", "meant", "note"),
    [
        ({"operations": "E", "type": "Opaque"}, {"type": ValueType.NONE}, ""),
        ({"operations": "E", "type": "Nonsense"}, {"type": ValueType.NONE}, ""),
        ({"operations": "E", "type": "", "multiple": "Multiple"}, {"multiple": False}, "counts as Single"),
        (
            {"type": ""},
            {"type": ValueType.UNKNOWN},
            "resource 0 has no type; its values are kept as they come",
        ),
        ({"type": "Number"}, {"type": ValueType.UNKNOWN}, 'resource 0 has the type "Number"'),
        ({"type": "x" * 100}, {"type": ValueType.UNKNOWN}, "x" * 60 + "…"),
        ({"range": "-30..-120"}, {"range": "-120..-30"}, "range -30..-120; it counts as -120..-30"),
        ({"range": "10 to 1 Bytes"}, {"range": "1..10"}, "it counts as 1..10"),
        ({"range": "-1..1", "type": "Unsigned Integer"}, {"range": ""}, "is unsigned and its range"),
        ({"range": "-1,1", "type": "Unsigned Integer"}, {"range": ""}, "is unsigned and its range"),
        ({"mandatory": "Yes", "multiple": "No"}, {"mandatory": True, "multiple": False}, ""),
        ({"mandatory": "TRUE", "multiple": "yes"}, {"mandatory": True, "multiple": True}, ""),
        ({"mandatory": ""}, {"mandatory": False}, '<Mandatory> is ""; it counts as Optional'),
        ({"multiple": "Some"}, {"multiple": False}, '<MultipleInstances> is "Some"; it counts as Single'),
        ({"operations": "W R"}, {"operations": "RW"}, ""),
        ({"operations": "r/w"}, {"operations": "RW"}, ""),
        ({"operations": "RE"}, {"operations": "R"}, 'has the operations "RE"; it counts as R'),
        ({"operations": "whatever"}, {"operations": "RW"}, "it counts as RW"),
        ({"operations": ""}, {"operations": ""}, ""),
        ({"name": " "}, {"name": "Resource 0"}, "resource 0 has no name"),
    ],
)
def test_one_odd_resource(changes: dict[str, object], meant: dict[str, object], note: str) -> None:
    model, notes = odd(item(**changes))
    for name, value in meant.items():
        assert getattr(model.resources[0], name) == value
    assert [note in one for one in notes] == ([True] if note else [])


@pytest.mark.parametrize("changes", [{"id": "five"}, {"id": 70000}, {"id": ""}, {"id": -1}])
def test_a_resource_without_a_number_is_left_out(changes: dict[str, object]) -> None:
    model, notes = odd(item(**changes))
    assert list(model.resources) == [9]
    assert "cannot be the ID of <Item>; the resource is left out" in notes[0]


def test_a_resource_that_stands_twice_is_the_first() -> None:
    model, notes = odd(item(id=9, name="Another", type="String"))
    assert len(model.resources) == 1
    assert "resource 9 stands here again; the first counts" in notes[0]


@pytest.mark.parametrize("name", ["Name", "Operations", "MultipleInstances", "Mandatory", "Type", "Units"])
def test_missing_and_repeated_elements(name: str) -> None:
    model, notes = odd(re.sub(rf"\s*<{name}>.*</{name}>", "", item()))
    assert set(model.resources) == {0, 9}
    assert len(notes) == (name != "Units")
    model, notes = odd(re.sub(rf"(<{name}>)(.*)(</{name}>)", r"\1\2\3\1other\3", item()))
    assert model.resources[0] == ResourceModel(0, "Level", ValueType.INTEGER, "R")
    assert f"<{name}> stands twice in <Item>; the first counts" in notes[0]


@pytest.mark.parametrize("name", ["MultipleInstances", "Mandatory"])
def test_the_object_itself(name: str) -> None:
    notes = ddf.Notes()
    (model,) = ddf.parse(file(re.sub(rf"\s*<{name}>.*</{name}>", "", definition(), count=1)), notes)
    assert (model.multiple, model.mandatory) == (True, False)
    assert len(notes) == 1


def test_what_has_no_type_is_kept_as_it_comes() -> None:
    model, _ = odd(item(id=1, type=""))
    catalogue = Catalogue({30000: model})
    path = Path(30000, 0, 1)
    assert decode(CF.TLV, b"\xc1\x01\x41", Path(30000, 0), catalogue)[0].value == b"\x41"
    assert decode(CF.TEXT, b"41", path, catalogue)[0].value == "41"
    assert decode(CF.TEXT, b"", path, catalogue)[0].value == ""
    assert decode(CF.CBOR, b"\x18\x29", path, catalogue)[0].value == 41


@pytest.mark.parametrize(
    "unit", ["", " bytes", " Bytes", " BYTES", " Octets", " octet", " B", " Characters", "chars"]
)
@pytest.mark.parametrize("kind", ["String", "Opaque"])
def test_lengths_in_any_unit_count(unit: str, kind: str) -> None:
    for written in (f"1..64{unit}", f"1-64{unit}", f"1{unit} to 64{unit}"):
        model, notes = odd(item(range=written, type=kind))
        assert ranges.of(model.resources[0]) == ranges.Limits(1, 64)
        assert not notes
    model, _ = odd(item(range=f"64{unit}", type=kind))
    assert ranges.of(model.resources[0]) == ranges.Limits(0, 64)
