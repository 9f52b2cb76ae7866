"""Jobs in the admin: what the portal does for devices, step by step; retried and cancelled here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from accounts.scoping import Deed
from audit import people
from backoffice import requesters
from backoffice.causes import in_words
from backoffice.reasons import ask_and_do
from backoffice.scoping import PortalWritten, ScopedInline, ScopedModelAdmin
from provisioning.models import Job, JobStep
from provisioning.services import jobs
from provisioning.services.onboarding import requested_by
from provisioning.steps import KINDS


class StepInline(PortalWritten, ScopedInline):
    model = JobStep
    operator_path = "job__operator"
    fields = readonly_fields = (
        "position",
        "title",
        "state",
        "attempts",
        "started_at",
        "finished_at",
        "why",
        "detail",
    )
    ordering = ("position",)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    @admin.display(description=_("Step"))
    def title(self, step: JobStep) -> str:
        return KINDS[step.kind].TITLE if step.kind in KINDS else step.kind

    @admin.display(description=_("Cause"))
    def why(self, step: JobStep) -> str:
        return in_words(step.cause)


class JobAdmin(PortalWritten, ScopedModelAdmin):
    """What the portal does for devices, step by step."""

    list_display = (
        "id",
        "device",
        "kind",
        "state",
        "cause",
        "asked_by",
        "operator",
        "created_at",
        "finished_at",
    )
    code_of_person = "requested_by"
    list_display_links = ("id",)
    list_filter = ("state", "kind", "operator")
    list_select_related = ("device", "operator")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("device__endpoint", "cause", "requested_by")
    fields = readonly_fields = (
        "device",
        "kind",
        "state",
        "why",
        "asked_by",
        "reason",
        "created_at",
        "finished_at",
        "next_run_at",
    )
    inlines = (StepInline,)
    actions = ("retry", "cancel")
    deeds = {
        "retry": Deed(
            question=_("Start these jobs again?"),
            button=_("Start again"),
            done=_("started again"),
            do=lambda job, reason, by: jobs.retry(
                job_id=job.pk, requested_by=requested_by(by), reason=reason
            ),
        ),
        "cancel": Deed(
            question=_("Cancel these jobs?"),
            button=_("Cancel the jobs"),
            done=_("cancelled"),
            is_dangerous=True,
            do=lambda job, reason, by: jobs.cancel(job_id=job.pk, reason=reason),
        ),
    }

    @admin.display(description=_("Cause"))
    def why(self, job: Job) -> str:
        return in_words(job.cause)

    @admin.display(description=_("Requested by"))
    def asked_by(self, job: Job) -> str:
        return requesters.words(job.requested_by, people.of_row(job, self.code_of_person))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return people.NamedList

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """For the actions of the list; a job's page is to be read."""
        return obj is None and super().has_change_permission(request)

    @admin.action(description=_("Start failed jobs again …"), permissions=["change"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Job]) -> HttpResponse | None:
        return ask_and_do(self, request, queryset, "retry")

    @admin.action(description=_("Cancel jobs …"), permissions=["change"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Job]) -> HttpResponse | None:
        return ask_and_do(self, request, queryset, "cancel")
