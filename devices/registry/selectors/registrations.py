"""Registrations a person may see: those of the devices they may see."""

from __future__ import annotations

from django.db.models import QuerySet

from accounts.models import User
from accounts.scoping import visible
from devices.inventory.states import Access
from devices.registry.models import Registration


def visible_registrations(user: User) -> QuerySet[Registration]:
    """Live ones, and the last one of a device that is not registered any more; none of retired devices."""
    rows = Registration.objects.exclude(device__access=Access.RETIRED)
    return visible(rows, user, operator_path="device__operator", subscriber_path="device__subscriber")
