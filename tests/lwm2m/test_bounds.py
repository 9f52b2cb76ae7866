"""Decoders are bounded in work: 512 KiB of whatever kind cost what their bytes may cost, and no more."""

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

import pytest

from lwm2m import bounds, formats
from lwm2m.codes import ContentFormat as CF
from lwm2m.errors import Lwm2mError
from lwm2m.objects import core
from lwm2m.paths import ROOT, Path

SIZE = 512 * 1024
RESOURCE, INSTANCE, OBJECT = Path(3, 0, 9), Path(3, 0), Path(3)


def filled(unit: bytes, size: int = SIZE) -> bytes:
    return unit * (size // len(unit))


def array(unit: bytes) -> bytes:
    count = SIZE // len(unit)
    return b"\x9a" + count.to_bytes(4) + unit * count


def tlv(head: int, content: bytes) -> bytes:
    return bytes((head, 7)) + len(content).to_bytes(3) + content


def json(unit: bytes, head: bytes = b"[", tail: bytes = b"]") -> bytes:
    return head + b",".join([unit] * (SIZE // (len(unit) + 1))) + tail


def numbered(count: int) -> bytes:
    """LwM2M CBOR with many values of its shortest form."""
    entries = b"".join(b"\x19" + number.to_bytes(2) + b"\x01" for number in range(count))
    return b"\xa1\x03\xa1\x00\xb9" + count.to_bytes(2) + entries


def named(count: int) -> bytes:
    """SenML CBOR with as many different names as may be."""
    texts = [f"/3303/{number // 100}/{number % 100}".encode() for number in range(count)]
    return (
        b"\x9a"
        + count.to_bytes(4)
        + b"".join(b"\xa2\x00" + bytes((0x60 + len(text),)) + text + b"\x02\x1b" + bytes(8) for text in texts)
    )


HOSTILE = {
    "tlv resources": (CF.TLV, filled(b"\xc0\x09"), INSTANCE),
    "tlv in one instance": (CF.TLV, tlv(0x18, filled(b"\xc1\x09\x64")), OBJECT),
    "tlv in one multiple": (CF.TLV, tlv(0x98, filled(b"\x40\x01")), INSTANCE),
    "tlv in both": (CF.TLV, tlv(0x18, tlv(0x98, filled(b"\x40\x01"))), OBJECT),
    "tlv instances": (CF.TLV, filled(b"\x00\x01"), OBJECT),
    "tlv as much as may be": (CF.TLV, filled(b"\xc8\x09\x0dabcdefghijklm"), INSTANCE),
    "senml cbor records": (CF.SENML_CBOR, array(b"\xa1\x02\x01"), RESOURCE),
    "senml cbor nothing": (CF.SENML_CBOR, array(b"\xa0"), RESOURCE),
    "senml cbor names": (CF.SENML_CBOR, named(21_000), ROOT),
    "cbor numbers": (CF.CBOR, array(b"\x00"), RESOURCE),
    "cbor open": (CF.SENML_CBOR, b"\x9f" + filled(b"\x00") + b"\xff", ROOT),
    "cbor chunks": (CF.CBOR, b"\x5f" + filled(b"\x40") + b"\xff", RESOURCE),
    "cbor tags": (CF.SENML_CBOR, array(b"\xc1\x00"), ROOT),
    "cbor fractions": (CF.SENML_CBOR, array(b"\xc4\x82\x01\x01"), ROOT),
    "cbor dates": (CF.SENML_CBOR, array(b"\xc0\x742020-09-13T12:26:40Z"), ROOT),
    "cbor key": (CF.LWM2M_CBOR, b"\xa1" + array(b"\x00") + b"\x01", ROOT),
    "cbor depth": (CF.LWM2M_CBOR, filled(b"\xa1\x03"), ROOT),
    "lwm2m cbor": (CF.LWM2M_CBOR, numbered(65_535), OBJECT),
    "json depth": (CF.SENML_JSON, filled(b"["), ROOT),
    "json nothing": (CF.SENML_JSON, json(b"{}"), ROOT),
    "json records": (CF.SENML_JSON, json(b'{"v":1}'), RESOURCE),
    "json names": (CF.SENML_JSON, json(b'{"n":"/3/0/9999","v":1}'), ROOT),
    "json digits": (CF.SENML_JSON, b'[{"v":' + filled(b"9") + b"}]", RESOURCE),
    "json escapes": (CF.SENML_JSON, b'[{"vs":"' + filled(b"\\u0000") + b'"}]', RESOURCE),
    "json slashes": (CF.SENML_JSON, b'[{"n":"' + filled(b"/") + b'"}]', ROOT),
    "lwm2m json": (CF.JSON, json(b'{"n":"9","v":1}', b'{"e":[', b"]}"), INSTANCE),
    "lwm2m json bare": (CF.JSON, json(b'{"v":1}', b'{"e":[', b"]}"), RESOURCE),
    "text": (CF.TEXT, filled(b"9"), RESOURCE),
    "text dots": (CF.TEXT, filled(b"."), Path(6, 0, 0)),
    "links": (CF.LINK, filled(b"</1>,", 190_000), OBJECT),
    "link attributes": (CF.LINK, filled(b"</1>" + b";a" * 32 + b",", 190_000), OBJECT),
    "link quotes": (CF.LINK, b"</1>" + filled(b';a="', 190_000), OBJECT),
}


def calls(decode: Callable[[], object]) -> int:
    """How many functions are called, our own and Python's: work that is the same on every machine."""
    count = 0

    def counted(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        with suppress(Lwm2mError):
            decode()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize(("number", "payload", "path"), HOSTILE.values(), ids=list(HOSTILE))
def test_hostile_payloads_cost_no_more_than_their_bytes(number: int, payload: bytes, path: Path) -> None:
    spent = calls(lambda: formats.decode(number, payload, path, core()))
    # Measured are at most 3 a byte; what looks at everything again for each entry has hundreds.
    assert spent < 5 * SIZE
    began = time.thread_time()
    with suppress(Lwm2mError):
        assert len(formats.decode(number, payload, path, core())) <= bounds.values(len(payload))
    # What calls nothing can be slow as well: 0.3 s are wanted, and a busy machine may take some times as long.
    assert time.thread_time() - began < 3


def test_a_payload_may_hold_as_much_as_it_has_bytes_for() -> None:
    assert bounds.values(100) == bounds.FREE
    assert bounds.values(SIZE) == 32_768
    list_of_end_devices = tlv(0x18, b"\xc8\x00\x0eurn:dev:001234" * 30_000)
    assert len(formats.decode(CF.TLV, list_of_end_devices, OBJECT)) == 30_000
    with pytest.raises(Lwm2mError):
        formats.decode(CF.TLV, filled(b"\xc1\x09\x64", 3 * bounds.FREE + 3), INSTANCE)
