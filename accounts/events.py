"""What this room says to the others: after commit, by name, never so that a write could fail.

What is lost is found again: a live page asks who it is for at each of its looks.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

from live import groups

logger = logging.getLogger(__name__)

SIGNED_OFF = "person.signed_off"
SEND_SECONDS = 3.0


def signed_off(user_id: int, *, session: str = "") -> None:
    """A session of the person ended (`session` is its digest), or all may have: their live pages look."""
    message = {"type": SIGNED_OFF, "session": session}
    transaction.on_commit(partial(_tell, groups.person(user_id), message))


def _tell(group: str, message: dict[str, str]) -> None:
    try:
        async_to_sync(_send)(group, message)
    except Exception as error:
        logger.warning("bell_lost where=channel layer error=%s", type(error).__name__)


async def _send(group: str, message: dict[str, str]) -> None:
    layer = get_channel_layer()
    if layer is not None:
        await asyncio.wait_for(layer.group_send(group, message), SEND_SECONDS)
