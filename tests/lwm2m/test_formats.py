"""All formats by number: round trips, single values, and hostile bytes."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lwm2m import formats
from lwm2m.codes import ContentFormat as CF
from lwm2m.errors import Lwm2mError
from lwm2m.nodes import Node, ObjectLinkValue, Value
from lwm2m.objects import Catalogue, ObjectModel, ResourceModel, ValueType, core
from lwm2m.paths import ROOT, Path

# Every data type once, as the LwM2M Test Object 3441 has them.
TYPES = {
    110: ValueType.STRING,
    120: ValueType.INTEGER,
    125: ValueType.UNSIGNED,
    130: ValueType.FLOAT,
    140: ValueType.BOOLEAN,
    150: ValueType.OPAQUE,
    160: ValueType.TIME,
    170: ValueType.OBJECT_LINK,
}
MODEL = Catalogue(
    {
        3441: ObjectModel(
            3441,
            "Test",
            "1.0",
            True,
            False,
            {n: ResourceModel(n, t.value, t, "RW") for n, t in TYPES.items()},
        )
    }
)
TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=30)
BY_TYPE: dict[ValueType, st.SearchStrategy[Value]] = {
    ValueType.STRING: TEXTS,
    ValueType.INTEGER: st.integers(-(2**63), 2**63 - 1),
    ValueType.UNSIGNED: st.integers(0, 2**63 - 1),
    ValueType.FLOAT: st.floats(allow_nan=False, allow_infinity=False),
    ValueType.BOOLEAN: st.booleans(),
    ValueType.OPAQUE: st.binary(max_size=300),
    ValueType.TIME: st.integers(0, 2**40),
    ValueType.OBJECT_LINK: st.builds(ObjectLinkValue, st.integers(0, 65535), st.integers(0, 65535)),
}
INSTANCE = Path(3441, 2)
RESOURCES = st.fixed_dictionaries({}, optional={number: BY_TYPE[kind] for number, kind in TYPES.items()})
STRUCTURED = [
    CF.TLV,
    CF.TLV_LEGACY,
    CF.SENML_CBOR,
    CF.SENML_JSON,
    CF.SENML_ETCH_CBOR,
    CF.SENML_ETCH_JSON,
    CF.JSON,
    CF.LWM2M_CBOR,
]


@pytest.mark.parametrize("number", STRUCTURED)
@given(content=RESOURCES)
@settings(max_examples=40)
def test_instances_round_trip(number: int, content: dict[int, Value]) -> None:
    nodes = [Node(INSTANCE.child(resource), value) for resource, value in sorted(content.items())]
    payload = formats.encode(number, nodes, INSTANCE)
    assert formats.decode(number, payload, INSTANCE, MODEL) == nodes


NAMED = [number for number in STRUCTURED if number not in (CF.TLV, CF.TLV_LEGACY)]
PREFIXES = st.from_regex(r"[A-Za-z][A-Za-z0-9._:\-]{0,12}(/[A-Za-z][A-Za-z0-9]{0,5})?", fullmatch=True)


@pytest.mark.parametrize("number", NAMED)
@given(content=RESOURCES, prefix=PREFIXES, depth=st.integers(0, 2))
@settings(max_examples=40)
def test_names_behind_a_gateway_round_trip(
    number: int, content: dict[int, Value], prefix: str, depth: int
) -> None:
    path = Path(*INSTANCE.ids[:depth])
    nodes = [Node(INSTANCE.child(one), value, prefix=prefix) for one, value in sorted(content.items())]
    assert formats.decode(number, formats.encode(number, nodes, path), path, MODEL) == nodes


@pytest.mark.parametrize("number", NAMED)
@given(prefixes=st.lists(PREFIXES, min_size=2, max_size=4, unique=True))
@settings(max_examples=20)
def test_several_devices_behind_a_gateway_round_trip(number: int, prefixes: list[str]) -> None:
    nodes = [Node(INSTANCE.child(120), at, prefix=prefix) for at, prefix in enumerate(prefixes)]
    assert formats.decode(number, formats.encode(number, nodes, ROOT), ROOT, MODEL) == nodes


@pytest.mark.parametrize("number", STRUCTURED)
@given(items=st.dictionaries(st.integers(0, 65535), st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=5))
@settings(max_examples=25)
def test_multiple_resources_round_trip(number: int, items: dict[int, int]) -> None:
    resource = INSTANCE.child(120)
    nodes = [Node(resource.child(key), value) for key, value in sorted(items.items())]
    for path in (resource, INSTANCE, Path(3441)):
        assert formats.decode(number, formats.encode(number, nodes, path), path, MODEL) == nodes


SINGLE = [CF.TEXT, CF.CBOR, *STRUCTURED]


@pytest.mark.parametrize("number", SINGLE)
@pytest.mark.parametrize("resource", sorted(TYPES))
@given(data=st.data())
@settings(max_examples=10)
def test_single_resources_round_trip(number: int, resource: int, data: st.DataObject) -> None:
    value = data.draw(BY_TYPE[TYPES[resource]])
    path = INSTANCE.child(resource)
    payload = formats.encode(number, [Node(path, value)], path)
    (node,) = formats.decode(number, payload, path, MODEL)
    assert node.value == value


@given(
    number=st.sampled_from(sorted(formats.numbers())),
    payload=st.binary(max_size=80),
    path=st.sampled_from([ROOT, Path(3), Path(3, 0), Path(3, 0, 9), Path(3, 0, 7, 0)]),
    names=st.booleans(),
)
@settings(max_examples=800)
def test_any_bytes_decode_or_are_refused(number: int, payload: bytes, path: Path, names: bool) -> None:
    with suppress(Lwm2mError):
        nodes = formats.decode(number, payload, path, core(), names=names)
        assert all(path.contains(node.path) for node in nodes)
        assert names or all(node.value is not None for node in nodes if node.path.depth == 4)


@given(
    number=st.sampled_from(STRUCTURED),
    content=RESOURCES,
    at=st.integers(0, 400),
    put=st.binary(max_size=3),
)
@settings(max_examples=300)
def test_damaged_payloads_decode_or_are_refused(
    number: int, content: dict[int, Value], at: int, put: bytes
) -> None:
    nodes = [Node(INSTANCE.child(resource), value) for resource, value in sorted(content.items())]
    payload = bytearray(formats.encode(number, nodes, INSTANCE))
    payload[at : at + len(put)] = put
    with suppress(Lwm2mError):
        formats.decode(number, bytes(payload), INSTANCE, MODEL)


@pytest.mark.parametrize(
    ("payload", "path", "value"),
    [
        (b"Open Mobile Alliance", "/3/0/0", "Open Mobile Alliance"),  # int_201
        (b"100", "/3/0/9", 100),
        (b"-5", "/4/0/2", -5),
        (b"1", "/1/0/6", True),
        (b"48.25", "/6/0/0", 48.25),
        (b"11:0", "/1/0/10", ObjectLinkValue(11, 0)),
        (b"AQID", "/5/0/0", b"\x01\x02\x03"),
        (b"abc", "/3/0/9", "abc"),  # not of its type: shown as it came
        (b"1..2", "/6/0/0", "1..2"),
        (b"", "/3/0/0", ""),
        (b"", "/5/0/0", b""),
        (b"", "/32999/0/1", ""),
        (b"18446744073709551615", "/3/0/9", 2**64 - 1),
        (b"18446744073709551616", "/3/0/9", "18446744073709551616"),
        (b"-9223372036854775809", "/3/0/9", "-9223372036854775809"),
        (b"7", "/32999/0/1", "7"),
        (b"1e400", "/6/0/0", "1e400"),
    ],
)
def test_plain_text(payload: bytes, path: str, value: Value) -> None:
    (node,) = formats.decode(None, payload, Path.parse(path), core())
    assert node.value == value
    assert type(node.value) is type(value)


def test_int_205_and_212_set_one_resource() -> None:
    path = Path(1, 0, 2)
    assert formats.encode(CF.TEXT, [Node(path, 101)], path) == b"101"
    assert formats.encode(CF.CBOR, [Node(path, 101)], path) == b"\x18\x65"
    assert formats.encode(CF.TEXT, [Node(path, True)], path) == b"1"
    assert formats.encode(CF.TEXT, [Node(path, 1e-7)], path) == b"0.0000001"


def test_opaque_and_link_values() -> None:
    path = Path(5, 0, 0)
    assert formats.decode(CF.OPAQUE, b"\x00", path) == [Node(path, b"\x00")]
    assert formats.encode(CF.OPAQUE, [Node(path, b"\x00")], path) == b"\x00"
    discovered = Node(Path(3), "</3>;ver=1.1,</3/0>,</3/0/9>;pmin=5")
    assert formats.decode(CF.LINK, b"</3>;ver=1.1,</3/0>,</3/0/9>;pmin=5", Path(3)) == [discovered]


def test_lwm2m_cbor_keys() -> None:
    # OMA-TS-LightweightM2M_Core 7.4.7: nested maps, or joined keys; Anjay writes maps of open length.
    nodes = [Node(Path(3, 0, 0), "x"), Node(Path(3, 0, 9), 95)]
    for written in ("a103a100a200617809185f", "bf03bf00bf00617809185fffffff", "a1820300a200617809185f"):
        assert formats.decode(CF.LWM2M_CBOR, bytes.fromhex(written), Path(3, 0)) == nodes
    assert formats.encode(CF.LWM2M_CBOR, nodes, Path(3, 0)).hex() == "a103a100a200617809185f"
    gateway = bytes.fromhex("a1836464657630" + "0300" + "a109185f")
    assert formats.decode(CF.LWM2M_CBOR, gateway, ROOT) == [Node(Path(3, 0, 9), 95, None, "dev0")]


def test_the_names_of_a_gateway_are_these() -> None:
    # Anjay (lwm2m_gateway): a write to /dev0/3303/0/5750 names /dev0/3303/0/5750.
    path = Path(3303, 0, 5750)
    node = [Node(path, "k", prefix="dev0")]
    assert formats.encode(CF.SENML_JSON, node, path) == b'[{"bn":"/dev0/3303/0/5750","vs":"k"}]'
    assert formats.encode(CF.JSON, node, path) == b'{"bn":"/dev0/3303/0/5750","e":[{"sv":"k"}]}'
    assert formats.encode(CF.LWM2M_CBOR, node, path).hex() == "a16464657630a1190ce7a100a1191676616b"
    told = b'{"bn":"/dev0/3303/0","e":[{"n":"5750","sv":"k"}]}'
    assert formats.decode(CF.JSON, told, path.parent, core()) == node


def test_json_of_1_0() -> None:
    payload = b'{"bn":"/3/0/","e":[{"n":"0","sv":"x"},{"n":"6/0","v":1},{"n":"16","sv":"U"}],"bt":25462634}'
    assert formats.decode(CF.JSON, payload, Path(3, 0)) == [
        Node(Path(3, 0, 0), "x", 25462634.0),
        Node(Path(3, 0, 6, 0), 1, 25462634.0),
        Node(Path(3, 0, 16), "U", 25462634.0),
    ]
    assert formats.decode(CF.JSON, b'{"e":[{"n":"9","v":1}]}', Path(3, 0)) == [Node(Path(3, 0, 9), 1)]
    assert formats.decode(CF.JSON_LEGACY, b'{"bn":"/3/0/9","e":[{"v":1}]}', Path(3, 0, 9)) == [
        Node(Path(3, 0, 9), 1)
    ]


@pytest.mark.parametrize(
    ("number", "payload"),
    [
        (CF.TEXT, b"\xff"),
        (CF.TEXT, b"a\x00b"),
        (CF.CBOR, b"\x80"),
        (CF.CBOR, b"\xf9\x7e\x00"),
        (CF.JSON, b"[]"),
        (CF.JSON, b'{"e":[1]}'),
        (CF.JSON, b'{"e":[{"n":"/","v":1,"sv":"x"}]}'),
        (CF.LWM2M_CBOR, b"\x01"),
        (CF.LWM2M_CBOR, bytes.fromhex("a163616263a10001")),
        (CF.LINK, b"<"),
        (CF.TEXT, b""),
        (CF.OPAQUE, b""),
    ],
)
def test_refused_payloads(number: int, payload: bytes) -> None:
    with pytest.raises(Lwm2mError) as caught:
        formats.decode(number, payload, Path(3, 0, 9), core())
    assert caught.value.code.dotted == "4.00"


@pytest.mark.parametrize("bits", [6, 16, 17, 33, 15_200])
def test_unknown_format_is_4_15(bits: int) -> None:
    # An option of 1,900 bytes reads as a number of 4,576 digits, which Python does not write.
    number = (1 << bits) - 1
    with pytest.raises(Lwm2mError) as caught:
        formats.decode(number, b"{}", Path(3))
    assert (caught.value.code.dotted, caught.value.cause) == ("4.15", "CONTENT_FORMAT_UNSUPPORTED")


def test_a_bare_value_needs_a_resource() -> None:
    for number in (CF.TEXT, CF.OPAQUE, CF.CBOR):
        with pytest.raises(Lwm2mError):
            formats.decode(number, b"\x01", Path(3, 0))
        with pytest.raises(Lwm2mError):
            formats.encode(number, [], Path(3, 0, 9))


@pytest.mark.parametrize(
    ("text", "value"), [("3:0", ObjectLinkValue(3, 0)), ("no link", "no link"), ("3:99999", "3:99999")]
)
def test_lwm2m_json_takes_an_object_link_in_text_as_leshan_writes_it(text: str, value: Value) -> None:
    payload = b'{"bn":"/3441/2/","e":[{"n":"170","sv":"%s"}]}' % text.encode()
    assert formats.decode(CF.JSON, payload, INSTANCE, MODEL) == [Node(INSTANCE.child(170), value)]
