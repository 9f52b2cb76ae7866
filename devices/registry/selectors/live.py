"""Which devices are registered at this moment."""

from __future__ import annotations

from collections.abc import Iterable

from devices.registry.models import Registration


def among(device_ids: Iterable[int]) -> set[int]:
    return set(Registration.objects.live().filter(pk__in=list(device_ids)).values_list("pk", flat=True))
