"""How much one payload may hold: work in proportion to its bytes, so that no payload keeps a decoder busy."""

from __future__ import annotations

from lwm2m.errors import bad_request

FREE = 16_384
"""So many values any payload may hold, however short they are."""
LEAST_BYTES = 16
"""More only where they are as long as values are that mean something: 512 KiB hold at most 32,768."""
LEAST_BYTES_NAMED = 24
"""The same where every value has a name of its own beside it."""


def values(size: int, least: int = LEAST_BYTES) -> int:
    """The most values (entries, records) that a payload of ``size`` bytes may hold."""
    return max(FREE, size // least)


def check(count: int, size: int, least: int = LEAST_BYTES) -> None:
    """Raise 4.00 ``PAYLOAD_MALFORMED`` for more values than a payload of ``size`` bytes may hold."""
    most = values(size, least)
    if count > most:
        raise bad_request(
            "PAYLOAD_MALFORMED", f"Over {most} values are too many for {size} bytes; send fewer at once."
        )
