"""What this room says to the others: always after commit, always by name, never so that a write could fail.

Safe in any thread: a view, a Celery worker, the writer thread of the group commit. What is lost is found
again by the sweep and by the device's next contact.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from django.db import transaction

from live import bells

NUDGE = "device.nudge"
SMS_WAITS = "sms.waits"
LINK_CHANGED = "smsc.changed"
SESSIONS_ENDED = "sessions.ended"


def device_changed(device_id: int, operator_id: int, what: Iterable[str] = ()) -> None:
    """Tell the pages that show this device; `what` names the kinds of facts, such as "registration"."""
    devices_changed([(device_id, operator_id)], what)


def devices_changed(devices: Iterable[tuple[int, int]], what: Iterable[str] = ()) -> None:
    """`device_changed` for many (device id, operator id) at once, with one hook on the transaction."""
    changes = [(device_id, operator_id, tuple(what)) for device_id, operator_id in devices]
    if changes:
        transaction.on_commit(partial(bells.changed, changes))


def device_heard(device_ids: Iterable[int]) -> None:
    """These devices spoke and their provisioning is not `applied` yet: their jobs may go on."""
    tasks = [("provisioning.device_heard", device_id) for device_id in device_ids]
    if tasks:
        transaction.on_commit(partial(bells.tasks, tasks))


def nudge(flow: str, device_id: int) -> None:
    """There is something in the mailbox: tell the southbound process that holds the device's flow."""
    if flow:
        transaction.on_commit(partial(bells.channel, flow, {"type": NUDGE, "device_id": device_id}))


def sessions_ended(flows: Iterable[str], credential_ids: Iterable[int]) -> None:
    """These keys open nothing any more: whoever holds sessions that were made with them closes those."""
    message = {"type": SESSIONS_ENDED, "credential_ids": sorted(credential_ids)}
    for flow in flows:
        transaction.on_commit(partial(bells.channel, flow, message))


def command_settled(command_id: int, correlation: str) -> None:
    """A command ended; only somebody who wrote a correlation on it waits for that."""
    if correlation:
        transaction.on_commit(partial(bells.tasks, [("provisioning.command_settled", command_id)]))


def sms_waits(flow: str, operator_id: int) -> None:
    """There is something in the outbox: tell the southbound process that holds the operator's SMSC link."""
    if flow:
        transaction.on_commit(partial(bells.channel, flow, {"type": SMS_WAITS, "operator_id": operator_id}))


def link_changed(flow: str, operator_id: int) -> None:
    """The settings of an SMSC link changed, or somebody wants it to be tried now."""
    if flow:
        transaction.on_commit(
            partial(bells.channel, flow, {"type": LINK_CHANGED, "operator_id": operator_id})
        )
