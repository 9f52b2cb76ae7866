"""The doorbells by name: what is sent is what Celery knows, and what beat calls exists."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from django.conf import settings

from m2m_portal.celery import app
from provisioning.models import JobState
from tests.provisioning import walking

ROOT = Path(settings.BASE_DIR)


@pytest.fixture
def celery():
    app.loader.import_default_modules()
    return app


def _spoken() -> set[str]:
    """Task names that stand in the events of the rooms."""
    found = set()
    for file in ("devices/inventory/events.py", "provisioning/events.py"):
        for node in ast.walk(ast.parse((ROOT / file).read_text())):
            if isinstance(node, ast.Constant) and str(node.value).startswith("provisioning."):
                found.add(str(node.value))
    return found


def test_every_name_that_is_sent_is_a_task(celery) -> None:
    assert _spoken() == {
        "provisioning.advance",
        "provisioning.device_heard",
        "provisioning.command_settled",
    }
    assert _spoken() <= set(celery.tasks)


def test_beat_calls_tasks_that_exist(celery) -> None:
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        assert entry["task"] in celery.tasks


@pytest.mark.django_db
def test_bell_sent_by_name_does_the_work(celery, ordered, worker) -> None:
    celery.tasks["provisioning.advance"].apply(args=[walking.job(ordered).pk], throw=True)
    assert walking.job(ordered).state == JobState.WAITING


@pytest.mark.django_db(transaction=True)
def test_real_bells_need_no_broker_that_answers() -> None:
    """Whatever the broker is, adding a device works and its job is there for the sweep."""
    device = walking.ordered()
    assert walking.job(device).state == JobState.RUNNING
