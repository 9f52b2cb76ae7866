"""How commands, observations and traced messages look in JSON, and what may be asked for."""

from __future__ import annotations

from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from devices.commands.dangers import Asker
from devices.commands.models import Command, CommandState, Operation
from devices.commands.services import mailbox
from devices.inventory import object_models, secrecy
from devices.observations.models import Observation, ObservationState
from devices.operations.services import operations
from devices.telemetry.models import TraceMessage
from lwm2m.objects import Catalogue
from lwm2m.paths import Path

MUTE, UNMUTE = "mute-send", "unmute-send"
OPERATIONS = (*Operation.choices, (MUTE, _("Mute Send")), (UNMUTE, _("Allow Send")))


class Strict(serializers.Serializer):
    """Names that mean nothing are refused: a misspelt argument would silently not be one."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        unknown = sorted(set(self.initial_data) - set(self.fields))
        if unknown:
            raise serializers.ValidationError(dict.fromkeys(unknown, gettext("There is no such field.")))
        return attrs


class _Delivery(Strict):
    reason = serializers.CharField(required=False, max_length=200, allow_blank=True)
    priority = serializers.IntegerField(required=False, help_text=_("-100 to 100; the greater goes first."))
    expires_in_seconds = serializers.IntegerField(
        required=False,
        help_text=format_lazy(
            _("How long it may wait, by default {expires_in_seconds}."),
            expires_in_seconds=mailbox.EXPIRES_IN_SECONDS,
        ),
    )


class NewCommandSerializer(_Delivery):
    """An operation with its arguments; which of them an operation takes is told where one is wrong."""

    operation = serializers.ChoiceField(choices=OPERATIONS)
    path = serializers.CharField(required=False, max_length=64, help_text=_("Such as /3/0/9."))
    paths = serializers.ListField(
        child=serializers.CharField(max_length=64), required=False, help_text=_("Of a composite operation.")
    )
    value = serializers.JSONField(
        required=False,
        help_text=_(
            'Text, a number, true, false, {"base64": …}, {"object_link": "3:0"}, or instances {"0": …}.'
        ),
    )
    values = serializers.DictField(required=False, help_text=_("Values by path, absolute or below the path."))
    mode = serializers.CharField(
        required=False, help_text=_("Write: replace or update. Cancel: active or passive.")
    )
    attributes = serializers.DictField(required=False, help_text=_('Such as {"pmin": 10, "st": null}.'))
    arguments = serializers.JSONField(required=False, help_text=_('Of Execute: "0=\'a\',1" or {"0": "a"}.'))
    instance_id = serializers.IntegerField(
        required=False, help_text=_("Of Create; of our account when muting.")
    )
    depth = serializers.IntegerField(required=False, help_text=_("Of Discover, 0 to 3."))
    content_format = serializers.JSONField(
        required=False, help_text=_("A number, or a name like senml-cbor.")
    )
    force = serializers.BooleanField(
        required=False, help_text=_("Leave the object model aside and let the device refuse.")
    )

    def enqueue(self, device: Any, by: str, asker: Asker) -> Command:
        """What was asked for, in the device's mailbox. Raises Refused."""
        given = dict(self.validated_data)
        operation = given.pop("operation")
        delivery = {
            name: given.pop(name) for name in ("reason", "priority", "expires_in_seconds") if name in given
        }
        if operation in (MUTE, UNMUTE):
            return operations.mute_send(
                device=device,
                is_muted=operation == MUTE,
                instance_id=given.get("instance_id"),
                requested_by=by,
                **delivery,
            )
        return operations.request(
            device=device,
            operation=operation,
            path=given.pop("path", ""),
            paths=given.pop("paths", ()),
            arguments=given,
            requested_by=by,
            asker=asker,
            **delivery,
        )


class CommandSerializer(serializers.ModelSerializer):
    """A command and what came of it; secrets are hidden."""

    arguments = serializers.SerializerMethodField()

    class Meta:
        model = Command
        fields = (
            "id",
            "operation",
            "path",
            "arguments",
            "priority",
            "state",
            "requested_by",
            "reason",
            "attempts",
            "created_at",
            "sent_at",
            "ended_at",
            "expires_at",
            "response_code",
            "answer",
            "cause",
            "detail",
        )
        read_only_fields = fields

    def get_arguments(self, command: Command) -> dict[str, Any]:
        return dict(secrecy.masked(command.arguments, Path.parse(command.path), self._catalogue(command)))

    def _catalogue(self, command: Command) -> Catalogue:
        """Looked for once in a list; the context lives as long as the answer."""
        operator_id = command.device.operator_id
        kept: dict[int, Catalogue] = self.context.setdefault("catalogues", {})
        return kept.get(operator_id) or kept.setdefault(operator_id, object_models.catalogue(operator_id))


class CommandFilter(serializers.Serializer):
    state = serializers.MultipleChoiceField(choices=CommandState.choices, required=False)
    operation = serializers.ChoiceField(choices=Operation.choices, required=False)
    path = serializers.CharField(required=False, max_length=64, help_text=_("This path and all below it."))
    requested_by = serializers.CharField(
        required=False, max_length=64, help_text=_("Such as user:7 or job:12.")
    )


class NewObservationSerializer(Strict):
    path = serializers.CharField(required=False, max_length=64)
    paths = serializers.ListField(
        child=serializers.CharField(max_length=64), required=False, help_text=_("Of a composite observation.")
    )
    attributes = serializers.DictField(required=False, help_text=_('Such as {"pmin": 10, "pmax": 60}.'))
    content_format = serializers.JSONField(
        required=False, help_text=_("A number, or a name like senml-cbor.")
    )
    reason = serializers.CharField(required=False, max_length=200, allow_blank=True)


class ObservationSerializer(serializers.ModelSerializer):
    """What is wanted, by whom, and how it stands with the device."""

    paths = serializers.ListField(child=serializers.CharField())
    attributes = serializers.DictField()

    class Meta:
        model = Observation
        fields = (
            "id",
            "paths",
            "is_composite",
            "attributes",
            "content_format",
            "state",
            "wanted_by",
            "reason",
            "cause",
            "detail",
            "created_at",
            "established_at",
            "last_notified_at",
            "ended_at",
        )
        read_only_fields = fields


class ObservationFilter(serializers.Serializer):
    state = serializers.MultipleChoiceField(
        choices=ObservationState.choices, required=False, help_text=_("By default all that have not ended.")
    )


class ShownJson(serializers.JSONField):
    """JSON without passwords in the addresses that it holds."""

    def to_representation(self, value: Any) -> Any:
        return secrecy.without_passwords(super().to_representation(value))


class TraceSerializer(serializers.ModelSerializer):
    """One protocol message; a response repeats method and path of its request."""

    payload = ShownJson()

    class Meta:
        model = TraceMessage
        fields = (
            "number",
            "at",
            "direction",
            "method",
            "path",
            "code",
            "content_format",
            "payload",
            "payload_bytes",
            "duration_ms",
        )
        read_only_fields = fields


class TraceFilter(serializers.Serializer):
    direction = serializers.ChoiceField(
        choices=TraceMessage._meta.get_field("direction").choices, required=False
    )
    after = serializers.IntegerField(required=False, help_text=_("Only messages behind this number."))
