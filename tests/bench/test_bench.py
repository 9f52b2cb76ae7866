"""What the figures of the bench are made of; `test_runs` runs it."""

from __future__ import annotations

import os

import pytest

from bench import accounting, run, tables, tables_of_management
from bench.accounting import Usage
from bench.cases import Memory, Rate
from bench.generator import Load
from bench.work import NOTIFY, PLAIN, Work


def rate(server: str, request: str, per_second: float, *, secured: bool = False, cpu: float = 0.1) -> Rate:
    usage = Usage(wall=1.0, server=cpu, database=cpu / 2, redis=0.0, machine=1.5)
    load = Load(
        rate=per_second,
        answered=1000,
        p50=1.0,
        p99=2.0,
        refused=0,
        repeated=0,
        lost=0,
        usage=usage,
        own_cpu=0.2,
    )
    return Rate(server, secured, 1, request, load)


def test_cpu_is_counted_per_request_with_the_database() -> None:
    measured = rate("PostgreSQL", "update", 12_500)
    assert measured.key == "postgresql/nosec/1/update"
    assert measured.cpu == pytest.approx(150)
    assert measured.load.others_cores == pytest.approx(1.5 - 0.1 - 0.05 - 0.2)


def test_expectations_say_what_was_not_reached() -> None:
    measured = [
        rate("aiocoap", "update", 4_000),
        rate("PostgreSQL", "update", 12_500),
        rate("PostgreSQL", "update", 9_000, secured=True, cpu=0.12),
    ]
    text = tables.expectations(measured, [Memory(False, 100_000, 90_000_000, 130_000_000)], "aiocoap")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()[2:]]
    assert [(row[0], row[2], row[3]) for row in rows] == [
        ("Updates beside the aiocoap server", "3.12 ×", "yes"),
        ("Updates acknowledged after commit", "12,500/s", "yes"),
        ("p99 with 256 outstanding", "2.00 ms", "yes"),
        ("CPU per Update, everything", "150 µs", "no"),
        ("CPU per Update, DTLS beside NoSec", "1.20 ×", "yes"),
        ("100,000 registered devices", "130 MB", "yes"),
    ]


def test_several_rounds_are_told_by_the_middle_one_and_their_span() -> None:
    played = [rate("SQLite", "update", each) for each in (9_000, 4_000, 6_000)]
    (told,) = run._middle(played)
    assert (told.load.rate, told.span, told.played) == (6_000, (4_000, 9_000), 3)
    assert "4,000–9,000 of 3" in tables.rates([told], "aiocoap")


def test_own_cpu_and_memory_are_seen() -> None:
    before = accounting.cpu_seconds([os.getpid()])
    while accounting.cpu_seconds([os.getpid()]) <= before:
        pass
    assert accounting.resident_bytes(os.getpid()) > 1_000_000
    assert accounting.parent_of(os.getpid()) == os.getppid()
    assert accounting.cpu_seconds([2**22 + 1]) == 0


def work(server: str, kind: str, count: int, *, stored: int | None = None) -> Work:
    usage = Usage(wall=2.0, server=0.5, database=0.1, redis=0.0, machine=1.5)
    return Work(server, "SQLite", kind, count, count if stored is None else stored, 2.0, usage, 0.2)


def test_management_is_told_beside_plain_aiocoap_with_what_was_not_stored() -> None:
    measured = [work(PLAIN, NOTIFY, 100), work("southbound", NOTIFY, 499, stored=490)]
    text = tables_of_management.works(measured)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()[2:]]
    assert [row[2:8] for row in rows] == [
        ["aiocoap + row", "50", "1.00", "–", "100", "0"],
        ["southbound", "250", "4.99", "no", "499", "9"],
    ]
