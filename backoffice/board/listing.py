"""The operators' board: which devices a page shows, and how many there are in each state.

Pages go from device id to device id, so that page one thousand costs what page one costs.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.core.cache import cache
from django.db.models import Count, QuerySet
from django.http import QueryDict

from accounts import tenancy
from accounts.models import Operator
from devices.inventory.models import Device
from devices.inventory.states import Provisioning
from devices.registry.selectors import present, search, ways
from devices.registry.selectors.present import Present
from devices.registry.selectors.sessions import Session

PAGE = 50
TEXT_LIMIT = 100
COUNTS_SECONDS = 0.2
COUNTS_SHARE = 20  # counting may take one part in so many of a thread's time


@dataclass(frozen=True, slots=True)
class Query:
    """What the address of a board says. `before` and `after` are the device ids a page begins beyond."""

    state: str = ""
    operator: str = ""
    provisioning: str = ""
    text: str = ""
    before: int | None = None
    after: int | None = None

    @classmethod
    def parse(cls, query_string: str) -> Query:
        """Whatever makes no sense is left out: an address may be old or typed."""
        given = QueryDict(query_string)
        state, provisioning = given.get("state", ""), given.get("provisioning", "")
        return cls(
            state=state if state in {*Session.values, present.STUCK, present.SUSPENDED} else "",
            operator=given.get("operator", "")[:50],
            provisioning=provisioning if provisioning in Provisioning.values else "",
            text=given.get("q", "").strip()[:TEXT_LIMIT],
            before=_id(given.get("before")),
            after=_id(given.get("after")),
        )

    def address(self, **changes: Any) -> str:
        """The query string of this board with some things changed; a page is left when the filter changes."""
        changed = replace(self, **{"before": None, "after": None, **changes})
        given = {
            "state": changed.state,
            "operator": changed.operator,
            "provisioning": changed.provisioning,
            "q": changed.text,
            "before": changed.before,
            "after": changed.after,
        }
        return "?" + urlencode({name: value for name, value in given.items() if value})

    @property
    def here(self) -> str:
        return self.address(before=self.before, after=self.after)

    @property
    def is_first_page(self) -> bool:
        return self.before is None and self.after is None

    @property
    def is_narrowed(self) -> bool:
        return bool(self.state or self.operator or self.provisioning or self.text)


def _id(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


@dataclass(frozen=True, slots=True)
class Row:
    device: Device
    registration: Any
    detail: Any
    session: Present


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[Row]
    newer: str
    older: str


def _devices(user: Any, query: Query) -> QuerySet[Device]:
    """The board's devices without the tiles' filter. Retired devices are history, not on the board."""
    rows = Device.objects.living().of_staff(user)
    if query.operator:
        rows = rows.filter(operator__slug=query.operator)
    if query.provisioning:
        rows = rows.filter(provisioning=query.provisioning)
    return search.found(rows, query.text)


def devices(user: Any, query: Query, now: datetime) -> QuerySet[Device]:
    """All devices that fit the query, on whatever page; order left to the caller."""
    rows = _devices(user, query)
    return rows.filter(present.condition(query.state, now)) if query.state else rows


def page(user: Any, query: Query, now: datetime) -> Page:
    """Two queries, whatever the page."""
    rows = devices(user, query, now).select_related("operator", "subscriber", *ways.PRESENCE)
    if query.after is not None:
        found = list(rows.filter(pk__gt=query.after).order_by("pk")[: PAGE + 1])
        has_newer, has_older = len(found) > PAGE, True
        found = found[:PAGE][::-1]
    else:
        if query.before is not None:
            rows = rows.filter(pk__lt=query.before)
        found = list(rows.order_by("-pk")[: PAGE + 1])
        has_newer, has_older = query.before is not None, len(found) > PAGE
        found = found[:PAGE]
    return Page(
        [_row(device, standing) for device, standing in present.of_many(found, now)],
        query.address(after=found[0].pk) if has_newer and found else "",
        query.address(before=found[-1].pk) if has_older and found else "",
    )


def _row(device: Device, standing: Present) -> Row:
    return Row(device, ways.registration(device), ways.registration_detail(device), standing)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many devices each tile would show; the text and the other filters count, the tile does not.

    `counted_at` and `good_until`, when they are counted anew, are seconds of `time.time()`.
    """

    counted_at: float
    good_until: float
    total: int
    states: dict[str, int]


def counts(user: Any, query: Query, now: datetime) -> Counts:
    """One statement, shared for a moment by all who look at the same, the longer the longer it takes."""
    scope = tenancy.operator_ids(user, "inventory.view_device")
    asked = repr(
        (sorted(scope) if scope is not None else None, query.operator, query.provisioning, query.text)
    )
    key = f"board-counts:{hashlib.sha256(asked.encode()).hexdigest()}"
    known = cache.get(key)
    if known is None:
        started = time.time()
        known = _count(user, query, now)
        seconds = max(COUNTS_SECONDS, COUNTS_SHARE * (time.time() - started))
        known = replace(known, counted_at=started, good_until=time.time() + seconds)
        cache.set(key, known, seconds)
    return known


def _count(user: Any, query: Query, now: datetime) -> Counts:
    states = (*Session.values, present.STUCK, present.SUSPENDED)
    found = _devices(user, query).aggregate(
        total=Count("pk"), **{state: Count("pk", filter=present.condition(state, now)) for state in states}
    )
    return Counts(0.0, 0.0, found["total"], {state: found[state] for state in states})


def operators(user: Any) -> list[Operator]:
    """For the filter: those whose devices the person may see."""
    ids = tenancy.operator_ids(user, "inventory.view_device")
    rows = Operator.objects.order_by("name")
    return list(rows if ids is None else rows.filter(pk__in=ids))
