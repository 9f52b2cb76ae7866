from dataclasses import dataclass

import pytest

from lwm2m.presence import Presence, State, presence


@dataclass
class Row:
    queue_mode: bool
    last_seen_at: float = 1000.0
    expires_at: float | None = 1300.0


def test_a_device_that_never_registered() -> None:
    assert presence(None, 0.0) == Presence(State.NEVER_SEEN)


@pytest.mark.parametrize(
    ("queue_mode", "now", "expected"),
    [
        (False, 1000.0, Presence(State.REGISTERED, None, 1300.0)),
        (False, 1299.9, Presence(State.REGISTERED, None, 1300.0)),
        (True, 1092.9, Presence(State.REGISTERED, 1093.0, 1300.0)),
        (True, 1093.0, Presence(State.ASLEEP, None, 1300.0)),
        (True, 1300.0, Presence(State.LATE, None, 1330.0)),
        (False, 1329.9, Presence(State.LATE, None, 1330.0)),
        (False, 1330.0, Presence(State.LOST)),
    ],
)
def test_int_109_awake_asleep_late_lost(queue_mode: bool, now: float, expected: Presence) -> None:
    found = presence(Row(queue_mode), now, grace_seconds=30.0)
    assert found == expected
    assert found.is_reachable is (expected.state is State.REGISTERED)


def test_without_expiry_nothing_is_late() -> None:
    assert presence(Row(False, expires_at=None), 1e12) == Presence(State.REGISTERED)
    assert presence(Row(True, expires_at=None), 1e12, awake_seconds=5).state is State.ASLEEP
