"""Devices over REST with what only this room can do: adding one starts its job, removing one ends everything."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import tenancy
from accounts.errors import Refused
from accounts.models import Operator, Subscriber, User
from accounts.selectors import subscribers
from api.devices.serializers import DeviceSerializer
from api.devices.views import DeviceViewSet
from api.jobs import serializers
from api.problems import ProblemSerializer
from devices.registry.services import awake_windows
from provisioning.services import corrections, lifecycle, onboarding

_ADD = "inventory.add_device"
_CHANGE = "inventory.change_device"


class ManagedDeviceViewSet(DeviceViewSet):
    """Devices of the caller: their own as a subscriber, their operators' as staff."""

    subscribers_write = True

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
