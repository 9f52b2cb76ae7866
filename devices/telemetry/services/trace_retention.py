"""How long the protocol messages of a device are kept after its end; the ledger keeps what happened."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef

from audit import pruning
from devices.inventory.models import Device
from devices.inventory.states import Access
from devices.telemetry.models import TidyingCursor, TraceHead, TraceMessage

LIMIT = 10_000
"""So many messages in one run: the next one goes on."""
DEVICES = 50
"""So many retired devices in one statement, with at most `TRACE_LIMIT` messages each."""
CURSOR = "traces"


def prune(*, now: datetime) -> int:
    """Delete the old ones of retired devices; returns how many went.

    Along the retired devices, not along the messages, which are many and have no index by their time.
    """
    before = pruning.before(now)
    cursor, _ = TidyingCursor.objects.get_or_create(name=CURSOR)
    gone = 0
    while gone < LIMIT:
        retired = Device.objects.filter(access=Access.RETIRED, pk__gt=cursor.last_id).order_by("pk")
        has_trace = TraceHead.objects.filter(device_id=OuterRef("pk"))
        ids = list(retired.filter(Exists(has_trace)).values_list("pk", flat=True)[:DEVICES])
        messages = TraceMessage.objects.filter(device_id__in=ids)
        gone += messages.filter(at__lt=before).delete()[0]
        left = TraceMessage.objects.filter(device_id=OuterRef("device_id"))
        TraceHead.objects.filter(~Exists(left), device_id__in=ids).delete()
        is_end = len(ids) < DEVICES
        cursor.last_id = 0 if is_end else ids[-1]
        cursor.save(update_fields=["last_id"])
        if is_end:
            break
    return gone
