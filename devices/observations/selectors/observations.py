"""The observations that staff may see, and what is wanted of one device."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from accounts.scoping import of_staff
from devices.inventory.models import Device
from devices.observations.models import Observation, ObservationState


def visible_observations(user: Any) -> QuerySet[Observation]:
    """Of devices of operators where the role may see commands; subscribers see none."""
    return of_staff(Observation.objects.all(), user, "device__operator", "commands.view_command")


def wanted(device: Device) -> QuerySet[Observation]:
    """All that have not ended, in the order in which they were wanted."""
    return Observation.objects.filter(device=device).exclude(state=ObservationState.ENDED).order_by("pk")
