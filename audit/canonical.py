"""The bytes that a ledger hash covers, so that anybody can recompute a chain with just SHA-256 and JSON.

Version 1. An event's hash is the lower-case hex SHA-256 of one JSON object in UTF-8, written with

- all columns of `COLUMNS`, by these names, and nothing else (neither `id` nor `hash` itself);
- keys sorted by code point at every depth, no white space, separators `,` and `:`;
- every character above U+007E as `\\uXXXX` (surrogate pairs beyond U+FFFF), as Python's `ensure_ascii` does;
- `at` in UTC as `YYYY-MM-DDTHH:MM:SS.ffffffZ`, always six digits;
- absent ids and absent `before`, `after`, `detail` as `null`; absent texts as `""`;
- `previous_hash` of the event before it in the chain, sixty-four zeros for sequence 1.

A commitment in `personal` is the hex SHA-256 of the datum's 16-byte salt followed by its value in UTF-8.

A later version gets a new number and its own function in `HASHERS`; rows keep the number they were
written with.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

VERSION = 1
COLUMNS = (
    "chain",
    "sequence",
    "version",
    "at",
    "actor_kind",
    "actor_id",
    "actor_label",
    "impersonator_id",
    "request_id",
    "action",
    "result",
    "cause",
    "target",
    "device_id",
    "subscriber_id",
    "operator_id",
    "job_id",
    "before",
    "after",
    "detail",
    "reason",
    "personal",
    "previous_hash",
)

dumps = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode


def _hash_1(row: Mapping[str, Any]) -> str:
    values = {column: row[column] for column in COLUMNS}
    values["at"] = stamp(row["at"])
    return hashlib.sha256(dumps(values).encode("ascii")).hexdigest()


HASHERS: dict[int, Callable[[Mapping[str, Any]], str]] = {1: _hash_1}


def event_hash(row: Mapping[str, Any]) -> str:
    """The hash of a row given by column name; raises KeyError for a version that is not in `HASHERS`."""
    return HASHERS[row["version"]](row)


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def commitment(*, salt: bytes, value: str) -> str:
    return hashlib.sha256(salt + value.encode("utf-8")).hexdigest()
