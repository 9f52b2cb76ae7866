"""SenML in JSON and CBOR, by RFC 8428 and by how LwM2M uses it."""

import pytest

from lwm2m import cbor
from lwm2m.errors import Lwm2mError
from lwm2m.formats import senml_cbor, senml_etch_cbor, senml_etch_json, senml_json
from lwm2m.nodes import Node, ObjectLinkValue, absolute_time
from lwm2m.objects import core
from lwm2m.paths import ROOT, Path

DEVICE = Path(3, 0)


def read(payload: str, path: Path = ROOT, *, names: bool = False) -> list[Node]:
    return senml_json.decode(payload.encode(), path, core(), names=names)


def test_device_object_in_json() -> None:
    # OMA-TS-LightweightM2M_Core 7.4.3, shape of the example for Read /3/0.
    nodes = read(
        '[{"bn":"/3/0/","n":"0","vs":"Open Mobile Alliance"},{"n":"6/0","v":1},{"n":"6/1","v":5},'
        '{"n":"9","v":100},{"n":"11/0","v":0},{"n":"13","v":1367491215},{"n":"16","vs":"U"}]',
        DEVICE,
    )
    assert [(str(node.path), node.value) for node in nodes] == [
        ("/3/0/0", "Open Mobile Alliance"),
        ("/3/0/6/0", 1),
        ("/3/0/6/1", 5),
        ("/3/0/9", 100),
        ("/3/0/11/0", 0),
        ("/3/0/13", 1367491215),
        ("/3/0/16", "U"),
    ]


def test_cbor_labels_of_rfc_8428_section_6() -> None:
    payload = cbor.dumps(
        [{-2: "/3/0/", 0: "0", 3: "x"}, {0: "9", 2: 95}, {0: "1", 8: b"\x01"}, {0: "5", 4: True}]
    )
    assert senml_cbor.decode(payload, DEVICE) == [
        Node(Path(3, 0, 0), "x"),
        Node(Path(3, 0, 9), 95),
        Node(Path(3, 0, 1), b"\x01"),
        Node(Path(3, 0, 5), True),
    ]


def test_written_bytes_are_these() -> None:
    nodes = [Node(Path(3, 0, 0), "A"), Node(Path(3, 0, 9), 95)]
    assert senml_json.encode(nodes, DEVICE) == b'[{"bn":"/3/0/","n":"0","vs":"A"},{"n":"9","v":95}]'
    assert senml_cbor.encode(nodes, DEVICE).hex() == "82a321652f332f302f006130036141a200613902185f"
    assert senml_json.encode(nodes[:1], Path(3, 0, 0)) == b'[{"bn":"/3/0/0","vs":"A"}]'
    assert senml_json.encode(nodes, ROOT) == b'[{"n":"/3/0/0","vs":"A"},{"n":"/3/0/9","v":95}]'


def test_int_229_composite_read_is_bare_names() -> None:
    nodes = [Node(Path(3, 0, 16)), Node(Path(3, 0, 11, 0)), Node(Path(1, 0))]
    assert senml_json.encode(nodes, ROOT) == b'[{"n":"/3/0/16"},{"n":"/3/0/11/0"},{"n":"/1/0"}]'
    assert senml_json.decode(senml_json.encode(nodes, ROOT), ROOT, names=True) == nodes
    assert senml_cbor.decode(senml_cbor.encode(nodes, ROOT), ROOT, names=True) == nodes


def test_int_235_composite_read_of_the_root() -> None:
    assert senml_json.encode([Node(ROOT)], ROOT) == b'[{"n":"/"}]'
    assert senml_json.decode(b'[{"n":"/"}]', ROOT, names=True) == [Node(ROOT)]


def test_etch_deletes_with_null() -> None:
    nodes = [Node(Path(16, 0, 0, 1))]
    assert senml_etch_json.encode(nodes, ROOT) == b'[{"n":"/16/0/0/1","v":null}]'
    assert senml_etch_json.decode(b'[{"n":"/16/0/0/1","v":null}]', ROOT, names=True) == nodes
    assert senml_etch_cbor.decode(senml_etch_cbor.encode(nodes, ROOT), ROOT, names=True) == nodes
    with pytest.raises(Lwm2mError):
        senml_json.decode(b'[{"n":"/16/0/0/1","v":null}]', ROOT, names=True)


def test_r_21_times_of_batched_values() -> None:
    # RFC 8428 section 5.1.3: a base time with offsets.
    nodes = read('[{"bn":"/3303/0/5700","bt":1.276020076e9,"v":20},{"t":-5,"v":21.5},{"t":5,"v":22}]')
    assert [node.time for node in nodes] == [1276020076.0, 1276020071.0, 1276020081.0]
    assert [node.value for node in nodes] == [20.0, 21.5, 22.0]
    (relative,) = read('[{"n":"/3303/0/5700","t":-5,"v":1}]')
    assert absolute_time(relative.time, 1_700_000_000.0) == 1_699_999_995.0
    assert absolute_time(None, 7.0) == 7.0


