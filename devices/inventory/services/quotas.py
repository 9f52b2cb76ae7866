"""How many devices one account may hold: so that nobody's loop fills everybody's tables."""

from __future__ import annotations

from django.conf import settings

from accounts.errors import Refused
from accounts.models import Subscriber
from devices.inventory import locks
from devices.inventory.models import Device, Reach


def check_devices(subscriber: Subscriber | None, more: int = 1) -> None:
    """Raises Refused QUOTA_REACHED. Holds the account until the transaction ends, so that two at once count."""
    if subscriber is None:
        return
    locks.rows(Subscriber.objects.all()).get(pk=subscriber.pk)
    held = Device.objects.filter(subscriber=subscriber).living()
    limit = settings.DEVICES_PER_ACCOUNT
    if held.exclude(reach=Reach.GATEWAY).count() + more > limit:
        raise Refused("DEVICES_REACHED", number=subscriber.number, limit=limit, operator=subscriber.operator)
