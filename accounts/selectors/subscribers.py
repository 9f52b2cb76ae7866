"""A person's accounts with operators."""

from __future__ import annotations

import re

from django.db.models import QuerySet

from accounts.models import Operator, Subscriber, SubscriberState, User


def of_user(user: User) -> QuerySet[Subscriber]:
    """All accounts of the person, closed ones too, with their operators."""
    return Subscriber.objects.filter(user=user).select_related("operator").order_by("operator__name")


def by_number(operator: Operator, number: str) -> Subscriber | None:
    """The account with that operator, however its number is spaced or spelled."""
    wanted = re.sub(r"[^0-9A-Z]", "", number.upper())
    spelled = f"{wanted[:-8]}-{wanted[-8:-4]}-{wanted[-4:]}"
    return Subscriber.objects.filter(operator=operator, number=spelled).select_related("operator").first()


def usable(user: User) -> QuerySet[Subscriber]:
    """Accounts under which the person may add devices now."""
    return of_user(user).filter(state=SubscriberState.ACTIVE, operator__is_active=True)
