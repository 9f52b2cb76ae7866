"""REST routes of this room. `devices/` is registered by provisioning, whose view set adds and removes too.

A device is `<endpoint:endpoint>`, one segment of the address whatever its name holds, see `endpoint_paths`.
"""

from django.urls import path, register_converter
from rest_framework.routers import SimpleRouter

from api import endpoint_paths  # noqa: F401 - knows `<endpoint:…>`
from api.commands.views import CommandViewSet as Commands
from api.devices.views import KnockViewSet, RegistrationViewSet
from api.objects.views import ObjectDefinitionViewSet
from api.observations import ObservationViewSet as Observations
from api.packages import PackageViewSet
from api.sms import SmscLinkViewSet
from api.sms import TriggerViewSet as Triggers
from api.traces import TraceViewSet as Trace
from api.values.retention import RetentionViewSet as Retention
from api.values.views import HistoryViewSet as History
from api.values.views import ResourceViewSet as Resources

router = SimpleRouter()
router.register("registrations", RegistrationViewSet, basename="registration")
router.register("knocks", KnockViewSet, basename="knock")
router.register("smsc-links", SmscLinkViewSet, basename="smsc-link")
router.register("object-definitions", ObjectDefinitionViewSet, basename="object-definition")
router.register("packages", PackageViewSet, basename="package")


class _ResourcePath:
    """Of a resource or a resource instance, such as 3/0/9."""

    regex = r"[0-9]{1,5}(?:/[0-9]{1,5}){2,3}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(_ResourcePath, "resource")
_RESOURCE = "devices/<endpoint:endpoint>/resources/<resource:path>"

urlpatterns = [
    path(
        "devices/<endpoint:endpoint>/commands/",
        Commands.as_view({"get": "list", "post": "create"}, detail=False),
        name="device-commands",
    ),
    path(
        "devices/<endpoint:endpoint>/commands/<int:pk>/",
        Commands.as_view({"get": "retrieve"}, detail=True),
        name="device-command",
    ),
    path(
        "devices/<endpoint:endpoint>/commands/<int:pk>/cancel/",
        Commands.as_view({"post": "cancel"}, detail=True),
        name="device-command-cancel",
    ),
    path(
        "devices/<endpoint:endpoint>/triggers/",
        Triggers.as_view({"get": "list", "post": "create"}, detail=False),
        name="device-triggers",
    ),
    path(
        "devices/<endpoint:endpoint>/observations/",
        Observations.as_view({"get": "list", "post": "create"}, detail=False),
        name="device-observations",
    ),
    path(
        "devices/<endpoint:endpoint>/observations/<int:pk>/",
        Observations.as_view({"get": "retrieve", "delete": "destroy"}, detail=True),
        name="device-observation",
    ),
    path(
        "devices/<endpoint:endpoint>/resources/",
        Resources.as_view({"get": "list"}, detail=False),
        name="device-resources",
    ),
    path(
        "devices/<endpoint:endpoint>/resources/tree/",
        Resources.as_view({"get": "tree"}, detail=True),
        name="device-resource-tree",
    ),
    path(f"{_RESOURCE}/history/", History.as_view({"get": "list"}, detail=False), name="device-history"),
    path(f"{_RESOURCE}/series/", History.as_view({"get": "series"}, detail=True), name="device-series"),
    path(
        "operators/<slug:slug>/history-retention/",
        Retention.as_view({"get": "retrieve", "put": "update"}, detail=True),
        name="operator-history-retention",
    ),
    path(
        "devices/<endpoint:endpoint>/trace/",
        Trace.as_view({"get": "list"}, detail=False),
        name="device-trace",
    ),
    *router.urls,
]
