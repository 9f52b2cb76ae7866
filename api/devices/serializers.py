"""How a device looks in JSON, and what adding and changing one takes; keys appear once, in the answer to a create."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.session import SessionSerializer
from devices.inventory import security as modes
from devices.inventory.models import Device, Onboarding, Reach
from devices.inventory.nameplate import ENDPOINT_BYTES
from devices.inventory.security import EntryField
from devices.registry.awake import LIMIT_SECONDS
from devices.registry.selectors import sessions, ways
from provisioning.profiles import addresses


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


class NewDeviceSerializer(serializers.Serializer):
    """Shape only; `devices.inventory.services.devices` checks what it means."""

    endpoint = serializers.CharField(
        max_length=ENDPOINT_BYTES, trim_whitespace=False, help_text=_("The LwM2M endpoint client name.")
    )
    name = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    operator = serializers.SlugField(
        required=False,
        help_text=_(
            "Where the account is; needed only by people with accounts or roles with several operators."
        ),
    )
    reach = serializers.ChoiceField(Reach.choices, default=Reach.IP)
    onboarding = serializers.ChoiceField(Onboarding.choices, default=Onboarding.BOOTSTRAP)
    msisdn = serializers.CharField(
        max_length=40,
        required=False,
        allow_blank=True,
        default="",
        help_text=_(
            "Phone number, + and digits: what a device by SMS is known by, and where any other is woken."
        ),
    )

    def get_fields(self) -> dict[str, Any]:
        """And what the security modes ask."""
        entered = {one.name: _entered(one) for one in modes.entry_fields().values()}
        choice = serializers.ChoiceField(modes.choices(), default=modes.DEFAULT)
        return {**super().get_fields(), "security": choice, **entered}


def _entered(asked: EntryField) -> serializers.CharField:
    return serializers.CharField(
        max_length=asked.max_length,
        required=False,
        allow_blank=True,
        trim_whitespace=asked.is_secret,
        default="",
        write_only=asked.is_secret,
        help_text=asked.rest_help,
    )


class DeviceSettingsSerializer(serializers.Serializer):
    """At least one of them; what is left out stays."""

    name = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=120,
        help_text=_("What its owner calls it; empty: no name."),
    )
    awake_seconds = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=LIMIT_SECONDS,
        allow_null=True,
        help_text=_("How long it listens after it spoke, in queue mode; null: what the house has."),
    )

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if not given:
            raise serializers.ValidationError(gettext("Say what to change: name or awake_seconds."))
        return given


class AddedDeviceSerializer(DeviceSerializer):
    """A device and what is told once, when it is added; `context["added"]` is what the service returned."""

    identity = serializers.SerializerMethodField(
        help_text=_("What it authenticates as, such as its PSK identity; empty without credentials.")
    )
    key = serializers.SerializerMethodField(
        help_text=_("A pre-shared key in hex. Only where the portal made it, and only here.")
    )
    server = serializers.SerializerMethodField(help_text=_("The address to set in the device."))

    class Meta(DeviceSerializer.Meta):
        fields = (*DeviceSerializer.Meta.fields, "identity", "key", "server")
        read_only_fields = fields

    def get_identity(self, device: Device) -> str:
        return self.context["added"].identity

    def get_key(self, device: Device) -> str | None:
        made = self.context["added"].secret_to_show
        return device.security_mode.written(made)[0].text if made else None

    def get_server(self, device: Device) -> str:
        return addresses.first_uri(device)
