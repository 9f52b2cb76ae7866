"""CBOR as far as LwM2M needs it (`RFC 8949`): bounded in depth and count, without duplicate keys.

cbor2 decodes; what it takes and LwM2M does not is refused here, so that nothing of it reaches whoever reads the values.
Maps may have arrays as keys (LwM2M CBOR), which become tuples. A tag 0 (date/time) stays the text that it was, as
`DateTimeText`; tags 1 (seconds since 1970), 4 (decimal fraction) and 2, 3 (big numbers up to 64 bits) become numbers;
other tags are dropped and their content kept.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

import cbor2

from lwm2m import date_times
from lwm2m.date_times import DateTimeText
from lwm2m.errors import Lwm2mError, bad_request

MAX_DEPTH = 12
MAX_ITEMS = 262_144

_STRINGS = (2, 3)


def loads(data: bytes) -> Any:
    """Read exactly one item; raise 4.00 ``PAYLOAD_MALFORMED`` when it is cut off, too deep or too long."""
    if len(data) > MAX_ITEMS:  # each item has a byte at least
        _check_count(data)
    stream = BytesIO(data)
    decoder = cbor2.CBORDecoder(
        stream, tag_hook=_content, semantic_decoders=_TAGS, max_depth=MAX_DEPTH, allow_duplicate_keys=False
    )
    try:
        value = decoder.decode()
    except cbor2.CBORDecodeError as error:
        raise _why(error) from None
    if stream.tell() != len(data):
        raise _bad(f"there are bytes after the item, at byte {stream.tell()}")
    return _plain(value)


def _bad(what: str) -> Lwm2mError:
    return bad_request("PAYLOAD_MALFORMED", f"The CBOR cannot be read: {what}.")


def _why(error: cbor2.CBORDecodeError) -> Lwm2mError:
    """In our words: cbor2's repeat what the device wrote."""
    cause = error.__cause__
    if isinstance(cause, Lwm2mError):
        return cause
    if isinstance(error, cbor2.CBORDecodeEOF):
        return _bad("it is cut off")
    if isinstance(cause, UnicodeDecodeError):
        return _bad("a text is not UTF-8")
    if "Duplicate map key" in str(error):
        return _bad("a map has a key twice, so that one of its values would be lost")
    if "nesting depth" in str(error):
        return _bad(f"it is nested deeper than {MAX_DEPTH}")
    return _bad("it is not what RFC 8949 calls well-formed")


def _check_count(data: bytes) -> None:
    """The heads of all items, one behind the other: as many as can be kept, before any is."""
    at, end, count = 0, len(data), 0
    while at < end:
        count += 1
        if count > MAX_ITEMS:
            raise _bad(f"it has over {MAX_ITEMS} items")
        head = data[at]
        at += 1
        info = head & 0x1F
        argument = info
        if 24 <= info <= 27:
            size = 1 << info - 24
            argument = int.from_bytes(data[at : at + size], "big")
            at += size
        if head >> 5 in _STRINGS and info < 28:
            at += argument


def _plain(value: Any) -> Any:
    """The value, with nothing in it but what the module's first words say."""
    kind = type(value)
    if kind is dict:
        for key, item in value.items():
            if type(key) is not str and type(key) is not int:
                _check_key(key)
            if type(item) not in _SIMPLE:
                value[key] = _plain(item)
        return value
    if kind is list:
        for place, item in enumerate(value):
            if type(item) not in _SIMPLE:
                value[place] = _plain(item)
        return value
    if kind is tuple or kind is cbor2.frozendict:  # as cbor2 leaves what stands in a tag
        return _plain(list(value) if kind is tuple else dict(value))
    if value is cbor2.undefined:
        return None
    if kind not in _SIMPLE:
        raise _bad("a simple value is not known")
    return value


_SIMPLE = frozenset({str, int, float, bytes, bool, type(None), DateTimeText})


def _check_key(key: Any) -> None:
    # bool equals int in Python, so that a map {1: …, true: …} would lose an entry without a word.
    parts = key if isinstance(key, tuple) else (key,)
    if not all(isinstance(part, (int, str)) and not isinstance(part, bool) for part in parts):
        raise _bad("a map key is neither a number, a text, nor an array of them")


def _date_time(value: Any, _: bool) -> DateTimeText:
    if not isinstance(value, str) or date_times.seconds(value) is None:
        raise _bad("a tag 0 holds no date and time of RFC 3339, such as 2026-03-01T12:00:00Z")
    return DateTimeText(value)


def _seconds(value: Any, _: bool) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _bad("a tag 1 holds no number of seconds")
    return value


def _positive(value: Any, _: bool) -> int:
    if not isinstance(value, bytes) or len(value) > 8:
        raise _bad("a big number has more than 64 bits")
    return int.from_bytes(value, "big")


def _negative(value: Any, immutable: bool) -> int:
    return -1 - _positive(value, immutable)


def _fraction(value: Any, _: bool) -> float:
    if not (
        isinstance(value, (list, tuple))
        and len(value) == 2
        and all(isinstance(part, int) and not isinstance(part, bool) for part in value)
        and abs(value[0]) <= 400
    ):
        raise _bad("a decimal fraction is malformed")
    # Through text: it rounds correctly and turns what is out of range into infinity, not an exception.
    number = float(f"{value[1]}e{value[0]}")
    if math.isinf(number):
        raise _bad("a decimal fraction is out of range")
    return number


def _untagged(value: Any, _: bool) -> Any:
    return value


def _content(tag: cbor2.CBORTag, _: bool) -> Any:
    return tag.value


_OF_CBOR2 = (5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43_000, 55_799)
"""Tags that cbor2 6.3.0 makes something of: addresses, expressions, references, sets. A test looks for more."""
_TAGS: Mapping[int, Callable[[Any, bool], Any]] = {
    **dict.fromkeys(_OF_CBOR2, _untagged),
    0: _date_time,
    1: _seconds,
    2: _positive,
    3: _negative,
    4: _fraction,
}


def dumps(value: Any) -> bytes:
    """Write None, bool, int of 64 bits, float, str, bytes, sequences and mappings, of definite length."""
    match value:
        case None:
            return b"\xf6"
        case bool():
            return b"\xf5" if value else b"\xf4"
        case int():
            return _head(0, value) if value >= 0 else _head(1, -1 - value)
        case float():
            return _float(value)
        case bytes():
            return _head(2, len(value)) + value
        case str():
            text = value.encode(errors="replace")
            return _head(3, len(text)) + text
        case list() | tuple():
            return _head(4, len(value)) + b"".join(map(dumps, value))
        case Mapping():
            pairs = (dumps(key) + dumps(item) for key, item in value.items())
            return _head(5, len(value)) + b"".join(pairs)
        case _:
            raise bad_request("VALIDATION_FAILED", f"A {type(value).__name__} has no CBOR form here.")


def _head(major: int, argument: int) -> bytes:
    lead = major << 5
    if argument < 24:
        return bytes((lead | argument,))
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if argument < 1 << size * 8:
            return bytes((lead | info,)) + argument.to_bytes(size, "big")
    raise bad_request("VALIDATION_FAILED", "The number needs more than 64 bits; use a smaller one.")


def _float(value: float) -> bytes:
    """Four bytes where they hold it exactly, else eight; small clients do not read half floats."""
    try:
        short = struct.pack(">f", value)
    except OverflowError:
        return b"\xfb" + struct.pack(">d", value)
    return b"\xfa" + short if struct.unpack(">f", short)[0] == value else b"\xfb" + struct.pack(">d", value)
