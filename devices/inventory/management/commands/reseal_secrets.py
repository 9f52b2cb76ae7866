"""`manage.py reseal_secrets`: write every stored secret anew under the newest of FIELD_ENCRYPTION_KEYS."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import dataclass
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit import ledger
from audit.actions import Action
from devices.inventory import vault


@dataclass(slots=True)
class _Count:
    """A visit that counts: what there is, what the newest key alone does not open, and what none does."""

    is_check: bool
    total: int = 0
    left: int = 0
    lost: int = 0

    def __call__(self, token: str) -> str:
        self.total += 1
        if vault.is_under_newest(token):
            return token
        try:
            fresh = vault.reseal(token)
        except vault.Unreadable:
            self.lost += 1
            return token
        self.left += self.is_check
        return token if self.is_check else fresh


class Command(BaseCommand):
    help = (
        "Encrypts every stored secret with the newest key; afterwards the older keys may be dropped. Exits with 1 "
        "while there is one that the newest key alone does not open."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing, only count")

    def handle(self, *args: Any, **options: Any) -> None:
        counts: dict[str, _Count] = {}
        for place in vault.places():
            counts[place.name] = count = _Count(is_check=options["check"])
            place.walk(count)
            self.stdout.write(f"{place.name}: {count.total}{_left(count)}")
        left = sum(count.left for count in counts.values())
        lost = sum(count.lost for count in counts.values())
        if not options["check"]:
            ledger.record(
                action=Action.SECRETS_RESEALED,
                operator_id=None,
                result="failed" if lost else "ok",
                cause="SECRET_UNREADABLE" if lost else "",
                target="secrets",
                detail={
                    "count": sum(count.total for count in counts.values()) - lost,
                    "lost": lost,
                    "places": {name: count.total for name, count in counts.items()},
                },
            )
        if lost:
            raise CommandError(
                f"{lost} secrets are opened by no key: put the key they were written with back, or set them anew."
            )
        if left:
            raise CommandError(f"{left} secrets need an older key: run reseal_secrets before it is dropped.")
        self.stdout.write("Every secret is under the newest key; the older ones may be dropped.")


def _left(count: _Count) -> str:
    said = [f"{count.left} under an older key"] if count.left else []
    said += [f"{count.lost} that no key opens"] if count.lost else []
    return f" ({', '.join(said)})" if said else ""
