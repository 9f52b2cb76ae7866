"""The last protocol messages of one device. For staff."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin
from rest_framework.viewsets import GenericViewSet

from api.of_device import ENDPOINT, SEE, OfDevice
from devices.commands.selectors import commands
from devices.inventory import secrecy
from devices.telemetry.models import TraceMessage


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


@extend_schema_view(list=extend_schema(parameters=[ENDPOINT, TraceFilter]))
class TraceViewSet(OfDevice, ListModelMixin, GenericViewSet):
    """The last 200 messages, newest first, decoded, without secrets. For the operator's staff."""

    queryset = TraceMessage.objects.none()
    serializer_class = TraceSerializer

    def get_queryset(self) -> QuerySet[TraceMessage]:
        if getattr(self, "swagger_fake_view", False):
            return TraceMessage.objects.none()
        return commands.visible_trace(self.request.user).filter(device=self.device_where(SEE))

    def filter_queryset(self, queryset: QuerySet[TraceMessage]) -> QuerySet[TraceMessage]:
        wanted = TraceFilter(data=self.request.query_params)
        wanted.is_valid(raise_exception=True)
        given = dict(wanted.validated_data)
        if "after" in given:
            queryset = queryset.filter(number__gt=given.pop("after"))
        return queryset.filter(**given).order_by("-number")
