"""What the audit tests share: a ledger with something in it, and a way to tamper with it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from audit import entries, ledger, sealing, triggers
from audit.verification import ChainReport, verify_chain

CHAIN = 7
ANNA = ledger.Actor("user", "42", "anna@example.org")


class _Anything:
    """As a set of actions: what these tests call their events is nobody's business."""

    def __contains__(self, action: object) -> bool:
        return True


@pytest.fixture(autouse=True)
def any_action(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "_ACTIONS", _Anything())


@pytest.fixture
def ten_events(db: None) -> None:
    """Events 1 to 10 in the chain of operator 7, each with Anna's label and address."""
    with ledger.context(actor=ANNA, address="192.0.2.7"):
        for number in range(1, 11):
            ledger.record(
                action="device.renamed",
                operator_id=CHAIN,
                target=f"urn:dev:{number}",
                device_id=number,
                before={"name": "old"},
                after={"name": f"new {number}", "level": number / 4},
            )
    sealing.run()


@pytest.fixture
def tamper(ten_events: None) -> Callable[..., None]:
    """Runs SQL against the ledger as somebody would who owns the database and dropped the triggers."""
    triggers.remove(connection)

    def run(sql: str, *parameters: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)

    return run


def kinds(report: ChainReport) -> list[tuple[str, int | None]]:
    return [(finding.kind, finding.sequence) for finding in report.findings]


def verified(chain: int = CHAIN) -> list[tuple[str, int | None]]:
    """What is found in the chain once everything is sealed."""
    sealing.run()
    return kinds(verify_chain(chain))
