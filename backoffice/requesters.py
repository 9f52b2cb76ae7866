"""Who asked for something, in words: `user:5` is a person, `job:3` a job, `system` the portal."""

from __future__ import annotations

from collections.abc import Mapping

from audit import people
from audit.models import FORMER

_KINDS = {
    "job": "job",
    "job-step": "step of a job",
    "reach": "the search for it",
    "profile": "bootstrap profile",
    "device": "the device",
}


def words(requested_by: str, names: Mapping[str, str] | None = None) -> str:
    """`names` are those of `people.names` for a whole page; without them one query for a person."""
    if people.is_person(requested_by):
        known = people.names([requested_by]) if names is None else names
        return known.get(requested_by, FORMER)
    kind, _, number = requested_by.partition(":")
    if kind in _KINDS:
        return f"{_KINDS[kind]} {number}".strip()
    return "the portal" if requested_by in ("", "system") else requested_by
