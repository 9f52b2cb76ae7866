"""The ledger's list and detail for staff whose role may see it."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.viewsets import ReadOnlyModelViewSet

from api.ledger.serializers import LedgerEventSerializer, LedgerFilterSerializer
from api.paging import LedgerPages
from audit import selectors
from audit.models import LedgerEvent


class MaySeeLedger(BasePermission):
    message = _("Your role does not include the audit trail. Ask an administrator of the operator.")

    def has_permission(self, request: Request, view: Any) -> bool:
        user = request.user
        return bool(user and user.is_authenticated and user.has_perm(selectors.VIEW_PERMISSION))


@extend_schema_view(list=extend_schema(parameters=[LedgerFilterSerializer]))
class LedgerEventViewSet(ReadOnlyModelViewSet):
    """What happened, newest first; only events of operators with which your role may see the trail."""

    queryset = LedgerEvent.objects.none()
    serializer_class = LedgerEventSerializer
    permission_classes = (MaySeeLedger,)
    pagination_class = LedgerPages

    def get_queryset(self) -> QuerySet[LedgerEvent]:
        return selectors.visible_to(self.request.user)

    def filter_queryset(self, queryset: QuerySet[LedgerEvent]) -> QuerySet[LedgerEvent]:
        if self.action != "list":
            return queryset
        wanted = LedgerFilterSerializer(data=self.request.query_params)
        wanted.is_valid(raise_exception=True)
        return queryset.filter(**wanted.validated_data)
