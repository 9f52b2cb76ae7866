"""`manage.py create_staff anna@example.org northwind administrator`: somebody with a role."""

from __future__ import annotations

import secrets
import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email

from accounts import invitations
from accounts.errors import Refused
from accounts.models import Operator, User
from accounts.roles import Role
from accounts.services import staff
from audit import ledger


class Command(BaseCommand):
    help = (
        "Gives somebody new a role with an operator and a password, printed once; who has an account gets a mail "
        "and the role once they accept."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("operator", help="the operator's short name")
        parser.add_argument("role", choices=Role.values)
        parser.add_argument("--name", default="")
        parser.add_argument("--password-stdin", action="store_true", help="read the password of somebody new")

    def handle(self, *args: Any, **options: Any) -> None:
        operator = Operator.objects.filter(slug=options["operator"]).first()
        if operator is None:
            known = (
                ", ".join(Operator.objects.values_list("slug", flat=True)) or "none yet; see create_operator"
            )
            raise CommandError(f"There is no operator {options['operator']!r}. Known: {known}.")
        try:
            validate_email(options["email"])
            password = self._password(options)
            with ledger.context(actor=ledger.Actor("system", "create_staff", "Command line")):
                membership = staff.appoint(
                    email=options["email"],
                    operator=operator,
                    role=options["role"],
                    name=options["name"],
                    password=password,
                )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        except Refused as refusal:
            raise CommandError(refusal.detail) from None
        if membership.is_pending:
            invitations.send(None, membership)
            self.stdout.write(
                f"{membership.email} has an account; the role is theirs once they accept the mail."
            )
            return
        self.stdout.write(f"{membership.user} is now {membership.get_role_display()} of {operator}.")
        if password and not options["password_stdin"]:
            self.stdout.write(f"Password (shown once): {password}")

    def _password(self, options: dict[str, Any]) -> str | None:
        if User.objects.filter(email__iexact=options["email"].strip()).exists():
            return None
        if not options["password_stdin"]:
            return secrets.token_urlsafe(12)
        password = sys.stdin.readline().rstrip("\n")
        validate_password(password, user=User(email=options["email"], name=options["name"]))
        return password
