"""The waiting room in the admin: who was refused at the door and why."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from backoffice.scoping import ReadOnlyAdmin
from devices.inventory.models import Knock
from devices.inventory.selectors import knocks


class KnockAdmin(ReadOnlyAdmin):
    """The waiting room. Whoever can say the whole name of a device nobody added may see that it knocks."""

    index_name = _("Waiting room")
    list_display = ("claimed_name", "cause", "plane", "host", "count", "last_at", "device", "operator")
    list_filter = ("plane", "cause", "operator")
    list_select_related = ("device", "operator")
    search_fields = ("claimed_name", "host")
    search_help_text = _("Part of a name or address; or the whole name of a device that nobody added.")
    ordering = ("-last_at",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Knock], search_term: str
    ) -> tuple[QuerySet[Knock], bool]:
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        return found | knocks.of_nobody(search_term.strip(), request.user), may_repeat

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """Only causes that the person may see: the choices come from all rows otherwise."""
        return [item if item != "cause" else CauseFilter for item in super().get_list_filter(request)]


class CauseFilter(admin.SimpleListFilter):
    title = _("cause")
    parameter_name = "cause"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = model_admin.get_queryset(request).order_by().values_list("cause", flat=True).distinct()
        return [(cause, cause) for cause in sorted(rows)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Knock]) -> QuerySet[Knock]:
        return queryset.filter(cause=self.value()) if self.value() else queryset
