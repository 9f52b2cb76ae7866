"""What the views of one device share: finding it by its endpoint name, and asking what the caller may do with it."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request

from accounts import tenancy
from devices.commands.dangers import PERMISSION, Asker
from devices.inventory.models import Device
from devices.inventory.selectors import inventory

ENDPOINT = OpenApiParameter(
    "endpoint",
    str,
    OpenApiParameter.PATH,
    description=_("The endpoint name, percent-encoded (`:` may stand as it is, `/` becomes `%2F`)."),
)
RESOURCE = OpenApiParameter(
    "path", str, OpenApiParameter.PATH, description=_("Of a resource or resource instance, such as 3/0/9.")
)
SEE, SEND = "commands.view_command", "commands.add_command"
STAFF_ONLY = _(
    "Commands, observations and messages of a device are for its operator's staff; as a subscriber you may read "
    "the values of your devices under resources/. Ask your operator's support for anything else."
)
ROLE = _("Your role does not allow commands to devices. Ask an administrator of the operator.")

__all__ = ["ENDPOINT", "RESOURCE", "SEE", "SEND", "OfDevice"]


class OfDevice:
    """`device` is the living device of that name, else the last retired one; 404 where the caller sees none."""

    permission_classes = (IsAuthenticated,)
    request: Request
    kwargs: dict[str, Any]

    @property
    def device(self) -> Device:
        found = inventory.by_endpoint(self.request.user, self.kwargs["endpoint"])
        if found is None:
            raise Http404
        return found

    def device_where(self, permission: str) -> Device:
        """The device, if the caller's role with its operator gives the permission; else 403 in words."""
        device = self.device
        if not tenancy.may(self.request.user, permission, device.operator_id):
            is_staff = tenancy.may(self.request.user, "inventory.view_device", device.operator_id)
            raise PermissionDenied(ROLE if is_staff else STAFF_ONLY)
        return device

    def asker(self, device: Device) -> Asker:
        """The caller, as `dangers` asks about them."""
        return Asker(may_endanger=tenancy.may(self.request.user, PERMISSION, device.operator_id))
