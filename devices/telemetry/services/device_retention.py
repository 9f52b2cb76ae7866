"""How long what belonged to a device is kept after its end; the ledger keeps what happened.

Observations that ended, keys that were retired, and the protocol messages of devices that were.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, Model, OuterRef, QuerySet

from devices.inventory.models import Credential, CredentialState, Device
from devices.inventory.states import Access
from devices.observations.models import Observation, ObservationState
from devices.telemetry.models import TidyingCursor, TraceHead, TraceMessage

LIMIT = 10_000
"""So many rows of a kind in one run: the next one goes on."""
CHUNK = 500
DEVICES = 50
"""So many retired devices in one statement, with at most `TRACE_LIMIT` messages each."""
CURSOR = "traces"


def prune(*, now: datetime) -> int:
    """Delete what ended so long ago; returns how many rows went."""
    before = now - timedelta(days=settings.RECORDS_KEPT_DAYS)
    ended = Observation.objects.filter(state=ObservationState.ENDED, ended_at__lt=before)
    keys = Credential.objects.filter(state=CredentialState.RETIRED, retired_at__lt=before)
    return _delete(ended) + _delete(keys) + _traces(before)


def _delete(rows: QuerySet[Model]) -> int:
    ids = list(rows.order_by("pk").values_list("pk", flat=True)[:LIMIT])
    for at in range(0, len(ids), CHUNK):
        rows.filter(pk__in=ids[at : at + CHUNK]).delete()
    return len(ids)


def _traces(before: datetime) -> int:
    """Along the retired devices, not along the messages, which are many and have no index by their time."""
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
