"""Observations of one device: what is wanted, by whom, and how it stands with the device. For staff."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.errors import Refused
from api.of_device import ENDPOINT, SEE, SEND, OfDevice
from api.problems import ProblemSerializer
from api.strict import Strict
from devices.observations.models import Observation, ObservationState
from devices.observations.selectors import observations as selectors
from devices.observations.services import observations


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


@extend_schema_view(
    list=extend_schema(parameters=[ENDPOINT, ObservationFilter]),
    retrieve=extend_schema(parameters=[ENDPOINT]),
)
class ObservationViewSet(OfDevice, ListModelMixin, RetrieveModelMixin, GenericViewSet):
    """What operators want observed; asked for anew with every registration. For the operator's staff."""

    queryset = Observation.objects.none()
    serializer_class = ObservationSerializer

    def get_queryset(self) -> QuerySet[Observation]:
        if getattr(self, "swagger_fake_view", False):
            return Observation.objects.none()
        return selectors.visible_observations(self.request.user).filter(device=self.device_where(SEE))

    def filter_queryset(self, queryset: QuerySet[Observation]) -> QuerySet[Observation]:
        if self.action != "list":
            return queryset
        wanted = ObservationFilter(data=self.request.query_params)
        wanted.is_valid(raise_exception=True)
        states = wanted.validated_data.get("state")
        chosen = (
            queryset.filter(state__in=states) if states else queryset.exclude(state=ObservationState.ENDED)
        )
        return chosen.order_by("-id")

    @extend_schema(
        parameters=[ENDPOINT],
        request=NewObservationSerializer,
        responses={201: ObservationSerializer, 400: ProblemSerializer, 403: ProblemSerializer},
    )
    def create(self, request: Request, *args: object, **kwargs: object) -> Response:
        """Want a path, or several as one composite observation. The same path again replaces the wish."""
        device = self.device_where(SEND)
        asked = NewObservationSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = dict(asked.validated_data)
        path, paths = given.pop("path", ""), given.pop("paths", [])
        if bool(path) == bool(paths):
            raise Refused("OBSERVATION_PATH_MISSING", field="path")
        row = observations.want(
            device=device,
            path=path,
            paths=paths,
            reason=given.pop("reason", ""),
            arguments=given,
            wanted_by=f"user:{request.user.pk}",
        )
        return Response(ObservationSerializer(row).data, status=201)

    @extend_schema(
        parameters=[
            ENDPOINT,
            OpenApiParameter(
                "mode",
                str,
                enum=["active", "passive"],
                description=_("Passive: reset the next notification."),
            ),
        ],
        responses={
            204: OpenApiResponse(description=_("Ended.")),
            403: ProblemSerializer,
            409: ProblemSerializer,
        },
    )
    def destroy(self, request: Request, *args: object, **kwargs: object) -> Response:
        """Nobody wants it any more; the device is told, unless `mode` is passive."""
        self.device_where(SEND)
        mode = request.query_params.get("mode", "active")
        if mode not in ("active", "passive"):
            raise Refused("CANCEL_MODE_UNKNOWN", field="mode")
        observations.unwant(observation=self.get_object(), mode=mode, by=f"user:{request.user.pk}")
        return Response(status=204)
