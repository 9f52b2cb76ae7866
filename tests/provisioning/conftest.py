"""A device that has been ordered, and a worker that answers bells at once instead of a broker."""

from __future__ import annotations

import pytest

from devices.inventory.models import Device
from live import bells
from provisioning import tasks
from tests.provisioning import walking


class Worker:
    """Collects the bells that rang; `work` runs their tasks, each as often as it is told."""

    def __init__(self) -> None:
        self.rung: list[tuple[str, int]] = []

    def __call__(self, calls) -> None:
        self.rung += list(calls)

    def work(self, times: int = 1) -> None:
        known = {
            "provisioning.advance": tasks.advance,
            "provisioning.device_heard": tasks.device_heard,
            "provisioning.command_settled": tasks.command_settled,
        }
        for _ in range(50):
            rung, self.rung = list(dict.fromkeys(self.rung)), []
            if not rung:
                return
            for name, argument in rung:
                for _ in range(times):
                    known[name](argument)
        raise AssertionError("the bells never stop ringing")


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks) -> Worker:
    """For tests in a rolled-back transaction: bells ring at the end of each unit of work."""
    made = Worker()
    monkeypatch.setattr(bells, "tasks", made)
    monkeypatch.setattr(bells, "changed", lambda changes: None)
    monkeypatch.setattr(bells, "channel", lambda name, message: None)
    monkeypatch.setattr("django.db.transaction.on_commit", lambda call, **kwargs: call())
    return made


@pytest.fixture
def ordered(worker: Worker, db: None) -> Device:
    return walking.ordered()
