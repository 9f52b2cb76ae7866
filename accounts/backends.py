"""Answers Django's permission questions from the table of roles, for one operator or for any."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.db.models import Model

from accounts import tenancy
from accounts.models import User
from accounts.roles import PERMISSIONS


class RoleBackend(BaseBackend):
    """`has_perm(permission)` asks whether any role of the person gives it.

    With a row it asks the role with the row's operator. It signs nobody in. Superusers never get here: Django
    says yes to them before.
    """

    def get_user(self, user_id: Any) -> User | None:
        return User.objects.filter(pk=user_id, is_active=True).first()

    def get_group_permissions(self, user_obj: Any, obj: Model | None = None) -> set[str]:
        if tenancy.operator_ids(user_obj) in (None, set()):
            return set()
        roles = user_obj.roles()
        if obj is None:
            return set().union(*(PERMISSIONS[role] for role in roles.values()))
        role = roles.get(tenancy.operator_id_of(obj))
        return set() if role is None else set(PERMISSIONS[role])

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return any(name.startswith(f"{app_label}.") for name in self.get_group_permissions(user_obj))
