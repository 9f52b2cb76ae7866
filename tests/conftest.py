"""What every test shares; what takes minutes or needs foreign software runs only when it is named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.conf import settings

from devices.inventory import object_models
from tests import lock_order
from tests.ledger_triggers import flush_may_empty_the_ledger

__all__ = ["flush_may_empty_the_ledger"]


@pytest.fixture(autouse=True)
def no_kept_object_models() -> None:
    """A test's definitions are rolled back, which no process is told of; their keys are given out again."""
    object_models.forget()


@pytest.fixture(autouse=True)
def locks_in_order():
    """A test in which rows are locked out of the order of `audit.locks` fails."""
    with lock_order.recorded() as recorder:
        yield recorder
    assert not recorder.inversions, recorder.inversions[:5]


TESTS = Path(__file__).parent
ONLY_WHEN_NAMED = {TESTS / "browser", TESTS / "interop", TESTS / "bench" / "test_runs.py"}


def pytest_configure(config: pytest.Config) -> None:
    """Passwords that cost nothing; and on a Redis that all workers share, each hears only itself."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    layer = settings.CHANNEL_LAYERS["default"]
    if "CONFIG" in layer:
        layer["CONFIG"]["prefix"] = f"test{os.getpid()}"
    # Tests empty the cache, which on Redis would empty everybody's database; `test_limits` asks Redis itself.
    settings.CACHES["default"] = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    if collection_path in ONLY_WHEN_NAMED:
        named = [Path(str(arg).split("::")[0]).resolve() for arg in config.invocation_params.args]
        if not any(path == collection_path or collection_path in path.parents for path in named):
            return True
    return None
