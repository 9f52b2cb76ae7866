"""How a person reads: the time zone that they choose, or that their browser tells while they have chosen none."""

from __future__ import annotations

from accounts.errors import Refused
from accounts.models import User
from audit import ledger, locks
from audit.actions import Action
from live import readers


def choose_time_zone(*, user: User, name: str) -> None:
    """Empty: whatever their browser says. Refused for a zone that is not known here."""
    _set(user, name, only_first=False)


def adopt_time_zone(*, user: User, name: str) -> bool:
    """What the browser says counts while nothing is chosen; False when something is. Refused as above."""
    return bool(name) and _set(user, name, only_first=True)


def _set(user: User, name: str, *, only_first: bool) -> bool:
    if name and not readers.is_zone(name):
        raise Refused("TIME_ZONE_UNKNOWN", field="time_zone", name=name[: readers.ZONE_NAME_LENGTH])
    with ledger.unit_of_work():
        row = locks.rows(User.objects).get(pk=user.pk)
        if only_first and row.time_zone:
            return False
        if row.time_zone == name:
            return True
        row.time_zone = name
        row.save(update_fields=["time_zone"])
        # Where somebody lives is personal: it stands in the ledger where it can be erased.
        ledger.record(
            action=Action.USER_TIME_ZONE_SET,
            operator_id=None,
            target=f"user:{row.pk}",
            personal={"time_zone": name} if name else None,
            subject=f"user:{row.pk}",
            detail={"by_browser": only_first},
        )
    return True
