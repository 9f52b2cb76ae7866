"""RFC 7641 section 3.4, with its edges."""

from __future__ import annotations

import pytest

from lwm2m.notification_order import is_late, number


@pytest.mark.parametrize(
    ("value", "newest", "seconds", "late"),
    [
        (2, 1, 1.0, False),
        (1, 2, 1.0, True),
        (1, 2, 128.0, True),
        (1, 2, 128.1, False),
        (5, 5, 1.0, False),
        (0, 0xFFFFFF, 1.0, False),
        (0xFFFFFF, 0, 1.0, True),
        (0x7FFFFF, 0, 1.0, False),
        (0x800001, 0, 1.0, True),
        (0, 0x7FFFFF, 1.0, True),
        (0, 0x800001, 1.0, False),
    ],
)
def test_which_one_is_late(value, newest, seconds, late):
    assert is_late(value, newest, seconds) is late


def test_a_number_has_24_bits():
    assert [number(value) for value in (None, 0, 0xFFFFFF, 0x1000001)] == [None, 0, 0xFFFFFF, 1]
