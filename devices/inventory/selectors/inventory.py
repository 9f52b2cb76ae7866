"""One device as its endpoint name tells it."""

from __future__ import annotations

from accounts.models import User
from devices.inventory.models import Device


def by_endpoint(user: User, endpoint: str) -> Device | None:
    """The visible device of that endpoint name, a living one before retired ones of the same name."""
    rows = Device.objects.visible_to(user).filter(endpoint=endpoint)
    return rows.select_related("operator", "registration").living_first().first()
