"""The waiting room: who knocks and is not let in, from what a person may see."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from accounts import tenancy
from accounts.scoping import querysets
from devices.inventory.models import Knock


def visible_knocks(user: Any) -> QuerySet[Knock]:
    """Knocks tied to an operator's device; those of nobody's device are the platform's."""
    return querysets.visible(Knock.objects.all(), user, operator_path="operator")


def of_nobody(name: str, user: Any) -> QuerySet[Knock]:
    """Knocks under exactly this name that no device explains.

    The name may belong to anybody, so they are not listed; but staff who can say all of it, because its owner
    reads it to them from the label, may see that it knocks.
    """
    if not name or tenancy.operator_ids(user, "inventory.view_knock") == set():
        return Knock.objects.none()
    return Knock.objects.filter(claimed_name=name, operator=None, device=None)
