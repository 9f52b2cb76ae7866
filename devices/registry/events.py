"""What this room says to the others, as `devices.inventory.events` does."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from django.db import transaction

from live import bells
from live.listeners import Listeners

SESSIONS_ENDED = "sessions.ended"
HEARD = Listeners()
"""Of devices: these spoke, and their set-up is not `applied` yet, so that it may go on."""


def sessions_ended(flows: Iterable[str], credential_ids: Iterable[int]) -> None:
    """These keys open nothing any more: the southbound processes of these flows close what was made with them."""
    message = {"type": SESSIONS_ENDED, "credential_ids": sorted(credential_ids)}
    for flow in flows:
        transaction.on_commit(partial(bells.channel, flow, message))
