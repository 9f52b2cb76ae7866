"""REST routes of this room. `devices/` is registered by provisioning, whose view set adds and removes too."""

from rest_framework.routers import SimpleRouter

from devices.api.views import KnockViewSet, RegistrationViewSet

router = SimpleRouter()
router.register("registrations", RegistrationViewSet, basename="registration")
router.register("knocks", KnockViewSet, basename="knock")

urlpatterns = router.urls
