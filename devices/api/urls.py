"""REST routes of this room. `devices/` is registered by provisioning, whose view set adds and removes too.

What belongs to one device stands here, before provisioning's routes: an endpoint name may hold any character, "/" too,
so the ends of these addresses are no part of it.
"""

from django.urls import path, re_path
from rest_framework.routers import SimpleRouter

from devices.api.commands import CommandViewSet as Commands
from devices.api.object_definitions import ObjectDefinitionViewSet
from devices.api.observations import ObservationViewSet as Observations
from devices.api.resources import HistoryViewSet as History
from devices.api.resources import ResourceViewSet as Resources
from devices.api.retention import RetentionViewSet as Retention
from devices.api.sms import SmscLinkViewSet
from devices.api.sms import TriggerViewSet as Triggers
from devices.api.traces import TraceViewSet as Trace
from devices.api.views import KnockViewSet, RegistrationViewSet

router = SimpleRouter()
router.register("registrations", RegistrationViewSet, basename="registration")
router.register("knocks", KnockViewSet, basename="knock")
router.register("smsc-links", SmscLinkViewSet, basename="smsc-link")
router.register("object-definitions", ObjectDefinitionViewSet, basename="object-definition")

_RESOURCE = r"^devices/(?P<endpoint>.+?)/resources/(?P<path>[0-9]{1,5}(?:/[0-9]{1,5}){2,3})"

urlpatterns = [
    path(
        "devices/<path:endpoint>/commands/",
        Commands.as_view({"get": "list", "post": "create"}, detail=False),
        name="device-commands",
    ),
    path(
        "devices/<path:endpoint>/commands/<int:pk>/",
        Commands.as_view({"get": "retrieve"}, detail=True),
        name="device-command",
    ),
    path(
        "devices/<path:endpoint>/commands/<int:pk>/cancel/",
        Commands.as_view({"post": "cancel"}, detail=True),
        name="device-command-cancel",
    ),
    path(
        "devices/<path:endpoint>/triggers/",
        Triggers.as_view({"get": "list", "post": "create"}, detail=False),
        name="device-triggers",
    ),
    path(
        "devices/<path:endpoint>/observations/",
        Observations.as_view({"get": "list", "post": "create"}, detail=False),
        name="device-observations",
    ),
    path(
        "devices/<path:endpoint>/observations/<int:pk>/",
        Observations.as_view({"get": "retrieve", "delete": "destroy"}, detail=True),
        name="device-observation",
    ),
    path(
        "devices/<path:endpoint>/resources/",
        Resources.as_view({"get": "list"}, detail=False),
        name="device-resources",
    ),
    path(
        "devices/<path:endpoint>/resources/tree/",
        Resources.as_view({"get": "tree"}, detail=True),
        name="device-resource-tree",
    ),
    re_path(rf"{_RESOURCE}/history/$", History.as_view({"get": "list"}, detail=False), name="device-history"),
    re_path(rf"{_RESOURCE}/series/$", History.as_view({"get": "series"}, detail=True), name="device-series"),
    path(
        "operators/<slug:slug>/history-retention/",
        Retention.as_view({"get": "retrieve", "put": "update"}, detail=True),
        name="operator-history-retention",
    ),
    path("devices/<path:endpoint>/trace/", Trace.as_view({"get": "list"}, detail=False), name="device-trace"),
    *router.urls,
]
