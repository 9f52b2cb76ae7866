"""Jobs and bootstrap sessions over REST."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from api.jobs import serializers
from api.problems import ProblemSerializer
from api.scoping import RolePermission, ScopedQuerysetMixin
from provisioning.models import BootstrapSession, Job
from provisioning.services import jobs
from provisioning.services.onboarding import requested_by

_FILTERS = [
    OpenApiParameter("endpoint", str, description=_("Only those of this device.")),
    OpenApiParameter("state", str, description=_("Only those in this state.")),
]


class _OfDevices(ScopedQuerysetMixin, ReadOnlyModelViewSet):
    """Rows that belong to a device; subscribers see those of their own devices."""

    permission_classes = (RolePermission,)
    operator_path = "operator"
    subscriber_path = "device__subscriber"

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        given = self.request.query_params
        wanted = {
            field: given[name]
            for name, field in (("endpoint", "device__endpoint"), ("state", "state"))
            if given.get(name)
        }
        return super().filter_queryset(queryset.filter(**wanted) if wanted else queryset)


@extend_schema_view(list=extend_schema(parameters=_FILTERS))
class JobViewSet(_OfDevices):
    """What the portal does for devices, with its steps."""

    queryset = Job.objects.select_related("device__subscriber", "operator").prefetch_related("steps")
    serializer_class = serializers.JobSerializer

    @property
    def subscribers_write(self) -> bool:
        """A subscriber may start an own failed job again; cancelling is for staff."""
        return self.action == "retry"

    @extend_schema(
        request=serializers.ReasonSerializer,
        responses={201: serializers.JobSerializer, 409: ProblemSerializer},
    )
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str | None = None) -> Response:
        """Start a failed or cancelled job again, as a new job."""
        job = self.get_object()
        fresh = jobs.retry(job_id=job.pk, requested_by=requested_by(request.user), reason=_reason(request))
        return Response(self.get_serializer(self.get_queryset().get(pk=fresh.pk)).data, status=201)

    @extend_schema(request=serializers.ReasonSerializer, responses={200: serializers.JobSerializer})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str | None = None) -> Response:
        """Cancel an open job; one that is over stays as it is."""
        job = self.get_object()
        jobs.cancel(job_id=job.pk, reason=_reason(request))
        return Response(self.get_serializer(self.get_queryset().get(pk=job.pk)).data)


def _reason(request: Request) -> str:
    serializer = serializers.ReasonSerializer(data=request.data)
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data["reason"]


@extend_schema_view(list=extend_schema(parameters=_FILTERS))
class BootstrapSessionViewSet(_OfDevices):
    """Runs of the bootstrap server; one of them with every request and answer."""

    queryset = BootstrapSession.objects.select_related("device", "operator")
    serializer_class = serializers.BootstrapSessionSerializer

    def get_queryset(self) -> QuerySet[BootstrapSession]:
        rows = super().get_queryset()
        return rows.prefetch_related("exchanges") if self.action == "retrieve" else rows

    def get_serializer_class(self) -> type[serializers.BootstrapSessionSerializer]:
        return (
            serializers.BootstrapSessionDetailSerializer
            if self.action == "retrieve"
            else serializers.BootstrapSessionSerializer
        )
