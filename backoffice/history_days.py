"""How long an operator keeps the history of values: a row on the operator's page, written by the service."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Model, QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.scoping import of_staff
from backoffice.scoping import ScopedStackedInline
from devices.telemetry.models import DEFAULT_HISTORY_DAYS, HistoryRetention
from devices.telemetry.services import retention


class _DaysForm(forms.ModelForm):
    class Meta:
        model = HistoryRetention
        fields = ("days",)
        labels = {"days": _("Days")}
        help_texts = {
            "days": format_lazy(
                _(
                    "0 to {limit_days}; {default_history_days} where nothing was set. 0 keeps none. What is older is "
                    "deleted within the hour. The latest value always stays."
                ),
                limit_days=retention.LIMIT_DAYS,
                default_history_days=DEFAULT_HISTORY_DAYS,
            )
        }


class _DaysFormSet(BaseInlineFormSet):
    """A form that still shows the default is not saved: the operator then follows the default."""

    def save_new(self, form: forms.ModelForm, commit: bool = True) -> HistoryRetention:
        return retention.set_days(operator=self.instance, days=form.cleaned_data["days"])

    def save_existing(self, form: forms.ModelForm, obj: Model, commit: bool = True) -> HistoryRetention:
        return self.save_new(form)


class HistoryRetentionInline(ScopedStackedInline):
    model = HistoryRetention
    form = _DaysForm
    formset = _DaysFormSet
    fields = ("days",)
    can_delete = False
    verbose_name = _("days")
    verbose_name_plural = format_lazy(
        _("History of values ({default_history_days} days where nothing was set)"),
        default_history_days=DEFAULT_HISTORY_DAYS,
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """Asked without the operator, to which `_may` says no: here the rows themselves are narrowed."""
        verbs = (self._permission("view"), self._permission("change"))
        return of_staff(HistoryRetention.objects.all(), request.user, self.operator_path, *verbs)

    def get_extra(self, request: HttpRequest, obj: Model | None = None, **kwargs: Any) -> int:
        """None for who may not add: a relation of one to one is stubborn about its one form."""
        return 1 if self.has_add_permission(request, obj) else 0

    def _may(self, request: HttpRequest, verb: str, parent: Model | None) -> bool:
        return parent is not None and super()._may(request, verb, parent)  # no operator yet, nothing to keep
