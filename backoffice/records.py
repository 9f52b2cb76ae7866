"""Registrations, the waiting room and the mailbox in the admin: to be read, written by services."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from audit import people
from backoffice import requesters
from backoffice.scoping import ScopedModelAdmin
from devices.commands.models import Command
from devices.inventory.models import Knock
from devices.inventory.selectors import knocks
from devices.registry.models import Registration


class ReadOnlyAdmin(ScopedModelAdmin):
    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Registration)
class RegistrationAdmin(ReadOnlyAdmin):
    operator_path = "device__operator"
    list_display = (
        "device",
        "is_live",
        "transport",
        "host",
        "port",
        "lifetime_seconds",
        "last_seen_at",
        "expires_at",
    )
    list_filter = ("is_live", "transport", "queue_mode")
    list_select_related = ("device",)
    search_fields = ("device__endpoint", "registration_id", "host")
    ordering = ("-device_id",)


@admin.register(Command)
class CommandAdmin(ReadOnlyAdmin):
    operator_path = "device__operator"
    list_display = ("id", "device", "operation", "path", "state", "asked_by", "created_at", "ended_at")
    list_display_links = ("id",)
    list_filter = ("state", "operation")
    list_select_related = ("device",)
    search_fields = ("device__endpoint", "path", "requested_by")
    exclude = ("requested_by",)
    readonly_fields = ("asked_by",)
    code_of_person = "requested_by"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return people.NamedList

    @admin.display(description="Requested by")
    def asked_by(self, command: Command) -> str:
        return requesters.words(command.requested_by, people.of_row(command, self.code_of_person))


@admin.register(Knock)
class KnockAdmin(ReadOnlyAdmin):
    """The waiting room. Whoever can say the whole name of a device nobody added may see that it knocks."""

    list_display = ("claimed_name", "cause", "plane", "host", "count", "last_at", "device", "operator")
    list_filter = ("plane", "cause", "operator")
    list_select_related = ("device", "operator")
    search_fields = ("claimed_name", "host")
    search_help_text = "Part of a name or address; or the whole name of a device that nobody added."
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
    title = "cause"
    parameter_name = "cause"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = model_admin.get_queryset(request).order_by().values_list("cause", flat=True).distinct()
        return [(cause, cause) for cause in sorted(rows)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Knock]) -> QuerySet[Knock]:
        return queryset.filter(cause=self.value()) if self.value() else queryset
