"""Subscribers' accounts in the admin: suspended, resumed and closed here, opened by the people themselves."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from accounts.models import Subscriber, SubscriberState
from accounts.scoping import Deed, Skip
from accounts.services import subscribers
from backoffice.reasons import ask_and_do
from backoffice.scoping import ScopedModelAdmin
from provisioning.services import closing


class SubscriberAdmin(ScopedModelAdmin):
    """Subscribers' accounts. They are opened by the people themselves; closing one suspends its devices."""

    list_display = ("number", "email", "name", "operator", "state", "created_at")
    list_filter = ("state", "operator")
    list_select_related = ("user", "operator")
    search_fields = ("number", "user__email", "user__name")
    show_full_result_count = False
    fields = readonly_fields = ("number", "email", "name", "operator", "state", "created_at")
    actions = ("suspend", "resume", "close")
    deeds = {
        "suspend": Deed(
            question=_("Suspend these accounts?"),
            button=_("Suspend"),
            done=_("suspended"),
            do=lambda row, reason, by: subscribers.suspend(subscriber=row, reason=reason),
            skips=(Skip(Q(state=SubscriberState.SUSPENDED), _("suspended already")),),
        ),
        "resume": Deed(
            question=_("Resume these accounts?"),
            button=_("Resume"),
            done=_("active again"),
            do=lambda row, reason, by: subscribers.resume(subscriber=row, reason=reason),
            skips=(Skip(Q(state=SubscriberState.ACTIVE), _("active already")),),
        ),
        "close": Deed(
            question=_("Close these accounts? Their devices are suspended."),
            button=_("Close"),
            done=_("closed"),
            is_dangerous=True,
            do=lambda row, reason, by: closing.close(subscriber=row, reason=reason),
            skips=(Skip(Q(state=SubscriberState.CLOSED), _("closed already")),),
        ),
    }

    @admin.display(description=_("E-mail"), ordering="user__email")
    def email(self, subscriber: Subscriber) -> str:
        return subscriber.user.email

    @admin.display(description=_("Name"), ordering="user__name")
    def name(self, subscriber: Subscriber) -> str:
        return subscriber.user.name

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """For the actions of the list; an account's page is to be read."""
        return obj is None and super().has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # closed instead: devices and the ledger refer to it

    @admin.action(description=_("Suspend accounts …"), permissions=["change"])
    def suspend(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return ask_and_do(self, request, queryset, "suspend")

    @admin.action(description=_("Resume accounts …"), permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return ask_and_do(self, request, queryset, "resume")

    @admin.action(description=_("Close accounts …"), permissions=["change"])
    def close(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return ask_and_do(self, request, queryset, "close")
