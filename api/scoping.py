"""REST lists that start from what the caller may see, and writes that ask the role with the operator."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts import tenancy
from accounts.scoping.querysets import visible

_VERBS = {"POST": "add", "PUT": "change", "PATCH": "change", "DELETE": "delete"}


class ScopedQuerysetMixin:
    """Staff see rows of the operators where their role may view the model, subscribers their own rows.

    `operator_path` leads to the Operator. `subscriber_path` leads to the Subscriber; None hides the rows from
    subscribers, an empty string says that the rows are subscribers.
    """

    operator_path: str = "operator"
    subscriber_path: str | None = None

    def get_queryset(self) -> QuerySet:
        queryset = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):  # the schema is drawn without anybody signed in
            return queryset.none()
        return visible(
            queryset,
            self.request.user,
            operator_path=self.operator_path,
            subscriber_path=self.subscriber_path,
        )


class RolePermission(BasePermission):
    """Reading is open to whoever the queryset shows the row; writing needs the verb in the role.

    Asked is the role with the row's operator, for the model or the view's `permission_model`.
    A subscriber may write own rows where the view says `subscribers_write = True`.
    """

    message = _("Your role does not allow this. Ask an administrator of the operator.")

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user and request.user.is_authenticated)

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        verb = _VERBS.get(request.method or "")
        if verb is None:
            return True
        label = getattr(view, "permission_model", "") or obj._meta.label_lower
        app_label, model_name = label.split(".")
        operator_id = tenancy.operator_id_of(obj, getattr(view, "operator_path", ""))
        if tenancy.may(request.user, f"{app_label}.{verb}_{model_name}", operator_id):
            return True
        return bool(getattr(view, "subscribers_write", False)) and _is_own(
            request.user, obj, view.subscriber_path
        )


def _is_own(user: Any, row: Any, path: str | None) -> bool:
    if path is None:
        return False
    for hop in filter(None, path.split("__")):
        row = getattr(row, hop, None)
    return row is not None and row.user_id == user.pk