def test_base_value_of_rfc_8428_section_4_1() -> None:
    assert [node.value for node in read('[{"bn":"/3303/0/5700","bv":20,"v":1},{"v":2}]')] == [21.0, 22.0]


def test_gateway_names_carry_their_device() -> None:
    (node,) = read('[{"bn":"/dev0/3303/0/","n":"5700","v":1}]')
    assert (node.prefix, str(node.path)) == ("dev0", "/3303/0/5700")
    (deeper,) = read('[{"n":"/lwm2m/dev0/3/0/9","v":1}]')
    assert deeper.prefix == "lwm2m/dev0"
    assert senml_json.encode([node], ROOT) == b'[{"n":"/dev0/3303/0/5700","v":1.0}]'
    assert senml_json.encode([node], node.path.parent) == b'[{"bn":"/dev0/3303/0/","n":"5700","v":1.0}]'


def test_opaque_and_links() -> None:
    assert read('[{"n":"/5/0/0","vd":"_-8"}]') == [Node(Path(5, 0, 0), b"\xff\xef")]
    assert read('[{"n":"/5/0/0","vd":"/+8="}]') == [Node(Path(5, 0, 0), b"\xff\xef")]
    assert read('[{"n":"/1/0/10","vlo":"11:0"}]') == [Node(Path(1, 0, 10), ObjectLinkValue(11, 0))]
    payload = senml_cbor.encode([Node(Path(1, 0, 10), ObjectLinkValue(11, 0))], Path(1, 0))
    assert b"vlo" in payload
    assert senml_cbor.decode(payload, Path(1, 0)) == [Node(Path(1, 0, 10), ObjectLinkValue(11, 0))]


def test_base_only_records_and_missing_names() -> None:
    assert read('[{"bn":"/3/0/"},{"n":"9","v":1}]')[-1] == Node(Path(3, 0, 9), 1)
    assert read('[{"bn":"/3/0/","bt":1700000000},{"n":"9","v":1}]') == [Node(Path(3, 0, 9), 1, 1.7e9)]
    assert read('[{"v":1}]', Path(3, 0, 9)) == [Node(Path(3, 0, 9), 1)]
    assert read("[]") == []


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "{}",
        "[1]",
        '[{"n":"/3/0/9","v":NaN}]',
        '[{"n":"/3/0/9","v":1e999}]',
        '[{"n":"/3/0/9","v":1' + "0" * 400 + "}]",
        '[{"n":"/3/0/9","v":' + "1" * 5000 + "}]",
        '[{"n":"/3/0/9","v":"1"}]',
        '[{"n":"/3/0/9","v":true}]',
        '[{"n":"/3/0/9","vb":1}]',
        '[{"n":"/3/0/9","v":1,"vs":"x"}]',
        '[{"n":"/3/0/0","vs":"a\\u0000b"}]',
        '[{"n":"/3/0/0","vs":"\\ud800"}]',
        '[{"n":"/3/0/0\\u0000","vs":""}]',
        '[{"n":"/5/0/0","vd":"*"}]',
        '[{"n":"/5/0/0","vd":"A"}]',
        '[{"n":"/5/0/0","vd":7}]',
        '[{"n":"/1/0/10","vlo":"1"}]',
        '[{"n":"/1/0/10","vlo":"1:99999"}]',
        '[{"n":"/3/0","v":1}]',
        '[{"n":"/3/0/9/0/0","v":1}]',
        '[{"n":"/65536/0/9","v":1}]',
        '[{"n":5,"v":1}]',
        '[{"bn":null,"v":1}]',
        '[{"bt":"x","n":"/3/0/9","v":1}]',
        '[{"bver":11,"n":"/3/0/9","v":1}]',
        '[{"must_":1,"n":"/3/0/9","v":1}]',
        '[{"v":1}]',
        '[{"bn":"/3/0/9","bt":1e308,"t":1e308,"v":1}]',
        "[" * 100_000,
        '[{"n":"' + "a" * 300 + '","v":1}]',
    ],
)
def test_refused_json(payload: str) -> None:
    with pytest.raises(Lwm2mError) as caught:
        read(payload)
    assert (caught.value.code.dotted, caught.value.cause) == ("4.00", "PAYLOAD_MALFORMED")


def test_names_outside_the_asked_path_are_refused() -> None:
    with pytest.raises(Lwm2mError):
        read('[{"n":"/4/0/1","v":1}]', DEVICE)


@pytest.mark.parametrize(
    "nodes",
    [
        [Node(Path(4, 0, 1), 1)],
        [Node(Path(3, 0, 9), float("nan"))],
        [Node(Path(3, 0, 9), 2**64)],
        [Node(DEVICE), Node(Path(3, 0, 9), 1)],
    ],
)
def test_what_senml_cannot_write(nodes: list[Node]) -> None:
    with pytest.raises(Lwm2mError):
        senml_json.encode(nodes, DEVICE)
