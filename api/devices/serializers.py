"""How devices, registrations and knocks look in JSON."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from devices.inventory.models import Device, Knock
from devices.registry.models import Registration
from devices.registry.selectors import device_models, sessions, ways


class SessionSerializer(serializers.Serializer):
    """The session told from the registration and the time."""

    state = serializers.ChoiceField(choices=sessions.Session.choices)
    words = serializers.CharField(help_text=_('For people, such as "asleep until about 14:20".'))
    since = serializers.DateTimeField(allow_null=True, help_text=_("Since when it is lost or signed off."))
    cause = serializers.CharField(
        help_text=_("Such as GATEWAY_OFFLINE; empty where nothing is to be mended.")
    )
    lifetime_left_seconds = serializers.IntegerField(
        source="left_seconds", allow_null=True, help_text=_("Null where the lifetime is over or has no end.")
    )


def told(device: Device) -> sessions.Told:
    """Needs `ways.PRESENCE` selected with the device."""
    return sessions.of_device(device, timezone.now())


class DeviceSerializer(serializers.ModelSerializer):
    """A device and its four states."""

    operator = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    subscriber = serializers.SlugRelatedField(
        slug_field="number", read_only=True, allow_null=True, help_text=_("The account number.")
    )
    session = serializers.SerializerMethodField()
    last_seen_at = serializers.SerializerMethodField()
    gateway = serializers.SerializerMethodField(help_text=_("Endpoint name of the gateway it is behind."))

    class Meta:
        model = Device
        fields = (
            "id",
            "endpoint",
            "name",
            "operator",
            "subscriber",
            "reach",
            "gateway",
            "onboarding",
            "security",
            "msisdn",
            "ownership",
            "access",
            "provisioning",
            "session",
            "last_seen_at",
            "manufacturer",
            "model_number",
            "serial_number",
            "firmware_version",
            "awake_seconds",
            "created_at",
            "first_online_at",
        )
        read_only_fields = fields

    @extend_schema_field(SessionSerializer)
    def get_session(self, device: Device) -> dict[str, Any]:
        return SessionSerializer(told(device)).data

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_gateway(self, device: Device) -> str | None:
        gateway = ways.gateway(device)
        return gateway.endpoint if gateway else None

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_last_seen_at(self, device: Device) -> str | None:
        registration = ways.registration(device)
        return (
            serializers.DateTimeField().to_representation(registration.last_seen_at) if registration else None
        )


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


class KnockSerializer(serializers.ModelSerializer):
    """A refusal at the door, counted."""

    device = serializers.SlugRelatedField(slug_field="endpoint", read_only=True, allow_null=True)
    operator = serializers.SlugRelatedField(slug_field="slug", read_only=True, allow_null=True)

    class Meta:
        model = Knock
        fields = (
            "id",
            "plane",
            "cause",
            "claimed_name",
            "host",
            "device",
            "operator",
            "detail",
            "count",
            "first_at",
            "last_at",
        )
        read_only_fields = fields
