"""The number labels of SenML CBOR (`RFC 8428 table 4`) on the wire, the JSON labels inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lwm2m import bounds, cbor
from lwm2m.errors import bad_request

_NUMBERS = {
    "bver": -1,
    "bn": -2,
    "bt": -3,
    "bu": -4,
    "bv": -5,
    "bs": -6,
    "n": 0,
    "u": 1,
    "v": 2,
    "vs": 3,
    "vb": 4,
    "s": 5,
    "t": 6,
    "ut": 7,
    "vd": 8,
}
_LABELS = {number: label for label, number in _NUMBERS.items()}


def loads(payload: bytes) -> list[dict[Any, Any]]:
    """Read an array of records and name their labels; unknown numbers are kept as they are."""
    records = cbor.loads(payload)
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise bad_request("PAYLOAD_MALFORMED", "SenML CBOR is an array of maps; send one.")
    bounds.check(len(records), len(payload), bounds.LEAST_BYTES_NAMED)
    named = [{_LABELS.get(key, key): value for key, value in record.items()} for record in records]
    if any(len(record) != len(before) for record, before in zip(named, records, strict=True)):
        raise bad_request("PAYLOAD_MALFORMED", "A SenML record has a label twice, as number and as text.")
    return named


def dumps(records: Sequence[Mapping[str, Any]]) -> bytes:
    """Write records; a label without a number, such as ``vlo``, stays a text."""
    return cbor.dumps([{_NUMBERS.get(key, key): value for key, value in one.items()} for one in records])


def opaque(value: Any) -> bytes:
    """``vd`` in CBOR is a byte string already."""
    if not isinstance(value, bytes):
        raise bad_request("PAYLOAD_MALFORMED", "vd must be a byte string in CBOR.")
    return value
