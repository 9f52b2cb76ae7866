"""Devices, registrations and the waiting room over REST. Provisioning adds creating and removing devices."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from accounts import tenancy
from api.devices.filters import DeviceFilter, KnockFilter, RegistrationFilter
from api.devices.serializers import DeviceSerializer, KnockSerializer, RegistrationSerializer
from api.ledger.serializers import LedgerEventSerializer
from api.ledger.views import LedgerPages
from api.scoping import RolePermission
from audit import selectors as ledger
from devices.inventory.models import Device, Knock
from devices.inventory.selectors import inventory, knocks
from devices.registry.models import Registration
from devices.registry.selectors import ways

ENDPOINT = OpenApiParameter(
    "endpoint",
    str,
    OpenApiParameter.PATH,
    description=_("The endpoint name, percent-encoded (`:` may stand as it is, `/` becomes `%2F`)."),
)


@extend_schema_view(
    list=extend_schema(parameters=[DeviceFilter]), retrieve=extend_schema(parameters=[ENDPOINT])
)
class DeviceViewSet(ReadOnlyModelViewSet):
    """Devices, by endpoint name. Registered by provisioning, whose subclass also creates and removes."""

    queryset = Device.objects.none()
    serializer_class = DeviceSerializer
    permission_classes = (IsAuthenticated, RolePermission)
    lookup_field = "endpoint"
    lookup_value_converter = "endpoint"
    operator_path = "operator"
    subscriber_path = "subscriber"

    def get_queryset(self) -> QuerySet[Device]:
        if getattr(self, "swagger_fake_view", False):
            return Device.objects.none()
        return Device.objects.visible_to(self.request.user).select_related(
            "operator", "subscriber", *ways.PRESENCE
        )

    def filter_queryset(self, queryset: QuerySet[Device]) -> QuerySet[Device]:
        if self.action != "list":
            return queryset
        wanted = DeviceFilter(data=self.request.query_params)
        wanted.is_valid(raise_exception=True)
        return wanted.narrow(queryset)

    def get_object(self) -> Device:
        """The living device of that name, else the last retired one the caller may see; raises Http404."""
        found = inventory.by_endpoint(self.request.user, self.kwargs["endpoint"])
        device = self.get_queryset().filter(pk=found.pk).first() if found else None
        if device is None:
            raise Http404
        self.check_object_permissions(self.request, device)
        return device

    @extend_schema(parameters=[ENDPOINT], responses=LedgerEventSerializer(many=True))
    @action(detail=True, serializer_class=LedgerEventSerializer, pagination_class=LedgerPages)
    def timeline(self, request: Request, **kwargs: Any) -> Response:
        """What happened to this device, newest first. For staff whose role may see the device."""
        device = self.get_object()
        allowed = tenancy.operator_ids(request.user, "inventory.view_device")
        if allowed is not None and device.operator_id not in allowed:
            self.permission_denied(
                request,
                gettext("The timeline of a device is for its operator's staff. Ask your operator's support."),
            )
        page = self.paginate_queryset(ledger.timeline(device.pk, allowed))
        return self.get_paginated_response(LedgerEventSerializer(page, many=True).data)


@extend_schema_view(list=extend_schema(parameters=[RegistrationFilter]))
class RegistrationViewSet(ReadOnlyModelViewSet):
    """Live registrations; by its id also the last one of a device that is not registered any more."""

    queryset = Registration.objects.none()
    serializer_class = RegistrationSerializer
    lookup_field = "registration_id"
    lookup_url_kwarg = "id"
    lookup_value_regex = r"[^/]+"

    def get_queryset(self) -> QuerySet[Registration]:
        if getattr(self, "swagger_fake_view", False):
            return Registration.objects.none()
        rows = Registration.objects.visible_to(self.request.user)
        return rows.select_related("device__operator", "device__registration_detail").order_by("-device_id")

    def filter_queryset(self, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        if self.action != "list":
            return queryset
        wanted = RegistrationFilter(data=self.request.query_params)
        wanted.is_valid(raise_exception=True)
        return wanted.narrow(queryset.filter(is_live=True))


class MaySeeWaitingRoom(BasePermission):
    message = _("Your role does not include the waiting room. Ask an administrator of the operator.")

    def has_permission(self, request: Request, view: Any) -> bool:
        return tenancy.operator_ids(request.user, "inventory.view_knock") != set()


@extend_schema_view(list=extend_schema(parameters=[KnockFilter]))
class KnockViewSet(ReadOnlyModelViewSet):
    """The waiting room: who was refused at the door and why, for staff."""

    queryset = Knock.objects.none()
    serializer_class = KnockSerializer
    permission_classes = (IsAuthenticated, MaySeeWaitingRoom)

    def get_queryset(self) -> QuerySet[Knock]:
        if getattr(self, "swagger_fake_view", False):
            return Knock.objects.none()
        return knocks.visible_knocks(self.request.user)

    def filter_queryset(self, queryset: QuerySet[Knock]) -> QuerySet[Knock]:
        if self.action != "list":
            return queryset.select_related("device", "operator")
        wanted = KnockFilter(data=self.request.query_params)
        wanted.is_valid(raise_exception=True)
        of_nobody = knocks.of_nobody(wanted.validated_data.get("q", ""), self.request.user)
        return (
            wanted.narrow(queryset, of_nobody)
            .select_related("device", "operator")
            .order_by("-last_at", "-id")
        )
