"""Bootstrap profiles in the admin: what an operator's bootstrap server writes into devices."""

from __future__ import annotations

from copy import copy
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from backoffice.scoping import ScopedModelAdmin
from provisioning.models import BootstrapProfile
from provisioning.profiles import profiles


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
        (_("Server"), {"fields": ("server_uri", "security", "short_server_id")}),
        (
            _("Registration"),
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
        (_("Before writing"), {"fields": ("reads", "deletes")}),
        (_("Access control"), {"fields": ("access_rights",)}),
        (_("Once it is registered"), {"fields": ("observes", "awake_seconds")}),
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
