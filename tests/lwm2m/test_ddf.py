"""DDF files: what is read of them, and the ranges they write."""

import pytest

from lwm2m import ddf, ranges
from lwm2m.objects import ResourceModel, ValueType, core, to_json

ITEM = """
    <Item ID="{id}">
      <Name>{name}</Name>
      <Operations>{operations}</Operations>
      <MultipleInstances>{multiple}</MultipleInstances>
      <Mandatory>{mandatory}</Mandatory>
      <Type>{type}</Type>
      <RangeEnumeration>{range}</RangeEnumeration>
      <Units>{units}</Units>
      <Description><![CDATA[Not kept: <anything> & more.]]></Description>
    </Item>"""
OBJECT = """
  <Object ObjectType="MODefinition">
    <Name>{name}</Name>
    <Description1>About it.</Description1>
    <ObjectID>{id}</ObjectID>
    <ObjectURN>{urn}</ObjectURN>
    {version}
    <MultipleInstances>Multiple</MultipleInstances>
    <Mandatory>Optional</Mandatory>
    <Resources>{items}
    </Resources>
    <Description2/>
  </Object>"""
FILE = """<?xml version="1.0" encoding="utf-8"?>
<!-- A comment. -->
<LWM2M xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:noNamespaceSchemaLocation="http://openmobilealliance.org/tech/profiles/LWM2M.xsd">{objects}
</LWM2M>
"""


def item(**changes: object) -> str:
    plain: dict[str, object] = {
        "id": 0,
        "name": "Level",
        "operations": "R",
        "multiple": "Single",
        "mandatory": "Optional",
        "type": "Integer",
        "range": "",
        "units": "",
    }
    return ITEM.format(**{**plain, **changes})


def definition(*items: str, **changes: object) -> str:
    plain: dict[str, object] = {"id": 30000, "name": "Tank", "urn": "", "version": ""}
    return OBJECT.format(**{**plain, **changes}, items="".join(items or [item()]))


def file(*objects: str) -> bytes:
    return FILE.format(objects="".join(objects or [definition()])).encode()


def one(**changes: object) -> ResourceModel:
    (model,) = ddf.parse(file(definition(item(**changes))))
    (resource,) = model.resources.values()
    return resource


# -- what is read ------------------------------------------------------------------------------------------------


def test_an_object_with_its_resources() -> None:
    (model,) = ddf.parse(
        file(
            definition(
                item(id=7, name="Drain", operations="E", type=""),
                item(id=1, name=" Level\n  now ", mandatory="Mandatory", range="0-100", units="%"),
                item(id=2, operations="RW", multiple="Multiple", type="Unsigned Integer", range="0..65535"),
                name="Tank &amp; valve",
                version="<LWM2MVersion>1.1</LWM2MVersion><ObjectVersion>2.3</ObjectVersion>",
                urn="urn:oma:lwm2m:x:30000:2.3",
            )
        )
    )
    assert (model.object_id, model.version, model.name) == (30000, "2.3", "Tank & valve")
    assert (model.multiple, model.mandatory) == (True, False)
    assert list(model.resources) == [1, 2, 7]
    assert model.resources[1] == ResourceModel(
        1, "Level now", ValueType.INTEGER, "R", mandatory=True, units="%", range="0..100"
    )
    assert (model.resources[2].multiple, model.resources[2].type) == (True, ValueType.UNSIGNED)
    assert model.resources[7].type is ValueType.NONE


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("String", ValueType.STRING),
        ("Integer", ValueType.INTEGER),
        ("Unsigned Integer", ValueType.UNSIGNED),
        ("UnsignedInteger", ValueType.UNSIGNED),
        ("Float", ValueType.FLOAT),
        ("Boolean", ValueType.BOOLEAN),
        ("Opaque", ValueType.OPAQUE),
        ("Time", ValueType.TIME),
        ("Objlnk", ValueType.OBJECT_LINK),
        ("ObjLnk", ValueType.OBJECT_LINK),
        ("Corelnk", ValueType.CORE_LINK),
    ],
)
def test_types(written: str, meant: ValueType) -> None:
    assert one(type=written).type is meant


@pytest.mark.parametrize(
    ("version", "urn", "meant"),
    [
        ("", "", "1.0"),
        ("", "urn:oma:lwm2m:ext:30000:1.1", "1.1"),
        ("<ObjectVersion>1.1</ObjectVersion>", "urn:oma:lwm2m:ext:30000", "1.1"),  # older files
        ("<ObjectVersion/>", "urn:oma:lwm2m:ext:30000", "1.0"),
        ("<ObjectVersion> 3.0 </ObjectVersion>", "urn:example:whatever", "3.0"),
    ],
)
def test_versions(version: str, urn: str, meant: str) -> None:
    (model,) = ddf.parse(file(definition(version=version, urn=urn)))
    assert model.version == meant


