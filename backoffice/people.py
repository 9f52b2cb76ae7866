"""People in the admin, for superusers, with their addresses and API tokens."""

from __future__ import annotations

from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from knox.models import AuthToken

from accounts.models import User
from accounts.services import people, tokens
from backoffice.forms import changes_of
from backoffice.scoping import PlatformModelAdmin


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


class EmailAddressAdmin(PlatformModelAdmin):
    """Addresses and whether they are confirmed, for superusers to look at."""

    index_name = _("E-mail addresses")
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


class AuthTokenAdmin(PlatformModelAdmin):
    """API tokens, for superusers: to see and to end them. The token itself was shown once to its owner."""

    index_name = _("API tokens")
    list_display = ("user", "created", "expiry")
    list_select_related = ("user",)
    search_fields = ("user__email",)
    fields = readonly_fields = ("user", "created", "expiry")
    ordering = ("-created",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def delete_model(self, request: HttpRequest, obj: AuthToken) -> None:
        tokens.take_away(token=obj)
