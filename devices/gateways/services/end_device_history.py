"""The ledger events of what gateways tell: one at the gateway for a telling, one at each taken device it changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from audit import ledger
from audit.actions import Action
from audit.ledger import Actor, Event
from devices.inventory.models import Device


def told(gateway: Device, counts: Mapping[str, int], *, now: datetime) -> Event:
    """What is new in the gateway's list, in numbers."""
    return Event(
        action=Action.GATEWAY_END_DEVICES,
        operator_id=gateway.operator_id,
        actor=_actor(gateway),
        target=gateway.endpoint,
        device_id=gateway.pk,
        subscriber_id=gateway.subscriber_id,
        detail={name: count for name, count in counts.items() if count},
        at=now,
    )


def changed(
    action: Action,
    device: Device,
    gateway: Device,
    *,
    now: datetime,
    cause: str = "",
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> Event:
    """What the telling means for one device: adopted, moved, gone, back or routed."""
    return Event(
        action=action,
        operator_id=device.operator_id,
        actor=_actor(gateway),
        cause=cause,
        target=device.endpoint,
        device_id=device.pk,
        subscriber_id=device.subscriber_id,
        before=before,
        after=after,
        detail={"gateway": gateway.endpoint, "gateway_id": gateway.pk},
        at=now,
    )


def added(device: Device, gateway: Device) -> Event:
    """Somebody took it; the actor is who asks."""
    return Event(
        action=Action.DEVICE_ADDED,
        operator_id=device.operator_id,
        target=device.endpoint,
        device_id=device.pk,
        subscriber_id=device.subscriber_id,
        after={"endpoint": device.endpoint, "reach": device.reach, "security": device.security},
        detail={"gateway": gateway.endpoint, "gateway_id": gateway.pk},
    )


def chosen(action: Action, gateway: Device, *, count: int, names: list[str]) -> None:
    """A person took, dismissed or offered again what a gateway tells of."""
    ledger.record(
        action=action,
        operator_id=gateway.operator_id,
        device_id=gateway.pk,
        subscriber_id=gateway.subscriber_id,
        target=gateway.endpoint,
        detail={"count": count, "names": names[:20]},
    )


def _actor(gateway: Device) -> Actor:
    return Actor("device", str(gateway.pk), gateway.endpoint)
