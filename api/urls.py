"""Every route of REST v1, by what it is about.

A device is `<endpoint:endpoint>`, one segment of the address whatever its name holds, see `endpoint_paths`.
"""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, path, register_converter
from rest_framework.routers import SimpleRouter

from api.commands.views import CommandViewSet
from api.devices.views import DeviceViewSet
from api.endpoint_paths import EndpointConverter, ResourceConverter
from api.gateways import EndDeviceViewSet
from api.jobs.views import BootstrapSessionViewSet, JobViewSet
from api.knocks import KnockViewSet
from api.ledger.views import LedgerEventViewSet
from api.objects.views import ObjectDefinitionViewSet
from api.observations import ObservationViewSet
from api.packages import PackageViewSet
from api.people import views as people
from api.reachability import ReachAttemptViewSet, ReachPolicyViewSet
from api.registrations import RegistrationViewSet
from api.sms import SmscLinkViewSet, TriggerViewSet
from api.traces import TraceViewSet
from api.values.retention import RetentionViewSet
from api.values.views import HistoryViewSet, ResourceViewSet

register_converter(EndpointConverter, "endpoint")
register_converter(ResourceConverter, "resource")
DEVICE = "devices/<endpoint:endpoint>/"
RESOURCE = f"{DEVICE}resources/<resource:path>/"
OPERATOR = "operators/<slug:slug>/"

router = SimpleRouter()
router.register("registrations", RegistrationViewSet, basename="registration")
router.register("knocks", KnockViewSet, basename="knock")
router.register("smsc-links", SmscLinkViewSet, basename="smsc-link")
router.register("object-definitions", ObjectDefinitionViewSet, basename="object-definition")
router.register("packages", PackageViewSet, basename="package")
router.register("jobs", JobViewSet, basename="job")
router.register("reach-attempts", ReachAttemptViewSet, basename="reach-attempt")
router.register("bootstrap-sessions", BootstrapSessionViewSet, basename="bootstrap-session")
router.register("audit/events", LedgerEventViewSet, basename="ledger-event")


def many(route: str, view: Any, name: str, **methods: str) -> URLPattern:
    """A list: what each method of HTTP does there."""
    return path(route, view.as_view(methods, detail=False), name=name)


def one(route: str, view: Any, name: str, **methods: str) -> URLPattern:
    """One thing, or something that is done to it."""
    return path(route, view.as_view(methods, detail=True), name=name)


timeline = DeviceViewSet.as_view(
    {"get": "timeline"}, basename="device", detail=True, **DeviceViewSet.timeline.kwargs
)

urlpatterns = [
    path("operators/", people.OperatorList.as_view(), name="api-operators"),
    path("signup/", people.Signup.as_view(), name="api-signup"),
    path("auth/login/", people.Login.as_view(), name="api-login"),
    path("auth/logout/", people.Logout.as_view(), name="api-logout"),
    path("auth/logoutall/", people.LogoutAll.as_view(), name="api-logoutall"),
    path("me/", people.Me.as_view(), name="api-me"),
    path("me/accounts/", people.MyAccounts.as_view(), name="api-my-accounts"),
    many("devices/", DeviceViewSet, "device-list", get="list", post="create"),
    many(f"{DEVICE}commands/", CommandViewSet, "device-commands", get="list", post="create"),
    one(f"{DEVICE}commands/<int:pk>/", CommandViewSet, "device-command", get="retrieve"),
    one(f"{DEVICE}commands/<int:pk>/cancel/", CommandViewSet, "device-command-cancel", post="cancel"),
    many(f"{DEVICE}triggers/", TriggerViewSet, "device-triggers", get="list", post="create"),
    many(f"{DEVICE}observations/", ObservationViewSet, "device-observations", get="list", post="create"),
    one(
        f"{DEVICE}observations/<int:pk>/",
        ObservationViewSet,
        "device-observation",
        get="retrieve",
        delete="destroy",
    ),
    many(f"{DEVICE}resources/", ResourceViewSet, "device-resources", get="list"),
    one(f"{DEVICE}resources/tree/", ResourceViewSet, "device-resource-tree", get="tree"),
    many(f"{RESOURCE}history/", HistoryViewSet, "device-history", get="list"),
    one(f"{RESOURCE}series/", HistoryViewSet, "device-series", get="series"),
    many(f"{DEVICE}trace/", TraceViewSet, "device-trace", get="list"),
    many(f"{DEVICE}end-devices/", EndDeviceViewSet, "device-end-devices", get="list"),
    one(f"{DEVICE}end-devices/take/", EndDeviceViewSet, "device-end-devices-take", post="take"),
    one(f"{DEVICE}end-devices/dismiss/", EndDeviceViewSet, "device-end-devices-dismiss", post="dismiss"),
    path(f"{DEVICE}timeline/", timeline, name="device-timeline"),
    one(DEVICE, DeviceViewSet, "device-detail", get="retrieve", patch="partial_update", delete="destroy"),
    one(
        f"{OPERATOR}history-retention/",
        RetentionViewSet,
        "operator-history-retention",
        get="retrieve",
        put="update",
    ),
    one(
        f"{OPERATOR}reach-policy/",
        ReachPolicyViewSet,
        "operator-reach-policy",
        get="retrieve",
        patch="partial_update",
    ),
    *router.urls,
]
