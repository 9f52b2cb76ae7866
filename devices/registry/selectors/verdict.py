"""What somebody who opens a device's page has to know first, in sentences for both readers; None when all is well.

The badge has the same in a word: `devices.registry.selectors.present`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audit.actions import Action
from audit.causes import CAUSES, Cause
from audit.models import LedgerEvent
from devices.inventory.models import Device
from devices.inventory.states import Access
from devices.registry.selectors import ways
from devices.registry.selectors.present import Present
from devices.registry.selectors.sessions import Session, clock

_DECISIONS = {Access.SUSPENDED: Action.DEVICE_SUSPENDED, Access.BARRED: Action.DEVICE_BARRED}


class LookedFor(Protocol):
    """What the reachability ladder says of a device that missed its contact."""

    @property
    def words(self) -> str: ...
    @property
    def plain(self) -> str: ...
    @property
    def next_words(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """`plain` is for the subscriber, `words` for staff. `reason` and `at` are of whoever decided it.

    `asks_operator` says that the subscriber can do nothing but ask.
    """

    severity: str
    plain: str | Promise
    words: str | Promise
    action: str | Promise = ""
    plain_action: str | Promise = ""
    reason: str = ""
    at: datetime | None = None
    cause: Cause | None = None
    asks_operator: bool = False


def of(
    device: Device, present: Present, now: datetime, looked_for: LookedFor | None = None
) -> Verdict | None:
    """Needs `ways.PRESENCE`, the operator and, for a name, the gateway selected with the device."""
    if device.access != Access.ACTIVE:
        return _decided(device)
    if not device.operator.is_active:
        cause = CAUSES["OPERATOR_INACTIVE"]
        return Verdict(
            "error", cause.subscriber, cause.support, cause.action, cause=cause, asks_operator=True
        )
    gateway = ways.gateway(device)
    if gateway is not None and gateway.access in (Access.SUSPENDED, Access.BARRED):
        return _decided(gateway, is_gateway=True)
    if not present.is_session:
        return None  # it has not come online yet; the line says where it stands and why
    if present.state == Session.LOST:
        return _lost(device, looked_for, now)
    if present.cause is not None:
        cause = present.cause
        return Verdict(
            cause.severity, cause.subscriber, cause.support, cause.action, cause.action, cause=cause
        )
    if present.state == Session.SIGNED_OFF:
        return Verdict(
            "warning",
            gettext("Your device signed off; it comes back by itself when it is switched on again."),
            gettext("The registration was ended by the device or by the portal; it is not looked for."),
            at=present.since,
        )
    if present.state == Session.LATE and looked_for is not None:
        return Verdict(
            "warning",
            looked_for.plain,
            gettext("The device %(words)s.") % {"words": looked_for.words},
            _next(looked_for),
        )
    return None


_PLAIN = {
    Access.SUSPENDED: _(
        "%(operator)s has suspended this device: it cannot connect, and nothing is sent to it."
    ),
    Access.BARRED: _("%(operator)s has barred this device: it cannot connect, and nothing is sent to it."),
    Access.RETIRED: _("%(operator)s has released this device: it cannot connect, and nothing is sent to it."),
}
_OF_GATEWAY_PLAIN = {
    Access.SUSPENDED: _(
        "%(operator)s has suspended its gateway %(gateway)s: it cannot connect, and nothing is sent to it."
    ),
    Access.BARRED: _(
        "%(operator)s has barred its gateway %(gateway)s: it cannot connect, and nothing is sent to it."
    ),
}
_OF_GATEWAY = {
    Access.SUSPENDED: _("Its gateway %(gateway)s is suspended. %(support)s"),
    Access.BARRED: _("Its gateway %(gateway)s is barred. %(support)s"),
}


def _decided(device: Device, *, is_gateway: bool = False) -> Verdict:
    code = f"DEVICE_{device.access.upper()}"
    cause, decision = CAUSES[code], _decision(device)
    facts = {"operator": device.operator.name, "gateway": device, "support": cause.support}
    plain = (_OF_GATEWAY_PLAIN if is_gateway else _PLAIN)[Access(device.access)] % facts
    words = _OF_GATEWAY[Access(device.access)] % facts if is_gateway else str(cause.support)
    return Verdict(
        "error",
        plain,
        words,
        cause.action,
        reason=decision.reason if decision else "",
        at=decision.at if decision else None,
        cause=cause,
        asks_operator=True,
    )


def _decision(device: Device) -> LedgerEvent | None:
    """The event that shut the device out, with the reason that was given."""
    action = _DECISIONS.get(Access(device.access))
    events = LedgerEvent.objects.filter(device_id=device.pk, operator_id=device.operator_id, action=action)
    return events.order_by("-id").first() if action else None


def _lost(device: Device, looked_for: LookedFor | None, now: datetime) -> Verdict:
    told = ways.registration(device)
    expected = told.expires_at if told else None
    at = {"clock": clock(expected.timestamp(), now)} if expected else None
    if looked_for is not None:
        plain, words = (
            looked_for.plain,
            gettext("The device is lost: it %(words)s.") % {"words": looked_for.words},
        )
    elif at:
        plain = gettext("Your device should have called at %(clock)s and did not.") % at
        words = gettext("The device is lost: its registration ran out at %(clock)s.") % at
    else:
        plain = gettext("Your device should have called and did not.")
        words = gettext("The device is lost: its registration ran out.")
    return Verdict(
        "error",
        plain,
        words,
        _next(looked_for) if looked_for else "",
        gettext("Check its power and its reception; it comes back by itself as soon as it can call."),
        at=expected,
        cause=CAUSES["LIFETIME_EXPIRED"],
    )


def _next(looked_for: LookedFor) -> str:
    return (
        gettext("Next: %(next_words)s.") % {"next_words": looked_for.next_words}
        if looked_for.next_words
        else ""
    )
