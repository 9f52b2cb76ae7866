"""Operators a person may choose: when signing up, and when opening a further account."""

from __future__ import annotations

from django.db.models import QuerySet

from accounts.models import Operator, User


def open_for_signup() -> QuerySet[Operator]:
    return Operator.objects.filter(is_active=True, is_open_for_signup=True).order_by("name")


def open_further(user: User) -> QuerySet[Operator]:
    """Open operators with whom the person holds no account yet."""
    return open_for_signup().exclude(subscribers__user=user)
