"""What a gateway tells of, over REST: listed, taken, left out, offered again. Owners and staff of the operator."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts import tenancy
from api.of_device import ENDPOINT, OfDevice
from api.problems import ProblemSerializer
from devices.gateways.models import EndDevice
from devices.gateways.selectors import end_devices
from devices.gateways.services import end_device_choices
from devices.gateways.services.end_device_reading import LIMIT
from devices.inventory.models import Device
from devices.registry import stored_links
from provisioning.services import onboarding

ADD = "inventory.add_device"
STATE = OpenApiParameter("state", str, enum=list(end_devices.SHOW), description=_("By default all."))


class EndDeviceSerializer(serializers.ModelSerializer):
    """One entry of a gateway's list; `device` is the endpoint name of whoever was taken."""

    device = serializers.SlugRelatedField(slug_field="endpoint", read_only=True, allow_null=True)
    objects = serializers.SerializerMethodField(help_text=_("Object ids, as the gateway tells them."))
    read_at = serializers.SerializerMethodField(help_text=_("When the gateway told of it last."))

    class Meta:
        model = EndDevice
        fields = (
            "identifier",
            "instance",
            "prefix",
            "objects",
            "device",
            "is_dismissed",
            "found_at",
            "read_at",
            "last_heard_at",
            "gone_at",
            "gone_cause",
        )
        read_only_fields = fields

    @extend_schema_field(OpenApiTypes.DATETIME)
    def get_read_at(self, row: EndDevice) -> str:
        whole = row.gateway.end_devices_read_at if row.gone_at is None else None
        at = row.read_at if whole is None else max(row.read_at, whole)
        return str(serializers.DateTimeField().to_representation(at))

    def get_objects(self, row: EndDevice) -> list[int]:
        links = stored_links.read(row.object_links, device_id=row.device_id)
        return sorted(links.objects if links else ())


class ChoiceSerializer(serializers.Serializer):
    """Which: `identifiers`, or `all` that are on offer."""

    identifiers = serializers.ListField(
        child=serializers.CharField(max_length=255), required=False, max_length=LIMIT
    )
    all = serializers.BooleanField(required=False, default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if bool(attrs.get("identifiers")) == attrs["all"]:
            raise serializers.ValidationError(
                {"identifiers": gettext("Give identifiers, or all, and not both.")}
            )
        return attrs


class DismissalSerializer(serializers.Serializer):
    identifiers = serializers.ListField(child=serializers.CharField(max_length=255), max_length=LIMIT)
    is_dismissed = serializers.BooleanField(
        required=False, default=True, help_text=_("False offers them again.")
    )


class TakenSerializer(serializers.Serializer):
    taken = serializers.ListField(
        child=serializers.CharField(), help_text=_("Endpoint names of new devices.")
    )
    refused = serializers.DictField(child=serializers.CharField(), help_text=_("Identifier and cause."))


class ChangedSerializer(serializers.Serializer):
    changed = serializers.IntegerField()


@extend_schema_view(list=extend_schema(parameters=[ENDPOINT, STATE]))
class EndDeviceViewSet(OfDevice, ListModelMixin, GenericViewSet):
    """What is behind a gateway, in the order of its own list."""

    queryset = EndDevice.objects.none()
    serializer_class = EndDeviceSerializer
    subscribers_write = True

    def get_queryset(self) -> QuerySet[EndDevice]:
        if getattr(self, "swagger_fake_view", False):
            return EndDevice.objects.none()
        rows = EndDevice.objects.filter(gateway=self.device).select_related("device", "gateway")
        state = self.request.query_params.get("state", "")
        rows = rows.filter(end_devices.condition(state)) if state in end_devices.SHOW else rows
        return rows.order_by("instance", "pk")

    @extend_schema(
        parameters=[ENDPOINT],
        request=ChoiceSerializer,
        responses={200: TakenSerializer, 400: ProblemSerializer, 403: ProblemSerializer},
    )
    def take(self, request: Request, *args: object, **kwargs: object) -> Response:
        """Make devices of these; their provisioning starts by itself."""
        gateway = self._to_change()
        asked = ChoiceSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        names = None if asked.validated_data["all"] else asked.validated_data["identifiers"]
        taken = onboarding.take_end_devices(gateway=gateway, identifiers=names, by=request.user)
        said = {"taken": [device.endpoint for device in taken.devices], "refused": taken.refused}
        return Response(TakenSerializer(said).data)

    @extend_schema(
        parameters=[ENDPOINT],
        request=DismissalSerializer,
        responses={200: ChangedSerializer, 400: ProblemSerializer, 403: ProblemSerializer},
    )
    def dismiss(self, request: Request, *args: object, **kwargs: object) -> Response:
        """Do not offer these any more, or offer them again."""
        gateway = self._to_change()
        asked = DismissalSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        changed = end_device_choices.dismiss(gateway=gateway, **asked.validated_data)
        return Response(ChangedSerializer({"changed": changed}).data)

    def _to_change(self) -> Device:
        """The gateway, for its owner and for staff that may add devices."""
        gateway = self.device
        is_owner = gateway.subscriber is not None and gateway.subscriber.user_id == self.request.user.pk
        if not is_owner and not tenancy.may(self.request.user, ADD, gateway.operator_id):
            raise PermissionDenied("Your role does not allow to add devices of this operator.")
        return gateway
