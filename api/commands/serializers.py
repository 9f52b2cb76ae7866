"""How commands look in JSON, and what may be asked for."""

from __future__ import annotations

from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from api.strict import Strict
from devices.commands.dangers import Asker
from devices.commands.models import Command, CommandState, Operation
from devices.commands.selectors import shown
from devices.commands.services import mailbox
from devices.inventory import object_models
from devices.operations.services import operations
from lwm2m.objects import Catalogue

OPERATIONS = (*Operation.choices, (operations.MUTE, _("Mute Send")), (operations.UNMUTE, _("Allow Send")))


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
        if operation in (operations.MUTE, operations.UNMUTE):
            return operations.mute_send(
                device=device,
                is_muted=operation == operations.MUTE,
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
        fields = shown.FIELDS
        read_only_fields = fields

    def get_arguments(self, command: Command) -> dict[str, Any]:
        return shown.arguments(command, self._catalogue(command))

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
