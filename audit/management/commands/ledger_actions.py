"""`manage.py ledger_actions`: the kinds of ledger events as docs/ledger.md has them."""

from typing import Any

from django.core.management.base import BaseCommand

from audit import actions_page


class Command(BaseCommand):
    help = "Prints the table of event kinds for docs/ledger.md."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(actions_page.table())
