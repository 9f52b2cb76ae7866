"""`manage.py audit_checkpoints`: the ledger's signed checkpoints, to be kept out of reach of the database's owner."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from audit import checkpoints, sealing, signatures


class Command(BaseCommand):
    help = (
        "Prints every checkpoint of the audit ledger as one line of JSON. Keep them in a file elsewhere and give it to "
        "manage.py verify_audit --checkpoints: it finds a chain that was cut off or rewritten, checkpoints and all."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--close", action="store_true", help="first close the epochs that are open")
        parser.add_argument(
            "--key", action="store_true", help="print the public half of the key that signs, and nothing else"
        )

    def handle(self, *args: Any, close: bool, key: bool, **options: Any) -> None:
        if key:
            self.stdout.write(signatures.public_half())
            return
        if close:
            sealing.run()
            checkpoints.close_all(now=timezone.now())
        for one in checkpoints.stored():
            self.stdout.write(one.line())
