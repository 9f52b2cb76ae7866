"""Bulk jobs in the admin: how far each is, and what came of every row."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Count, Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import BulkJob, BulkRow, BulkRowState
from accounts.services import bulk
from backoffice.scoping import ScopedModelAdmin

ROWS = 100
_WHY = (BulkRowState.SKIPPED, BulkRowState.REFUSED, BulkRowState.FAILED)


class BulkJobAdmin(ScopedModelAdmin):
    """To be looked at; they are made by the actions of other lists."""

    list_display = ("what", "operator", "requested_by", "reason", "progress", "created_at", "ended_at")
    list_filter = ("operator",)
    list_select_related = ("operator", "requested_by")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[BulkJob]:
        waiting = Count("rows", filter=Q(rows__state=BulkRowState.WAITING))
        return super().get_queryset(request).annotate(total=Count("rows"), waiting=waiting)

    @admin.display(description=_("What"))
    def what(self, job: BulkJob) -> str:
        return str(job)

    @admin.display(description=_("Progress"))
    def progress(self, job: BulkJob) -> str:
        return gettext("%(done)s of %(total)s") % {"done": job.total - job.waiting, "total": job.total}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        job = self.get_object(request, object_id)
        if job is None:
            return super().change_view(request, object_id, form_url, extra_context)
        target = self.admin_site.get_model_admin(apps.get_model(job.model))
        page = Paginator(job.rows.order_by("pk"), ROWS).get_page(request.GET.get("p"))
        states = bulk.counts(job)
        context = {
            **self.admin_site.each_context(request),
            "title": str(job),
            "opts": self.opts,
            "job": job,
            "deed": target.deeds[job.action],
            "kind": target.opts.verbose_name,
            "total": sum(states.values()),
            "worked": sum(states.values()) - states.get(BulkRowState.WAITING, 0),
            "states": [(one.label, states[one]) for one in BulkRowState if one in states],
            "reasons": [(one.label, *said) for one in _WHY for said in bulk.details(job, one)],
            "rows": _named(target, page.object_list),
            "page": page,
        }
        return TemplateResponse(request, "backoffice/people/bulk.html", context)


def _named(target: Any, rows: QuerySet[BulkRow]) -> list[dict[str, Any]]:
    """The rows with their present names, for who may see the job; of one that is gone its number."""
    found = target.model._default_manager.in_bulk([row.object_id for row in rows])
    return [
        {"row": row, "name": target.named(found[row.object_id]) if row.object_id in found else row.object_id}
        for row in rows
    ]
