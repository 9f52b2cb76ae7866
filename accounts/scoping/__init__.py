"""Every list starts from what this person may see: the querysets that doors stand on; base classes for the admin
and its inlines are in `backoffice.scoping`, for REST in `api.scoping`.

    class DeviceAdmin(ScopedModelAdmin):
        operator_path = "operator"

    class JobViewSet(ScopedQuerysetMixin, ReadOnlyModelViewSet):
        operator_path, subscriber_path = "operator", "device__subscriber"

`tests/test_scoping.py` walks all registered admins and REST lists, so one that forgets it fails the suite.
"""

from accounts.scoping.deeds import Deed, Skip
from accounts.scoping.querysets import of_staff, of_subscriber, visible
from accounts.tenancy import may, operator_id_of, operator_ids

__all__ = [
    "Deed",
    "Skip",
    "may",
    "of_staff",
    "of_subscriber",
    "operator_id_of",
    "operator_ids",
    "visible",
]
