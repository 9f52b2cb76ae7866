"""The admin of people and operators. Everything written here goes through a service."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress, EmailConfirmation
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from knox.models import AuthToken

from accounts import invitations
from accounts.forms import StaffInvitation
from accounts.models import Operator, StaffMembership, Subscriber, SubscriberState, User
from accounts.scoping import Deed, Skip
from accounts.services import operators, people, staff, subscribers
from backoffice import bulk_jobs  # noqa: F401  bulk jobs register themselves
from backoffice.reasons import ask_and_do
from backoffice.scoping import PlatformModelAdmin, ScopedModelAdmin

for model in (Group, EmailAddress, EmailConfirmation, AuthToken):
    if admin.site.is_registered(
        model
    ):  # registered by the packages they come from, without a thought of operators
        admin.site.unregister(model)


def changes_of(form: ModelForm, row: Model) -> dict[str, Any]:
    return {name: getattr(row, name) for name in form.changed_data}


@admin.register(User)
class UserAdmin(PlatformModelAdmin):
    """People, for superusers. They come by signing up, by invitation or by `createsuperuser`."""

    list_display = ("email", "name", "is_active", "is_staff", "is_superuser", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("email", "name")
    fields = ("email", "name", "is_active", "is_superuser", "is_staff", "last_login", "date_joined")
    readonly_fields = ("email", "is_staff", "last_login", "date_joined")
    ordering = ("email",)
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # the ledger and accounts refer to people; they are switched off instead

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm, change: bool) -> None:
        people.change(user=obj, changes=changes_of(form, obj))


@admin.register(Operator)
class OperatorAdmin(ScopedModelAdmin):
    """Operators. `create` is replaced by whoever knows what else a new operator needs."""

    operator_path = "pk"
    create = staticmethod(operators.create)

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
        created = self.create(**{name: form.cleaned_data[name] for name in form.cleaned_data})
        obj.__dict__.update(created.__dict__)


@admin.register(StaffMembership)
class StaffMembershipAdmin(ScopedModelAdmin):
    """Roles: somebody is invited by e-mail address; afterwards only the role can change."""

    list_display = ("person", "operator", "role", "state", "created_at")
    list_filter = ("role", "operator")
    list_select_related = ("user", "operator")
    search_fields = ("user__email", "user__name", "email")

    @admin.display(description="Person", ordering="user__email")
    def person(self, membership: StaffMembership) -> str:
        user = membership.user
        if user is None:
            return membership.email
        return f"{user.name} <{user.email}>" if user.name else user.email

    @admin.display(description="State")
    def state(self, membership: StaffMembership) -> str:
        return "Invited, has not accepted" if membership.is_pending else "Accepted"

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
        obj.__dict__.update(invited.__dict__)
        transaction.on_commit(lambda: invitations.send(request, invited))

    def delete_model(self, request: HttpRequest, obj: StaffMembership) -> None:
        staff.remove(membership=obj)


@admin.register(Subscriber)
class SubscriberAdmin(ScopedModelAdmin):
    """Subscribers' accounts. They are opened by the people themselves; `end` is replaced by who knows their devices."""

    end = staticmethod(subscribers.close)

    list_display = ("number", "email", "name", "operator", "state", "created_at")
    list_filter = ("state", "operator")
    list_select_related = ("user", "operator")
    search_fields = ("number", "user__email", "user__name")
    show_full_result_count = False
    fields = readonly_fields = ("number", "email", "name", "operator", "state", "created_at")
    actions = ("suspend", "resume", "close")
    deeds = {
        "suspend": Deed(
            question="Suspend these accounts?",
            button="Suspend",
            done="suspended",
            do=lambda row, reason, by: subscribers.suspend(subscriber=row, reason=reason),
            skips=(Skip(Q(state=SubscriberState.SUSPENDED), "suspended already"),),
        ),
        "resume": Deed(
            question="Resume these accounts?",
            button="Resume",
            done="active again",
            do=lambda row, reason, by: subscribers.resume(subscriber=row, reason=reason),
            skips=(Skip(Q(state=SubscriberState.ACTIVE), "active already"),),
        ),
        "close": Deed(
            question="Close these accounts? Their devices are suspended.",
            button="Close",
            done="closed",
            is_dangerous=True,
            do=lambda row, reason, by: SubscriberAdmin.end(subscriber=row, reason=reason),
            skips=(Skip(Q(state=SubscriberState.CLOSED), "closed already"),),
        ),
    }

    @admin.display(description="E-mail", ordering="user__email")
    def email(self, subscriber: Subscriber) -> str:
        return subscriber.user.email

    @admin.display(description="Name", ordering="user__name")
    def name(self, subscriber: Subscriber) -> str:
        return subscriber.user.name

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # closed instead: devices and the ledger refer to it

    @admin.action(description="Suspend accounts …", permissions=["change"])
    def suspend(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return ask_and_do(self, request, queryset, "suspend")

    @admin.action(description="Resume accounts …", permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return ask_and_do(self, request, queryset, "resume")

    @admin.action(description="Close accounts …", permissions=["change"])
    def close(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return ask_and_do(self, request, queryset, "close")


@admin.register(EmailAddress)
class EmailAddressAdmin(PlatformModelAdmin):
    """Addresses and whether they are confirmed, for superusers to look at."""

    list_display = ("email", "user", "primary", "verified")
    list_filter = ("verified",)
    list_select_related = ("user",)
    search_fields = ("email",)
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(AuthToken)
class AuthTokenAdmin(PlatformModelAdmin):
    """API tokens, for superusers: to see and to end them. The token itself was shown once to its owner."""

    list_display = ("user", "created", "expiry")
    list_select_related = ("user",)
    search_fields = ("user__email",)
    fields = readonly_fields = ("user", "created", "expiry")
    ordering = ("-created",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
