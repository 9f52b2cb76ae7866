"""What gateways tell of, in the admin: a list by gateway with the way to take and to leave out."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import tenancy
from backoffice.scoping import ReadOnlyAdmin
from devices.gateways.models import EndDevice
from devices.gateways.selectors import end_devices
from devices.gateways.services import end_device_choices
from devices.registry.selectors import present
from provisioning.services import onboarding


class ShowFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "show"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(end_devices.SHOW.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[EndDevice]) -> QuerySet[EndDevice]:
        value = self.value()
        return queryset.filter(end_devices.condition(value)) if value in end_devices.SHOW else queryset


class EndDeviceAdmin(ReadOnlyAdmin):
    """What gateways tell of: taken, which starts their jobs, or left out."""

    index_name = _("Devices behind gateways")
    operator_path = "gateway__operator"
    list_display = ("identifier", "gateway", "prefix", "taken", "session", "found_at", "gone_at")
    list_display_links = ("identifier",)
    list_filter = (ShowFilter, "gateway__operator")
    list_select_related = (
        "gateway__registration",
        "gateway__registration_detail",
        "gateway__operator",
        "device__subscriber",
        "device__operator",
    )
    search_fields = ("identifier", "gateway__endpoint", "gateway__name", "prefix")
    search_help_text = _("Device ID, prefix, or endpoint and name of the gateway.")
    ordering = ("gateway", "instance")
    actions = ("take_them", "leave_out")

    def _permission(self, verb: str) -> str:
        """Whoever may see devices may see what is told of them."""
        return f"inventory.{verb}_device"

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup == "gateway__id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description=_("Device"))
    def taken(self, row: EndDevice) -> str:
        return str(row.device) if row.device else (gettext("left out") if row.is_dismissed else "–")

    @admin.display(description=_("Session"))
    def session(self, row: EndDevice) -> str:
        if row.device is None:
            return "–"
        row.device.via = row.gateway
        return present.of(row.device, timezone.now()).words

    @admin.action(description=_("Take these devices"))
    def take_them(self, request: HttpRequest, queryset: QuerySet[EndDevice]) -> None:
        for gateway, names in self._by_gateway(request, queryset, "inventory.add_device"):
            taken = onboarding.take_end_devices(gateway=gateway, identifiers=names, by=request.user)
            self.message_user(
                request,
                gettext("%(count)s behind %(gateway)s taken.")
                % {"count": len(taken.devices), "gateway": gateway},
                messages.SUCCESS,
            )
            if taken.refused:
                said = ", ".join(sorted(taken.refused)[:5])
                self.message_user(
                    request, gettext("Not taken: %(names)s.") % {"names": said}, messages.WARNING
                )

    @admin.action(description=_("Leave these devices out"))
    def leave_out(self, request: HttpRequest, queryset: QuerySet[EndDevice]) -> None:
        for gateway, names in self._by_gateway(request, queryset, "inventory.change_device"):
            count = end_device_choices.dismiss(gateway=gateway, identifiers=names)
            self.message_user(
                request,
                gettext("%(count)s behind %(gateway)s left out.") % {"count": count, "gateway": gateway},
                messages.SUCCESS,
            )

    def _by_gateway(
        self, request: HttpRequest, queryset: QuerySet[EndDevice], permission: str
    ) -> list[tuple[Any, list[str]]]:
        """Only where the role with the gateway's operator allows it."""
        found: dict[int, tuple[Any, list[str]]] = {}
        for row in queryset.select_related("gateway"):
            if tenancy.may(request.user, permission, row.gateway.operator_id):
                found.setdefault(row.gateway_id, (row.gateway, []))[1].append(row.identifier)
        if not found:
            self.message_user(request, gettext("Your role does not allow this."), messages.ERROR)
        return list(found.values())
