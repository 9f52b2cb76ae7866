"""The CBOR subset by the examples of RFC 8949 Appendix A."""

import math
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lwm2m import cbor
from lwm2m.errors import Lwm2mError

RFC_8949_APPENDIX_A: list[tuple[str, Any]] = [
    ("00", 0),
    ("17", 23),
    ("1818", 24),
    ("1864", 100),
    ("1903e8", 1000),
    ("1a000f4240", 1000000),
    ("1b000000e8d4a51000", 1000000000000),
    ("1bffffffffffffffff", 18446744073709551615),
    ("20", -1),
    ("3903e7", -1000),
    ("f90000", 0.0),
    ("f93c00", 1.0),
    ("fb3ff199999999999a", 1.1),
    ("f93e00", 1.5),
    ("f97bff", 65504.0),
    ("fa47c35000", 100000.0),
    ("fb7e37e43c8800759c", 1.0e300),
    ("f90001", 5.960464477539063e-8),
    ("f9c400", -4.0),
    ("f97c00", math.inf),
    ("f4", False),
    ("f5", True),
    ("f6", None),
    ("f7", None),
    ("c11a514b67b0", 1363896240),
    ("c074323031332d30332d32315432303a30343a30305a", "2013-03-21T20:04:00Z"),
    ("40", b""),
    ("4401020304", b"\x01\x02\x03\x04"),
    ("60", ""),
    ("62c3bc", "ü"),
    ("80", []),
    ("8301820203820405", [1, [2, 3], [4, 5]]),
    ("a0", {}),
    ("a201020304", {1: 2, 3: 4}),
    ("a26161016162820203", {"a": 1, "b": [2, 3]}),
    ("5f42010243030405ff", b"\x01\x02\x03\x04\x05"),
    ("7f657374726561646d696e67ff", "streaming"),
    ("9fff", []),
    ("9f018202039f0405ffff", [1, [2, 3], [4, 5]]),
    ("bf61610161629f0203ffff", {"a": 1, "b": [2, 3]}),
    ("c48221196ab3", 273.15),  # RFC 8949 section 3.4.4
    ("c24201ff", 511),
    ("a1830300000a", {(3, 0, 0): 10}),
]


@pytest.mark.parametrize(("written", "value"), RFC_8949_APPENDIX_A)
def test_examples_are_read(written: str, value: Any) -> None:
    assert cbor.loads(bytes.fromhex(written)) == value


@pytest.mark.parametrize(
    "written",
    [
        "",
        "18",
        "ff",
        "f8ff",
        "fc",
        "1c",
        "1f",
        "3f",
        "df00ff",
        "0000",
        "62c328",
        "61ff",
        "5f00ff",
        "5f5fffff",
        "9f",
        "bf00ff",
        "a1ff00",
        "a1f500",
        "a1f93c0000",
        "a1a000",
        "a201020103",  # a key twice
        "bf616101616102ff",
        "a2820300a10901820300a10a02",
        "81" * 14 + "00",
        "c1" * 14 + "00",
        "9bffffffffffffffff",
        "bbffffffffffffffff",
        "5bffffffffffffffff",
        "c2490100000000000000ff",
        "c4821b7fffffffffffffff01",
        "c400",
        "c4821901901864",
    ],
)
def test_damage_is_refused(written: str) -> None:
    with pytest.raises(Lwm2mError) as caught:
        cbor.loads(bytes.fromhex(written))
    assert caught.value.cause == "PAYLOAD_MALFORMED"


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.binary()
    | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.integers(0, 99) | st.text(), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_round_trip(value: Any) -> None:
    assert cbor.loads(cbor.dumps(value)) == value


@given(st.binary(max_size=120))
@settings(max_examples=300)
def test_any_bytes_are_a_value_or_refused(payload: bytes) -> None:
    with suppress(Lwm2mError):
        cbor.loads(payload)


@pytest.mark.parametrize("value", [2**64, -(2**64) - 1, object()])
def test_what_cannot_be_written(value: Any) -> None:
    with pytest.raises(Lwm2mError):
        cbor.dumps(value)


def test_no_tag_but_those_of_numbers_and_times_means_anything() -> None:
    """cbor2 makes dates, sets, expressions and references of some, and of more in a later version."""
    for tag in (*range(5, 70_000), 2**32, 2**63):
        tagged = cbor._head(6, tag)
        assert cbor.loads(tagged + b"\x05") == 5, tag
        if tag < 300 or tag in (1004, 43_000, 55_799):
            content = b"\x82\x61a\xa1\x01\xf7"
            assert cbor.loads(b"\x81" + tagged + content) == [["a", {1: None}]], tag


@pytest.mark.parametrize(
    "written",
    [
        "81e0",  # a simple value that has no meaning
        "a101f820",
        "a1f600",
        "a1f700",
        "a1410100",  # bytes as a key
        "a1c1820102a0",
        "a182f5010a",
        "a1818101a0",
        "c11903e8c0",
    ],
)
def test_what_cbor_has_and_lwm2m_has_not(written: str) -> None:
    with pytest.raises(Lwm2mError) as caught:
        cbor.loads(bytes.fromhex(written))
    assert caught.value.cause == "PAYLOAD_MALFORMED"


def test_references_refer_to_nothing() -> None:
    """A value that holds itself would never end."""
    assert cbor.loads(bytes.fromhex("d81c81d81d00")) == [0]


def test_a_long_payload_is_counted_before_it_is_read() -> None:
    """Four megabytes of empty maps would take hundreds."""
    for item in (b"\xa0", b"\x80", b"\x00", b"\x60"):
        count = cbor.MAX_ITEMS + 1
        with pytest.raises(Lwm2mError, match="items"):
            cbor.loads(b"\x9a" + count.to_bytes(4, "big") + item * count)
    long = "x" * (4 * 1024 * 1024)
    assert cbor.loads(cbor.dumps([long, {"v": long.encode()}])) == [long, {"v": long.encode()}]
    assert len(cbor.loads(b"\x9f" + b"\x61a" * (cbor.MAX_ITEMS - 2) + b"\xff")) == cbor.MAX_ITEMS - 2


def test_what_is_wrong_is_said_without_a_word_of_the_device() -> None:
    for written, word in (
        ("a261000061000a", "twice"),
        ("62c328", "UTF-8"),
        ("62", "cut off"),
        ("1c", "8949"),
    ):
        with pytest.raises(Lwm2mError) as caught:
            cbor.loads(bytes.fromhex(written))
        assert word in caught.value.detail
        assert "\0" not in caught.value.detail
