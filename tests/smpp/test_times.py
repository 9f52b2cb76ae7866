"""Validity, pace and the classes of refusals."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp import BindRefused, Class, Malformed, Status, classify, describe
from smpp.pace import LONGEST_PAUSE_SECONDS, Pace
from smpp.times import LONGEST_SECONDS, relative, seconds_left

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", None),
        ("000002030405000R", 2 * 86400 + 3 * 3600 + 4 * 60 + 5),
        ("020610233429000R", 2 * 31536000 + 6 * 2592000 + 10 * 86400 + 23 * 3600 + 34 * 60 + 29),
        ("261123120100000+", 60),
        ("261123140100008+", 60),  # two hours east of Greenwich
        ("261123100100008-", 60),
        ("261123115900000+", -60),
    ],
)
def test_is_read_as_section_7_1_1_has_it(text: str, seconds: float | None) -> None:
    assert seconds_left(text, NOW) == seconds


@pytest.mark.parametrize(
    "text", ["soon", "26112312000000", "261123120000000Z", "261323120000000+", "٢" * 15 + "R"]
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(Malformed) as error:
        seconds_left(text, NOW)
    assert error.value.status == Status.INVEXPIRY


@given(st.floats(0, 1e9))
def test_a_span_is_written_so_that_it_is_read(seconds: float) -> None:
    read = seconds_left(relative(seconds), NOW)
    assert read == max(1, int(min(seconds, LONGEST_SECONDS)))


@given(st.text(alphabet="0123456789+-R", max_size=17))
def test_no_text_breaks_it(text: str) -> None:
    with contextlib.suppress(Malformed):
        seconds_left(text, NOW)


# -- pace ------------------------------------------------------------------------------------------------------


@given(st.integers(1, 1000), st.integers(1, 50), st.lists(st.floats(0, 0.5), min_size=1, max_size=200))
def test_never_more_leave_than_the_rate_allows(per_second: int, burst: int, waits: list[float]) -> None:
    pace, now, sent = Pace(per_second, burst), 100.0, 0
    for wait in waits:
        now += wait
        while pace.room(now) >= 1:
            pace.spend(now)
            sent += 1
    assert sent <= burst + (now - 100.0) * per_second + 1e-6


@given(st.integers(1, 1000))
def test_there_is_room_when_it_is_said_to_be(per_second: int) -> None:
    pace, now = Pace(per_second), 5.0
    for _ in range(20):
        pace.spend(now)
        again_at = pace.room_at(now)
        assert now < again_at <= now + 1 / per_second + 1e-9
        now = again_at
        assert pace.room(now) >= 1


def test_without_a_rate_there_is_always_room() -> None:
    pace = Pace(0)
    for _ in range(100):
        pace.spend(0.0)
    assert pace.room(0.0) == float("inf")
    assert pace.room_at(7.0) == 7.0


def test_each_throttling_pauses_longer_until_something_gets_through() -> None:
    pace, now, pauses = Pace(100), 0.0, []
    for _ in range(8):
        pace.slow_down(now)
        pace.slow_down(now + 0.01)  # what was sent before the pause is refused as well, and counts once
        assert pace.room(now + 0.01) == 0
        pauses.append(pace.room_at(now) - now)
        now = pace.room_at(now)
    assert pauses == [1, 2, 4, 8, 16, 32, LONGEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS]
    pace.went_through()
    pace.slow_down(now)
    assert pace.room_at(now) - now == 1


# -- statuses --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (0x00, Class.OK),
        (0x58, Class.SLOWER),
        (0x14, Class.SLOWER),
        (0x08, Class.RETRY),
        (0x64, Class.RETRY),
        (0x0B, Class.NEVER),
        (0x0A, Class.NEVER),
        (0x01, Class.NEVER),
        (0x65, Class.NEVER),
        (0x04, Class.FATAL),
        (0x0E, Class.FATAL),
        (0x400, Class.RETRY),
        (0xFFFFFFFF, Class.RETRY),
    ],
)
def test_what_to_do_about_a_refusal(status: int, expected: Class) -> None:
    assert classify(status) is expected


@pytest.mark.parametrize("status", list(Status))
def test_every_status_has_a_name_and_a_class(status: Status) -> None:
    assert describe(status).startswith("ESME_R")
    assert isinstance(classify(status), Class)


def test_a_status_of_a_vendor_is_told_as_a_number() -> None:
    assert describe(0x410) == "0x00000410"


@pytest.mark.parametrize(
    ("status", "may_retry"),
    [(0x0D, True), (0x08, True), (0x05, True), (0x0E, False), (0x0F, False), (0x53, False), (0x401, True)],
)
def test_whether_a_refused_bind_needs_a_person(status: int, may_retry: bool) -> None:
    assert BindRefused(status).may_retry is may_retry
