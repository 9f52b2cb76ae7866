"""Packages over REST: look, upload, remove, and the address under which one device fetches one. For staff."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from accounts import tenancy
from accounts.errors import Refused
from accounts.models import Operator, User
from api.problems import ProblemSerializer
from api.scoping import RolePermission
from devices.inventory.selectors import inventory
from devices.packages.models import Package
from devices.packages.selectors import packages as selectors
from devices.packages.services import packages

REASON = OpenApiParameter("reason", str, description=_("Why; the ledger keeps it."))
DEVICE = OpenApiParameter(
    "device", str, description=_("Endpoint name: `uri` is then its own, and its fetch stands in its trail.")
)
REASON_LIMIT = 200


class PackageSerializer(serializers.ModelSerializer):
    """A package and where devices fetch it; `uri` null where the portal serves no files."""

    operator = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    uri = serializers.SerializerMethodField(help_text=_("What is written to `/5/0/1` of a device."))

    class Meta:
        model = Package
        fields = (
            "id", "name", "operator", "file", "size", "sha256", "uri", "uploaded_at", "fetches", "fetched_at"
        )  # fmt: skip
        read_only_fields = fields

    def get_uri(self, row: Package) -> str | None:
        return packages.uri(row, self.context.get("device"))


class NewPackageSerializer(serializers.Serializer):
    """Sent as multipart/form-data."""

    operator = serializers.SlugField(
        required=False,
        help_text=_("Whom it is for, by short name; may be left out where you work for but one."),
    )
    name = serializers.CharField(max_length=packages.NAME_LIMIT, help_text=_("Such as `Meter 1.4.2`."))
    file = serializers.FileField(allow_empty_file=True, max_length=None, help_text=_("Up to 16 MB."))
    sha256 = serializers.CharField(
        required=False, max_length=64, help_text=_("In hex; the file is refused if it has another.")
    )


class PackageFilter(serializers.Serializer):
    q = serializers.CharField(
        required=False,
        max_length=200,
        help_text=_("Part of the name or the file's name, or how SHA-256 begins."),
    )
    operator = serializers.SlugField(required=False, help_text=_("The operator's short name."))

    def narrow(self, rows: QuerySet[Package]) -> QuerySet[Package]:
        given = self.validated_data
        if "q" in given:
            rows = selectors.found(rows, given["q"])
        return rows.filter(operator__slug=given["operator"]) if "operator" in given else rows


class MaySeePackages(BasePermission):
    message = _("Packages are for the operator's staff. Ask an administrator of the operator.")

    def has_permission(self, request: Request, view: object) -> bool:
        return tenancy.operator_ids(request.user, selectors.VIEW) != set()


@extend_schema_view(
    list=extend_schema(parameters=[PackageFilter]), retrieve=extend_schema(parameters=[DEVICE])
)
class PackageViewSet(ReadOnlyModelViewSet):
    """What devices fetch by CoAP, block by block: firmware, and whatever is too large to be written."""

    queryset = Package.objects.none()
    serializer_class = PackageSerializer
    permission_classes = (IsAuthenticated, MaySeePackages, RolePermission)
    parser_classes = (MultiPartParser,)
    operator_path = "operator"

    def get_queryset(self) -> QuerySet[Package]:
        if getattr(self, "swagger_fake_view", False):
            return Package.objects.none()
        return selectors.visible_packages(self.request.user).order_by("-id")

    def filter_queryset(self, queryset: QuerySet[Package]) -> QuerySet[Package]:
        if self.action != "list":
            return queryset
        wanted = PackageFilter(data=self.request.query_params)
        wanted.is_valid(raise_exception=True)
        return wanted.narrow(queryset)

    def retrieve(self, request: Request, *args: object, **kwargs: object) -> Response:
        """One package; with `device` the address is that device's."""
        row = self.get_object()
        context: dict[str, Any] = self.get_serializer_context()
        if "device" in request.query_params:
            device = inventory.by_endpoint(request.user, request.query_params["device"])
            if device is None or device.operator_id != row.operator_id:
                raise Refused("PACKAGE_NOT_FOR_DEVICE", field="device")
            context["device"] = device
        return Response(PackageSerializer(row, context=context).data)

    @extend_schema(
        request={"multipart/form-data": NewPackageSerializer},
        responses={
            201: PackageSerializer,
            400: ProblemSerializer,
            403: ProblemSerializer,
            409: ProblemSerializer,
        },
    )
    def create(self, request: Request, *args: object, **kwargs: object) -> Response:
        """Upload a package. It is never changed: another content is another package."""
        given = NewPackageSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        said = given.validated_data
        made = packages.upload(
            operator=_whom_for(request.user, said.get("operator", "")),
            name=said["name"],
            file=said["file"],
            file_name=said["file"].name,
            digest=said.get("sha256", ""),
        )
        return Response(PackageSerializer(made).data, status=201)

    @extend_schema(
        parameters=[REASON],
        responses={204: OpenApiResponse(description=_("Removed.")), 403: ProblemSerializer},
    )
    def destroy(self, request: Request, *args: object, **kwargs: object) -> Response:
        """Remove a package; a device that is fetching it finds nothing any more."""
        reason = request.query_params.get("reason", "")[:REASON_LIMIT]
        packages.remove(package=self.get_object(), reason=reason)
        return Response(status=204)


def _whom_for(user: User, slug: str) -> Operator:
    """The named operator, else the only one the caller may upload for."""
    held = selectors.operators_to_upload_for(user)
    if slug:
        found = held.filter(slug=slug).first()
        if found is None:
            raise PermissionDenied(f"You may not upload packages for {slug!r}. Ask an administrator of it.")
        return found
    some = list(held[:2])
    if len(some) > 1:
        raise Refused("OPERATOR_OF_STAFF_AMBIGUOUS", field="operator")
    if not some:
        raise PermissionDenied(RolePermission.message)
    return some[0]
