"""`manage.py reseal_secrets`: write every stored key anew under the newest of FIELD_ENCRYPTION_KEYS."""

from __future__ import annotations

from django.core.management.base import BaseCommand

from audit import ledger
from devices import locks, vault
from devices.models import Credential

BATCH = 500


class Command(BaseCommand):
    help = "Encrypts every stored device key with the newest key; afterwards the older keys may be dropped."

    def handle(self, *args: object, **options: object) -> None:
        total = last = 0
        while True:
            with ledger.unit_of_work():
                rows = list(locks.rows(Credential.objects).filter(pk__gt=last).order_by("pk")[:BATCH])
                for row in rows:
                    row.sealed_key = vault.reseal(row.sealed_key)
                Credential.objects.bulk_update(rows, ["sealed_key"])
            if not rows:
                break
            last = rows[-1].pk
            total += len(rows)
        ledger.record(
            action="secrets.resealed", operator_id=None, target="credentials", detail={"count": total}
        )
        self.stdout.write(f"{total} keys are now under the newest encryption key.")
