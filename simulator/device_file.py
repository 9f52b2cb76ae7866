"""The file that keeps simulated devices between two starts: a JSON list, readable by its owner alone.

Each entry has ``endpoint`` and either ``bootstrap`` or ``server`` (a URI); with ``coaps`` also ``identity``
and ``key_hex``. ``version``, ``queue_mode`` and ``lifetime`` are optional. ``children`` makes it an M2M gateway: an
object with the id of each end device and its kind, such as ``{"urn:dev:cellar": "climate"}``. ``sms`` is its telephone
number, of a device that has SMS; the URI may be ``tel:+49...`` then. ``stack`` is whose CoAP it speaks,
``objects`` are the numbers of those that it has besides the usual ones, such as 5 for firmware updates.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from simulator.nameplate import STACKS

VERSIONS = ("1.0", "1.1", "1.2")


class BadFile(ValueError):
    """The file cannot be used; the text says what to mend."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One simulated device as the file has it; None is not written."""

    endpoint: str
    bootstrap: str | None = None
    server: str | None = None
    identity: str | None = None
    key_hex: str | None = field(default=None, repr=False)
    version: str | None = None
    queue_mode: bool | None = None
    lifetime: int | None = None
    children: dict[str, str] | None = None
    sms: str | None = None
    stack: str | None = None
    objects: list[int] | None = None

    @property
    def key(self) -> bytes:
        """Raises `BadFile` when it is not hex."""
        try:
            return bytes.fromhex(self.key_hex or "")
        except ValueError:
            raise BadFile(f"The key of {self.endpoint} is not hexadecimal.") from None


_TYPES: dict[str, tuple[type, ...]] = {
    "queue_mode": (bool,),
    "lifetime": (int,),
    "children": (dict,),
    "objects": (list,),
}


def load(file: Path) -> list[Entry]:
    """Raises `BadFile` when the file is missing, unreadable or wrong."""
    try:
        rows = json.loads(file.read_text())
    except OSError as error:
        raise BadFile(f"{file} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise BadFile(f"{file} is not JSON: {error}.") from None
    if not isinstance(rows, list):
        raise BadFile(f"{file} must be a JSON list of devices.")
    entries = [_entry(row, file) for row in rows]
    name, times = Counter(entry.endpoint for entry in entries).most_common(1)[0] if entries else ("", 0)
    if times > 1:
        raise BadFile(f"{file} has {name} twice.")
    return entries


def _entry(row: object, file: Path) -> Entry:
    if not isinstance(row, dict) or not isinstance(row.get("endpoint"), str) or not row["endpoint"]:
        raise BadFile(f"{file}: every device needs an endpoint.")
    known = {each.name for each in fields(Entry)}
    for name, value in row.items():
        if name not in known:
            raise BadFile(f"{file}: {row['endpoint']} has {name!r}; known are {', '.join(sorted(known))}.")
        if value is not None and not isinstance(value, _TYPES.get(name, (str,))):
            raise BadFile(f"{file}: {name} of {row['endpoint']} has the wrong type.")
    entry = Entry(**row)
    if entry.version not in (None, *VERSIONS):
        raise BadFile(f"{file}: version of {entry.endpoint} must be one of {', '.join(VERSIONS)}.")
    if not all(isinstance(number, int) and 0 <= number <= 65_535 for number in entry.objects or ()):
        raise BadFile(f"{file}: objects of {entry.endpoint} must be numbers of objects.")
    if entry.stack not in (None, *STACKS):
        raise BadFile(f"{file}: stack of {entry.endpoint} must be one of {', '.join(STACKS)}.")
    _ = entry.key
    return entry


def save(file: Path, entries: Sequence[Entry]) -> None:
    """Write the whole list, mode 0600, so that it is there complete or not at all."""
    rows = [{name: value for name, value in asdict(entry).items() if value is not None} for entry in entries]
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(file.name + ".new")
    with os.fdopen(os.open(fresh, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as handle:
        json.dump(rows, handle, indent=1)
    fresh.replace(file)
