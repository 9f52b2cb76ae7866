"""How jobs, bootstrap sessions and new devices look in REST; keys appear once, in the answer to a create."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from api.devices.serializers import DeviceSerializer
from audit.causes import CAUSES
from devices.inventory import security as modes
from devices.inventory.models import Device, Onboarding, Reach
from devices.inventory.nameplate import ENDPOINT_BYTES
from devices.inventory.security import EntryField
from devices.registry.awake import LIMIT_SECONDS
from provisioning.models import BootstrapExchange, BootstrapSession, Job, JobStep
from provisioning.profiles import addresses
from provisioning.steps import KINDS


class StepSerializer(serializers.ModelSerializer):
    title = serializers.SerializerMethodField()

    class Meta:
        model = JobStep
        fields = ("kind", "title", "state", "attempts", "started_at", "finished_at", "cause", "detail")

    def get_title(self, step: JobStep) -> str:
        return KINDS[step.kind].TITLE if step.kind in KINDS else step.kind


class JobSerializer(serializers.ModelSerializer):
    endpoint = serializers.CharField(source="device.endpoint")
    operator = serializers.CharField(source="operator.slug")
    action = serializers.SerializerMethodField(help_text=_("What mends the cause."))
    steps = StepSerializer(many=True)

    class Meta:
        model = Job
        fields = (
            "id",
            "kind",
            "endpoint",
            "operator",
            "state",
            "cause",
            "action",
            "requested_by",
            "reason",
            "created_at",
            "finished_at",
            "steps",
        )

    def get_action(self, job: Job) -> str:
        return CAUSES[job.cause].action if job.cause in CAUSES else ""


class ReasonSerializer(serializers.Serializer):
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class ExchangeSerializer(serializers.ModelSerializer):
    class Meta:
        model = BootstrapExchange
        fields = (
            "position",
            "operation",
            "path",
            "sent_at",
            "answered_at",
            "response_code",
            "cause",
            "detail",
        )


class BootstrapSessionSerializer(serializers.ModelSerializer):
    endpoint = serializers.CharField(source="device.endpoint")
    operator = serializers.CharField(source="operator.slug")

    class Meta:
        model = BootstrapSession
        fields = (
            "id",
            "endpoint",
            "operator",
            "state",
            "cause",
            "detail",
            "transport",
            "host",
            "port",
            "content_format",
            "started_at",
            "last_progress_at",
            "finished_at",
        )


class BootstrapSessionDetailSerializer(BootstrapSessionSerializer):
    exchanges = ExchangeSerializer(many=True)

    class Meta(BootstrapSessionSerializer.Meta):
        fields = (*BootstrapSessionSerializer.Meta.fields, "exchanges")


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
