"""Wires what Django tells of itself."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate


class PortalConfig(AppConfig):
    name = "m2m_portal"

    def ready(self) -> None:
        pre_migrate.connect(_take_your_time, sender=self)
        post_migrate.connect(_hurry_again, sender=self)


def _take_your_time(*, using: str, **_: Any) -> None:
    """An index over a large table takes as long as it takes; a lock that does not come is given up all the same."""
    _set(using, "SET statement_timeout = 0")


def _hurry_again(*, using: str, **_: Any) -> None:
    _set(using, "RESET statement_timeout")


def _set(using: str, statement: str) -> None:
    connection = connections[using]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(statement)
