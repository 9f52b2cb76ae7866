"""How jobs and bootstrap sessions look in JSON."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from audit.causes import CAUSES
from provisioning.models import BootstrapExchange, BootstrapSession, Job, JobStep
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
