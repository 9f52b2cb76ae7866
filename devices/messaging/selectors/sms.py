"""What staff may see of SMS."""

from __future__ import annotations

from django.db.models import QuerySet

from accounts.models import User
from accounts.scoping import of_staff
from devices.messaging.models import SmscLink

VIEW_LINK = "messaging.view_smsclink"


def visible_links(user: User) -> QuerySet[SmscLink]:
    """The links of operators where the user's role may see them."""
    return of_staff(SmscLink.objects.all(), user, "operator", VIEW_LINK)
