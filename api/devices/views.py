"""Devices over REST: looked at, added, renamed, removed; a device's timeline."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from accounts import tenancy
from accounts.errors import Refused
from accounts.models import Operator, Subscriber, User
from accounts.selectors import subscribers
from api.devices import serializers
from api.devices.filters import DeviceFilter
from api.devices.serializers import DeviceSerializer
from api.ledger.serializers import LedgerEventSerializer
from api.of_device import ENDPOINT
from api.paging import LedgerPages
from api.problems import ProblemSerializer
from api.scoping import RolePermission
from audit import selectors as ledger
from devices.inventory.models import Device
from devices.inventory.selectors import inventory
from devices.registry.selectors import ways
from devices.registry.services import awake_windows
from provisioning.services import corrections, lifecycle, onboarding

_ADD = "inventory.add_device"


_CHANGE = "inventory.change_device"


@extend_schema_view(
    list=extend_schema(parameters=[DeviceFilter]), retrieve=extend_schema(parameters=[ENDPOINT])
)
class DeviceViewSet(ReadOnlyModelViewSet):
    """Devices of the caller: their own as a subscriber, their operators' as staff."""

    queryset = Device.objects.none()
    serializer_class = DeviceSerializer
    permission_classes = (IsAuthenticated, RolePermission)
    lookup_field = "endpoint"
    lookup_value_converter = "endpoint"
    operator_path = "operator"
    subscriber_path = "subscriber"
    subscribers_write = True

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

    @extend_schema(
        request=serializers.NewDeviceSerializer,
        responses={201: serializers.AddedDeviceSerializer, 400: ProblemSerializer, 409: ProblemSerializer},
    )
    def create(self, request: Request, *args: object, **kwargs: object) -> Response:
        """Add a device; its provisioning starts by itself. The key that the portal makes is told here only."""
        serializer = serializers.NewDeviceSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        given = dict(serializer.validated_data)
        operator, account = _where(request.user, given.pop("operator", ""))
        added = onboarding.add_device(operator=operator, subscriber=account, by=request.user, **given)
        device = self.get_queryset().get(pk=added.device.pk)
        context = {**self.get_serializer_context(), "added": added}
        return Response(serializers.AddedDeviceSerializer(device, context=context).data, status=201)

    @extend_schema(
        request=serializers.DeviceSettingsSerializer,
        responses={200: DeviceSerializer, 400: ProblemSerializer, 403: ProblemSerializer},
    )
    def partial_update(self, request: Request, *args: object, **kwargs: object) -> Response:
        """What a device is called, for its subscriber and operator staff; the rest is what staff set."""
        device = self.get_object()
        serializer = serializers.DeviceSettingsSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        given = serializer.validated_data
        is_staff = tenancy.may(request.user, _CHANGE, device.operator_id)
        if "awake_seconds" in given and not is_staff:
            raise PermissionDenied("Only staff of its operator may change the settings of a device.")
        owns = device.subscriber is not None and device.subscriber.user_id == request.user.pk
        if "name" in given and not (is_staff or owns):
            raise PermissionDenied("Only its subscriber and staff of its operator may rename a device.")
        if "name" in given:
            corrections.rename(device=device, name=given["name"])
        if "awake_seconds" in given:
            awake_windows.set_seconds(device=device, seconds=given["awake_seconds"], reason="REST")
        fresh = self.get_queryset().get(pk=device.pk)
        return Response(DeviceSerializer(fresh, context=self.get_serializer_context()).data)

    @extend_schema(responses={204: OpenApiResponse(description=_("Removed.")), 403: ProblemSerializer})
    def destroy(self, request: Request, *args: object, **kwargs: object) -> Response:
        """Remove a device: its keys end, its jobs are cancelled, and its endpoint name is free again."""
        lifecycle.release(device=self.get_object())
        return Response(status=204)


def _where(user: User, slug: str) -> tuple[Operator, Subscriber | None]:
    """The account to add to, or as staff the operator without an account."""
    accounts: QuerySet[Subscriber] = subscribers.usable(user)
    operators = _operators_of_staff(user)
    if slug:
        accounts, operators = accounts.filter(operator__slug=slug), operators.filter(slug=slug)
    held = list(accounts[:2])
    if len(held) == 1:
        return held[0].operator, held[0]
    served = [] if held else list(operators[:2])
    if len(served) == 1:
        return served[0], None
    if held or served:
        raise Refused("OPERATOR_OF_SUBSCRIBER_AMBIGUOUS", field="operator")
    if slug:
        raise Refused("NO_ACCOUNT_WITH_OPERATOR", field="operator", operator=slug)
    raise PermissionDenied("You have no account with an operator under which a device could be added.")


def _operators_of_staff(user: User) -> QuerySet[Operator]:
    allowed = tenancy.operator_ids(user, _ADD)
    rows = Operator.objects.filter(is_active=True)
    return rows if allowed is None else rows.filter(pk__in=allowed)
