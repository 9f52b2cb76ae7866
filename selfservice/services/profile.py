"""What a person changes about themselves and no other room keeps."""

from __future__ import annotations

from accounts.models import User
from audit import ledger, locks
from audit.actions import Action


def rename(*, user: User, name: str) -> None:
    """The name is personal data: it stands in the ledger where it can be erased."""
    with ledger.unit_of_work():
        row = locks.rows(User.objects).get(pk=user.pk)
        if row.name == name:
            return
        row.name = name
        row.save(update_fields=["name"])
        ledger.record(
            action=Action.USER_RENAMED,
            operator_id=None,
            target=f"user:{row.pk}",
            personal={"name": name} if name else None,
            subject=f"user:{row.pk}",
        )
