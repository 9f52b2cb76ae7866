"""Silences of devices, and what was done about each: a list, and a table on the page of a device."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from backoffice.scoping import PortalWritten, ScopedInline, ScopedModelAdmin
from provisioning.ladder import ReachAttempt
from provisioning.selectors import reachability

SHOWN = timedelta(days=14)


class _Told(PortalWritten):
    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    @admin.display(description=_("What happened"))
    def said(self, attempt: ReachAttempt) -> str:
        return reachability.words(attempt, timezone.now()).capitalize() + "."

    @admin.display(description=_("Left out"))
    def left_out(self, attempt: ReachAttempt) -> str:
        return " ".join(f"{title}: {why}" for title, why in reachability.skipped(attempt)) or "–"


class ReachAttemptAdmin(_Told, ScopedModelAdmin):
    """Silences of devices, and what was done about each."""

    index_name = _("Silent devices")
    list_display = ("id", "device", "state", "missed_at", "said", "sms_count", "operator", "ended_at")
    list_display_links = ("id",)
    list_filter = ("state", "operator")
    list_select_related = ("device", "operator")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("device__endpoint",)
    fields = readonly_fields = (
        "device",
        "state",
        "silent_since",
        "missed_at",
        "said",
        "left_out",
        "next_at",
        "sms_count",
        "reached_by",
        "ended_at",
    )


class ReachAttemptInline(_Told, ScopedInline):
    model = ReachAttempt
    fields = readonly_fields = ("state", "said", "left_out", "next_at", "ended_at")
    ordering = ("-id",)
    verbose_name_plural = format_lazy(_("Looked for, in the last {days} days"), days=SHOWN.days)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReachAttempt]:
        return super().get_queryset(request).filter(opened_at__gte=timezone.now() - SHOWN, has_acted=True)
