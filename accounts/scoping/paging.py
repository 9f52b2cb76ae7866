"""Pages of long lists: a far page costs the keys of the rows before it, not the rows and all that is joined to them."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet


class KeyedPaginator(Paginator):  # type: ignore[type-arg]  # generic in its stubs alone
    """Finds the keys of a page first and then their rows, but on the first page, where there is nothing to skip."""

    def page(self, number: Any) -> Page[Any]:
        number = self.validate_number(number)
        if number == 1 or not isinstance(self.object_list, QuerySet):
            return super().page(number)
        start = (number - 1) * self.per_page
        end = start + self.per_page
        if end + self.orphans >= self.count:
            end = self.count
        return Page(_rows(self.object_list, start, end), number, self)


def _rows(rows: QuerySet[Any], start: int, end: int) -> list[Any]:
    keys = list(rows.values_list("pk", flat=True)[start:end])
    found = {row.pk: row for row in rows.filter(pk__in=keys).order_by()}
    return [found[key] for key in keys if key in found]
