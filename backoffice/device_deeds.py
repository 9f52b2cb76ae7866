"""What may be done to devices from their list, each with what it asks first; the words are those of whoever asks."""

from __future__ import annotations

from django.db.models import Q
from django.utils.functional import Promise, lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts import tenancy
from accounts.models import User
from accounts.scoping import Deed, Skip
from devices.commands.dangers import PERMISSION, Asker
from devices.inventory.models import Device
from devices.inventory.states import Access
from devices.messaging.services import triggers
from provisioning.services import lifecycle

_lower = lazy(lambda words: str(words).lower(), str)


def _already(access: Access) -> Skip:
    return Skip(Q(access=access), format_lazy(_("{state} already"), state=_lower(access.label)))


def _trigger(kind: triggers.Kind, what: str | Promise) -> Deed:
    def do(device: Device, reason: str, by: User) -> object:
        return triggers.send(
            device=device,
            kind=kind,
            requested_by=f"user:{by.pk}",
            reason=reason,
            asker=Asker(may_endanger=tenancy.may(by, PERMISSION, device.operator_id)),
        )

    return Deed(
        question=format_lazy(_("Ask these devices by SMS to {what}? Each message costs."), what=what),
        button=_("Send SMS"),
        done=_("asked by SMS"),
        do=do,
        costs="SMS",
        skips=(
            Skip(Q(msisdn=""), _("no phone number")),
            Skip(~Q(access=Access.ACTIVE), _("not active")),
        ),
    )


DEEDS = {
    "wake": _trigger(triggers.Kind.UPDATE, _("update their registration")),
    "bootstrap_anew": _trigger(triggers.Kind.BOOTSTRAP, _("bootstrap anew")),
    "suspend": Deed(
        question=_("Suspend these devices?"),
        button=_("Suspend"),
        done=_("suspended"),
        do=lambda device, reason, by: lifecycle.suspend(device=device, reason=reason),
        skips=(_already(Access.SUSPENDED),),
    ),
    "resume": Deed(
        question=_("Let these devices connect again?"),
        button=_("Resume"),
        done=_("active again"),
        do=lambda device, reason, by: lifecycle.resume(device=device, reason=reason),
        skips=(_already(Access.ACTIVE),),
    ),
    "bar": Deed(
        question=_("Bar these devices (stolen or misused)?"),
        button=_("Bar"),
        done=_("barred"),
        is_dangerous=True,
        do=lambda device, reason, by: lifecycle.bar(device=device, reason=reason),
        skips=(_already(Access.BARRED),),
    ),
    "retire": Deed(
        question=_("Retire these devices for good? Their keys end and their endpoint names become free."),
        button=_("Retire"),
        done=_("retired"),
        verb="delete",
        is_dangerous=True,
        do=lambda device, reason, by: lifecycle.release(device=device, reason=reason),
        skips=(_already(Access.RETIRED),),
    ),
}
