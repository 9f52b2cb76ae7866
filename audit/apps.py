"""Django's handle on the audit room."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models.signals import post_migrate
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit import months


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = _("Audit")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        post_migrate.connect(_after_migrate, sender=self)


def _after_migrate(*, using: str = DEFAULT_DB_ALIAS, **_: Any) -> None:
    """`migrate` leaves partitions for the months to come; beat goes on from there."""
    months.ahead(connections[using], now=timezone.now())
