"""A person's accounts with operators."""

from __future__ import annotations

from django.db.models import QuerySet

from accounts.models import Subscriber, SubscriberState, User


def of_user(user: User) -> QuerySet[Subscriber]:
    """All accounts of the person, closed ones too, with their operators."""
    return Subscriber.objects.filter(user=user).select_related("operator").order_by("operator__name")


def usable(user: User) -> QuerySet[Subscriber]:
    """Accounts under which the person may add devices now."""
    return of_user(user).filter(state=SubscriberState.ACTIVE, operator__is_active=True)
