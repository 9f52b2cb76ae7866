"""Loaded object definitions over REST: look, load DDF files, remove. For staff."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.exceptions import PermissionDenied
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from accounts import tenancy
from accounts.errors import Refused
from accounts.models import Operator, User
from api.objects import serializers as shown
from api.problems import ProblemSerializer
from api.scoping import RolePermission
from devices.inventory import object_files
from devices.inventory.models import ObjectDefinition
from devices.inventory.selectors import object_definitions
from devices.inventory.services import object_models
from devices.inventory.services.object_models import Result

REASON = OpenApiParameter("reason", str, description=_("Why; the ledger keeps it."))
REASON_LIMIT = 200


class MaySeeObjects(BasePermission):
    message = _("Object definitions are for the operator's staff. Ask an administrator of the operator.")

    def has_permission(self, request: Request, view: object) -> bool:
        return tenancy.operator_ids(request.user, object_definitions.VIEW) != set()


@extend_schema_view(list=extend_schema(parameters=[shown.DefinitionFilter]))
class ObjectDefinitionViewSet(ReadOnlyModelViewSet):
    """Definitions of the caller's operators and those for all; the objects the portal knows by itself are no rows."""

    queryset = ObjectDefinition.objects.none()
    serializer_class = shown.ObjectDefinitionSerializer
    permission_classes = (IsAuthenticated, MaySeeObjects, RolePermission)
    parser_classes = (MultiPartParser,)
    operator_path = "operator"

    def get_queryset(self) -> QuerySet[ObjectDefinition]:
        if getattr(self, "swagger_fake_view", False):
            return ObjectDefinition.objects.none()
        rows = object_definitions.visible_definitions(self.request.user)
        return rows.order_by("object_id", "version", "id")

    def filter_queryset(self, queryset: QuerySet[ObjectDefinition]) -> QuerySet[ObjectDefinition]:
        if self.action != "list":
            return queryset
        wanted = shown.DefinitionFilter(data=self.request.query_params)
        wanted.is_valid(raise_exception=True)
        return wanted.narrow(queryset)

    @extend_schema(responses=shown.WholeDefinitionSerializer)
    def retrieve(self, request: Request, *args: object, **kwargs: object) -> Response:
        return Response(shown.WholeDefinitionSerializer(self.get_object()).data)

    @extend_schema(
        request={"multipart/form-data": shown.NewDefinitionsSerializer},
        responses={
            200: OpenApiResponse(shown.LoadedSerializer, description=_("All of it was loaded before.")),
            201: OpenApiResponse(shown.LoadedSerializer, description=_("At least one file is loaded.")),
            400: OpenApiResponse(shown.NothingLoadedSerializer, description=_("Every file was refused.")),
            403: ProblemSerializer,
        },
    )
    def create(self, request: Request, *args: object, **kwargs: object) -> Response:
        """Load DDF files. A version that is not loaded yet stands beside the others; one that is is replaced."""
        given = shown.NewDefinitionsSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        operator = _whom_for(request.user, given.validated_data.get("operator", ""))
        files = object_files.sources(given.validated_data["files"])
        reports = object_models.load(operator=operator, files=files)
        results = {report.result for report in reports}
        said = shown.LoadedSerializer({"files": reports}).data
        if results == {Result.REFUSED}:
            first = f"{reports[0].file}: {reports[0].detail}"
            return Response({"code": "VALIDATION_FAILED", "detail": first, **said}, status=400)
        return Response(said, status=201 if results & {Result.LOADED, Result.REPLACED} else 200)

    @extend_schema(
        parameters=[REASON],
        responses={204: OpenApiResponse(description=_("Removed.")), 403: ProblemSerializer},
    )
    def destroy(self, request: Request, *args: object, **kwargs: object) -> Response:
        """Remove a definition; devices are then read by the next one that knows the object."""
        row = self.get_object()
        object_models.remove(
            operator=row.operator,
            object_id=row.object_id,
            version=row.version,
            reason=request.query_params.get("reason", "")[:REASON_LIMIT],
        )
        return Response(status=204)


def _whom_for(user: User, slug: str) -> Operator | None:
    """The named operator, else the only one the caller may load for; None, for all, is for superusers."""
    held = object_definitions.operators_to_load_for(user)
    if slug:
        found = held.filter(slug=slug).first()
        if found is None:
            raise PermissionDenied(f"You may not load definitions for {slug!r}. Ask an administrator of it.")
        return found
    if user.is_superuser:
        return None
    some = list(held[:2])
    if len(some) == 1:
        return some[0]
    if some:
        raise Refused("OPERATOR_OF_STAFF_AMBIGUOUS", field="operator")
    raise PermissionDenied(RolePermission.message)
