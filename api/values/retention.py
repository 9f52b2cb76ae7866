"""How long an operator keeps the history of values, over REST. For staff; administrators set it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts import tenancy
from accounts.models import Operator
from api.problems import ProblemSerializer
from api.scoping import RolePermission, ScopedQuerysetMixin
from devices.telemetry.models import DEFAULT_HISTORY_DAYS
from devices.telemetry.services import retention

CHANGE = "telemetry.change_historyretention"


class RetentionSerializer(serializers.Serializer):
    operator = serializers.SlugField(source="slug", read_only=True)
    days = serializers.IntegerField(
        min_value=0,
        max_value=retention.LIMIT_DAYS,
        help_text=_("0 keeps none. What is older is deleted within the hour; the latest value always stays."),
    )
    default_days = serializers.IntegerField(
        read_only=True, default=DEFAULT_HISTORY_DAYS, help_text=_("Holds where nothing was set.")
    )


class RetentionViewSet(ScopedQuerysetMixin, GenericViewSet):
    """For how many days an operator keeps the history of values."""

    queryset = Operator.objects.all()
    serializer_class = RetentionSerializer
    operator_path = "pk"
    lookup_field = "slug"

    @extend_schema(responses=RetentionSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self._said(self.get_object())

    @extend_schema(
        request=RetentionSerializer,
        responses={200: RetentionSerializer, 400: ProblemSerializer, 403: ProblemSerializer},
    )
    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Set it, from now on for all devices of the operator."""
        operator = self.get_object()
        if not tenancy.may(request.user, CHANGE, operator.pk):
            raise PermissionDenied(RolePermission.message)
        given = RetentionSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        retention.set_days(operator=operator, days=given.validated_data["days"])
        return self._said(operator)

    @staticmethod
    def _said(operator: Operator) -> Response:
        said = {
            "operator": operator.slug,
            "days": retention.days(operator),
            "default_days": DEFAULT_HISTORY_DAYS,
        }
        return Response(said)
