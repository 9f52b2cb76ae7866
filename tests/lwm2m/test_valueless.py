"""What a device reports has a value: whatever stands without one is refused, so that it takes no known one away.

RFC 8428 sections 4.2 and 4.3 (leshan#982, leshan#1654); null and bare names belong to composite requests.
"""

import pytest

from lwm2m import formats
from lwm2m.codes import ContentFormat as CF
from lwm2m.errors import Lwm2mError
from lwm2m.nodes import Node, Value
from lwm2m.objects import core
from lwm2m.paths import ROOT, Path


def cbor(written: str) -> bytes:
    return bytes.fromhex(written)


VALUELESS = [
    (CF.SENML_JSON, b'[{"n":"/3/0/9","v":null}]', ROOT),
    (CF.SENML_JSON, b'[{"n":"/3/0/9"}]', ROOT),
    (CF.SENML_JSON, b'[{"n":"/3/0/9","s":5}]', ROOT),
    (CF.SENML_JSON, b'[{"n":"/3/0/9","vs":null}]', ROOT),
    (CF.SENML_JSON, b'[{"n":"/3/0"}]', ROOT),
    (CF.SENML_JSON, b'[{"bn":"/3/0/","n":"9"}]', ROOT),
    (CF.SENML_JSON, b'[{"n":"/3/0/9","v":1},{"n":"/3/0/10"}]', ROOT),
    (CF.SENML_JSON, b'[{"n":"/3/0/9","v":1},{"foo":1}]', ROOT),
    (CF.SENML_JSON, b'[{"n":"/3/0/9","v":1},{}]', ROOT),
    (CF.SENML_JSON, b"[{}]", Path(3, 0, 9)),
    (CF.SENML_JSON, b'[{"foo":1}]', Path(3, 0, 9)),
    (CF.SENML_JSON, b'[{"u":"V"}]', Path(3, 0, 9)),
    (CF.SENML_CBOR, cbor("81a200662f332f302f3902f6"), ROOT),
    (CF.SENML_CBOR, cbor("81a200662f332f302f3902f7"), ROOT),
    (CF.SENML_CBOR, cbor("81a100662f332f302f39"), ROOT),
    (CF.SENML_CBOR, cbor("81a2613363686868622d32662f332f302f39"), ROOT),  # labels as texts "3" and "-2"
    (CF.SENML_CBOR, cbor("81a0"), Path(3, 0, 9)),
    (CF.SENML_ETCH_JSON, b'[{"n":"/3/0/9","v":null}]', ROOT),
    (CF.SENML_ETCH_CBOR, cbor("81a200662f332f302f3902f6"), ROOT),
    (CF.LWM2M_CBOR, cbor("a103a100a109f6"), ROOT),
    (CF.LWM2M_CBOR, cbor("a103a100a109f7"), ROOT),
    (CF.LWM2M_CBOR, cbor("a103a100f6"), ROOT),
    (CF.LWM2M_CBOR, cbor("a103a100a109a0"), ROOT),  # no instances of a single resource
    (CF.LWM2M_CBOR, cbor("a103a100a10ba100a0"), ROOT),
    (CF.CBOR, cbor("f6"), Path(3, 0, 9)),
    (CF.CBOR, cbor("f7"), Path(3, 0, 9)),
    (CF.JSON, b'{"bn":"/3/0/","e":[{"n":"9"}]}', Path(3, 0)),
    (CF.JSON, b'{"bn":"/3/0/","e":[{"n":"9","v":null}]}', Path(3, 0)),
    (CF.JSON, b'{"bn":"/3/0/","e":[{"n":"0","sv":null}]}', Path(3, 0)),
    (CF.TLV, cbor("8009"), Path(3, 0)),  # no instances of a single resource
]


@pytest.mark.parametrize(("number", "payload", "path"), VALUELESS)
def test_what_has_no_value_is_refused(number: int, payload: bytes, path: Path) -> None:
    with pytest.raises(Lwm2mError) as caught:
        formats.decode(number, payload, path, core())
    assert (caught.value.code.dotted, caught.value.cause) == ("4.00", "PAYLOAD_MALFORMED")


@pytest.mark.parametrize(
    ("number", "payload", "nodes"),
    [
        (CF.SENML_JSON, b'[{"bn":"/3/0/"},{"n":"9","v":1}]', [Node(Path(3, 0, 9), 1)]),
        (CF.SENML_JSON, b'[{"bn":"/3/0/","bver":10},{"n":"0","vs":""}]', [Node(Path(3, 0, 0), "")]),
        (CF.SENML_JSON, b'[{"n":"/5/0/0","vd":""}]', [Node(Path(5, 0, 0), b"")]),
        (CF.SENML_CBOR, cbor("80"), []),
        (CF.LWM2M_CBOR, cbor("a110a105a0"), [Node(Path(16, 5))]),
        (CF.LWM2M_CBOR, cbor("a103a100a10ba0"), [Node(Path(3, 0, 11))]),
        (CF.LWM2M_CBOR, cbor("a119ffaaa100a105a0"), [Node(Path(65450, 0, 5))]),
    ],
)
def test_empty_is_a_value_and_empty_is_nothing(number: int, payload: bytes, nodes: list[Node]) -> None:
    assert formats.decode(number, payload, ROOT, core()) == nodes


@pytest.mark.parametrize("number", [CF.SENML_JSON, CF.SENML_CBOR, CF.LWM2M_CBOR])
def test_a_composite_request_names_paths(number: int) -> None:
    nodes = [Node(Path(3, 0, 9)), Node(Path(1, 0)), Node(Path(3303, 0, 5700), prefix="dev0")]
    payload = formats.encode(number, nodes, ROOT)
    assert formats.decode(number, payload, ROOT, core(), names=True) == nodes
    with pytest.raises(Lwm2mError):
        formats.decode(number, payload, ROOT, core())


@pytest.mark.parametrize(
    ("written", "value"),
    [("c4097fc00000", b"\x7f\xc0\x00\x00"), ("c4097f800000", b"\x7f\x80\x00\x00"), ("c4093f800000", 1.0)],
)
def test_tlv_has_no_number_that_is_none(written: str, value: Value) -> None:
    payload = bytes.fromhex(written.replace("c409", "c400", 1))
    assert formats.decode(CF.TLV, payload, Path(6, 0), core()) == [Node(Path(6, 0, 0), value)]
