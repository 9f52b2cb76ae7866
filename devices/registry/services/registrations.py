"""Applies what devices say about their registrations: a whole batch in one transaction, by the rules of `lwm2m`.

`apply` is the group commit's statement: when it returns, everything in the batch is stored and may be answered.
A plain lifetime refresh writes one narrow row and no history; whatever changes something leaves a ledger event.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db.models import F

from audit import ledger
from audit.actions import Action
from devices.inventory import events
from devices.inventory.models import Device
from devices.inventory.services import device_trail
from devices.registry import registration_rows
from devices.registry import standing_rows as store
from devices.registry.models import Registration, RegistrationDetail
from devices.registry.services import registration_details, registration_history
from devices.registry.services.registration_batch import Applied, Batch
from devices.registry.services.registration_loading import Inbound
from devices.registry.standing_rows import Standing
from lwm2m import registration
from lwm2m.registration import Outcome

__all__ = ["Applied", "Inbound", "apply", "end", "expire", "shift"]

JUST_HEARD = timedelta(seconds=2)
"""Who was heard so lately has a lifetime by the new clock already."""


def apply(*, batch: Sequence[Inbound], flow: str, now: datetime, grace_seconds: float = 0.0) -> list[Applied]:
    """Store a batch in one transaction and return the outcomes in its order; on any error nothing is stored.

    Locks: devices that register, then registrations, each sorted by device id.
    """
    with ledger.unit_of_work():
        work = Batch(batch, flow, now, grace_seconds)
        applied = [work.step(item) for item in batch]
        work.write()
    return [work.told(one) for one in applied]


def expire(*, device_ids: Iterable[int], now: datetime, grace_seconds: float = 0.0) -> list[int]:
    """End those of these registrations whose lifetime is over, and return their device ids (R-02)."""
    ended: dict[int, tuple[Standing, Outcome]] = {}
    with ledger.unit_of_work():
        for standing in store.by_device_id(sorted(set(device_ids))):
            if standing.current is None:
                continue
            outcome = registration.expire(standing.current, now=now.timestamp(), grace_seconds=grace_seconds)
            if outcome is not None:
                ended[standing.device.device_id] = (standing, outcome)
        registration_rows.end(ended)
        registration_details.end(dict.fromkeys(ended, "LIFETIME_EXPIRED"), now=now)
        ledger.record_many([registration_history.event(s.device, o, now=now) for s, o in ended.values()])
        events.devices_changed(
            [(s.device.device_id, s.device.operator_id) for s, _ in ended.values()], ["ended"]
        )
    return sorted(ended)


def end(*, device: Device, cause: str, now: datetime) -> bool:
    """The portal ends the registration of a device that the caller has locked; False where none was live."""
    if not Registration.objects.live().filter(device=device).update(is_live=False):
        return False
    RegistrationDetail.objects.filter(device=device).update(ended_at=now, end_cause=cause)
    device_trail.record(device, Action.REGISTRATION_ENDED, cause=cause)
    return True


def shift(*, flow: str, seconds: float, now: datetime) -> int:
    """The wall clock was set by so many seconds: what was heard through `flow` keeps what was left of its lifetime.

    `now` is by the new clock. Returns how many registrations were moved.
    """
    rows = Registration.objects.filter(flow=flow, is_live=True, expires_at__isnull=False)
    rows = rows.exclude(last_seen_at__gt=now - JUST_HEARD, last_seen_at__lte=now)
    return int(rows.update(expires_at=F("expires_at") + timedelta(seconds=seconds)))
