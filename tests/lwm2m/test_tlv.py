"""TLV by vectors of the standard and of the interoperability cases."""

import struct

import pytest

from lwm2m.errors import Lwm2mError
from lwm2m.formats import tlv
from lwm2m.nodes import Node, ObjectLinkValue, Value
from lwm2m.objects import core
from lwm2m.paths import Path

# OMA-TS-LightweightM2M_Core 7.4.5, example "single object instance", Read /3/0.
DEVICE = bytes.fromhex(
    "C800144F70656E204D6F62696C6520416C6C69616E6365"
    "C801164C69676874776569676874204D324D20436C69656E74"
    "C80209333435303030313233"
    "C303312E30"
    "860641000141010588070842000ED842011388870841007D42010384C10964C10A0F830B410000C40D5182428F"
    "C60E2B30323A3030C11055"
)
DEVICE_VALUES: dict[str, Value] = {
    "/3/0/0": "Open Mobile Alliance",
    "/3/0/1": "Lightweight M2M Client",
    "/3/0/2": "345000123",
    "/3/0/3": "1.0",
    "/3/0/6/0": 1,
    "/3/0/6/1": 5,
    "/3/0/7/0": 3800,
    "/3/0/7/1": 5000,
    "/3/0/8/0": 125,
    "/3/0/8/1": 900,
    "/3/0/9": 100,
    "/3/0/10": 15,
    "/3/0/11/0": 0,
    "/3/0/13": 1367491215,
    "/3/0/14": "+02:00",
    "/3/0/16": "U",
}


def values(payload: str | bytes, path: str, *, typed: bool = True) -> dict[str, Value]:
    raw = bytes.fromhex(payload) if isinstance(payload, str) else payload
    nodes = tlv.decode(raw, Path.parse(path), core() if typed else None)
    return {str(node.path): node.value for node in nodes}


def nodes(content: dict[str, Value]) -> list[Node]:
    return [Node(Path.parse(path), value) for path, value in content.items()]


def test_device_object_of_the_standard() -> None:
    assert values(DEVICE, "/3/0") == DEVICE_VALUES
    assert values(DEVICE, "/3") == DEVICE_VALUES  # a client with one instance leaves its TLV out


def test_device_object_in_its_instance() -> None:
    wrapped = bytes([0x08, 0x00, len(DEVICE)]) + DEVICE
    assert values(wrapped, "/3") == DEVICE_VALUES
    assert values(wrapped, "/3/0") == DEVICE_VALUES
    assert tlv.encode(nodes(DEVICE_VALUES), Path(3)) == wrapped


def test_device_object_is_written_as_in_the_standard() -> None:
    assert tlv.encode(nodes(DEVICE_VALUES), Path(3, 0)) == DEVICE


def test_int_215_partial_write_on_the_server_object() -> None:
    payload = "C10265 C20303F2 C20507D0 C10601 C10755"
    expected: dict[str, Value] = {
        "/1/0/2": 101,
        "/1/0/3": 1010,
        "/1/0/5": 2000,
        "/1/0/6": True,
        "/1/0/7": "U",
    }
    assert values(payload, "/1/0") == expected
    assert tlv.encode(nodes(expected), Path(1, 0)) == bytes.fromhex(payload)


def test_int_1202_one_byte_resource() -> None:
    assert values("C10E02", "/10/0") == {"/10/0/14": 2}


def test_int_1630_create_a_portfolio_instance() -> None:
    # Starts as in the test case: instance 1, multiple resource 0 with "Host Device ID #1" as its first value.
    text = b"Host Device ID #1"
    inner = bytes([0x48, 0x00, len(text)]) + text
    payload = bytes([0x08, 0x01, len(inner) + 3, 0x88, 0x00, len(inner)]) + inner
    assert values(payload, "/16") == {"/16/1/0/0": text.decode()}


def test_access_control_example_with_two_instances() -> None:
    # OMA-TS-LightweightM2M_Core 7.4.5, example "multiple object instances", Read /2.
    payload = (
        "08000E C10001 C10100 83024101 07 C1037F 080112 C10003 C10100 8602 410107 4100 01 C1037F".replace(
            " ", ""
        )
    )
    first = "C10001C101008302 410107C1037F".replace(" ", "")
    second = "C10003C101008602410107410201C1037F"
    payload = f"0800{len(first) // 2:02X}{first}0801{len(second) // 2:02X}{second}"
    # More than seven bytes need a length byte of their own.
    payload = payload.replace(f"0800{len(first) // 2:02X}", f"0800{len(first) // 2:02X}")
    assert values(payload, "/2") == {
        "/2/0/0": 1,
        "/2/0/1": 0,
        "/2/0/2/1": 7,
        "/2/0/3": 127,
        "/2/1/0": 3,
        "/2/1/1": 0,
        "/2/1/2/1": 7,
        "/2/1/2/2": 1,
        "/2/1/3": 127,
    }


