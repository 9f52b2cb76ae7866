"""Operators in the admin."""

from __future__ import annotations

from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest

from accounts.models import Operator
from accounts.services import operators
from backoffice.forms import become, changes_of
from backoffice.history_days import HistoryRetentionInline
from backoffice.scoping import ScopedModelAdmin
from provisioning.services import operators as provisioned


class OperatorAdmin(ScopedModelAdmin):
    """Operators; a new one gets its first bootstrap profile."""

    operator_path = "pk"

    inlines = (HistoryRetentionInline,)
    list_display = ("name", "slug", "is_active", "is_open_for_signup", "allows_nosec")
    search_fields = ("name", "slug")
    fields = (
        "slug",
        "name",
        "description",
        "support_email",
        "is_open_for_signup",
        "allows_nosec",
        "is_active",
        "created_at",
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Operator | None = None) -> tuple[str, ...]:
        fixed: tuple[str, ...] = ("created_at",)
        if obj is not None:
            fixed += ("slug",)
        if obj is None or not request.user.is_superuser:
            fixed += ("is_active",)
        return fixed

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # made inactive instead: its ledger stays

    def save_model(self, request: HttpRequest, obj: Operator, form: ModelForm, change: bool) -> None:
        if change:
            operators.change(operator=obj, changes=changes_of(form, obj))
            return
        created = provisioned.create(**form.cleaned_data)
        become(obj, created)
