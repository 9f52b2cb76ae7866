"""Working off many things of many tenants: what cannot be done for one is told and left, and the others go on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from django.db import InterfaceError, OperationalError

logger = logging.getLogger(__name__)

Key = TypeVar("Key")

LOST = (OperationalError, InterfaceError)
"""The database is away, or somebody holds a lock: it would go the same way with the next one."""


def one_by_one(keys: Iterable[Key], work: Callable[[Key], bool | int], *, what: str) -> int:
    """`work` for each, in transactions of its own; returns the sum of what it returned.

    Raises only `LOST`. Anything else is logged with its traceback under the event `what`.
    """
    done = 0
    for key in keys:
        try:
            done += work(key)
        except LOST:
            raise
        except Exception:
            logger.exception("%s_failed key=%s", what, key)
    return done
