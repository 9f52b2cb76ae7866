"""Reachability over REST: an operator's policy, for staff; attempts, for staff and for the subscriber's own devices."""

from __future__ import annotations

from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet, ReadOnlyModelViewSet

from accounts import tenancy
from accounts.models import Operator
from api.problems import ProblemSerializer
from api.scoping import RolePermission, ScopedQuerysetMixin
from provisioning import rungs
from provisioning.ladder import ReachAttempt
from provisioning.services import reach_policies

CHANGE = "provisioning.change_reachpolicy"


class ReachPolicySerializer(serializers.Serializer):
    """Shape only; `reach_policies.save` checks what it means."""

    operator = serializers.SlugField(source="operator.slug", read_only=True)
    is_enabled = serializers.BooleanField(required=False)
    waits = serializers.DictField(
        child=serializers.IntegerField(min_value=0),
        required=False,
        help_text=format_lazy(
            _("Steps that are taken, with the seconds until the next: {steps}."), steps=", ".join(rungs.KINDS)
        ),
    )
    early_seconds = serializers.IntegerField(
        required=False, min_value=0, max_value=reach_policies.LIMITS["early_seconds"]
    )
    sms_per_day = serializers.IntegerField(
        required=False, min_value=0, max_value=reach_policies.LIMITS["sms_per_day"]
    )
    sms_per_minute = serializers.IntegerField(
        required=False, min_value=0, max_value=reach_policies.LIMITS["sms_per_minute"]
    )


class ReachPolicyViewSet(ScopedQuerysetMixin, GenericViewSet):
    """What is done for the devices of an operator that miss their contact."""

    queryset = Operator.objects.all()
    serializer_class = ReachPolicySerializer
    operator_path = "pk"
    lookup_field = "slug"

    @extend_schema(responses=ReachPolicySerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(ReachPolicySerializer(reach_policies.of(self.get_object())).data)

    @extend_schema(
        request=ReachPolicySerializer,
        responses={200: ReachPolicySerializer, 400: ProblemSerializer, 403: ProblemSerializer},
    )
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change what is given; devices that are being looked for keep the steps they began with."""
        operator = self.get_object()
        if not tenancy.may(request.user, CHANGE, operator.pk):
            raise PermissionDenied(RolePermission.message)
        given = ReachPolicySerializer(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        policy = reach_policies.save(operator=operator, changes=given.validated_data)
        return Response(ReachPolicySerializer(policy).data)


class ReachAttemptSerializer(serializers.ModelSerializer):
    endpoint = serializers.CharField(source="device.endpoint")
    operator = serializers.CharField(source="operator.slug")
    taken = serializers.JSONField(
        help_text=_("Steps so far: kind, at, and skipped with a cause where one was left out.")
    )

    class Meta:
        model = ReachAttempt
        fields = (
            "id",
            "endpoint",
            "operator",
            "state",
            "silent_since",
            "missed_at",
            "taken",
            "next_at",
            "sms_count",
            "reached_by",
            "cause",
            "ended_at",
        )


@extend_schema_view(
    list=extend_schema(
        parameters=[
            OpenApiParameter("endpoint", str, description="Only those of this device."),
            OpenApiParameter("state", str, description="Only those in this state."),
        ]
    )
)
class ReachAttemptViewSet(ScopedQuerysetMixin, ReadOnlyModelViewSet):
    """Silences of devices, and what the portal did to reach them."""

    queryset = ReachAttempt.objects.select_related("device__subscriber", "operator")
    serializer_class = ReachAttemptSerializer
    permission_classes = (RolePermission,)
    operator_path = "operator"
    subscriber_path = "device__subscriber"

    def filter_queryset(self, queryset: Any) -> Any:
        given = self.request.query_params
        wanted = {
            field: given[name]
            for name, field in (("endpoint", "device__endpoint"), ("state", "state"))
            if given.get(name)
        }
        return super().filter_queryset(queryset.filter(**wanted))
