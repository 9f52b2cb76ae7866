"""Who `user:5` is, for whoever reads a page; REST and the ledger itself keep the ids."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.contrib.auth import get_user_model
from django.http import HttpRequest

from audit.models import FORMER

_KIND = "user:"


def is_person(code: str) -> bool:
    number = code.removeprefix(_KIND)
    return number != code and number.isascii() and number.isdigit() and len(number) < 19


def names(codes: Iterable[str]) -> dict[str, str]:
    """Code -> name or address, for the people among the codes; one query, none where there are no people.

    Whoever was forgotten or is not there any more is `FORMER`.
    """
    ids = {code: int(code.removeprefix(_KIND)) for code in codes if is_person(code)}
    if not ids:
        return {}
    found = get_user_model()._default_manager.in_bulk(set(ids.values()))
    return {code: _name(found.get(pk)) for code, pk in ids.items()}


def _name(user: Any) -> str:
    return str(FORMER) if user is None or user.is_forgotten else str(user.get_full_name())


class NamedList(ChangeList):
    """A list of the admin whose rows have `people`, the names for `model_admin.code_of_person` of the page."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        column = getattr(self.model_admin, "code_of_person", "")
        known = names({getattr(row, column) for row in self.result_list})
        for row in self.result_list:
            row.people = known


def of_row(row: Any, column: str) -> dict[str, str]:
    """The names that `NamedList` read, or those of this row alone on its own page."""
    known: dict[str, str] | None = getattr(row, "people", None)
    return names([getattr(row, column)]) if known is None else known
