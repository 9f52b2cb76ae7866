"""Draws the parts of the board that change: tiles, rows, pages; on the first load and on every change."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext

from backoffice.board import listing
from devices.registry.selectors import present, ways
from devices.registry.selectors.sessions import OF_END_DEVICES, Session

MARKS = {
    Session.REGISTERED: "●",
    Session.ASLEEP: "◐",
    Session.LATE: "◔",
    Session.LOST: "✕",
    Session.SIGNED_OFF: "○",
    Session.NEVER_SEEN: "–",
    Session.GATEWAY_OFFLINE: "⊗",
    Session.GONE: "⊘",
    "suspended": "‖",
    "barred": "⊘",
    "retired": "○",
    "failed": "!",
    "refused": "!",
    "setup": "…",
    present.STUCK: "!",
}


def context(user: Any, query: listing.Query, now: datetime) -> dict[str, Any]:
    """What all parts need."""
    page = listing.page(user, query, now)
    return {"query": query, "page": page, "tiles": tiles(listing.counts(user, query, now), query)}


def tiles(counts: listing.Counts, query: listing.Query) -> list[dict[str, Any]]:
    kinds = [("", gettext("All"), "", counts.total)]
    kinds += [
        (one.value, one.label, MARKS[one], counts.states[one.value])
        for one in Session
        if one not in OF_END_DEVICES or counts.states[one.value] or query.state == one
    ]
    kinds += [
        (present.STUCK, gettext("Cannot come online"), MARKS[present.STUCK], counts.states[present.STUCK]),
        (present.SUSPENDED, gettext("Suspended"), MARKS[present.SUSPENDED], counts.states[present.SUSPENDED]),
    ]
    return [
        {
            "state": state or "all",
            "label": label,
            "mark": mark,
            "count": count,
            "address": query.address(state="" if state == query.state else state),
            "is_chosen": state == query.state,
        }
        for state, label, mark, count in kinds
    ]


def draw_rows(page: listing.Page, query: listing.Query) -> str:
    return render_to_string("backoffice/board/rows.html", {"page": page, "query": query})


def draw_row(row: listing.Row) -> str:
    return render_to_string("backoffice/board/row.html", {"row": row})


def draw_tiles(shown: list[dict[str, Any]]) -> str:
    return render_to_string("backoffice/board/tiles.html", {"tiles": shown})


def draw_pages(page: listing.Page, query: listing.Query) -> str:
    return render_to_string("backoffice/board/pages.html", {"page": page, "query": query})


class Parts:
    """What one open board shows; gives what became different, row by row while the rows stay the same."""

    def __init__(self, query: listing.Query) -> None:
        self.query = query
        self.again_seconds: float | None = None  # when the counts, which may be older than a change, are due
        self._rows: dict[int, str] = {}
        self._gateways: set[int] = set()  # whose change changes a row of the page
        self._tiles = ""

    def of(self, user: Any, changed_ids: frozenset[int] | None) -> list[tuple[str, str]]:
        """(element id, html). None or nothing changed means: look at everything, time may have passed."""
        now = timezone.now()
        parts = []
        if not changed_ids or self._concerns(user, changed_ids, now):
            parts += self._page(user, now, everything=changed_ids is None)
        started = time.time()
        counts = listing.counts(user, self.query, now)
        is_old = bool(changed_ids) and counts.counted_at < started
        self.again_seconds = max(0.0, counts.good_until - started) + 0.01 if is_old else None
        shown = draw_tiles(tiles(counts, self.query))
        if shown != self._tiles:
            self._tiles = shown
            parts.append(("board-tiles", shown))
        return parts

    def _concerns(self, user: Any, changed_ids: frozenset[int], now: datetime) -> bool:
        """Whether a changed device stands on the page or belongs there now."""
        if not self._rows.keys().isdisjoint(changed_ids) or not self._gateways.isdisjoint(changed_ids):
            return True
        if not self.query.is_first_page:
            return False
        is_full = len(self._rows) >= listing.PAGE
        candidates = [pk for pk in changed_ids if not is_full or pk > min(self._rows)]
        return bool(candidates) and listing.devices(user, self.query, now).filter(pk__in=candidates).exists()

    def _page(self, user: Any, now: datetime, *, everything: bool) -> list[tuple[str, str]]:
        page = listing.page(user, self.query, now)
        drawn = {row.device.pk: draw_row(row) for row in page.rows}
        before, self._rows = self._rows, drawn
        self._gateways = {one.pk for row in page.rows if (one := ways.gateway(row.device)) is not None}
        if everything or list(before) != list(drawn):
            return [
                ("board-rows", draw_rows(page, self.query)),
                ("board-pages", draw_pages(page, self.query)),
            ]
        return [(f"device-{pk}", html) for pk, html in drawn.items() if html != before[pk]]
