"""Object definitions in the admin: what is loaded, what is in it, loading DDF files and removing."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.forms.widgets import ClearableFileInput
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.errors import Refused
from accounts.models import Operator
from accounts.scoping import Deed
from backoffice.reasons import ask_and_do
from backoffice.scoping import ScopedModelAdmin
from devices.inventory import object_files
from devices.inventory.models import ObjectDefinition
from devices.inventory.selectors import object_definitions as definitions
from devices.inventory.services import object_models
from devices.inventory.services.object_models import Report, Result
from lwm2m.errors import Lwm2mError
from lwm2m.objects import ObjectModel, from_json

WORDS = {
    Result.LOADED: _("Loaded"),
    Result.REPLACED: _("Replaced what was loaded before"),
    Result.UNCHANGED: _("Nothing new: exactly this is loaded already"),
    Result.REFUSED: _("Refused"),
}


class BandFilter(admin.SimpleListFilter):
    """By who gives out the object's number."""

    title = _("number")
    parameter_name = "band"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(band, label) for band, (label, _, _) in definitions.BANDS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        band = self.value()
        return definitions.in_band(queryset, band) if band in definitions.BANDS else queryset


class _Files(ClearableFileInput):
    allow_multiple_selected = True


class _FilesField(forms.FileField):
    widget = _Files

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        return [super(_FilesField, self).clean(one) for one in data] if data else super().clean(None)


class LoadForm(forms.Form):
    """Whom the files are for, and the files. Emptiness of a file is judged with its content, not here."""

    operator = forms.ModelChoiceField(
        Operator.objects.none(), required=False, empty_label=_("All operators"), label=_("For")
    )
    files = _FilesField(
        label=_("DDF files"),
        allow_empty_file=True,
        max_length=None,
        widget=_Files(attrs={"accept": ".xml,text/xml,application/xml"}),
        help_text=format_lazy(
            _("XML in the shape of LWM2M.xsd, 1 MB each, up to {max_files} at once."),
            max_files=object_files.MAX_FILES,
        ),
        error_messages={"required": _("Choose at least one DDF file (XML).")},
    )

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = definitions.operators_to_load_for(user)
        field = self.fields["operator"]
        field.queryset = choices
        if not user.is_superuser:
            held = list(choices[:2])
            field.required, field.empty_label = (
                True,
                None if len(held) == 1 else gettext("Choose the operator"),
            )
            field.initial = held[0] if len(held) == 1 else None


class ObjectDefinitionAdmin(ScopedModelAdmin):
    """Those for all operators are shown to all staff, and loaded and removed by superusers alone."""

    refusals = (Refused,)
    list_display = ("path", "version", "name", "whose", "source", "loaded_at")
    list_display_links = ("path", "name")
    list_filter = (BandFilter, "operator")
    list_select_related = ("operator",)
    list_per_page = 50
    search_fields = ("name", "object_id", "source")  # `get_search_results` does the search
    search_help_text = _("Name, number such as /3303, or file.")
    show_full_result_count = False
    ordering = ("object_id", "version", "id")
    actions = ("remove",)
    deeds = {
        "remove": Deed(
            question=_(
                "Remove these definitions? Devices are then read by the next one that knows the object."
            ),
            button=_("Remove"),
            done=_("removed"),
            verb="delete",
            is_dangerous=True,
            do=lambda row, reason, by: _remove(row, reason),
        )
    }
    fields = readonly_fields = ("path", "version", "name", "whose", "instances", "source", "loaded_at")
    change_form_template = "backoffice/devices/object_definition.html"
    change_list_template = "backoffice/devices/object_definitions.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return definitions.visible_definitions(request.user).order_by(*self.ordering)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        return (definitions.found(queryset, search_term) if search_term.strip() else queryset), False

    def named(self, row: Model) -> str:
        return f"{row}, {self.whose(row)}"

    @admin.display(description=_("Object"), ordering="object_id")
    def path(self, row: ObjectDefinition) -> str:
        return f"/{row.object_id}"

    @admin.display(description=_("For"), ordering="operator__name")
    def whose(self, row: ObjectDefinition) -> str:
        return row.operator.name if row.operator else gettext("all operators")

    @admin.display(description=_("Instances"))
    def instances(self, row: ObjectDefinition) -> str:
        model = _model(row)
        if model is None:
            return "–"
        return ("several" if model.multiple else "one") + (", mandatory" if model.mandatory else "")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "view", None if obj is None or obj.operator_id is None else obj)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # a definition is what its file says: load another file

    def has_remove_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "delete", None)

    def delete_model(self, request: HttpRequest, obj: ObjectDefinition) -> None:
        _remove(obj)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        model = None if row is None else _model(row)
        extra = {"model": model, "resources": list(model.resources.values()) if model else []}
        return super().change_view(request, object_id, form_url, {**extra, **(extra_context or {})})

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        """Choose files, load them, and read what became of each on the same page."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        is_sent = request.method == "POST"
        form = LoadForm(request.user, *((request.POST, request.FILES) if is_sent else ()))
        reports = self._load(request, form) if is_sent and form.is_valid() else []
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Load object definitions"),
            "opts": self.opts,
            "form": form,
            "reports": [(report, WORDS[report.result]) for report in reports],
            "refused": sum(report.result is Result.REFUSED for report in reports),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "backoffice/devices/load_objects.html", context)

    def _load(self, request: HttpRequest, form: LoadForm) -> list[Report]:
        try:
            files = object_files.sources(form.cleaned_data["files"])
        except Refused as refusal:
            form.add_error("files", refusal.detail)
            return []
        return object_models.load(operator=form.cleaned_data["operator"], files=files)

    @admin.action(description=_("Remove definitions …"), permissions=["remove"])
    def remove(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return ask_and_do(self, request, queryset, "remove")


def _model(row: ObjectDefinition) -> ObjectModel | None:
    """What the definition says; None for one that was written by hand and cannot be read."""
    try:
        return from_json(row.definition)
    except Lwm2mError:
        return None


def _remove(row: ObjectDefinition, reason: str = "") -> None:
    object_models.remove(operator=row.operator, object_id=row.object_id, version=row.version, reason=reason)
