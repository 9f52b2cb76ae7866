"""Staff and their roles in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import invitations
from accounts.forms import StaffInvitation
from accounts.models import StaffMembership
from accounts.services import staff
from backoffice.forms import become
from backoffice.scoping import ScopedModelAdmin


class StaffMembershipAdmin(ScopedModelAdmin):
    """Roles: somebody is invited by e-mail address; afterwards only the role can change."""

    index_name = _("Staff and roles")
    list_display = ("person", "operator", "role", "state", "created_at")
    list_filter = ("role", "operator")
    list_select_related = ("user", "operator")
    search_fields = ("user__email", "user__name", "email")

    @admin.display(description=_("Person"), ordering="user__email")
    def person(self, membership: StaffMembership) -> str:
        user = membership.user
        if user is None:
            return membership.email
        return f"{user.name} <{user.email}>" if user.name else user.email

    @admin.display(description=_("State"))
    def state(self, membership: StaffMembership) -> str:
        return gettext("Invited, has not accepted") if membership.is_pending else gettext("Accepted")

    def get_fields(self, request: HttpRequest, obj: StaffMembership | None = None) -> tuple[str, ...]:
        return (
            ("operator", "email", "name", "role")
            if obj is None
            else ("person", "operator", "role", "state", "created_at")
        )

    def get_readonly_fields(
        self, request: HttpRequest, obj: StaffMembership | None = None
    ) -> tuple[str, ...]:
        return () if obj is None else ("person", "operator", "state", "created_at")

    def get_form(self, request: HttpRequest, obj: StaffMembership | None = None, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = StaffInvitation
        return super().get_form(request, obj, **kwargs)

    def save_model(self, request: HttpRequest, obj: StaffMembership, form: ModelForm, change: bool) -> None:
        if change and obj.user is not None:
            staff.grant(user=obj.user, operator=obj.operator, role=obj.role)
            return
        data = form.cleaned_data
        invited = staff.invite(
            email=obj.email if change else data["email"],
            operator=obj.operator,
            role=data["role"],
            name="" if change else data["name"],
        )
        become(obj, invited)
        transaction.on_commit(lambda: invitations.send(request, invited))

    def delete_model(self, request: HttpRequest, obj: StaffMembership) -> None:
        staff.remove(membership=obj)