def test_object_link_example() -> None:
    # OMA-TS-LightweightM2M_Core 7.4.5, object 65 of the example: links to 66:0 and 66:1.
    payload = "88000C44000042000044010042 0001".replace(" ", "")
    assert values(payload, "/65/0", typed=False) == {
        "/65/0/0/0": b"\x00\x42\x00\x00",
        "/65/0/0/1": b"\x00\x42\x00\x01",
    }
    linked: dict[str, Value] = {"/65/0/0/0": ObjectLinkValue(66, 0), "/65/0/0/1": ObjectLinkValue(66, 1)}
    assert tlv.encode(nodes(linked), Path(65, 0)) == bytes.fromhex(payload)


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (0, "00"),
        (127, "7F"),
        (128, "0080"),
        (-128, "80"),
        (-129, "FF7F"),
        (2**31, "0000000080000000"),
        (2**64 - 1, "F" * 16),
    ],
)
def test_whole_numbers_take_the_fewest_bytes(number: int, written: str) -> None:
    payload = tlv.encode([Node(Path(3, 0, 9), number)], Path(3, 0, 9))
    assert payload[1:].hex().upper().endswith(written)
    assert payload[-len(written) // 2 :].hex().upper() == written


def test_floats_take_four_bytes_where_they_can() -> None:
    path = Path(6, 0, 0)
    assert tlv.encode([Node(path, 0.5)], path) == b"\xc4\x00" + struct.pack(">f", 0.5)
    assert tlv.encode([Node(path, 48.2)], path) == b"\xc8\x00\x08" + struct.pack(">d", 48.2)
    assert values(tlv.encode([Node(path, 1e300)], path), "/6/0/0") == {"/6/0/0": 1e300}


def test_without_a_model_values_stay_raw() -> None:
    assert values("C10964", "/3/0", typed=False) == {"/3/0/9": b"d"}
    assert values("C10964", "/32999/0") == {"/32999/0/9": b"d"}


def test_values_of_odd_length_stay_raw() -> None:
    assert values("C309010203", "/3/0") == {"/3/0/9": b"\x01\x02\x03"}
    assert values("C00A", "/3/0") == {"/3/0/10": b""}
    assert values("C10602", "/1/0") == {"/1/0/6": b"\x02"}
    assert values("C200FFFE", "/3/0") == {"/3/0/0": b"\xff\xfe"}


def test_zero_bytes_of_c_programs() -> None:
    assert values("C300414200", "/3/0") == {"/3/0/0": "AB"}
    assert values("C300410042", "/3/0") == {"/3/0/0": b"A\x00B"}


def test_empty_instance_and_empty_multiple_resource() -> None:
    for path, empty in ((Path(16), Node(Path(16, 3))), (Path(3, 0), Node(Path(3, 0, 6)))):
        assert tlv.decode(tlv.encode([empty], path), path) == [empty]


@pytest.mark.parametrize("path", ["/3/0/7", "/3/0/7/1"])
def test_resource_and_resource_instance_reads(path: str) -> None:
    assert values("8307410105", path) == {"/3/0/7/1": 5}


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        ("C1", "/3/0"),
        ("C109", "/3/0"),
        ("C809FF00", "/3/0"),
        ("E109", "/3/0"),
        ("410105", "/3/0"),  # a resource instance without its resource
        ("0803C109", "/3"),
        ("830AC10164", "/3/0"),  # a resource in a multiple resource
        ("C10964", "/3/0/8"),  # another resource than was asked for
        ("C10964", "/"),
        ("0003", "/3/1"),
        ("03FFFF", "/3"),
    ],
)
def test_damaged_payloads_are_refused(payload: str, path: str) -> None:
    with pytest.raises(Lwm2mError) as caught:
        values(payload, path)
    assert (caught.value.code.dotted, caught.value.cause) == ("4.00", "PAYLOAD_MALFORMED")


def test_too_many_entries_are_refused() -> None:
    with pytest.raises(Lwm2mError):
        values(b"\xc1\x09\x64" * 65_537, "/3/0")


@pytest.mark.parametrize(
    ("content", "path"),
    [
        ({"/3/0/9": 1}, "/"),
        ({"/3/0/9": 1}, "/4"),
        ({"/3": None}, "/3"),
        ({"/3/0/9": 2**64}, "/3/0"),
        ({"/3/0/7": 1, "/3/0/7/0": 1}, "/3/0"),
        ({"/3/0/7/0": None}, "/3/0"),
    ],
)
def test_what_tlv_cannot_say(content: dict[str, Value], path: str) -> None:
    with pytest.raises(Lwm2mError):
        tlv.encode(nodes(content), Path.parse(path))
