"""The questions that many ask about devices and their credentials, each in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When

from accounts import scoping
from devices.inventory.states import Access

if TYPE_CHECKING:
    pass


class DeviceQuerySet(QuerySet["Device"]):
    def living(self) -> DeviceQuerySet:
        """Without the retired ones, which are history: their endpoint names and numbers are free."""
        return self.exclude(access=Access.RETIRED)

    def retired(self) -> DeviceQuerySet:
        return self.filter(access=Access.RETIRED)

    def of_staff(self, user: Any, *permissions: str) -> DeviceQuerySet:
        """Those of the operators where the person's role gives one of `permissions` (by default: to view)."""
        return scoping.of_staff(self, user, "operator", *permissions)

    def of_subscriber(self, user: Any) -> DeviceQuerySet:
        """The person's own living ones."""
        return scoping.of_subscriber(self.living(), user, "subscriber")

    def visible_to(self, user: Any) -> DeviceQuerySet:
        """In whatever capacity: those of staff's operators, retired ones too, and a subscriber's own living ones."""
        rows = scoping.visible(self, user, operator_path="operator", subscriber_path="subscriber")
        operators = user.visible_operator_ids() if user.is_authenticated else set()
        if operators is None:
            return rows
        return rows.filter(~Q(access=Access.RETIRED) | Q(operator_id__in=operators))

    def living_first(self) -> DeviceQuerySet:
        """A living device before retired ones of the same name, and of those the newest first."""
        retired = Case(
            When(access=Access.RETIRED, then=Value(1)), default=Value(0), output_field=IntegerField()
        )
        return self.order_by(retired, "-pk")


class CredentialQuerySet(QuerySet["Credential"]):
    def usable(self) -> CredentialQuerySet:
        """Those that open something, or will once the device has them."""
        return self.exclude(state="retired")
