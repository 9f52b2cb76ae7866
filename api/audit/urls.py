"""REST routes of this room."""

from rest_framework.routers import SimpleRouter

from api.audit.views import LedgerEventViewSet

router = SimpleRouter()
router.register("audit/events", LedgerEventViewSet, basename="ledger-event")

urlpatterns = router.urls
