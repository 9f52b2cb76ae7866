"""Keeps the database's groups in step with the table of roles: one group per role, with its permissions.

Permissions are asked of the table (`accounts/backends.py`), never of these groups; they are the table as
data, for whoever reads the database. Works in a migration, before the models of later apps have theirs.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps as current_apps
from django.apps.registry import Apps

from accounts.roles import PERMISSIONS, Role


def bring_in_step(*, apps: Apps = current_apps, using: str = "default") -> None:
    """Make what is missing, take away what a role lost. Permissions are found or made by their codename."""
    groups = apps.get_model("auth", "Group").objects.using(using)
    known = _permissions(apps, using)
    for role in Role:
        group, _ = groups.get_or_create(name=role.label)
        group.permissions.set([known[name] for name in PERMISSIONS[role]])


def _permissions(apps: Apps, using: str) -> dict[str, Any]:
    types = apps.get_model("contenttypes", "ContentType").objects.using(using)
    permissions = apps.get_model("auth", "Permission").objects.using(using)
    found = {
        f"{row.content_type.app_label}.{row.codename}": row
        for row in permissions.select_related("content_type")
    }
    for name in sorted(set().union(*PERMISSIONS.values()) - set(found)):
        app_label, codename = name.split(".")
        verb, model = codename.split("_", 1)
        content_type, _ = types.get_or_create(app_label=app_label, model=model)
        found[name], _ = permissions.get_or_create(
            content_type=content_type,
            codename=codename,
            defaults={"name": f"Can {verb} {_spoken(app_label, model)}"},
        )
    return found


def _spoken(app_label: str, model: str) -> str:
    try:
        return str(current_apps.get_model(app_label, model)._meta.verbose_name_raw)
    except LookupError:
        return model


def after_migrate(sender: Any, using: str = "default", **kwargs: Any) -> None:
    """Receives post_migrate of this app, which also follows a flush."""
    bring_in_step(using=using)
