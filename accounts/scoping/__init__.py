"""Every list starts from what this person may see: base classes for the admin, its inlines and REST.

    class DeviceAdmin(ScopedModelAdmin):
        operator_path = "operator"

    class JobViewSet(ScopedQuerysetMixin, ReadOnlyModelViewSet):
        operator_path, subscriber_path = "operator", "device__subscriber"

`tests/test_scoping.py` walks all registered admins and REST lists, so one that forgets it fails the suite.
"""

from accounts.scoping.admin import PlatformModelAdmin, ScopedInline, ScopedModelAdmin, ScopedStackedInline
from accounts.scoping.deeds import Deed, Skip
from accounts.scoping.querysets import of_staff, of_subscriber, visible
from accounts.scoping.reasons import ask_and_do
from accounts.scoping.rest import RolePermission, ScopedQuerysetMixin
from accounts.tenancy import may, operator_id_of, operator_ids

__all__ = [
    "Deed",
    "PlatformModelAdmin",
    "RolePermission",
    "ScopedInline",
    "ScopedModelAdmin",
    "ScopedQuerysetMixin",
    "ScopedStackedInline",
    "Skip",
    "ask_and_do",
    "may",
    "of_staff",
    "of_subscriber",
    "operator_id_of",
    "operator_ids",
    "visible",
]
