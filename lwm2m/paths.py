"""Addresses in the LwM2M resource tree: ``/object/instance/resource/resource-instance``.

`OMA-TS-LightweightM2M_Core 7.2`: ids are unsigned 16-bit, and 65535 is reserved as an object instance id.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache, total_ordering

from lwm2m.errors import bad_request

MAX_ID = 65535
RESERVED_INSTANCE_ID = 65535

_ID = "(0|[1-9][0-9]{0,4})"
_PLAIN = re.compile(f"/*+(?:{_ID}(?:/{_ID}(?:/{_ID}(?:/{_ID})?)?)?)?/*+\\Z", re.ASCII)


@total_ordering
@dataclass(frozen=True, slots=True)
class Path:
    """One node of the tree; unset ids are ``None`` from the right, and the root has none set.

    Ordering is by ids with the parent before its children. Constructing a hole or an id out of range
    raises `Lwm2mError` 4.00 ``PAYLOAD_MALFORMED``.
    """

    object_id: int | None = None
    instance_id: int | None = None
    resource_id: int | None = None
    resource_instance_id: int | None = None

    def __post_init__(self) -> None:
        ended = False
        for value in (self.object_id, self.instance_id, self.resource_id, self.resource_instance_id):
            if value is None:
                ended = True
            elif ended:
                raise bad_request(
                    "PAYLOAD_MALFORMED", "A path has an id after an empty one; fill ids from the left."
                )
            elif not 0 <= value <= MAX_ID:
                raise bad_request(
                    "PAYLOAD_MALFORMED", f"The id {_shown(value)} is outside 0..65535; use an id of 16 bits."
                )
        if self.instance_id == RESERVED_INSTANCE_ID:
            raise bad_request("PAYLOAD_MALFORMED", "Instance id 65535 is reserved; use an id of 0..65534.")

    def _ids(self) -> tuple[int | None, int | None, int | None, int | None]:
        return (self.object_id, self.instance_id, self.resource_id, self.resource_instance_id)

    @classmethod
    def parse(cls, text: str) -> Path:
        """Read ``"/3/0/9"``, ``"3/0/9"`` or ``"/"``; raise 4.00 ``PAYLOAD_MALFORMED`` for what is none."""
        return _parse_shared(text)

    @classmethod
    def of(cls, segments: tuple[str, ...]) -> Path:
        """Read Uri-Path segments; raise 4.00 ``PAYLOAD_MALFORMED`` when one is not a plain decimal id."""
        if len(segments) > 4:
            raise bad_request("PAYLOAD_MALFORMED", "The path has more than four ids; send at most /o/i/r/ri.")
        for segment in segments:
            if not (segment.isdigit() and segment.isascii() and len(segment) <= 5) or (
                segment[0] == "0" and len(segment) > 1
            ):
                shown = segment[:20]
                raise bad_request(
                    "PAYLOAD_MALFORMED", f"{shown!r} is not an id; send decimal ids of 0..65535."
                )
        return cls(*map(int, segments))

    @property
    def ids(self) -> tuple[int, ...]:
        """Only the ids that are set."""
        if self.resource_instance_id is not None:
            return self._ids()  # type: ignore[return-value]
        if self.resource_id is not None:
            return (self.object_id, self.instance_id, self.resource_id)  # type: ignore[return-value]
        return tuple([value for value in self._ids() if value is not None])

    @property
    def segments(self) -> tuple[str, ...]:
        """The ids as Uri-Path segments."""
        return tuple(str(value) for value in self.ids)

    @property
    def depth(self) -> int:
        """0 for the root, 1 object, 2 instance, 3 resource, 4 resource instance."""
        if self.resource_id is None:
            return (self.object_id is not None) + (self.instance_id is not None)
        return 3 if self.resource_instance_id is None else 4

    @property
    def parent(self) -> Path:
        """The path one level up; the root is its own parent."""
        return Path(*self.ids[:-1])

    def child(self, value: int) -> Path:
        """The path one level down; raises 4.00 ``PAYLOAD_MALFORMED`` below a resource instance."""
        if self.depth == 4:
            raise bad_request("PAYLOAD_MALFORMED", "A resource instance has no children; shorten the path.")
        return Path(*(*self.ids, value))

    def contains(self, other: Path) -> bool:
        """True when ``other`` is this path or lies below it."""
        # Asked for every value of every payload, so that it is spelled out.
        if self.object_id is None:
            return True
        if self.object_id != other.object_id:
            return False
        if self.instance_id is None:
            return True
        if self.instance_id != other.instance_id:
            return False
        if self.resource_id is None:
            return True
        if self.resource_id != other.resource_id:
            return False
        return self.resource_instance_id is None or self.resource_instance_id == other.resource_instance_id

    def __lt__(self, other: Path) -> bool:
        return self.ids < other.ids

    def __str__(self) -> str:
        return "/" + "/".join(self.segments)


def _shown(value: int) -> str:
    """Python refuses to write numbers of thousands of digits."""
    return str(value) if abs(value) < 2**64 else "of over 64 bits"


def plain(text: str) -> Path | None:
    """The path that ``text`` writes as ids alone, such as ``/3/0/9``; None for anything else."""
    found = _PLAIN.match(text)
    if found is None:
        return None
    return Path(*[None if text is None else int(text) for text in found.groups()])


def _parse(text: str) -> Path:
    if len(text) > 64:
        raise bad_request(
            "PAYLOAD_MALFORMED", "The path is longer than any LwM2M path; send /object/instance/…"
        )
    found = plain(text)
    return Path.of(tuple(text.strip("/").split("/"))) if found is None else found


# Every message names its place, and devices of one kind name the same few.
_parse_shared = lru_cache(maxsize=4_096)(_parse)
ROOT = Path()
