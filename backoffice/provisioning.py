"""The admin of provisioning: profiles are edited here; jobs and bootstrap sessions are looked at, jobs retried."""

from __future__ import annotations

from copy import copy
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import NON_FIELD_ERRORS
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse

from accounts.scoping import Deed
from audit import people
from audit.causes import CAUSES
from backoffice import (
    reachability,  # noqa: F401  the other models of this room
    requesters,
)
from backoffice.devices import DeviceAdmin
from backoffice.end_devices import EndDeviceAdmin
from backoffice.people import OperatorAdmin, SubscriberAdmin
from backoffice.reasons import ask_and_do
from backoffice.scoping import ScopedInline, ScopedModelAdmin
from provisioning.models import BootstrapExchange, BootstrapProfile, BootstrapSession, Job, JobStep
from provisioning.selectors import near_misses
from provisioning.services import closing, jobs, mending, onboarding, operators, profiles
from provisioning.services.onboarding import requested_by
from provisioning.steps import KINDS

# What the rooms below offer to be completed: a new operator needs a profile, a retired device may have jobs.
OperatorAdmin.create = staticmethod(operators.create)
SubscriberAdmin.end = staticmethod(closing.close)
DeviceAdmin.near_miss = staticmethod(near_misses.of)
DeviceAdmin.enter_credential = staticmethod(mending.enter_credential)
DeviceAdmin.correct_endpoint = staticmethod(mending.correct_endpoint)
EndDeviceAdmin.take = staticmethod(onboarding.take_end_devices)


class ProfileForm(forms.ModelForm):
    """Checks the consistency rules of the standard before anything is saved."""

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if not self.errors and cleaned is not None:
            draft = copy(self.instance)
            for name, value in cleaned.items():
                setattr(draft, name, value)
            for sentence in profiles.validate(draft):
                self.add_error(NON_FIELD_ERRORS, sentence)
        return cleaned


@admin.register(BootstrapProfile)
class BootstrapProfileAdmin(ScopedModelAdmin):
    """What an operator's bootstrap server writes into devices."""

    form = ProfileForm
    list_display = (
        "name",
        "operator",
        "is_default",
        "security",
        "short_server_id",
        "lifetime_seconds",
        "binding",
    )
    list_filter = ("is_default", "operator")
    list_select_related = ("operator",)
    search_fields = ("name",)
    fieldsets = (
        (None, {"fields": ("operator", "name", "is_default")}),
        ("Server", {"fields": ("server_uri", "security", "short_server_id")}),
        (
            "Registration",
            {
                "fields": (
                    "lifetime_seconds",
                    "binding",
                    "notification_storing",
                    "default_pmin_seconds",
                    "default_pmax_seconds",
                    "disable_timeout_seconds",
                )
            },
        ),
        ("Before writing", {"fields": ("reads", "deletes")}),
        ("Access control", {"fields": ("access_rights",)}),
        ("Once it is registered", {"fields": ("observes", "awake_seconds")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return () if obj is None else ("operator",)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"deletes": list(profiles.DEFAULT_DELETES), **super().get_changeform_initial_data(request)}

    def save_model(
        self, request: HttpRequest, obj: BootstrapProfile, form: forms.ModelForm, change: bool
    ) -> None:
        profiles.save(profile=obj)

    def delete_model(self, request: HttpRequest, obj: BootstrapProfile) -> None:
        profiles.remove(profile=obj)


class _Read:
    """Rows that the portal writes by itself."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def in_words(code: str) -> str:
    """A cause for staff: its sentence, or the bare code of one that the catalogue does not have."""
    return f"{CAUSES[code].support} ({code})" if code in CAUSES else code


class StepInline(_Read, ScopedInline):
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

    @admin.display(description="Step")
    def title(self, step: JobStep) -> str:
        return KINDS[step.kind].TITLE if step.kind in KINDS else step.kind

    @admin.display(description="Cause")
    def why(self, step: JobStep) -> str:
        return in_words(step.cause)


@admin.register(Job)
class JobAdmin(_Read, ScopedModelAdmin):
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
            question="Start these jobs again?",
            button="Start again",
            done="started again",
            do=lambda job, reason, by: jobs.retry(
                job_id=job.pk, requested_by=requested_by(by), reason=reason
            ),
        ),
        "cancel": Deed(
            question="Cancel these jobs?",
            button="Cancel the jobs",
            done="cancelled",
            is_dangerous=True,
            do=lambda job, reason, by: jobs.cancel(job_id=job.pk, reason=reason),
        ),
    }

    @admin.display(description="Cause")
    def why(self, job: Job) -> str:
        return in_words(job.cause)

    @admin.display(description="Requested by")
    def asked_by(self, job: Job) -> str:
        return requesters.words(job.requested_by, people.of_row(job, self.code_of_person))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return people.NamedList

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """For the actions of the list; a job's page is to be read."""
        return obj is None and super().has_change_permission(request)

    @admin.action(description="Start failed jobs again …", permissions=["change"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Job]) -> HttpResponse | None:
        return ask_and_do(self, request, queryset, "retry")

    @admin.action(description="Cancel jobs …", permissions=["change"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Job]) -> HttpResponse | None:
        return ask_and_do(self, request, queryset, "cancel")


class ExchangeInline(_Read, ScopedInline):
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


@admin.register(BootstrapSession)
class BootstrapSessionAdmin(_Read, ScopedModelAdmin):
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

    @admin.display(description="Cause")
    def why(self, session: BootstrapSession) -> str:
        return in_words(session.cause)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