def test_several_objects_and_versions_in_one_file() -> None:
    newer = definition(version="<ObjectVersion>1.1</ObjectVersion>")
    models = ddf.parse(file(definition(), newer, definition(id=30001)))
    assert [(model.object_id, model.version) for model in models] == [
        (30000, "1.0"),
        (30000, "1.1"),
        (30001, "1.0"),
    ]


def test_unknown_elements_are_passed_over() -> None:
    content = file(definition(item().replace("<Units>", "<Vendor><Units>no</Units></Vendor><Units>")))
    content = content.replace(b"<Resources>", b"<Icon>x</Icon><Resources><Note/>")
    content = content.replace(b"<Object ", b"<Meta/><Object ")
    assert len(ddf.parse(content)) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1"])
def test_encodings(encoding: str) -> None:
    declared = encoding.removesuffix("-sig")
    text = file(definition(name="Füllstand")).decode().replace('"utf-8"', f'"{declared}"')
    assert ddf.parse(text.encode(encoding))[0].name == "Füllstand"


def test_the_objects_of_this_package_survive_a_round_trip() -> None:
    names = {"unsigned": "Unsigned Integer", "none": ""}
    for versions in core().versions.values():
        for model in versions.values():
            items = [
                item(
                    id=known.resource_id,
                    name=known.name,
                    operations=known.operations,
                    multiple="Multiple" if known.multiple else "Single",
                    mandatory="Mandatory" if known.mandatory else "Optional",
                    type=names.get(known.type.value, known.type.value),
                    range=known.range,
                    units=known.units,
                )
                for known in model.resources.values()
            ]
            version = f"<ObjectVersion>{model.version}</ObjectVersion>"
            (read,) = ddf.parse(
                file(definition(*items, id=model.object_id, name=model.name, version=version))
            )
            assert to_json(read)["resources"] == to_json(model)["resources"]


# -- ranges ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "kept", "limits"),
    [
        ("0..255", "0..255", ranges.Limits(0, 255)),
        ("0-65535", "0..65535", ranges.Limits(0, 65535)),
        ("0..255 bytes", "0..255", ranges.Limits(0, 255)),
        ("0 - 4", "0..4", ranges.Limits(0, 4)),
        ("1 to 10", "1..10", ranges.Limits(1, 10)),
        ("-110..-48", "-110..-48", ranges.Limits(-110, -48)),
        ("-140--44", "-140..-44", ranges.Limits(-140, -44)),
        ("0.0..1.5", "0.0..1.5", ranges.Limits(0, 1.5)),
        ("[0..7]", "0..7", ranges.Limits(0, 7)),
        ("16, 32,48", "16,32,48", ranges.Limits(allowed=(16, 32, 48))),
        ("16-32-48 bytes", "16,32,48", ranges.Limits(allowed=(16, 32, 48))),
        ("64 B", "64", ranges.Limits(allowed=(64,))),
        ("8-Bits", "8-Bits", None),
        ("10min-992 days", "10min-992 days", None),
        ("See the\n  specification", "See the specification", None),
        ("", "", None),
    ],
)
def test_ranges(written: str, kept: str, limits: ranges.Limits | None) -> None:
    assert one(range=written).range == kept
    assert ranges.limits(written) == ranges.limits(kept) == limits


def test_what_limits_admit() -> None:
    assert [ranges.Limits(-5, 2.5).admit(number) for number in (-6, -5, 2.5, 3)] == [False, True, True, False]
    assert [ranges.Limits(allowed=(16, 32)).admit(number) for number in (16, 20)] == [True, False]
    assert ranges.Limits().admit(10**30)


def test_what_a_resource_is_held_to() -> None:
    objects = core().objects
    assert ranges.of(objects[3].resources[9]) == ranges.Limits(0, 100)
    assert ranges.of(objects[0].resources[7]) == ranges.Limits(0, 6)  # a length
    assert ranges.of(objects[12].resources[22]) == ranges.Limits(allowed=(10, 26))
    assert ranges.of(objects[3].resources[0]) is None
    assert ranges.of(one(range="255")) is None
    assert ranges.of(one(range="0..1", type="Boolean")) is None
