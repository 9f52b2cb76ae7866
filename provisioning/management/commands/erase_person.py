"""`manage.py erase_person ann@home.example --reason "asked by letter"`: forget a person, keep the trail."""

from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from accounts.errors import Refused
from accounts.models import User
from audit import ledger
from provisioning.services import departure


class Command(BaseCommand):
    help = (
        "Releases a person's devices, closes their accounts and erases their personal data. Cannot be undone."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--reason", required=True, help="kept in the ledger, so name no person in it")

    def handle(self, *args: object, email: str, reason: str, **options: object) -> None:
        user = User.objects.filter(email__iexact=email.strip()).first()
        if user is None:
            raise CommandError(f"Nobody here has the address {email}.")
        try:
            with ledger.context(actor=ledger.Actor("system", "erase_person", "Command line")):
                forgotten = departure.forget(user=user, reason=reason)
        except Refused as refusal:
            raise CommandError(refusal.detail) from None
        self.stdout.write(
            f"Forgotten: {forgotten.devices} devices released, {forgotten.personal} personal strings erased. "
            "`manage.py verify_audit` shows that the trail is whole."
        )
