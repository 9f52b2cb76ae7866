"""Devices that fall silent, and what the ladder does about it, without sockets and with a made-up now."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from accounts.models import Operator
from audit.models import LedgerEvent
from devices.inventory.models import Device
from devices.messaging.models import SmscLink
from devices.registry.models import Registration
from devices.registry.services import registrations
from devices.registry.services.registrations import Inbound
from lwm2m.messages import Update
from provisioning.ladder import ReachAttempt, ReachPolicy
from provisioning.services import reach_policies
from tests.devices import making
from tests.devices.making import FLOW, NOW

LIFETIME = 3600
END = NOW + timedelta(seconds=LIFETIME)


def at(seconds: float) -> datetime:
    """Seconds after the lifetime of a device that registered at NOW."""
    return END + timedelta(seconds=seconds)


def registered(
    operator: Operator | None = None, *, now: datetime = NOW, lifetime: int = LIFETIME, **facts: Any
) -> Device:
    """A device that registered at `now`; `facts` are columns that adding a device would question."""
    operator = operator or making.operator(allows_nosec=True)
    device = making.device(operator, security="none")
    ReachPolicy.objects.filter(pk=operator.pk).update(sms_tokens=60, sms_tokens_at=NOW)
    Device.objects.filter(pk=device.pk).update(**{"provisioning": "applied", **facts})
    assert making.register(device, now=now, lifetime_seconds=lifetime).outcome.registration is not None
    return Device.objects.get(pk=device.pk)


def expire(*devices: Device, now: datetime | None = None) -> None:
    assert registrations.expire(device_ids=[one.pk for one in devices], now=now or at(1))


def update(device: Device, now: datetime) -> None:
    row = Registration.objects.get(device=device)
    registrations.apply(
        batch=[Inbound(Update(row.registration_id), making.origin_of(device))], flow=FLOW, now=now
    )


def policy(operator: Any, **changes: Any) -> ReachPolicy:
    return reach_policies.save(operator=operator, changes=changes)


def linked(device: Device, **more: Any) -> SmscLink:
    """The operator's link to an SMSC, which nobody holds: what is sent stands in the outbox."""
    defaults = {"host": "192.0.2.9", "system_id": "x", "address": "2772", **more}
    return SmscLink.objects.get_or_create(operator=device.operator, defaults=defaults)[0]


def attempt(device: Device) -> ReachAttempt:
    return ReachAttempt.objects.filter(device=device).latest("pk")


def trail(device: Device) -> list[tuple[str, str]]:
    """What the ledger says of the ladder: action and rung or cause."""
    rows = LedgerEvent.objects.filter(device_id=device.pk, action__startswith="reach.").order_by("id")
    return [(row.action.removeprefix("reach."), (row.detail or {}).get("rung") or row.cause) for row in rows]
