"""Values with their place in the tree: what every content format decodes to and encodes from."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lwm2m.errors import bad_request
from lwm2m.paths import MAX_ID, Path

RELATIVE_TIME_LIMIT = 2**28
"""`RFC 8428 section 4.5.3`: a smaller time is seconds relative to now, mostly negative."""

_LINK = re.compile(r"([0-9]{1,5}):([0-9]{1,5})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class ObjectLinkValue:
    """A value of type Objlnk; ``65535:65535`` is the null link."""

    object_id: int
    instance_id: int

    def __str__(self) -> str:
        return f"{self.object_id}:{self.instance_id}"

    @classmethod
    def parse(cls, text: str) -> ObjectLinkValue:
        """Read ``"3:0"``; raise 4.00 ``PAYLOAD_MALFORMED`` for anything else."""
        match = _LINK.match(text)
        if match is None or max(int(match[1]), int(match[2])) > MAX_ID:
            raise bad_request("PAYLOAD_MALFORMED", "An object link must read like 3:0 with ids of 0..65535.")
        return cls(int(match[1]), int(match[2]))


Value = None | bool | int | float | str | bytes | ObjectLinkValue


@dataclass(frozen=True, slots=True)
class Node:
    """One value at one path.

    ``value`` None means "no value": a path to read, an empty multiple resource or instance, or in the
    ETCH formats a deletion. A multiple resource is one node for each resource instance. ``time`` is as
    sent (see `absolute_time`). ``prefix`` is what stood before the ids in an absolute name, without
    slashes at its ends: the alternate path or an end device of a gateway such as ``dev0``.
    """

    path: Path
    value: Value = None
    time: float | None = None
    prefix: str = ""


def storable_text(text: str) -> str:
    """The text without the zero bytes that C programs leave at its end, else 4.00 ``PAYLOAD_MALFORMED``.

    A zero byte within, or half a surrogate pair (JSON can write one), fits no database column.
    """
    trimmed = text.rstrip("\x00")
    if "\x00" in trimmed or not (trimmed.isascii() or _is_unicode(trimmed)):
        raise bad_request(
            "PAYLOAD_MALFORMED", "The text has a zero byte or half a character; send plain UTF-8."
        )
    return trimmed


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def absolute_time(time: float | None, received_at: float) -> float:
    """Seconds since 1970 of a node's ``time``, given when it was received (R-21)."""
    if time is None:
        return received_at
    return received_at + time if time < RELATIVE_TIME_LIMIT else time
