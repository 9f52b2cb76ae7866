"""How long a device in queue mode listens after it spoke: its own window, else what its way of speaking has."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Case, ExpressionWrapper, F, FloatField, Func, IntegerField, Q, Value, When
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThan

from devices.inventory.models import Device
from devices.registry.models import Transport

LIMIT_SECONDS = 86_400


def seconds(device: Device, transport: str) -> int:
    """The window of the device that is registered over `transport`."""
    return device.awake_seconds or of_transport(transport)


def of_transport(transport: str) -> int:
    """For a device that has no window of its own; SMS takes its time on the way."""
    if transport == Transport.SMS:
        return int(max(settings.AWAKE_SECONDS, settings.SMS_AWAKE_SECONDS))
    return int(settings.AWAKE_SECONDS)


class _Epoch(Func):
    """A time as seconds since 1970: SQLite keeps times as text, with which nothing can be counted."""

    output_field = FloatField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(
            compiler, connection, template="((julianday(%(expressions)s) - 2440587.5) * 86400.0)", **extra
        )

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(
            compiler, connection, template="EXTRACT(EPOCH FROM %(expressions)s)::float8", **extra
        )


def condition(now: datetime, *, registration: str, device: str) -> Q:
    """Of queue-mode devices: those that listen. Both are prefixes of lookups."""
    by_transport = Case(
        When(**{f"{registration}transport": Transport.SMS}, then=Value(of_transport(Transport.SMS))),
        default=Value(of_transport(Transport.UDP)),
        output_field=IntegerField(),
    )
    window = Coalesce(F(f"{device}awake_seconds"), by_transport)
    until = ExpressionWrapper(_Epoch(F(f"{registration}last_seen_at")) + window, output_field=FloatField())
    return Q(GreaterThan(until, now.timestamp()))
