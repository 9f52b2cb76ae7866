"""`manage.py create_operator northwind "Northwind Telecom"`: a new tenant."""

from __future__ import annotations

from argparse import ArgumentParser, BooleanOptionalAction
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_slug

from accounts.errors import Refused
from audit import ledger
from provisioning.services import operators


class Command(BaseCommand):
    help = "Creates an operator with a default bootstrap profile, ready to serve devices."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="short name for addresses and account numbers, e.g. northwind")
        parser.add_argument("name", help='what people read, e.g. "Northwind Telecom"')
        parser.add_argument("--description", default="", help="shown to people who choose an operator")
        parser.add_argument("--support-email", default="")
        door = parser.add_mutually_exclusive_group()
        door.add_argument(
            "--open", dest="is_open", action="store_true", default=True, help="people may sign up"
        )
        door.add_argument(
            "--closed", dest="is_open", action="store_false", help="nobody may sign up by themselves"
        )
        parser.add_argument(
            "--allow-nosec", action=BooleanOptionalAction, default=False, help="for laboratories"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            validate_slug(options["slug"])
            with ledger.context(actor=ledger.Actor("system", "create_operator", "Command line")):
                operator = operators.create(
                    slug=options["slug"],
                    name=options["name"],
                    description=options["description"],
                    support_email=options["support_email"],
                    is_open_for_signup=options["is_open"],
                    allows_nosec=options["allow_nosec"],
                )
        except ValidationError as error:
            raise CommandError(f"{options['slug']!r} is no short name. {' '.join(error.messages)}") from None
        except Refused as refusal:
            raise CommandError(refusal.detail) from None
        self.stdout.write(f"Operator {operator.slug} ({operator.name}) was created.")
