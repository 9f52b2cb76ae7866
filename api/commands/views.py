"""Commands of one device: ask for an operation, watch it, take it back. For staff."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.errors import Refused
from api.commands.serializers import CommandFilter, CommandSerializer, NewCommandSerializer
from api.of_device import ENDPOINT, SEE, SEND, OfDevice
from api.problems import ProblemSerializer
from devices.commands.models import Command
from devices.commands.selectors import commands
from devices.commands.services import mailbox


@extend_schema_view(
    list=extend_schema(parameters=[ENDPOINT, CommandFilter]), retrieve=extend_schema(parameters=[ENDPOINT])
)
class CommandViewSet(OfDevice, ListModelMixin, RetrieveModelMixin, GenericViewSet):
    """Operations for a device, held until it listens; newest first. For the operator's staff, not subscribers."""

    queryset = Command.objects.none()
    serializer_class = CommandSerializer

    def get_queryset(self) -> QuerySet[Command]:
        if getattr(self, "swagger_fake_view", False):
            return Command.objects.none()
        rows = commands.visible_commands(self.request.user).filter(device=self.device_where(SEE))
        return rows.select_related("device")

    def filter_queryset(self, queryset: QuerySet[Command]) -> QuerySet[Command]:
        if self.action != "list":
            return queryset
        wanted = CommandFilter(data=self.request.query_params)
        wanted.is_valid(raise_exception=True)
        given = dict(wanted.validated_data)
        if states := given.pop("state", None):
            queryset = queryset.filter(state__in=states)
        if path := given.pop("path", None):
            below = queryset.filter(path__startswith=f"{path.rstrip('/')}/")
            queryset = queryset.filter(path=path) | below
        return queryset.filter(**given).order_by("-id")

    @extend_schema(
        parameters=[ENDPOINT],
        request=NewCommandSerializer,
        responses={201: CommandSerializer, 400: ProblemSerializer, 403: ProblemSerializer},
    )
    def create(self, request: Request, *args: object, **kwargs: object) -> Response:
        """Ask for an operation. It is checked against protocol and object model, then waits for the device.

        What may cut the device off (factory reset, reboot, disable, bootstrap, keys and accounts) asks for a `reason`
        and for a role that runs devices.
        """
        device = self.device_where(SEND)
        asked = NewCommandSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        command = asked.enqueue(device, f"user:{request.user.pk}", self.asker(device))
        return Response(CommandSerializer(command).data, status=201)

    @extend_schema(
        parameters=[ENDPOINT],
        request=None,
        responses={200: CommandSerializer, 403: ProblemSerializer, 409: ProblemSerializer},
    )
    def cancel(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Take the command back; one that is on its way may still reach the device."""
        self.device_where(SEND)
        command = self.get_object()
        if not mailbox.cancel(command_id=command.pk, reason="Taken back over REST."):
            raise Refused("COMMAND_ENDED")
        command.refresh_from_db()
        return Response(CommandSerializer(command).data)
