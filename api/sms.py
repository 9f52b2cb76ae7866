"""SMS over REST: how an operator's link to its SMSC is, and waking a device. For staff."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet, ReadOnlyModelViewSet

from api.of_device import ENDPOINT, SEE, SEND, OfDevice
from api.problems import ProblemSerializer
from devices.messaging.models import SmscLink, SmsMessage, SmsPurpose
from devices.messaging.selectors import sms
from devices.messaging.services import triggers

KINDS = tuple((kind.value, kind.value) for kind in triggers.Kind)


class SmscLinkSerializer(serializers.ModelSerializer):
    """Everything but the password, which is never told."""

    id = serializers.IntegerField(source="pk")
    operator = serializers.CharField(source="operator.slug")

    class Meta:
        model = SmscLink
        fields = (
            *(
                "id",
                "operator",
                "host",
                "port",
                "use_tls",
                "system_id",
                "system_type",
                "address",
                "addressing",
            ),
            *("window", "messages_per_second", "daily_messages", "wants_receipts", "is_enabled"),
            *("state", "state_at", "cause", "detail"),
        )
        read_only_fields = fields


class SmscLinkViewSet(ReadOnlyModelViewSet):
    """The links of the caller's operators, and their state."""

    queryset = SmscLink.objects.none()
    serializer_class = SmscLinkSerializer
    permission_classes = (IsAuthenticated,)

    def get_queryset(self) -> QuerySet[SmscLink]:
        if getattr(self, "swagger_fake_view", False):
            return SmscLink.objects.none()
        return sms.visible_links(self.request.user).select_related("operator").order_by("operator_id")


class TriggerSerializer(serializers.ModelSerializer):
    """A trigger: whether it left, and what the device said to it."""

    class Meta:
        model = SmsMessage
        fields = (
            "id",
            "state",
            "created_at",
            "expires_at",
            "ended_at",
            "answered_at",
            "answer",
            "cause",
            "detail",
        )
        read_only_fields = fields


class NewTriggerSerializer(serializers.Serializer):
    kind = serializers.ChoiceField(KINDS, default=triggers.Kind.UPDATE.value)
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


@extend_schema_view(list=extend_schema(parameters=[ENDPOINT]))
class TriggerViewSet(OfDevice, ListModelMixin, GenericViewSet):
    """SMS that ask a device with IP to update its registration or to bootstrap; newest first."""

    queryset = SmsMessage.objects.none()
    serializer_class = TriggerSerializer

    def get_queryset(self) -> QuerySet[SmsMessage]:
        if getattr(self, "swagger_fake_view", False):
            return SmsMessage.objects.none()
        return SmsMessage.objects.filter(device=self.device_where(SEE), purpose=SmsPurpose.TRIGGER).order_by(
            "-id"
        )

    @extend_schema(
        parameters=[ENDPOINT],
        request=NewTriggerSerializer,
        responses={201: TriggerSerializer, 400: ProblemSerializer, 403: ProblemSerializer},
    )
    def create(self, request: Request, *args: object, **kwargs: object) -> Response:
        """Send one. It counts against the SMS of the device's day."""
        device = self.device_where(SEND)
        asked = NewTriggerSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        message = triggers.send(
            device=device,
            requested_by=f"user:{request.user.pk}",
            asker=self.asker(device),
            **asked.validated_data,
        )
        return Response(TriggerSerializer(message).data, status=201)
