"""The admin site of the operators' staff: signs in through everybody's pages and leads to the live board."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.admin.apps import AdminConfig
from django.contrib.admin.options import ModelAdmin
from django.contrib.admin.sites import AdminSite
from django.contrib.auth import logout as sign_out
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

Extra = dict[str, Any] | None


class PortalAdminConfig(AdminConfig):
    default_site = "backoffice.site.PortalAdminSite"


class PortalAdminSite(AdminSite):
    site_header = _("M2M portal")
    site_title = _("M2M portal")
    index_title = _("Operations")
    site_url = "/"
    enable_nav_sidebar = True

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: Extra = None) -> HttpResponse:
        """Our own sign-in page, with its confirmed addresses and limits on wrong passwords."""
        if self.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index"))
        if request.user.is_authenticated:
            raise PermissionDenied("You are signed in, but you hold no role with an operator.")
        query = QueryDict(mutable=True)
        query["next"] = request.GET.get("next") or reverse("admin:index")
        return HttpResponseRedirect(f"{reverse('account_login')}?{query.urlencode(safe='/')}")

    def logout(self, request: HttpRequest, extra_context: Extra = None) -> HttpResponse:
        if request.method == "POST":
            sign_out(request)
        return HttpResponseRedirect("/")

    def password_change(self, request: HttpRequest, extra_context: Extra = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("account_change_password"))

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self._headings: list[tuple[str | Promise, list[type[Model]]]] = []

    def show(self, heading: str | Promise, lists: Mapping[type[Model], type[ModelAdmin]]) -> None:
        """Put these lists into the admin, and on its index under `heading`."""
        self._headings.append((heading, list(lists)))
        for model, model_admin in lists.items():
            super().register(model, model_admin)

    def register(
        self, model_or_iterable: Any, admin_class: type[ModelAdmin] | None = None, **options: Any
    ) -> None:
        """Called by packages for their own models, without a thought of operators: not heard. Ours are `show`n."""
        if admin_class is not None and admin_class.__module__.startswith("backoffice."):
            raise TypeError(f"Show {admin_class.__name__} under a heading in backoffice/admin.py.")

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        """Lists by what they are for, not by the app that keeps the rows; of one app by its label."""
        if app_label is not None:
            return super().get_app_list(request, app_label)
        rows = {row["model"]: row for app in super().get_app_list(request) for row in app["models"]}
        found = []
        for number, (heading, models) in enumerate(self._headings):
            shown = [self._named(rows[model]) for model in models if model in rows]
            if shown and number == 0 and request.user.has_perm("inventory.view_device"):
                shown.insert(0, self._board())
            if shown:
                found.append({"name": heading, "app_label": f"heading-{number}", "models": shown})
        return found

    def _named(self, row: dict[str, Any]) -> dict[str, Any]:
        name = getattr(self._registry[row["model"]], "index_name", "")
        return {**row, "name": name or row["name"]}

    @staticmethod
    def _board() -> dict[str, Any]:
        return {
            "name": _("Live board"),
            "object_name": "Board",
            "perms": {"add": False, "change": False, "delete": False, "view": True},
            "admin_url": reverse("admin:inventory_device_board"),
            "add_url": None,
            "view_only": True,
        }
