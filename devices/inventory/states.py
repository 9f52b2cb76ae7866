"""The four independent states of a device, each with its table of allowed moves; an illegal move raises.

The session state is not here: it is computed from the registration by `lwm2m.presence`.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class IllegalMove(Exception):
    """A state was asked to go where its table does not allow; says from where to where."""


class Ownership(models.TextChoices):
    UNCLAIMED = "unclaimed", _("Unclaimed")
    CLAIMED = "claimed", _("Claimed")
    RELEASING = "releasing", _("Releasing")
    TRANSFERRED = "transferred", _("Transferred")


class Access(models.TextChoices):
    ACTIVE = "active", _("Active")
    SUSPENDED = "suspended", _("Suspended")
    BARRED = "barred", _("Barred")
    RETIRED = "retired", _("Retired")


class Provisioning(models.TextChoices):
    DRAFT = "draft", _("Draft")
    READY = "ready", _("Ready")
    BOOTSTRAPPING = "bootstrapping", _("Bootstrapping")
    APPLIED = "applied", _("Applied")
    FAILED = "failed", _("Failed")


MOVES: dict[type[models.TextChoices], dict[str, frozenset[str]]] = {
    Ownership: {
        Ownership.UNCLAIMED: frozenset({Ownership.CLAIMED}),
        Ownership.CLAIMED: frozenset({Ownership.RELEASING, Ownership.UNCLAIMED}),
        Ownership.RELEASING: frozenset({Ownership.UNCLAIMED, Ownership.TRANSFERRED, Ownership.CLAIMED}),
        Ownership.TRANSFERRED: frozenset(),
    },
    Access: {
        Access.ACTIVE: frozenset({Access.SUSPENDED, Access.BARRED, Access.RETIRED}),
        Access.SUSPENDED: frozenset({Access.ACTIVE, Access.BARRED, Access.RETIRED}),
        Access.BARRED: frozenset({Access.ACTIVE, Access.RETIRED}),
        Access.RETIRED: frozenset(),
    },
    Provisioning: {
        Provisioning.DRAFT: frozenset({Provisioning.READY, Provisioning.FAILED}),
        Provisioning.READY: frozenset(
            {Provisioning.BOOTSTRAPPING, Provisioning.APPLIED, Provisioning.FAILED, Provisioning.DRAFT}
        ),
        Provisioning.BOOTSTRAPPING: frozenset(
            {Provisioning.READY, Provisioning.APPLIED, Provisioning.FAILED, Provisioning.DRAFT}
        ),
        Provisioning.APPLIED: frozenset({Provisioning.DRAFT, Provisioning.READY, Provisioning.BOOTSTRAPPING}),
        Provisioning.FAILED: frozenset({Provisioning.DRAFT, Provisioning.READY, Provisioning.BOOTSTRAPPING}),
    },
}


def check_move(old: str, new: str, *, of: type[models.TextChoices]) -> None:
    """Raise IllegalMove unless the table allows `old` -> `new`; staying where one is is always allowed."""
    if old != new and new not in MOVES[of][of(old)]:
        raise IllegalMove(f"{of.__name__} cannot go from {of(old).label!r} to {of(new).label!r}.")
