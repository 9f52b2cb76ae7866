"""What a command may do to a device that nobody can take back: one table, asked by every door.

A danger asks a person why, and most ask for a role that runs devices; REST, the management page, SMS triggers and the
command line get both from here (`operations.request`, `triggers.send`). Resources are named as in
OMA-TS-LightweightM2M_Core appendix E; objects of other registries by their own definitions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.errors import Refused
from devices.commands.models import Operation
from lwm2m.paths import Path

PERMISSION = "inventory.endanger_device"
REASON_MISSING = "REASON_MISSING"

_EXECUTE = frozenset({Operation.EXECUTE})
_REPLACES = frozenset({Operation.CREATE, Operation.DELETE})
_WRITES = frozenset({Operation.WRITE, Operation.WRITE_COMPOSITE, Operation.CREATE})


@dataclass(frozen=True, slots=True)
class Danger:
    """`question` names the effect, as a page asks before it sends. Without a `resource` it is any of the object."""

    operations: frozenset[str]
    objects: frozenset[int]
    resource: int | None
    question: str | Promise
    needs_role: bool = True

    def is_in(self, operation: str, path: Path) -> bool:
        if operation not in self.operations or path.object_id not in self.objects:
            return False
        # A write of a whole instance, and a delete of what holds it, may touch the resource.
        return self.resource is None or path.resource_id is None or path.resource_id == self.resource


TABLE = (
    Danger(
        _EXECUTE, frozenset({3}), 5,
        _("Reset it to factory settings? The device loses its settings and data, ends its "
        "registration and has to be set "
        "up anew, with new keys; one that cannot bootstrap by itself is lost to us."),
    ),
    Danger(
        _EXECUTE, frozenset({3}), 4,
        _("Reboot it? The device stops what it does and is away until it is up again."),
    ),
    Danger(
        _EXECUTE, frozenset({1}), 4,
        _("Disable our account? The device deregisters and cannot be reached until its disable timeout is over, a day "
        "where it has none."),
    ),
    Danger(
        _EXECUTE, frozenset({1}), 9,
        _("Have it bootstrap anew? Its account and keys are replaced; where that fails, it is out of reach."),
    ),
    Danger(
        _EXECUTE, frozenset({5}), 2,
        _("Install the firmware that it holds? The device restarts into it; a bad one may not come back."),
    ),
    Danger(
        _EXECUTE, frozenset({8}), 3,
        _("Wipe the device? What it holds of its user is deleted for good."),
    ),
    Danger(
        _EXECUTE, frozenset({9}), 6,
        _("Remove this software from the device? What it does with it ends."),
    ),
    Danger(
        _REPLACES | _WRITES, frozenset({0, 21}), None,
        _("Change the keys and addresses by which it reaches its servers? A wrong one leaves it "
        "out of reach for good."),
    ),
    Danger(
        _REPLACES, frozenset({1}), None,
        _("Change its server accounts? Without ours it is out of reach until it bootstraps."),
    ),
    Danger(
        _REPLACES | _WRITES, frozenset({2}), None,
        _("Change which server may do what on it? We may lose our own access."),
    ),
    Danger(
        _WRITES, frozenset({1}), 1,
        _("Change its lifetime? The device says Update that much more seldom, or often; a long one hides that it is "
        "lost, a short one drains its battery."),
        needs_role=False,
    ),
    Danger(
        _WRITES, frozenset({1}), 7,
        _("Change its binding? A device that listens where nobody speaks is out of reach."),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody at a door; the portal's own jobs have none. `may_endanger`: their role gives `PERMISSION` here."""

    may_endanger: bool


def of(operation: str, paths: Iterable[Path]) -> Danger | None:
    """The first danger in the table that one of `paths` stands in; those that need a role come first."""
    places = list(paths)
    found = [one for one in TABLE if any(one.is_in(operation, path) for path in places)]
    return next((one for one in found if one.needs_role), found[0] if found else None)


def check(danger: Danger | None, asker: Asker | None, reason: str) -> None:
    """Raises Refused PERMISSION_DENIED or REASON_MISSING for a person who may not, or does not say why."""
    if danger is None or asker is None:
        return
    if danger.needs_role and not asker.may_endanger:
        raise Refused("ROLE_MAY_NOT_ENDANGER")
    if not reason.strip():
        raise Refused("WHY_MISSING", field="reason", question=danger.question)
