"""Narrows a queryset to the rows a person may see, as an operator's staff or as the subscriber."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Q, QuerySet

from accounts import tenancy
from accounts.models import SubscriberState

Rows = TypeVar("Rows", bound=QuerySet[Any])


def _view(queryset: QuerySet[Any]) -> str:
    options = queryset.model._meta
    return f"{options.app_label}.view_{options.model_name}"


def of_staff(queryset: Rows, user: Any, operator_path: str, *permissions: str) -> Rows:
    """Rows of the operators where the role gives one of `permissions` (by default: to view the model)."""
    allowed = tenancy.operator_ids(user, *(permissions or (_view(queryset),)))
    if allowed is None:
        return queryset
    if not allowed or not operator_path:
        return queryset.none()
    return queryset.filter(**{f"{operator_path}__in": allowed})


def of_subscriber(queryset: Rows, user: Any, subscriber_path: str) -> Rows:
    """Rows of the person's own accounts; `subscriber_path` leads to the Subscriber, empty on itself.

    Of a closed account only itself is left: what hung on it is the operator's to give back.
    """
    if not (user.is_authenticated and user.is_active):
        return queryset.none()
    return queryset.filter(_own(user, subscriber_path))


def _own(user: Any, path: str) -> Q:
    if not path:
        return Q(user=user.pk)
    return Q(**{f"{path}__user": user.pk}) & ~Q(**{f"{path}__state": SubscriberState.CLOSED})


def visible(queryset: Rows, user: Any, *, operator_path: str, subscriber_path: str | None = None) -> Rows:
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
        seen |= _own(user, subscriber_path)
    return queryset.filter(seen)
