"""The timeline of one device, from the ledger: who did what, when, with what result and why."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext

from audit import people
from audit import selectors as ledger
from audit.actions import Action
from audit.causes import CAUSES, Cause
from audit.ledger import SYSTEM
from audit.models import LedgerEvent, PersonalDatum, Result
from support import about, words

OF_GATEWAY = (
    Action.REGISTRATION_REGISTERED,
    Action.REGISTRATION_REPLACED,
    Action.REGISTRATION_DEREGISTERED,
    Action.REGISTRATION_EXPIRED,
    Action.REGISTRATION_ENDED,
)
LIMIT = 100
MOST = 1000
_PROBLEMS = [code for code, cause in CAUSES.items() if cause.severity != "info"]


@dataclass(frozen=True)
class Filters:
    """What the desk asked for; empty means everything. The page's address and the socket's carry it alike."""

    cause: str = ""
    action: str = ""
    text: str = ""
    problems: bool = False
    limit: int = LIMIT

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Filters:
        asked = str(query.get("limit", ""))
        return cls(
            cause=query.get("cause", "")[:64],
            action=query.get("action", "")[:64],
            text=query.get("q", "").strip()[:100],
            problems=query.get("only") == "problems",
            limit=min(MOST, int(asked)) if asked.isdecimal() and int(asked) > LIMIT else LIMIT,
        )

    @property
    def query(self) -> str:
        """As `read` takes it again from an address."""
        only = "problems" if self.problems else ""
        said = {"only": only, "cause": self.cause, "action": self.action, "q": self.text, "limit": self.limit}
        return urlencode({name: value for name, value in said.items() if value})

    @property
    def is_any(self) -> bool:
        return bool(self.cause or self.action or self.text or self.problems)


@dataclass(frozen=True)
class Entry:
    """One event in words."""

    event: LedgerEvent
    what: str
    about: str
    who: str
    cause: Cause | None
    facts: list[tuple[str, str]]

    @property
    def day(self) -> datetime.date:
        return timezone.localtime(self.event.at).date()  # the zone of the times beneath it


@dataclass(frozen=True)
class Timeline:
    entries: list[Entry]
    has_more: bool
    filters: Filters
    more_query: str


def of_device(
    device_id: int,
    operator_ids: Iterable[int] | None,
    filters: Filters,
    gateway_id: int | None = None,
) -> Timeline:
    """With `gateway_id` also when the gateway of an end device came and went: it is told once, there."""
    events = ledger.timeline(device_id, operator_ids)
    if gateway_id is not None:
        of_gateway = Q(device_id=gateway_id, action__in=OF_GATEWAY)
        events = ledger.events_visible(operator_ids).filter(Q(device_id=device_id) | of_gateway)
        events = events.order_by("-id")
    if filters.cause:
        events = events.filter(cause=filters.cause)
    if filters.action:
        events = events.filter(action=filters.action)
    if filters.problems:
        events = events.filter(~Q(result=Result.OK) | Q(cause__in=_PROBLEMS))
    if filters.text:
        events = events.filter(_mentions(filters.text))
    rows = list(events[: filters.limit + 1])
    entries = [_entry(event) for event in rows[: filters.limit]]
    entries = [
        replace(one, what=f"Gateway: {one.what}") if one.event.device_id == gateway_id else one
        for one in entries
    ]
    entries = _with_names(entries)
    has_more = len(rows) > filters.limit and filters.limit < MOST
    more = replace(filters, limit=min(MOST, filters.limit * 2))
    return Timeline(entries, has_more, filters, more.query)


def _with_names(entries: list[Entry]) -> list[Entry]:
    """One query for all the people that the facts name by their ids."""
    names = people.names(value for entry in entries for _, value in entry.facts)
    return [
        replace(entry, facts=[(name, names.get(value, value)) for name, value in entry.facts])
        for entry in entries
    ]


def _mentions(text: str) -> Q:
    """In what the row says itself, or in the words we show for its action or cause."""
    lowered = text.lower()
    actions = [action.value for action in Action if lowered in str(action.label).lower()]
    causes = [code for code, cause in CAUSES.items() if lowered in cause.support.lower()]
    return (
        Q(action__icontains=text)
        | Q(action__in=actions)
        | Q(cause__icontains=text)
        | Q(cause__in=causes)
        | Q(target__icontains=text)
        | Q(reason__icontains=text)
        | Q(actor_label__icontains=text)
        | Q(request_id=text)
        | Q(detail__icontains=text)
        | Q(after__icontains=text)
        | Exists(PersonalDatum.objects.filter(event_id=OuterRef("pk"), value__icontains=text))
    )


_OF_THE_DEVICE = {"came_from", "came_from_before", "claimed_name", "host", "said"}
"""What a device or whoever claims to be one said: personal, and what the desk looks for."""


def _entry(event: LedgerEvent) -> Entry:
    personal = {name: event.personal_value(name) for name in event.personal if name in _OF_THE_DEVICE}
    return Entry(
        event=event,
        what=words.action(event.action),
        about=about.of(
            event.action, before=event.before, after=(event.after or {}) | personal, detail=event.detail
        ),
        who=gettext("the portal") if event.actor_label == SYSTEM.label else event.actor_words,
        cause=CAUSES.get(event.cause),
        facts=[
            *_changes(event.before or {}, event.after or {}),
            *_flat((event.detail or {}) | personal),
            *_origin(event),
        ],
    )


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, str]]:
    names = list(dict.fromkeys([*before, *after]))
    return [
        (
            words.label(name),
            f"{_text(before[name])} → {_text(after.get(name))}" if name in before else _text(after[name]),
        )
        for name in names
    ]


def _flat(detail: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(words.label(name), _text(value)) for name, value in detail.items() if value not in (None, "")]


def _origin(event: LedgerEvent) -> list[tuple[str, str]]:
    rows = [
        (gettext("address"), event.personal_value("address")),
        (gettext("on behalf of"), event.impersonator_words),
    ]
    rows += [(gettext("request"), event.request_id), (gettext("job"), str(event.job_id or ""))]
    return [(name, value) for name, value in rows if value]


def _text(value: Any) -> str:
    if value in (None, ""):
        return gettext("nothing")
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def choices(device_id: int, operator_ids: Iterable[int] | None) -> tuple[list[tuple[str, str]], list[str]]:
    """(actions with words, cause codes) that occur for this device, for the filters."""
    events = ledger.events_visible(operator_ids).filter(device_id=device_id).order_by().prefetch_related(None)
    actions = sorted(set(events.values_list("action", flat=True).distinct()))
    causes = sorted(set(events.exclude(cause="").values_list("cause", flat=True).distinct()))
    return [(code, words.action(code)) for code in actions], causes
