"""What a client says it holds: the object list of Register and Update (`OMA-TS-LightweightM2M_Core 6.2`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from lwm2m.core_links import Link, encode_links, parse_links
from lwm2m.errors import Lwm2mError, bad_request
from lwm2m.paths import MAX_ID, RESERVED_INSTANCE_ID, Path

HIDDEN_OBJECTS = frozenset({0, 21, 23, 24})
"""Security, OSCORE, COSE and MQTT Server hold credentials; a list that names them is read without them."""

MAX_OBJECTS = 1_024
MAX_INSTANCES = 16_384
MAX_SHARED_BYTES = 2_048

_TREE_TARGET = re.compile(r"/(0|[1-9][0-9]{0,4})(?:/(0|[1-9][0-9]{0,4}))?/?\Z", re.ASCII)
_ROOT_TARGET = re.compile(r"[A-Za-z0-9._~\-/]{0,128}\Z")
_VERSION = re.compile(r"[0-9]{1,5}\.[0-9]{1,5}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class ObjectLink:
    """One object of a client: announced version or None, sorted instances, other attributes."""

    version: str | None = None
    instances: tuple[int, ...] = ()
    attributes: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True, slots=True)
class ObjectLinks:
    """A client's object list.

    ``root_path`` is the alternate path without slashes at its ends, "" when there is none: management
    requests are prefixed with it, bootstrap never. ``content_formats`` are what ``ct`` of the root link
    offers, empty when the client does not say.
    """

    root_path: str = ""
    content_formats: tuple[int, ...] = ()
    objects: Mapping[int, ObjectLink] = field(default_factory=dict)

    def has_instance(self, path: Path) -> bool:
        """True when the object (depth 1) or instance (deeper) of ``path`` is announced; the root always."""
        if path.object_id is None:
            return True
        link = self.objects.get(path.object_id)
        return link is not None and (path.instance_id is None or path.instance_id in link.instances)

    def paths(self) -> tuple[Path, ...]:
        """Every announced instance, and the bare object where it has none."""
        return tuple(
            path
            for object_id, link in self.objects.items()
            for path in ([Path(object_id, i) for i in link.instances] or [Path(object_id)])
        )

    def merged(self, other: ObjectLinks) -> ObjectLinks:
        """Both lists together (1.2 profile ids); ``other`` stands where both speak of one object."""
        objects = dict(self.objects)
        for object_id, link in other.objects.items():
            known = objects.get(object_id, ObjectLink())
            objects[object_id] = ObjectLink(
                version=link.version or known.version,
                instances=tuple(sorted({*known.instances, *link.instances})),
                attributes=link.attributes or known.attributes,
            )
        return ObjectLinks(
            root_path=other.root_path or self.root_path,
            content_formats=other.content_formats or self.content_formats,
            objects=dict(sorted(objects.items())),
        )

    def to_json(self) -> dict[str, Any]:
        """A value for a JSON column; `from_json` reads it back."""
        return {
            "root_path": self.root_path,
            "content_formats": list(self.content_formats),
            "objects": {
                str(object_id): {
                    "version": link.version,
                    "instances": list(link.instances),
                    "attributes": [[name, value] for name, value in link.attributes],
                }
                for object_id, link in self.objects.items()
            },
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ObjectLinks:
        """Read what `to_json` wrote; raise 4.00 ``BAD_LINK_FORMAT`` for anything else."""
        try:
            return cls(
                root_path=str(value["root_path"]),
                content_formats=tuple(int(number) for number in value["content_formats"]),
                objects={
                    int(object_id): ObjectLink(
                        version=link["version"],
                        instances=tuple(int(instance) for instance in link["instances"]),
                        attributes=tuple((name, text) for name, text in link["attributes"]),
                    )
                    for object_id, link in value["objects"].items()
                },
            )
        except (AttributeError, KeyError, TypeError, ValueError):
            raise bad_request("BAD_LINK_FORMAT", "This is not a stored object list; register anew.") from None

    def encode(self) -> bytes:
        """Write the list as a client registers it, with the root link only where it says something."""
        return encode_links([*self._root_link(), *self._tree_links()])

    def _root_link(self) -> list[Link]:
        if not self.root_path and not self.content_formats:
            return []
        attributes: list[tuple[str, str | None]] = [("rt", "oma.lwm2m")]
        if self.content_formats:
            attributes.append(("ct", " ".join(map(str, self.content_formats))))
        return [Link(f"/{self.root_path}", tuple(attributes))]

    def _tree_links(self) -> Iterable[Link]:
        prefix = f"/{self.root_path}" if self.root_path else ""
        for object_id, link in self.objects.items():
            said: tuple[tuple[str, str | None], ...] = link.attributes
            if link.version is not None:
                said = (("ver", link.version), *said)
            if said or not link.instances:
                yield Link(f"{prefix}/{object_id}", said)
            for instance in link.instances:
                yield Link(f"{prefix}/{object_id}/{instance}")


def parse_object_links(payload: bytes) -> ObjectLinks:
    """Read the payload of Register or Update.

    Left out without an error: objects that must stay hidden, links outside the root path and links
    that are no object or instance (`OMA-TS-LightweightM2M_Core 6.2.1`: unknown things are no error).
    Raises `Lwm2mError` 4.00: ``OBJECT_LIST_EMPTY`` when nothing is left, ``BAD_LINK_FORMAT`` when it is
    unreadable or above 1,024 objects or 16,384 instances.
    """
    # Devices of one model send the same list: when a fleet registers at once it is read once and shared.
    return _parse_shared(payload) if len(payload) <= MAX_SHARED_BYTES else _parse(payload)


def _parse(payload: bytes) -> ObjectLinks:
    links = parse_links(payload)
    root_path, content_formats = _root(links)
    prefix = f"/{root_path}" if root_path else ""
    tree = _Tree()
    for link in links:
        target = link.target if link.target.startswith("/") else f"/{link.target}"
        if target.startswith(prefix) and (match := _TREE_TARGET.match(target, len(prefix))):
            tree.add(int(match[1]), None if match[2] is None else int(match[2]), link)
    objects = tree.finish()
    if not objects:
        raise bad_request(
            "OBJECT_LIST_EMPTY", "The object list names no object; send at least </1/0>,</3/0>."
        )
    return ObjectLinks(root_path, content_formats, objects)


_parse_shared = lru_cache(maxsize=512)(_parse)


def _root(links: tuple[Link, ...]) -> tuple[str, tuple[int, ...]]:
    """The alternate path and its formats; `</>` may carry ``ct`` without ``rt`` (older Wakaama)."""
    bare: tuple[int, ...] = ()
    for link in links:
        path = link.target.strip("/")
        if "oma.lwm2m" in (link.attribute("rt") or "").split() and not _numeric_segment(path):
            if not _ROOT_TARGET.match(path):
                raise bad_request(
                    "BAD_LINK_FORMAT", "The alternate path has characters outside A-Z a-z 0-9 ._~-/."
                )
            return path, _formats(link)
        if not path and not bare:
            bare = _formats(link)
    return "", bare


def _numeric_segment(path: str) -> bool:
    return any(segment.isdigit() for segment in path.split("/"))


def _formats(link: Link) -> tuple[int, ...]:
    words = (link.attribute("ct") or "").split()[:32]
    numbers = (int(word) for word in words if word.isascii() and word.isdigit() and len(word) <= 5)
    return tuple(dict.fromkeys(number for number in numbers if number <= 65535))


class _Tree:
    """Collects links into objects; the order and repetition of links do not matter."""

    def __init__(self) -> None:
        self.instances: dict[int, set[int]] = {}
        self.attributes: dict[int, tuple[tuple[str, str | None], ...]] = {}
        self.versions: dict[int, str] = {}
        self.count = 0

    def add(self, object_id: int, instance_id: int | None, link: Link) -> None:
        if object_id in HIDDEN_OBJECTS or object_id > MAX_ID:
            return
        if instance_id is not None and instance_id >= RESERVED_INSTANCE_ID:
            return
        known = self.instances.get(object_id)
        if known is None:
            if len(self.instances) == MAX_OBJECTS:
                raise _too_large()
            known = self.instances[object_id] = set()
        if instance_id is not None and instance_id not in known:
            self.count += 1
            if self.count > MAX_INSTANCES:
                raise _too_large()
            known.add(instance_id)
        if link.attributes:
            self._describe(object_id, instance_id, link)

    def _describe(self, object_id: int, instance_id: int | None, link: Link) -> None:
        version = link.attribute("ver")
        if version is not None and _VERSION.match(version):
            # A client may list one object in several versions (Anjay): the highest one stands.
            known = self.versions.get(object_id)
            if known is None or _as_numbers(version) > _as_numbers(known):
                self.versions[object_id] = version
        if instance_id is None:
            rest = tuple((name, value) for name, value in link.attributes if name != "ver")
            if rest:
                self.attributes[object_id] = rest

    def finish(self) -> dict[int, ObjectLink]:
        return {
            object_id: ObjectLink(
                self.versions.get(object_id), tuple(sorted(instances)), self.attributes.get(object_id, ())
            )
            for object_id, instances in sorted(self.instances.items())
        }


def _as_numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _too_large() -> Lwm2mError:
    return bad_request(
        "BAD_LINK_FORMAT",
        f"The object list has more than {MAX_OBJECTS} objects or {MAX_INSTANCES} instances; register fewer.",
    )
