"""Which version of an object is meant, and which of the known ones comes closest."""

from __future__ import annotations

import re
from collections.abc import Iterable

_VERSION = re.compile(r"([0-9]{1,5})\.([0-9]{1,5})(?:\.[0-9]{1,5})?\Z", re.ASCII)

# The object version that a client means when it names none, by the enabler it registers with (L-12).
# `OMA-TS-LightweightM2M_Core Appendix E` of each release.
_IMPLIED = {
    (1, 0): {},
    (1, 1): {0: "1.1", 1: "1.1", 3: "1.1", 4: "1.2"},
    (1, 2): {0: "1.2", 1: "1.2", 2: "1.1", 3: "1.2", 4: "1.3", 5: "1.1", 21: "2.0"},
}
_RELEASES = tuple(sorted(_IMPLIED))


def implied_version(object_id: int, enabler: str) -> str:
    """The version of an object announced without ``ver``: core objects by the enabler, others 1.0.

    A patch release means the same as its minor release, and one that is not known yet the newest known.
    """
    asked = order(enabler)
    release = max((known for known in _RELEASES if known <= asked), default=_RELEASES[0])
    return _IMPLIED[release].get(object_id, "1.0")


def order(version: str) -> tuple[int, int]:
    """A key that sorts versions as numbers; what is no version comes before all that are."""
    found = _VERSION.match(version)
    return (int(found[1]), int(found[2])) if found else (-1, 0)


def nearest(known: Iterable[str], wanted: str) -> str | None:
    """The version itself, else the closest of the same major: the newest not above, else the oldest above.

    None when no version of that major is known: a new major number may give ids another meaning.
    """
    target = order(wanted)
    family = sorted((version for version in known if order(version)[0] == target[0]), key=order)
    below = [version for version in family if order(version) <= target]
    return below[-1] if below else next(iter(family), None)


def oldest(known: Iterable[str]) -> str | None:
    """The newest version of the oldest major: the best guess for a device that names no version."""
    found = min(known, key=order, default=None)
    return None if found is None else max((v for v in known if order(v)[0] == order(found)[0]), key=order)
