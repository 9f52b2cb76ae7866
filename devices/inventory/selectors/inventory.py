"""The devices a person may see, in whatever capacity: views and APIs start here, never at a bare id."""

from __future__ import annotations

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When

from accounts.models import User
from accounts.scoping import visible
from devices.inventory.models import Device
from devices.inventory.states import Access


def visible_devices(user: User) -> QuerySet[Device]:
    """Staff: devices of their operators, retired ones too. Subscribers: their own living devices."""
    rows = visible(Device.objects.all(), user, operator_path="operator", subscriber_path="subscriber")
    operators = user.visible_operator_ids() if user.is_authenticated else set()
    if operators is None:
        return rows
    return rows.filter(~Q(access=Access.RETIRED) | Q(operator_id__in=operators))


def by_endpoint(user: User, endpoint: str) -> Device | None:
    """The visible device of that endpoint name, a living one before retired ones of the same name."""
    retired_last = Case(
        When(access=Access.RETIRED, then=Value(1)), default=Value(0), output_field=IntegerField()
    )
    rows = visible_devices(user).filter(endpoint=endpoint).select_related("operator", "registration")
    return rows.order_by(retired_last, "-pk").first()
