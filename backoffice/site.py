"""The admin site of the operators' staff: signs in through everybody's pages and leads to the live board."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.apps import AdminConfig
from django.contrib.admin.sites import AdminSite
from django.contrib.auth import logout as sign_out
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

Extra = dict[str, Any] | None


class PortalAdminConfig(AdminConfig):
    default_site = "backoffice.site.PortalAdminSite"


class PortalAdminSite(AdminSite):
    site_header = "M2M portal"
    site_title = "M2M portal"
    index_title = "Operations"
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

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        """The registered models, with the live board above the devices for whoever may see them."""
        apps = super().get_app_list(request, app_label)
        for app in apps:
            if app["app_label"] == "inventory" and request.user.has_perm("inventory.view_device"):
                app["models"].insert(0, self._board())
        return apps

    @staticmethod
    def _board() -> dict[str, Any]:
        return {
            "name": "Live board",
            "object_name": "Board",
            "perms": {"add": False, "change": False, "delete": False, "view": True},
            "admin_url": reverse("admin:inventory_device_board"),
            "add_url": None,
            "view_only": True,
        }
