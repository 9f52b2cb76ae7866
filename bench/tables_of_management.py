"""What came of managing, as Markdown tables: rates beside plain aiocoap, the storm, the pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.management import Managed
from bench.pages import GOAL_MS, Shown
from bench.tables import table, yes
from bench.work import COMMAND, NOTIFY, PLAIN, Storm, Work

GOAL_RATIO = 5.0
_NAMES = {NOTIFY: "Notifications stored", COMMAND: "Commands completed"}


def all_of(found: Managed) -> Iterator[str]:
    if found.works:
        yield works(found.works)
    if found.storms:
        yield storms(found.storms)
    if found.shown:
        yield pages(found.shown)


def works(measured: Sequence[Work]) -> str:
    """Each beside plain aiocoap on the same database; a row is found for each message, or it says how many are not."""
    plain = {(one.database, one.kind): one.rate for one in measured if one.server == PLAIN}
    rows = []
    for one in measured:
        base = plain.get((one.database, one.kind))
        ratio = one.rate / base if base else None
        is_ours = one.server != PLAIN
        rows.append(
            [
                _NAMES[one.kind],
                one.database,
                one.server,
                f"{one.rate:,.0f}",
                f"{ratio:.2f}" if ratio else "–",
                yes(ratio >= GOAL_RATIO) if ratio and is_ours else "–",
                f"{one.count:,}",
                f"{max(0, one.count - one.stored):,}",
                f"{one.cpu:,.0f}",
                f"{one.generator_cores:.2f}",
                f"{one.others_cores:.2f}",
            ]
        )
    return table(
        f"What|Database|Server|per s|× plain|≥ {GOAL_RATIO:g} ×|counted|rows missing|CPU µs each|generator, cores"
        "|others, cores",
        rows,
    )


def storms(measured: Sequence[Storm]) -> str:
    rows = [
        [
            one.database,
            when,
            f"{load.rate:,.0f}",
            f"{load.p50:.1f}",
            f"{load.p99:.1f}",
            str(load.refused + load.lost),
            notifications,
        ]
        for one in measured
        for when, load, notifications in (
            ("alone", one.alone, "–"),
            ("while notifications flood", one.flooded, f"{one.notifications:,.0f}"),
        )
    ]
    return table(
        "Database|Updates|per s|p50 ms|p99 ms|refused or lost|notifications stored per s meanwhile", rows
    )


def pages(measured: Sequence[Shown]) -> str:
    rows = [
        [
            one.page,
            one.database,
            f"{one.devices:,}",
            f"{one.median:.0f}",
            f"{one.worst:.0f}",
            f"{one.first:.0f}",
            yes(one.median < GOAL_MS),
        ]
        for one in measured
    ]
    return table(
        f"Page|Database|devices|first byte: median ms|worst ms|first time ms|median < {GOAL_MS:.0f} ms", rows
    )
