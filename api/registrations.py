"""Registrations over REST: live ones, and by its id the last of a device that is not registered any more."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.viewsets import ReadOnlyModelViewSet

from api.session import SessionSerializer
from devices.inventory.models import Device
from devices.registry.models import Registration, Transport
from devices.registry.selectors import device_models, search, sessions


class ObjectLinkSerializer(serializers.Serializer):
    """An object the device said it has."""

    object_id = serializers.IntegerField()
    version = serializers.CharField(allow_null=True)
    instances = serializers.ListField(child=serializers.IntegerField())


class RegistrationSerializer(serializers.ModelSerializer):
    """A registration as the device made it, and how it stands now."""

    id = serializers.CharField(source="registration_id")
    endpoint = serializers.CharField(source="device.endpoint")
    operator = serializers.CharField(source="device.operator.slug")
    binding = serializers.SerializerMethodField()
    version = serializers.SerializerMethodField()
    lifetime_left_seconds = serializers.SerializerMethodField()
    objects = serializers.SerializerMethodField()
    session = serializers.SerializerMethodField()

    class Meta:
        model = Registration
        fields = (
            "id",
            "endpoint",
            "operator",
            "is_live",
            "host",
            "port",
            "transport",
            "identity",
            "binding",
            "queue_mode",
            "version",
            "lifetime_seconds",
            "lifetime_left_seconds",
            "registered_at",
            "last_seen_at",
            "expires_at",
            "objects",
            "session",
        )
        read_only_fields = fields

    def get_binding(self, registration: Registration) -> str:
        return getattr(_detail(registration), "binding", "")

    def get_version(self, registration: Registration) -> str:
        return getattr(_detail(registration), "version", "")

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_lifetime_left_seconds(self, registration: Registration) -> int | None:
        return self._told(registration).left_seconds

    @extend_schema_field(ObjectLinkSerializer(many=True))
    def get_objects(self, registration: Registration) -> list[dict[str, Any]]:
        links = device_models.object_links(_detail(registration))
        return [
            {"object_id": number, "version": link.version, "instances": list(link.instances)}
            for number, link in sorted(links.objects.items() if links else ())
        ]

    @extend_schema_field(SessionSerializer)
    def get_session(self, registration: Registration) -> dict[str, Any]:
        return SessionSerializer(self._told(registration)).data

    @staticmethod
    def _told(registration: Registration) -> sessions.Told:
        return sessions.of(registration.device, timezone.now())


def _detail(registration: Registration) -> Any:
    return getattr(registration.device, "registration_detail", None)


class RegistrationFilter(serializers.Serializer):
    q = serializers.CharField(
        required=False, max_length=255, help_text=_("Part of an endpoint name, or an address.")
    )
    session = serializers.ChoiceField(choices=sessions.Session.choices, required=False)
    transport = serializers.ChoiceField(choices=Transport.choices, required=False)
    operator = serializers.SlugField(required=False, help_text=_("The operator's short name."))

    def narrow(self, rows: QuerySet[Registration]) -> QuerySet[Registration]:
        given = self.validated_data
        if "q" in given:
            rows = rows.filter(device__in=search.found(Device.objects.order_by(), given["q"]))
        if "session" in given:
            rows = rows.filter(sessions.condition(given["session"], timezone.now(), of_device=False))
        if "transport" in given:
            rows = rows.filter(transport=given["transport"])
        if "operator" in given:
            rows = rows.filter(device__operator__slug=given["operator"])
        return rows


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
