"""Closing a subscriber's account together with what hangs on it: its devices stop until somebody gives them back."""

from __future__ import annotations

from accounts.models import Subscriber
from accounts.services import subscribers
from audit import ledger
from devices.inventory.models import Device
from devices.inventory.states import Access
from provisioning.services import lifecycle


def close(*, subscriber: Subscriber, reason: str) -> int:
    """`accounts.services.subscribers.close`, and every active device suspended; how many those were.

    Keys and settings stay: whoever opens the account again resumes the devices that may come back. Raises Refused.
    """
    with ledger.unit_of_work():
        subscribers.close(subscriber=subscriber, reason=reason)
        active = list(Device.objects.filter(subscriber=subscriber, access=Access.ACTIVE).order_by("pk"))
        for device in active:
            lifecycle.suspend(device=device, reason=f"Account {subscriber.number} was closed: {reason}"[:200])
    return len(active)
