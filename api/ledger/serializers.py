"""How an event looks in JSON, for the ledger's own list and for the timeline of a device."""

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from audit import causes
from audit.models import LedgerEvent, Result


class CauseSerializer(serializers.Serializer):
    """The four sentences of a cause."""

    subscriber = serializers.CharField()
    support = serializers.CharField()
    engineer = serializers.CharField()
    action = serializers.CharField()


class LedgerEventSerializer(serializers.ModelSerializer):
    """Give it events from `audit.selectors`, which bring the labels along."""

    actor = serializers.CharField(source="actor_name", help_text=_("Who did it, in words."))
    impersonator = serializers.CharField(
        source="impersonator_name", help_text=_("Who looked through the actor's eyes, if anybody.")
    )
    sentences = serializers.SerializerMethodField(
        help_text=_("What the cause means to whom, and what mends it.")
    )

    class Meta:
        model = LedgerEvent
        fields = (
            "id",
            "at",
            "action",
            "result",
            "cause",
            "sentences",
            "actor_kind",
            "actor",
            "impersonator",
            "target",
            "device_id",
            "before",
            "after",
            "reason",
            "request_id",
        )
        read_only_fields = fields

    @extend_schema_field(CauseSerializer(allow_null=True))
    def get_sentences(self, event: LedgerEvent) -> dict[str, str] | None:
        cause = causes.CAUSES.get(event.cause)
        return None if cause is None else CauseSerializer(cause).data


class LedgerFilterSerializer(serializers.Serializer):
    """The query parameters that narrow the list."""

    device_id = serializers.IntegerField(required=False)
    subscriber_id = serializers.IntegerField(required=False)
    job_id = serializers.IntegerField(required=False)
    action = serializers.CharField(required=False)
    result = serializers.ChoiceField(choices=Result.choices, required=False)
    cause = serializers.ChoiceField(choices=sorted(causes.CAUSES), required=False)
    target = serializers.CharField(required=False)
    request_id = serializers.CharField(required=False)
    since = serializers.DateTimeField(required=False, source="at__gte")
    until = serializers.DateTimeField(required=False, source="at__lt")
