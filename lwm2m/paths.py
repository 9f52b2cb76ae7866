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

_SEGMENT = re.compile(r"(?:0|[1-9][0-9]{0,4})\Z", re.ASCII)


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
        for value in self._ids():
            if value is None:
                ended = True
            elif ended:
                raise bad_request(
                    "PAYLOAD_MALFORMED", "A path has an id after an empty one; fill ids from the left."
                )
            elif not 0 <= value <= MAX_ID:
                raise bad_request(
                    "PAYLOAD_MALFORMED", f"The id {value} is outside 0..65535; use an id of 16 bits."
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
            if not _SEGMENT.match(segment):
                shown = segment[:20]
                raise bad_request(
                    "PAYLOAD_MALFORMED", f"{shown!r} is not an id; send decimal ids of 0..65535."
                )
        return cls(*(int(segment) for segment in segments))

    @property
    def ids(self) -> tuple[int, ...]:
        """Only the ids that are set."""
        ids = self._ids()
        return ids if ids[3] is not None else tuple([value for value in ids if value is not None])  # type: ignore[return-value]

    @property
    def segments(self) -> tuple[str, ...]:
        """The ids as Uri-Path segments."""
        return tuple(str(value) for value in self.ids)

    @property
    def depth(self) -> int:
        """0 for the root, 1 object, 2 instance, 3 resource, 4 resource instance."""
        return len(self.ids)

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
        return other.ids[: self.depth] == self.ids

    def __lt__(self, other: Path) -> bool:
        return self.ids < other.ids

    def __str__(self) -> str:
        return "/" + "/".join(self.segments)


def _parse(text: str) -> Path:
    trimmed = text.strip("/") if len(text) <= 64 else None
    if trimmed is None:
        raise bad_request(
            "PAYLOAD_MALFORMED", "The path is longer than any LwM2M path; send /object/instance/…"
        )
    return Path.of(tuple(trimmed.split("/")) if trimmed else ())


# Every message names its place, and devices of one kind name the same few.
_parse_shared = lru_cache(maxsize=4_096)(_parse)
ROOT = Path()
