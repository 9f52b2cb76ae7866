"""One slip of the finger: against the distance computed the long way, for every short name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.errors import Refused
from devices.inventory import nameplate
from devices.inventory.near_names import MIN_LENGTH, intact_ends, is_one_slip

NAMES = st.text(alphabet="ab1", min_size=0, max_size=9)


def distance(one: str, other: str) -> int:
    """Optimal string alignment by its definition."""
    rows = [[max(i, j) if 0 in (i, j) else 0 for j in range(len(other) + 1)] for i in range(len(one) + 1)]
    for i, a in enumerate(one, 1):
        for j, b in enumerate(other, 1):
            rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
    return rows[-1][-1]


@given(NAMES, NAMES)
def test_one_slip_is_a_distance_of_one(one: str, other: str) -> None:
    is_long = min(len(one), len(other)) >= MIN_LENGTH
    assert is_one_slip(one, other) == (is_long and distance(one, other) == 1)
    assert is_one_slip(one, other) == is_one_slip(other, one)


@given(NAMES, NAMES)
def test_what_the_database_sorts_out_is_never_one_slip(one: str, other: str) -> None:
    begin, end = intact_ends(one)
    if is_one_slip(one, other):
        assert other.startswith(begin) or other.endswith(end)


@pytest.mark.parametrize(
    ("endpoint", "doubt"),
    [
        ("urn:imei:490154203237518", ""),
        ("urn:imei:490154203237519", "does not fit"),
        ("urn:imei:49015420323751", "15 digits"),
        ("490154203237518", "urn:imei:490154203237518"),
        ("490154203237519", "does not fit"),
        ("my-d\u0435vice-1", "cyrillic small letter ie"),
        ("\u0441\u0447\u0435\u0442\u0447\u0438\u043a-1", ""),  # one alphabet alone
        ("z\u00e4hler-1", ""),
        ("urn:dev:ops:3C7A21-WM20-44817", ""),
    ],
)
def test_doubts_of_a_name(endpoint: str, doubt: str) -> None:
    found = " ".join(nameplate.doubts(endpoint))
    assert doubt in found
    assert bool(found) == bool(doubt)


@pytest.mark.parametrize("name", ["a\u202eb", "a\u200bb", "a\nb", "a\x00b", "\u2066x"])
def test_names_that_turn_text_around_are_refused(name: str) -> None:
    with pytest.raises(Refused):
        nameplate.check_name(name)
    with pytest.raises(Refused):
        nameplate.check_endpoint(name)
