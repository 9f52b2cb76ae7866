"""Who asked for something, in words: `user:5` is a person, `job:3` a job, `system` the portal."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audit import people
from audit.models import FORMER

_KINDS = {
    "job": _("job"),
    "job-step": _("step of a job"),
    "reach": _("the search for it"),
    "profile": _("bootstrap profile"),
    "device": _("the device"),
}


def words(requested_by: str, names: Mapping[str, str] | None = None) -> str:
    """`names` are those of `people.names` for a whole page; without them one query for a person."""
    if people.is_person(requested_by):
        known = people.names([requested_by]) if names is None else names
        return known.get(requested_by, str(FORMER))
    kind, _, number = requested_by.partition(":")
    if kind in _KINDS:
        return f"{_KINDS[kind]} {number}".strip()
    return gettext("the portal") if requested_by in ("", "system") else requested_by
