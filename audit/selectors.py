"""Reading the ledger: from what somebody may see, and with the actors' labels (two queries a list)."""

from collections.abc import Iterable
from typing import Any, Final

from django.db.models import Q, QuerySet

from audit.models import LedgerEvent

ALL: Final = None  # in place of operator ids: the platform's own staff, who see every chain
VIEW_PERMISSION = "audit.view_ledgerevent"


def events_visible(operator_ids: Iterable[int] | None) -> QuerySet[LedgerEvent]:
    """Events of these operators, newest first; `ALL` adds every other operator's and the platform's."""
    events = LedgerEvent.objects.prefetch_related("personal_data").order_by("-id")
    return events if operator_ids is ALL else events.filter(operator_id__in=list(operator_ids))


def timeline(device_id: int, operator_ids: Iterable[int] | None) -> QuerySet[LedgerEvent]:
    """What happened to one device under these operators, newest first: not what it did under another one."""
    return events_visible(operator_ids).filter(device_id=device_id)


def beginning(events: QuerySet[LedgerEvent], text: str) -> QuerySet[LedgerEvent]:
    """Those of `events` whose target, action or cause begins with the text, or of the request of that id.

    Each part is answered by an index of its own. That of causes has the events with a cause alone, which is said here
    as PostgreSQL does not conclude it from a beginning.
    """
    text = text.strip()
    if not text:
        return events
    return events.filter(
        Q(target__startswith=text)
        | Q(action__startswith=text)
        | (Q(cause__startswith=text) & ~Q(cause=""))
        | Q(request_id=text)
    )


def visible_to(user: Any) -> QuerySet[LedgerEvent]:
    """Events of the operators with which this person's role may see the trail; nobody else sees any.

    The users' room is not known here: what is asked is `visible_operator_ids()` (None for all operators) and
    Django's `has_perm` for an event of each operator.
    """
    known = getattr(user, "visible_operator_ids", None)
    if known is None or not user.is_authenticated:
        return events_visible([])
    operator_ids = known()
    if operator_ids is ALL:
        return events_visible(ALL)
    return events_visible(
        operator_id
        for operator_id in operator_ids
        if user.has_perm(VIEW_PERMISSION, LedgerEvent(operator_id=operator_id))
    )
