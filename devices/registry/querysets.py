"""The questions that many ask about registrations, each in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet

from accounts import scoping
from devices.inventory.states import Access

if TYPE_CHECKING:
    pass


class RegistrationQuerySet(QuerySet["Registration"]):
    def live(self) -> RegistrationQuerySet:
        """Those that have not ended; of one whose lifetime is over, `registrations.expire` says so."""
        return self.filter(is_live=True)

    def visible_to(self, user: Any) -> RegistrationQuerySet:
        """Live ones, and the last one of a device that is not registered any more; none of retired devices."""
        rows = self.exclude(device__access=Access.RETIRED)
        return scoping.visible(
            rows, user, operator_path="device__operator", subscriber_path="device__subscriber"
        )
