"""What a gateway says in object 25, read with suspicion: versions 2.0 and 1.0 share Device ID and prefix.

`OMA-TS-LWM2M_Gateway 1.1`: 0 Device ID, 1 Prefix, 3 IoT Device Objects. Version 1.0 of the object (Core 1.2 E.12) has
a routing table in 2 and no 3. The prefix is never written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from accounts.errors import Refused
from devices.inventory.nameplate import check_endpoint
from lwm2m.errors import Lwm2mError
from lwm2m.links import parse_object_links
from lwm2m.paths import Path

OBJECT = 25
PATH = f"/{OBJECT}"
IDENTIFIER, PREFIX, OBJECTS = 0, 1, 3
PREFIX_LIMIT = 64
LIMIT = 16_384
"""So many end devices a gateway may have."""

Resources = Mapping[int, Mapping[int, Any]]
"""Instance -> resource -> value."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One usable instance. `object_links` as `ObjectLinks.to_json` writes it; shared, so never changed."""

    number: int
    identifier: str
    prefix: str
    object_links: Mapping[str, Any]


def is_about(path: Path) -> bool:
    """Whether an answer to this path says anything about end devices."""
    return path.object_id == OBJECT


def resources(nodes: Iterable[tuple[Path, Any]]) -> dict[int, dict[int, Any]]:
    """The values of object 25 among these."""
    found: dict[int, dict[int, Any]] = {}
    for path, value in nodes:
        if path.object_id == OBJECT and path.depth == 3:
            found.setdefault(path.ids[1], {})[path.ids[2]] = value
    return found


def of_nodes(nodes: Iterable[Mapping[str, Any]]) -> dict[int, dict[int, Any]]:
    """The same of an answer as outcomes of commands carry it."""
    start = f"{PATH}/"
    return resources((Path.parse(n["path"]), n["value"]) for n in nodes if n["path"].startswith(start))


def usable(told: Resources, known: Mapping[int, Instance]) -> tuple[list[Instance], list[str]]:
    """The instances that name a device and the way to it, by number, and what is wrong with the others.

    `known` completes what speaks of one resource alone. Of two with one name or one prefix the first counts.
    """
    found: list[Instance] = []
    problems: list[str] = []
    names: set[str] = set()
    prefixes: set[str] = set()
    for number in sorted(told)[:LIMIT]:
        one = _instance(number, told[number], known.get(number))
        if isinstance(one, str):
            problems.append(f"/{OBJECT}/{number}: {one}")
        elif one.identifier in names or one.prefix in prefixes:
            problems.append(f"/{OBJECT}/{number}: {one.identifier} {one.prefix} stands there twice.")
        else:
            found.append(one)
            names.add(one.identifier)
            prefixes.add(one.prefix)
    return found, problems


def _instance(number: int, said: Mapping[int, Any], known: Instance | None) -> Instance | str:
    identifier = said.get(IDENTIFIER, known.identifier if known else None)
    prefix = said.get(PREFIX, known.prefix if known else None)
    if not isinstance(identifier, str) or not isinstance(prefix, str):
        return "Device ID or prefix is missing."
    identifier, prefix = identifier.strip(), prefix.strip("/ ")
    try:
        check_endpoint(identifier)
    except Refused:
        return "The Device ID is no name."
    if (
        not prefix
        or len(prefix) > PREFIX_LIMIT
        or "/" in prefix
        or not prefix.isprintable()
        or prefix.isdigit()
    ):
        return "The prefix is no path segment."
    links = said.get(OBJECTS)
    if isinstance(links, str):
        return Instance(number, identifier, prefix, _links(links))
    return Instance(number, identifier, prefix, known.object_links if known else {})


@lru_cache(maxsize=512)
def _links(text: str) -> Mapping[str, Any]:
    """Devices of one kind have one text; what cannot be read is as good as not told."""
    try:
        return parse_object_links(text.encode()).to_json()
    except (Lwm2mError, UnicodeEncodeError):
        return {}
