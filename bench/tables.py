"""The results as Markdown tables: ratios beside the numbers they are made of, and what is expected beside both."""

from __future__ import annotations

from collections.abc import Sequence

from bench.cases import PLAIN, Memory, Rate

MEGABYTE = 1_000_000


def rates(measured: Sequence[Rate], base: str) -> str:
    """Every rate beside that of `base` for the same request."""
    compared = {rate.request: rate.load.rate for rate in measured if rate.server == base}
    rows = [
        [
            rate.server,
            "DTLS" if rate.secured else "NoSec",
            str(rate.processes),
            rate.request.capitalize(),
            f"{rate.load.rate:,.0f}",
            f"{rate.span[0]:,.0f}–{rate.span[1]:,.0f} of {rate.played}" if rate.span else "–",
            _ratio(rate.load.rate, compared.get(rate.request)),
            f"{rate.load.p50:.1f}",
            f"{rate.load.p99:.1f}",
            f"{rate.micros(rate.load.usage.server):.0f}",
            f"{rate.micros(rate.load.usage.database):.0f}" if rate.load.usage.database else "–",
            f"{rate.micros(rate.load.usage.redis):.0f}" if rate.load.usage.redis else "–",
            f"{rate.cpu:.0f}",
            str(rate.load.refused + rate.load.lost),
            f"{rate.load.others_cores:.2f}",
        ]
        for rate in measured
    ]
    return table(
        "Server|Security|Processes|Request|per s|span of rounds|× aiocoap|p50 ms|p99 ms|CPU µs: server|database|Redis"
        "|sum|refused or lost|others, cores",
        rows,
    )


def memory(measured: Sequence[Memory]) -> str:
    rows = [
        [
            "DTLS" if m.secured else "NoSec",
            f"{m.devices:,}",
            f"{m.before / MEGABYTE:,.0f}",
            f"{m.after / MEGABYTE:,.0f}",
            f"{m.per_device:,.0f}",
        ]
        for m in measured
    ]
    return table("Security|registered devices|MB before|MB after|bytes per device", rows)


def expectations(measured: Sequence[Rate], sizes: Sequence[Memory], base: str) -> str:
    """What was set as a goal for one process on PostgreSQL, and what this run found."""
    found = {rate.key: rate for rate in measured}
    update = found.get("postgresql/nosec/1/update")
    secured = found.get("postgresql/dtls/1/update")
    plain = found.get(f"{base}/nosec/1/update")
    fastest = max(
        (r for r in measured if r.server in PLAIN and r.request == "update"), key=_rate, default=None
    )
    rows: list[list[str]] = []

    def row(what: str, goal: str, value: float, unit: str, reached: bool) -> None:
        rows.append(
            [what, goal, f"{value:,.2f}{unit}" if value < 10 else f"{value:,.0f}{unit}", yes(reached)]
        )

    if update and plain:
        ratio = update.load.rate / plain.load.rate
        row("Updates beside the aiocoap server", "≥ 3 ×", ratio, " ×", ratio >= 3)
        if fastest and fastest is not plain:
            ratio = update.load.rate / fastest.load.rate
            row(f"the same beside {fastest.server}", "≥ 3 ×", ratio, " ×", ratio >= 3)
    if update:
        row(
            "Updates acknowledged after commit",
            "12,000/s",
            update.load.rate,
            "/s",
            update.load.rate >= 12_000,
        )
        row("p99 with 256 outstanding", "< 60 ms", update.load.p99, " ms", update.load.p99 < 60)
        row("CPU per Update, everything", "< 120 µs", update.cpu, " µs", update.cpu < 120)
    if update and secured:
        ratio = secured.cpu / update.cpu
        row("CPU per Update, DTLS beside NoSec", "≤ 1.5 ×", ratio, " ×", ratio <= 1.5)
    for m in sizes:
        if m.devices == 100_000:
            row(
                "100,000 registered devices",
                "< 1,000 MB",
                m.after / MEGABYTE,
                " MB",
                m.after < 1000 * MEGABYTE,
            )
    return table("One process, PostgreSQL|expected|measured|reached", rows) if rows else ""


def _rate(measured: Rate) -> float:
    return measured.load.rate


def yes(reached: bool) -> str:
    return "yes" if reached else "no"


def _ratio(rate: float, base: float | None) -> str:
    return f"{rate / base:.2f}" if base else "–"


def table(head: str, rows: Sequence[Sequence[str]]) -> str:
    names = head.split("|")
    widths = [max([len(name), *(len(row[i]) for row in rows)]) for i, name in enumerate(names)]
    is_number = [
        i > 0 and all(row[i][:1].isdigit() or row[i] == "–" for row in rows) for i in range(len(names))
    ]

    def line(cells: Sequence[str]) -> str:
        padded = [c.rjust(w) if n else c.ljust(w) for c, w, n in zip(cells, widths, is_number, strict=True)]
        return f"| {' | '.join(padded)} |"

    rule = [("-" * (w - 1) + ":") if n else "-" * w for w, n in zip(widths, is_number, strict=True)]
    return "\n".join([line(names), line(rule), *(line(row) for row in rows)])
