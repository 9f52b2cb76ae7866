"""Django's handle on the room of values, their history, and traces."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models.signals import post_migrate
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit import partitions
from devices.telemetry.history_table import HISTORY, days_ahead


class TelemetryConfig(AppConfig):
    name = "devices.telemetry"
    verbose_name = _("Telemetry")

    def ready(self) -> None:
        from accounts import erasing
        from devices.telemetry.services import erasure

        erasing.register("telemetry", erasure.erase)
        post_migrate.connect(_after_migrate, sender=self)


def _after_migrate(*, using: str = DEFAULT_DB_ALIAS, **more: Any) -> None:
    """`migrate` leaves partitions for the days to come; retention goes on from there."""
    connection = connections[using]
    if partitions.names(connection, HISTORY.table):
        partitions.add(connection, HISTORY, days_ahead(timezone.now()))
