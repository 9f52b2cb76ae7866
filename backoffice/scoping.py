"""Admin classes that show staff their operators' rows: lists, pages, choices, filters and actions."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.filters import RelatedFieldListFilter
from django.db.models import ForeignKey, Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from accounts import tenancy
from accounts.errors import Refused
from accounts.models import BulkJob, Operator
from accounts.scoping.deeds import Deed
from accounts.scoping.querysets import of_staff
from accounts.services import bulk


class _ScopedRelatedFilter(RelatedFieldListFilter):
    """A list filter by relation that offers the choices the forms would offer."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        choices = model_admin.visible_choices(field.remote_field.model, request)
        ordering = self.field_admin_ordering(field, request, model_admin)
        if ordering:
            choices = choices.order_by(*ordering)
        return [(row.pk, str(row)) for row in choices]


def _refused(form: type[forms.ModelForm], refusal: Exception) -> type[forms.ModelForm]:
    """The form with what a service said to it, at the field that it is about."""

    class Refused(form):  # type: ignore[misc, valid-type]
        def _post_clean(self) -> None:
            super()._post_clean()
            field = getattr(refusal, "field", None)
            self.add_error(field if field in self.fields else None, str(refusal))

    return Refused


class _Scoped:
    """What ModelAdmin and inlines share: rows and the choices of relations."""

    operator_path: str = "operator"

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        view, change = self._permission("view"), self._permission("change")
        return of_staff(super().get_queryset(request), request.user, self.operator_path, view, change)

    def _permission(self, verb: str) -> str:
        return f"{self.opts.app_label}.{verb}_{self.opts.model_name}"

    def visible_choices(self, model: type[Model], request: HttpRequest) -> QuerySet:
        """Rows of a related model that this person may be shown; none where no scoped admin knows."""
        related = self.admin_site._registry.get(model)
        if isinstance(related, _Scoped):
            return related.get_queryset(request)
        return model._default_manager.all() if request.user.is_superuser else model._default_manager.none()

    def formfield_for_foreignkey(self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any) -> Any:
        if "queryset" not in kwargs:
            kwargs["queryset"] = self._form_choices(db_field, request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs.setdefault("queryset", self.visible_choices(db_field.remote_field.model, request))
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def _form_choices(self, db_field: ForeignKey, request: HttpRequest) -> QuerySet:
        model = db_field.remote_field.model
        choices = self.visible_choices(model, request)
        if model is Operator:  # write only for operators where the role may write
            verbs = (self._permission("add"), self._permission("change"))
            choices = of_staff(choices, request.user, "id", *verbs)
        return choices


class ScopedModelAdmin(_Scoped, admin.ModelAdmin):
    """`operator_path` leads from the model to its Operator; rows of no operator are for superusers.

    Asked without a row, a permission is "may with some operator"; asked with one, the role with its operator
    decides. Whatever a service refuses (`refusals`) becomes an error on the form, with all that was typed; where
    there is no form, a message on the page it came from.
    """

    refusals: tuple[type[Exception], ...] = (Refused,)
    deeds: dict[str, Deed] = {}  # what the actions do, by their names

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except self.refusals as refusal:  # what was written by then is rolled back
            request.refusal = refusal
            return super().changeform_view(request, *args, **kwargs)

    def get_form(
        self, request: HttpRequest, obj: Model | None = None, **kwargs: Any
    ) -> type[forms.ModelForm]:
        form = super().get_form(request, obj, **kwargs)
        refusal = getattr(request, "refusal", None)
        return form if refusal is None else _refused(form, refusal)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._told(request, super().delete_view, *args, **kwargs)

    def _told(self, request: HttpRequest, view: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except self.refusals as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Without Django's bulk delete, which knows no service: rows go one by one, or by an own action."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [self._scoped_filter(item) for item in super().get_list_filter(request)]

    def _scoped_filter(self, item: Any) -> Any:
        if not isinstance(item, str):
            return item
        model: type[Model] = self.model
        for hop in item.split("__"):
            field = model._meta.get_field(hop)
            if field.remote_field is None:
                return item
            model = field.remote_field.model
        return item, _ScopedRelatedFilter

    def _may(self, request: HttpRequest, verb: str, row: Model | None) -> bool:
        permission = self._permission(verb)
        if row is None:
            return tenancy.operator_ids(request.user, permission) != set()
        return tenancy.may(request.user, permission, tenancy.operator_id_of(row, self.operator_path))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "add", None)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request, "view", obj) or self._may(request, "change", obj)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request, "change", obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request, "delete", obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return any(self._may(request, verb, None) for verb in ("view", "add", "change", "delete"))

    def named(self, row: Model) -> str:
        """A row as it is told from others, where an action asks about it or reports on it."""
        return str(row)

    def go_on(self, job: BulkJob) -> bool:
        """Do the next rows of a bulk job of this list; True when none is left."""
        return bulk.run(
            job=job,
            model=self.model,
            deed=self.deeds[job.action],
            operator_path=self.operator_path,
            refusals=self.refusals,
        )

    def permitted(self, request: HttpRequest, queryset: QuerySet, verb: str) -> QuerySet:
        """Of an action's rows those where the role allows `verb`: somebody may hold several roles."""
        return of_staff(queryset, request.user, self.operator_path, self._permission(verb))


class PortalWritten:
    """Rows that the portal makes by itself, in lists and inlines: nobody adds or deletes one."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnlyAdmin(PortalWritten, ScopedModelAdmin):
    """Lists and pages to be read."""

    list_per_page = 50
    show_full_result_count = False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class PlatformModelAdmin(ScopedModelAdmin):
    """Rows that belong to no operator: superusers only."""

    operator_path = ""

    def _may(self, request: HttpRequest, verb: str, row: Model | None) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)


class _ScopedInline(_Scoped):
    """Rows beneath a parent whose page is scoped already: the role with the parent's operator decides."""

    def _may(self, request: HttpRequest, verb: str, parent: Model | None) -> bool:
        permission = self._permission(verb)
        if parent is None:
            return tenancy.operator_ids(request.user, permission) != set()
        return tenancy.may(request.user, permission, tenancy.operator_id_of(parent))

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request, "add", obj)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request, "view", obj) or self._may(request, "change", obj)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request, "change", obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request, "delete", obj)


class ScopedInline(_ScopedInline, admin.TabularInline):
    """A table of scoped rows."""

    extra = 0


class ScopedStackedInline(_ScopedInline, admin.StackedInline):
    """Scoped rows, one under the other."""

    extra = 0
