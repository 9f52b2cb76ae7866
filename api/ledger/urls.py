"""REST routes of this room."""

from rest_framework.routers import SimpleRouter

from api.ledger.views import LedgerEventViewSet

router = SimpleRouter()
router.register("audit/events", LedgerEventViewSet, basename="ledger-event")

urlpatterns = router.urls
