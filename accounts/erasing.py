"""Forgetting a person: whoever keeps something about people registers how it goes.

Each room has one eraser, named in `ready` of its app, so that leaving needs no list of everybody's tables. A test
plants a marker in every column that can hold text about a person and looks for it in a dump of the database.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """Who is forgotten: a user, their accounts and all devices they have or had; `names` are strings that name them."""

    user_id: int
    subscriber_ids: tuple[int, ...]
    device_ids: tuple[int, ...]
    names: frozenset[str]


Eraser = Callable[[Person], None]
"""Removes what a room knows of the person, in the caller's unit of work. Rows that others refer to stay, emptied."""
_erasers: dict[str, Eraser] = {}


def register(room: str, eraser: Eraser) -> None:
    """Have this called for everybody who is forgotten."""
    _erasers[room] = eraser


def erase(person: Person) -> None:
    """By every room: those that stand on others first, as they know what is theirs by what the others keep."""
    for room in reversed(_erasers):
        _erasers[room](person)


ERASED = "erased"


def stub(key: object) -> str:
    """What stands in a column that must say something of its own in each row."""
    return f"{ERASED}-{key}"
