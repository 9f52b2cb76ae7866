"""What may be stored of a value: secrets masked, the rest as JSON that every database gives back equal.

Device input ends up here too, so everything is bounded: text length, depth, number of entries.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from functools import lru_cache
from typing import Any

MASK = "(hidden)"
TEXT_LIMIT = 1000
ENTRY_LIMIT = 200
DEPTH_LIMIT = 6
INTEGER_LIMIT = 2**63

# fmt: off
_SECRET_WORDS = frozenset(
    {
        "authorization", "cookie", "credential", "credentials", "key", "keys", "otp", "passphrase", "passwd",
        "password", "passwords", "pin", "pins", "private", "psk", "psks", "puk", "secret", "secrets", "token",
        "tokens",
    }
)
# fmt: on
# What is said *about* a secret is no secret: `psk_identity`, `key_length`, `password_changed_at`.
_HARMLESS_LAST_WORDS = frozenset(
    {"at", "count", "fingerprint", "id", "identities", "identity", "ids", "kind", "length", "type"}
)
# OMA-TS-LightweightM2M_Core E.1 (Secret Key, SMS Binding Secret Key) and E.9 (OSCORE Master Secret).
_SECRET_PATH = re.compile(r"(?:^|/)(?:0/\d+/[58]|21/\d+/0)(?:/\d+)?$")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Whether a key's name or an LwM2M path promises a secret; when in doubt it does."""
    if _SECRET_PATH.search(name):
        return True
    words = [word.lower() for word in _WORD.findall(name)]
    if not words or words[-1] in _HARMLESS_LAST_WORDS:
        return False
    if not _SECRET_WORDS.isdisjoint(words):
        return True
    run_together = "".join(words)
    return any(part in run_together for part in ("password", "secret", "apikey", "privatekey", "pskkey"))


def text(value: str, *, limit: int = TEXT_LIMIT) -> str:
    """Text that PostgreSQL stores as SQLite does: without NUL and lone surrogates, cut with an ellipsis."""
    if len(value) <= limit and value.isascii() and "\x00" not in value:
        return value
    if "\x00" in value:
        value = value.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    if not value.isascii():
        value = value.encode("utf-8", "replace").decode("utf-8")
    return value if len(value) <= limit else value[: limit - 1] + "…"


def masked(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A storable copy of a before, after or detail."""
    return None if values is None else _mapping(values, DEPTH_LIMIT)


def _mapping(values: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in values.items():
        if len(result) == ENTRY_LIMIT:
            result["…"] = f"{len(values) - ENTRY_LIMIT} more"
            break
        name = key if type(key) is str else str(key)
        hidden = is_secret_name(name) and value not in (None, "", b"") and not isinstance(value, bool)
        result[text(name)] = MASK if hidden else _plain(value, depth - 1)
    return result


def _plain(value: Any, depth: int) -> Any:
    kind = type(value)
    if value is None or kind is bool:
        return value
    if kind is str:
        return text(value)
    if kind is int:
        return value if -INTEGER_LIMIT <= value < INTEGER_LIMIT else text(str(value))
    if kind is float:
        return _number(value)
    if isinstance(value, Enum):
        return _plain(value.value, depth)
    if isinstance(value, bytes | bytearray | memoryview):
        return f"({len(value)} bytes)"  # a payload or a key: neither is for the ledger
    if depth <= 0:
        return "…"
    if isinstance(value, Mapping):
        return _mapping(value, depth)
    if isinstance(value, list | tuple | set | frozenset):
        return _sequence(value, depth)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return text(str(value))


def _sequence(value: Any, depth: int) -> list[Any]:
    items = sorted(value, key=str) if isinstance(value, set | frozenset) else list(value)
    plain = [_plain(item, depth - 1) for item in items[:ENTRY_LIMIT]]
    return plain if len(items) <= ENTRY_LIMIT else [*plain, f"… {len(items) - ENTRY_LIMIT} more"]


def _number(value: float) -> int | float | str:
    """PostgreSQL keeps numbers in JSON as decimals: a whole float comes back as an integer."""
    if not value.is_integer():  # so it is also for what is not finite
        return value if value == value and abs(value) != float("inf") else str(value)
    return int(value) if abs(value) < 2**53 else str(value)
