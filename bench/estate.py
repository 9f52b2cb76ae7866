"""Fills a database with so many registered devices and signs two people in: `python -m bench.estate N` prints cookies.

A third of the devices sleeps in queue mode, some are late or gone; all belong to one subscriber, the worst case of the
subscriber's own list.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import django

PART = 5000


def main(count: int) -> None:
    from accounts.models import Operator, Subscriber, User

    operator, _ = Operator.objects.get_or_create(slug="estate", defaults={"name": "Estate"})
    owner = User.objects.create_user(email="owner@example.com", password=None)
    staff = User.objects.create_superuser(email="staff@example.com", password=None)
    subscriber = Subscriber.objects.create(user=owner, operator=operator, number="EST-000001")
    for start in range(1, count + 1, PART):
        _part(operator, subscriber, range(start, min(start + PART, count + 1)))
    _analyze()
    print(json.dumps({"staff": _session(staff), "owner": _session(owner)}))


def _part(operator: Any, subscriber: Any, numbers: range) -> None:
    from django.utils import timezone

    from devices.inventory.models import Device, Onboarding
    from devices.inventory.states import Ownership, Provisioning
    from devices.registry.models import Registration, RegistrationDetail

    devices = Device.objects.bulk_create(
        Device(
            operator=operator,
            subscriber=subscriber,
            endpoint=f"estate-{number:06d}",
            name=f"Meter {number}",
            security="none",
            onboarding=Onboarding.DIRECT,
            ownership=Ownership.CLAIMED,
            provisioning=Provisioning.APPLIED,
            serial_number=f"SN{number:08d}",
        )
        for number in numbers
    )
    Registration.objects.bulk_create(
        Registration(device=device, **facts)
        for device, facts in zip(devices, _facts(numbers, timezone.now()), strict=True)
    )
    RegistrationDetail.objects.bulk_create(RegistrationDetail(device=device) for device in devices)


def _facts(numbers: range, now: datetime) -> Iterator[dict[str, Any]]:
    for number in numbers:
        seen = now - timedelta(seconds=number % 7200)
        yield {
            "registration_id": f"estate{number:010d}",
            "is_live": number % 20 != 0,
            "transport": "udp",
            "host": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
            "port": 5683,
            "flow": "southbound.0.estate",
            "lifetime_seconds": 3600,
            "queue_mode": number % 3 == 0,
            "registered_at": now - timedelta(days=1),
            "last_seen_at": seen,
            "expires_at": seen + timedelta(seconds=3600),
        }


def _analyze() -> None:
    """What autovacuum does by itself a minute later."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _session(user: Any) -> str:
    from django.conf import settings
    from django.test import Client

    client = Client()
    client.force_login(user)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "m2m_portal.settings")
    django.setup()
    main(int(sys.argv[1]))
