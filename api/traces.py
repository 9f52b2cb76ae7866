"""The last protocol messages of one device. For staff."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.mixins import ListModelMixin
from rest_framework.viewsets import GenericViewSet

from api.commands.serializers import TraceFilter, TraceSerializer
from api.of_device import ENDPOINT, SEE, OfDevice
from devices.commands.selectors import commands
from devices.telemetry.models import TraceMessage


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
