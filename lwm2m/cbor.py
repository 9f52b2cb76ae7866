"""CBOR as far as LwM2M needs it (`RFC 8949`): bounded in depth and count, without duplicate keys.

Maps may have arrays as keys (LwM2M CBOR), which become tuples. A tag 0 (date/time) stays the text that it
was, as `DateTimeText`; tags 1 (seconds since 1970), 4 (decimal fraction) and 2, 3 (big numbers up to 64 bits)
become numbers; other tags are dropped and their content kept.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from typing import Any

from lwm2m import date_times
from lwm2m.date_times import DateTimeText
from lwm2m.errors import Lwm2mError, bad_request

MAX_DEPTH = 12
MAX_ITEMS = 262_144

_BREAK = object()
_FLOATS = {25: (">e", 2), 26: (">f", 4), 27: (">d", 8)}
_SIMPLE = {20: False, 21: True, 22: None, 23: None}


def loads(data: bytes) -> Any:
    """Read exactly one item; raise 4.00 ``PAYLOAD_MALFORMED`` when it is cut off, too deep or too long."""
    reader = _Reader(data)
    value = reader.item(0)
    if reader.position != len(data):
        raise _bad(f"there are bytes after the item, at byte {reader.position}")
    return value


def _bad(what: str) -> Lwm2mError:
    return bad_request("PAYLOAD_MALFORMED", f"The CBOR cannot be read: {what}.")


class _Reader:
    __slots__ = ("data", "end", "items", "position")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0
        self.end = len(data)
        self.items = 0

    def take(self, count: int) -> bytes:
        end = self.position + count
        if end > self.end:
            raise _bad("it is cut off")
        taken = self.data[self.position : end]
        self.position = end
        return taken

    def item(self, depth: int) -> Any:
        value = self.item_or_break(depth)
        if value is _BREAK:
            raise _bad("a break stands outside an open item")
        return value

    def item_or_break(self, depth: int) -> Any:
        self.items += 1
        if depth > MAX_DEPTH or self.items > MAX_ITEMS:
            raise _bad(f"it is nested deeper than {MAX_DEPTH} or has over {MAX_ITEMS} items")
        if self.position >= self.end:
            raise _bad("it is cut off")
        head = self.data[self.position]
        self.position += 1
        if head < 0x18:  # most of what comes is a small number
            return head
        major, info = head >> 5, head & 0x1F
        if major == 7:
            return self.simple(info)
        if info == 31:
            return self.open_item(major, depth)
        argument = info if info < 24 else self.argument(info)
        match major:
            case 0:
                return argument
            case 1:
                return -1 - argument
            case 2:
                return self.take(argument)
            case 3:
                return self.text(argument)
            case 4:
                return [self.item(depth + 1) for _ in range(self.counted(argument))]
            case 5:
                return self.map(self.counted(argument), depth)
            case _:
                return _tagged(argument, self.item(depth + 1))

    def argument(self, info: int) -> int:
        if info < 24:
            return info
        if info > 27:
            raise _bad("a length is of a reserved form")
        return int.from_bytes(self.take(1 << info - 24), "big")

    def counted(self, count: int) -> int:
        """An announced count is believed only as far as there are bytes for it."""
        if count > self.end - self.position:
            raise _bad("it is cut off")
        return count

    def text(self, count: int) -> str:
        try:
            return self.take(count).decode()
        except UnicodeDecodeError:
            raise _bad("a text is not UTF-8") from None

    def simple(self, info: int) -> Any:
        if info == 31:
            return _BREAK
        if info in _FLOATS:
            form, size = _FLOATS[info]
            return struct.unpack(form, self.take(size))[0]
        if info not in _SIMPLE:
            raise _bad("a simple value is not known")
        return _SIMPLE[info]

    def open_item(self, major: int, depth: int) -> Any:
        """An item of indefinite length."""
        if major in (2, 3):
            return self.chunks(major)
        if major == 5:
            return self.map(None, depth)
        if major != 4:
            raise _bad("an open length stands where none may")
        values = []
        while (value := self.item_or_break(depth + 1)) is not _BREAK:
            values.append(value)
        return values

    def chunks(self, major: int) -> bytes | str:
        parts: list[bytes] = []
        while (head := self.take(1)[0]) != 0xFF:
            self.items += 1
            if self.items > MAX_ITEMS:
                raise _bad(f"it has over {MAX_ITEMS} items")
            if head >> 5 != major or head & 0x1F == 31:
                raise _bad("a chunk is of another type than its string")
            parts.append(self.take(self.argument(head & 0x1F)))
        whole = b"".join(parts)
        if major == 2:
            return whole
        try:
            return whole.decode()
        except UnicodeDecodeError:
            raise _bad("a text is not UTF-8") from None

    def map(self, count: int | None, depth: int) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        left = -1 if count is None else count
        while left != 0:
            left -= 1
            key = self.item_or_break(depth + 1)
            if key is _BREAK:
                if count is not None:
                    raise _bad("a break stands in a map of known length")
                break
            name = _key(key)
            if name in found:
                raise _bad("a map has a key twice, so that one of its values would be lost")
            found[name] = self.item(depth + 1)
        return found


def _key(key: Any) -> Any:
    if type(key) is int or type(key) is str:
        return key
    if isinstance(key, list):
        key = tuple(key)
    parts = key if isinstance(key, tuple) else (key,)
    # bool equals int in Python, so that a map {1: …, true: …} would lose an entry without a word.
    if not all(isinstance(part, (int, str)) and not isinstance(part, bool) for part in parts):
        raise _bad("a map key is neither a number, a text, nor an array of them")
    return key


def _tagged(tag: int, value: Any) -> Any:
    if tag == 0:
        if not isinstance(value, str) or date_times.seconds(value) is None:
            raise _bad("a tag 0 holds no date and time of RFC 3339, such as 2026-03-01T12:00:00Z")
        return DateTimeText(value)
    if tag == 1:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise _bad("a tag 1 holds no number of seconds")
        return value
    if tag in (2, 3):
        if not isinstance(value, bytes) or len(value) > 8:
            raise _bad("a big number has more than 64 bits")
        number = int.from_bytes(value, "big")
        return number if tag == 2 else -1 - number
    if tag == 4:
        return _fraction(value)
    return value


def _fraction(value: Any) -> float:
    if not (
        isinstance(value, list)
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
