"""Narrows a queryset to the rows a person may see, as an operator's staff or as the subscriber."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from accounts import tenancy


def _view(queryset: QuerySet) -> str:
    options = queryset.model._meta
    return f"{options.app_label}.view_{options.model_name}"


def of_staff(queryset: QuerySet, user: Any, operator_path: str, *permissions: str) -> QuerySet:
    """Rows of the operators where the role gives one of `permissions` (by default: to view the model)."""
    allowed = tenancy.operator_ids(user, *(permissions or (_view(queryset),)))
    if allowed is None:
        return queryset
    if not allowed or not operator_path:
        return queryset.none()
    return queryset.filter(**{f"{operator_path}__in": allowed})


def of_subscriber(queryset: QuerySet, user: Any, subscriber_path: str) -> QuerySet:
    """Rows of the person's own accounts; `subscriber_path` leads to the Subscriber, empty on itself."""
    if not (user.is_authenticated and user.is_active):
        return queryset.none()
    path = f"{subscriber_path}__user" if subscriber_path else "user"
    return queryset.filter(**{path: user.pk})


def visible(
    queryset: QuerySet, user: Any, *, operator_path: str, subscriber_path: str | None = None
) -> QuerySet:
    """Rows a person may see in any of their capacities; without `subscriber_path` subscribers see none."""
    if not (user.is_authenticated and user.is_active):
        return queryset.none()
    allowed = tenancy.operator_ids(user, _view(queryset))
    if allowed is None:
        return queryset
    seen = Q(pk__in=[])
    if allowed and operator_path:
        seen |= Q(**{f"{operator_path}__in": allowed})
    if subscriber_path is not None:
        seen |= Q(**{f"{subscriber_path}__user" if subscriber_path else "user": user.pk})
    return queryset.filter(seen)
