"""The bounded parts of southbound by themselves: timers and counters."""

from __future__ import annotations

from southbound.counters import GATHERED_LIMIT, Counters
from southbound.process.expiry import HORIZON_SECONDS, Timers


def test_timers_hold_one_entry_per_device_and_follow_refreshes():
    timers = Timers()
    timers.note(1, 10.0, now=0.0)
    timers.note(1, 20.0, now=0.0)
    timers.note(2, 15.0, now=0.0)
    timers.note(3, HORIZON_SECONDS + 1, now=0.0)
    assert len(timers) == 2
    assert timers.due(now=12.0) == []
    assert timers.due(now=16.0) == [2]
    assert timers.due(now=20.0) == [1]
    timers.note(4, 30.0, now=20.0)
    timers.note(4, None, now=20.0)
    assert timers.due(now=99.0) == []
    assert len(timers) == 0


def test_refusals_are_gathered_up_to_a_bound():
    counters = Counters()
    for number in range(GATHERED_LIMIT + 50):
        counters.refused("management", "ENDPOINT_UNKNOWN", f"name-{number}", "192.0.2.1", "")
    counters.refused("management", "ENDPOINT_UNKNOWN", "name-1", "192.0.2.1", "")
    seen = counters.take()
    assert len(seen) == GATHERED_LIMIT
    assert counters.uncounted == 50
    assert next(knock for knock in seen if knock.claimed_name == "name-1").count == 2
    assert counters.take() == []
