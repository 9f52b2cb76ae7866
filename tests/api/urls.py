"""The whole site, and the device list as this room has it, without what provisioning adds."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from api.devices.views import DeviceViewSet
from m2m_portal.urls import urlpatterns as site

router = SimpleRouter(use_regex_path=False)
router.register("devices", DeviceViewSet, basename="device")

urlpatterns = [path("api/v1/", include(router.urls)), *site]
handler400 = "m2m_portal.views.bad_request"
handler404 = "m2m_portal.views.not_found"
handler500 = "m2m_portal.views.server_error"
