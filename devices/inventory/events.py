"""What this room says to the others: after commit, by name, never so that a write could fail.

Safe in any thread: a view, a Celery worker, the writer thread of the group commit. What is lost is found again by the
sweep and by the device's next contact. Every room has such a file for what happens in it; that a device changed is said
by all of them, so it is here.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from django.db import transaction

from live import bells
from live.listeners import Listeners

SESSIONS_ENDED = Listeners()
"""Of credentials: told ids of those that open nothing now. Who holds sessions made with them closes these."""


def device_changed(device_id: int, operator_id: int, what: Iterable[str] = ()) -> None:
    """Tell the pages that show this device; `what` names the kinds of facts, such as "registration"."""
    devices_changed([(device_id, operator_id)], what)


def devices_changed(devices: Iterable[tuple[int, int]], what: Iterable[str] = ()) -> None:
    """`device_changed` for many (device id, operator id) at once, with one hook on the transaction."""
    changes = [(device_id, operator_id, tuple(what)) for device_id, operator_id in devices]
    if changes:
        transaction.on_commit(partial(bells.changed, changes))
