"""The values of one device: the latest, and their history. Subscribers read those of their own devices."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from api.of_device import ENDPOINT, RESOURCE, OfDevice
from api.values import serializers as shown
from devices.inventory.models import Device
from devices.registry.selectors import device_models, ways
from devices.telemetry.models import ResourceHistory, ResourceValue
from devices.telemetry.selectors import series, values

DAY = timedelta(days=1)


@extend_schema_view(list=extend_schema(parameters=[ENDPOINT, shown.ResourceFilter]))
class ResourceViewSet(OfDevice, ListModelMixin, GenericViewSet):
    """The latest value of every resource, by path."""

    queryset = ResourceValue.objects.none()
    serializer_class = shown.ResourceValueSerializer

    def get_queryset(self) -> QuerySet[ResourceValue]:
        if getattr(self, "swagger_fake_view", False):
            return ResourceValue.objects.none()
        return ResourceValue.objects.filter(device=self._looked_up)

    @property
    def _looked_up(self) -> Device:
        if not hasattr(self, "_device"):
            self._device = self.device
        return self._device

    def filter_queryset(self, queryset: QuerySet[ResourceValue]) -> QuerySet[ResourceValue]:
        wanted = shown.ResourceFilter(data=self.request.query_params)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        if path := given.get("path"):
            path = "/" + path.strip("/")
            queryset = queryset.filter(path=path) | queryset.filter(path__startswith=f"{path}/")
        if "since" in given:
            queryset = queryset.filter(at__gte=given["since"])
        return queryset.order_by("path")

    def get_serializer_context(self) -> dict[str, Any]:
        context = super().get_serializer_context()
        if getattr(self, "swagger_fake_view", False):
            return context
        detail = ways.fresh_detail(self._looked_up)
        return {**context, "catalogue": device_models.catalogue(self._looked_up, detail)}

    @extend_schema(parameters=[ENDPOINT], responses=shown.TreeObjectSerializer(many=True))
    def tree(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """All objects of the device, by its own list and the object models; what it lacks is absent."""
        found = values.tree(self._looked_up)
        return Response(shown.TreeObjectSerializer(found, many=True).data)


@extend_schema_view(list=extend_schema(parameters=[ENDPOINT, RESOURCE, shown.SpanFilter]))
class HistoryViewSet(OfDevice, ListModelMixin, GenericViewSet):
    """The values of one resource over time, newest first; `series/` has them thinned out for a chart."""

    queryset = ResourceHistory.objects.none()
    serializer_class = shown.HistorySerializer

    def get_queryset(self) -> QuerySet[ResourceHistory]:
        return ResourceHistory.objects.none()

    def filter_queryset(self, queryset: QuerySet[ResourceHistory]) -> QuerySet[ResourceHistory]:
        device = self.device
        wanted = shown.SpanFilter(data=self.request.query_params)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        rows = series.history(device, f"/{self.kwargs['path']}")
        if "since" in given:
            rows = rows.filter(at__gte=given["since"])
        if "until" in given:
            rows = rows.filter(at__lt=given["until"])
        return rows.order_by("-at")

    @extend_schema(
        parameters=[ENDPOINT, RESOURCE, shown.SeriesFilter], responses=shown.SeriesSerializer, filters=False
    )
    def series(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The course of the value in at most `max_points`; more numbers than that become spans."""
        device = self.device
        wanted = shown.SeriesFilter(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        until = given.get("until", timezone.now())
        found = series.series(
            device,
            f"/{self.kwargs['path']}",
            since=min(given.get("since", until - DAY), until - timedelta(seconds=1)),
            until=until,
            max_points=given["max_points"],
        )
        return Response(shown.SeriesSerializer(found).data)
