"""What an action of an admin list does to each of its rows, and to which it has nothing to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from accounts.models import User


@dataclass(frozen=True, slots=True)
class Skip:
    """Rows that `rows` finds are left alone, and `why` completes "left alone: "."""

    rows: Q
    why: str


@dataclass(frozen=True, slots=True)
class Deed:
    """`do(row, reason, by)` is one call of a service; it may run long after the page, in another process.

    `done` completes "3 devices ...". `costs` names what each row costs, such as "SMS". `verb` is the permission that
    is asked of the role with each row's operator, when it is asked for and again when it is done.
    """

    question: str
    button: str
    done: str
    do: Callable[[Any, str, User], object]
    verb: str = "change"
    is_dangerous: bool = False
    skips: tuple[Skip, ...] = ()
    costs: str = ""
