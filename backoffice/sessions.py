"""Bootstrap sessions in the admin: every run of the bootstrap server, request by request. Keys are never shown."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from backoffice.causes import in_words
from backoffice.scoping import PortalWritten, ScopedInline, ScopedModelAdmin
from provisioning.models import BootstrapExchange, BootstrapSession


class ExchangeInline(PortalWritten, ScopedInline):
    model = BootstrapExchange
    operator_path = "session__operator"
    fields = readonly_fields = (
        "position",
        "operation",
        "path",
        "sent_at",
        "answered_at",
        "response_code",
        "cause",
        "detail",
    )
    ordering = ("position",)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class BootstrapSessionAdmin(PortalWritten, ScopedModelAdmin):
    """Every run of the bootstrap server, request by request. Keys are never shown."""

    list_display = (
        "id",
        "device",
        "state",
        "cause",
        "transport",
        "host",
        "operator",
        "started_at",
        "finished_at",
    )
    list_display_links = ("id",)
    list_filter = ("state", "transport", "operator")
    list_select_related = ("device", "operator")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("device__endpoint", "host", "cause")
    fields = readonly_fields = (
        "device",
        "state",
        "why",
        "detail",
        "transport",
        "host",
        "port",
        "content_format",
        "started_at",
        "last_progress_at",
        "finished_at",
    )
    inlines = (ExchangeInline,)

    @admin.display(description=_("Cause"))
    def why(self, session: BootstrapSession) -> str:
        return in_words(session.cause)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
