"""Reach policies in the admin: what is done for an operator's devices that miss their contact."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.errors import Refused
from backoffice.scoping import PortalWritten, ScopedModelAdmin
from provisioning import rungs
from provisioning.ladder import ReachPolicy
from provisioning.services import reach_policies

_PREFIX = "rung_"
_SETTINGS = ("is_enabled", "early_seconds", "sms_per_day", "sms_per_minute")


class _PolicyForm(forms.ModelForm):
    """One field a rung: its seconds, or empty where it is not taken."""

    class Meta:
        model = ReachPolicy
        fields = _SETTINGS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind, seconds in self.instance.waits.items():
            if _PREFIX + kind in self.fields:
                self.initial[_PREFIX + kind] = seconds

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        given = {kind: cleaned.get(_PREFIX + kind) for kind in rungs.KINDS}
        cleaned["waits"] = {kind: seconds for kind, seconds in given.items() if seconds is not None}
        if not self.errors and not cleaned["waits"]:
            self.add_error(None, gettext("Name at least one step, or switch the policy off."))
        return cleaned


_FIELDS = {
    _PREFIX + kind: forms.IntegerField(
        label=module.TITLE,
        required=False,
        min_value=0,
        max_value=int(reach_policies.LONGEST_WAIT.total_seconds()),
        help_text=_("Seconds until the next step. Empty: this step is not taken."),
    )
    for kind, module in rungs.KINDS.items()
}
PolicyForm = type("PolicyForm", (_PolicyForm,), dict(_FIELDS))


class ReachPolicyAdmin(PortalWritten, ScopedModelAdmin):
    """What is done for devices that miss their contact. Every operator has one."""

    refusals = (Refused,)
    form = PolicyForm
    list_display = ("operator", "is_enabled", "steps", "sms_per_day", "sms_per_minute", "updated_at")
    list_filter = ("is_enabled",)
    list_select_related = ("operator",)
    search_fields = ("operator__name",)
    fieldsets = (
        (None, {"fields": ("operator", "is_enabled", "early_seconds")}),
        (_("Steps, in this order"), {"fields": tuple(_FIELDS)}),
        (_("What it may cost"), {"fields": ("sms_per_day", "sms_per_minute")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Who may only look sees the steps in words: the fields of the form are no columns."""
        if self.has_change_permission(request, obj):
            return super().get_fieldsets(request, obj)
        settings = ("operator", "is_enabled", "early_seconds", "steps", "sms_per_day", "sms_per_minute")
        return ((None, {"fields": settings}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("operator", "steps")

    @admin.display(description=_("Steps"))
    def steps(self, policy: ReachPolicy) -> str:
        taken = [
            f"{module.TITLE} ({policy.waits[kind]} s)"
            for kind, module in rungs.KINDS.items()
            if kind in policy.waits
        ]
        return ", ".join(taken) or "none"

    def save_model(self, request: HttpRequest, obj: ReachPolicy, form: forms.ModelForm, change: bool) -> None:
        changes = {name: form.cleaned_data[name] for name in (*_SETTINGS, "waits")}
        reach_policies.save(operator=obj.operator, changes=changes)
