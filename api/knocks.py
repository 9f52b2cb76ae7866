"""The waiting room over REST: who was refused at the door and why, for staff."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.viewsets import ReadOnlyModelViewSet

from accounts import tenancy
from devices.inventory.models import Knock, Plane
from devices.inventory.selectors import knocks


class KnockSerializer(serializers.ModelSerializer):
    """A refusal at the door, counted."""

    device = serializers.SlugRelatedField(slug_field="endpoint", read_only=True, allow_null=True)
    operator = serializers.SlugRelatedField(slug_field="slug", read_only=True, allow_null=True)

    class Meta:
        model = Knock
        fields = (
            "id",
            "plane",
            "cause",
            "claimed_name",
            "host",
            "device",
            "operator",
            "detail",
            "count",
            "first_at",
            "last_at",
        )
        read_only_fields = fields


class KnockFilter(serializers.Serializer):
    q = serializers.CharField(
        required=False,
        max_length=255,
        help_text=_(
            "Part of the name or the address. The whole name also finds knocks of devices nobody added."
        ),
    )
    cause = serializers.CharField(required=False, max_length=40)
    plane = serializers.ChoiceField(choices=Plane.choices, required=False)

    def narrow(self, rows: QuerySet[Knock], of_nobody: QuerySet[Knock]) -> QuerySet[Knock]:
        given = self.validated_data
        if "q" in given:
            rows = rows.filter(Q(claimed_name__icontains=given["q"]) | Q(host=given["q"])) | of_nobody
        return rows.filter(**{name: given[name] for name in ("cause", "plane") if name in given})


class MaySeeWaitingRoom(BasePermission):
    message = _("Your role does not include the waiting room. Ask an administrator of the operator.")

    def has_permission(self, request: Request, view: Any) -> bool:
        return tenancy.operator_ids(request.user, "inventory.view_knock") != set()


@extend_schema_view(list=extend_schema(parameters=[KnockFilter]))
class KnockViewSet(ReadOnlyModelViewSet):
    """The waiting room: who was refused at the door and why, for staff."""

    queryset = Knock.objects.none()
    serializer_class = KnockSerializer
    permission_classes = (IsAuthenticated, MaySeeWaitingRoom)

    def get_queryset(self) -> QuerySet[Knock]:
        if getattr(self, "swagger_fake_view", False):
            return Knock.objects.none()
        return knocks.visible_knocks(self.request.user)

    def filter_queryset(self, queryset: QuerySet[Knock]) -> QuerySet[Knock]:
        if self.action != "list":
            return queryset.select_related("device", "operator")
        wanted = KnockFilter(data=self.request.query_params)
        wanted.is_valid(raise_exception=True)
        of_nobody = knocks.of_nobody(wanted.validated_data.get("q", ""), self.request.user)
        return (
            wanted.narrow(queryset, of_nobody)
            .select_related("device", "operator")
            .order_by("-last_at", "-id")
        )
