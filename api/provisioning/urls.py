"""REST routes of this room. A device is `<endpoint:endpoint>`, see `api.endpoint_paths`."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from api.devices.managed import ManagedDeviceViewSet as Devices
from api.gateways import EndDeviceViewSet
from api.jobs.views import BootstrapSessionViewSet, JobViewSet
from api.reachability import ReachAttemptViewSet, ReachPolicyViewSet

router = SimpleRouter()
router.register("jobs", JobViewSet, basename="job")
router.register("reach-attempts", ReachAttemptViewSet, basename="reach-attempt")
router.register("bootstrap-sessions", BootstrapSessionViewSet, basename="bootstrap-session")

_listing = Devices.as_view({"get": "list", "post": "create"}, basename="device", detail=False)
_of_one = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
_one = Devices.as_view(_of_one, basename="device", detail=True)
_timeline = Devices.as_view({"get": "timeline"}, basename="device", detail=True, **Devices.timeline.kwargs)
_behind = EndDeviceViewSet.as_view({"get": "list"}, detail=False)
_take = EndDeviceViewSet.as_view({"post": "take"}, detail=True)
_dismiss = EndDeviceViewSet.as_view({"post": "dismiss"}, detail=True)

urlpatterns = [
    path("devices/", _listing, name="device-list"),
    path("devices/<endpoint:endpoint>/end-devices/", _behind, name="device-end-devices"),
    path("devices/<endpoint:endpoint>/end-devices/take/", _take, name="device-end-devices-take"),
    path("devices/<endpoint:endpoint>/end-devices/dismiss/", _dismiss, name="device-end-devices-dismiss"),
    path("devices/<endpoint:endpoint>/timeline/", _timeline, name="device-timeline"),
    path("devices/<endpoint:endpoint>/", _one, name="device-detail"),
    path(
        "operators/<slug:slug>/reach-policy/",
        ReachPolicyViewSet.as_view({"get": "retrieve", "patch": "partial_update"}, detail=True),
        name="operator-reach-policy",
    ),
    *router.urls,
]
