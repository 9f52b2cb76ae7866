"""What this room says to the others, as `devices.inventory.events` does."""

from __future__ import annotations

from functools import partial

from django.db import transaction

from live import bells

SMS_WAITS = "sms.waits"
LINK_CHANGED = "smsc.changed"


def sms_waits(flow: str, operator_id: int) -> None:
    """There is something in the outbox: tell the southbound process that holds the operator's SMSC link."""
    _tell(flow, SMS_WAITS, operator_id)


def link_changed(flow: str, operator_id: int) -> None:
    """The settings of an SMSC link changed, or somebody wants it to be tried now."""
    _tell(flow, LINK_CHANGED, operator_id)


def _tell(flow: str, what: str, operator_id: int) -> None:
    if flow:
        transaction.on_commit(partial(bells.channel, flow, {"type": what, "operator_id": operator_id}))
