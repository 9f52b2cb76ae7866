"""What the ladder handed to the support desk is taken back once the device was heard or nobody looks for it."""

from __future__ import annotations

from provisioning.ladder import ReachAttempt
from provisioning.selectors import handed_over


def take_back() -> int:
    """How many; the table holds what lasts, so that the desk's list costs nothing for what is over."""
    over = ReachAttempt.objects.filter(is_handed_over=True).exclude(
        pk__in=handed_over.lasting().order_by().values("pk")
    )
    return over.update(is_handed_over=False)
