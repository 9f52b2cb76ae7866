"""Fills a bench's database: one operator, devices `dev-000001`… without a key and `sec-000001`… with one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import django

PART = 5000


def main(plain: int, secured: int, key: str) -> None:
    from accounts.models import Operator
    from devices.inventory import vault
    from devices.inventory.models import Credential, Device, Onboarding, Plane
    from devices.inventory.states import Ownership, Provisioning

    operator, _ = Operator.objects.get_or_create(
        slug="bench", defaults={"name": "Bench", "allows_nosec": True}
    )

    def devices(prefix: str, security: str, numbers: range) -> list[Device]:
        return Device.objects.bulk_create(
            Device(
                operator=operator,
                endpoint=f"{prefix}-{number:06d}",
                security=security,
                onboarding=Onboarding.DIRECT,
                ownership=Ownership.CLAIMED,
                provisioning=Provisioning.APPLIED,
            )
            for number in numbers
        )

    for numbers in _parts(plain):
        devices("dev", "none", numbers)
    sealed = vault.seal(bytes.fromhex(key))
    for numbers in _parts(secured):
        Credential.objects.bulk_create(
            Credential(
                device=device,
                plane=Plane.MANAGEMENT,
                identity=f"psk-{number:06d}",
                sealed=sealed,
                first_used_at=operator.created_at,
            )
            for number, device in zip(numbers, devices("sec", "psk", numbers), strict=True)
        )


def _parts(count: int) -> Iterator[range]:
    for start in range(1, count + 1, PART):
        yield range(start, min(start + PART, count + 1))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "m2m_portal.settings")
    django.setup()
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
