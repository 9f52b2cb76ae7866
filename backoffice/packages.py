"""Packages in the admin: what is kept for devices to fetch, uploading one, its address, removing."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.errors import Refused
from accounts.models import Operator
from accounts.scoping import Deed
from backoffice.reasons import ask_and_do
from backoffice.scoping import ScopedModelAdmin
from devices.packages.models import Package
from devices.packages.selectors import packages as selectors
from devices.packages.services import packages

SHOWN_DIGITS = 12


class UploadForm(forms.Form):
    """Whom the package is for, what it is called, and the file; its content is judged by the service."""

    operator = forms.ModelChoiceField(Operator.objects.none(), label=_("For"))
    name = forms.CharField(
        label=_("Name"),
        max_length=packages.NAME_LIMIT,
        help_text=_("What staff call it, such as Meter 1.4.2. Devices do not see it."),
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )
    file = forms.FileField(label=_("File"), allow_empty_file=True, max_length=None)
    sha256 = forms.CharField(
        label="SHA-256",
        required=False,
        max_length=64,
        help_text=_("What its maker says, in hex; empty: it is not compared."),
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = selectors.operators_to_upload_for(user)
        held = list(choices[:2])
        field = self.fields["operator"]
        field.queryset = choices
        if len(held) == 1:
            field.empty_label, field.initial = None, held[0]


class PackageAdmin(ScopedModelAdmin):
    list_display = ("name", "operator", "bytes", "digest", "fetches", "fetched_at", "uploaded_at")
    list_filter = ("operator",)
    list_select_related = ("operator",)
    list_per_page = 50
    search_fields = ("name", "file", "sha256")  # `get_search_results` does the search
    search_help_text = _("Name, file, or how the SHA-256 begins.")
    show_full_result_count = False
    ordering = ("-id",)
    actions = ("remove",)
    deeds = {
        "remove": Deed(
            question=_("Remove these packages? A device that is fetching one finds nothing any more."),
            button=_("Remove"),
            done=_("removed"),
            verb="delete",
            is_dangerous=True,
            do=lambda row, reason, by: packages.remove(package=row, reason=reason),
        )
    }
    fields = readonly_fields = (
        "name",
        "operator",
        "file",
        "bytes",
        "sha256",
        "address",
        "uploaded_at",
        "fetches",
        "fetched_at",
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        words = search_term.strip()
        return (selectors.found(queryset, words) if words else queryset), False

    @admin.display(description=_("Size"), ordering="size")
    def bytes(self, row: Package) -> str:
        return filesizeformat(row.size)

    @admin.display(description="SHA-256")
    def digest(self, row: Package) -> str:
        return f"{row.sha256[:SHOWN_DIGITS]}…"

    @admin.display(description=_("Address for any device"))
    def address(self, row: Package) -> str:
        return packages.uri(row) or _("No files are served here (COAP_FILES_PORT is 0).")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # another content is another package

    def has_remove_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "delete", None)

    def delete_model(self, request: HttpRequest, obj: Package) -> None:
        packages.remove(package=obj)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        is_sent = request.method == "POST"
        form = UploadForm(request.user, *((request.POST, request.FILES) if is_sent else ()))
        if is_sent and form.is_valid():
            made = self._upload(form)
            if made is not None:
                self.message_user(request, _("%(name)s is here.") % {"name": made}, messages.SUCCESS)
                return HttpResponseRedirect(reverse("admin:packages_package_change", args=[made.pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Upload a package"),
            "opts": self.opts,
            "form": form,
            **(extra_context or {}),
        }
        return TemplateResponse(request, "backoffice/packages/upload.html", context)

    def _upload(self, form: UploadForm) -> Package | None:
        given = form.cleaned_data
        try:
            return packages.upload(
                operator=given["operator"],
                name=given["name"],
                file=given["file"],
                file_name=given["file"].name,
                digest=given["sha256"],
            )
        except Refused as refusal:
            form.add_error(refusal.field, refusal.detail)
            return None

    @admin.action(description=_("Remove packages …"), permissions=["remove"])
    def remove(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return ask_and_do(self, request, queryset, "remove")
