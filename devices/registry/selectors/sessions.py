"""The session of a device: told from its registration and the time, in words and as a condition for lists.

An end device has the session of the gateway that tells of it: one outage is one cause, whatever is behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import Q, TextChoices
from django.utils import formats, timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from devices.inventory.models import Device, Reach
from devices.registry import awake
from devices.registry.models import Registration, RegistrationDetail
from devices.registry.selectors import ways
from lwm2m.presence import State, presence

EXPIRED = "LIFETIME_EXPIRED"
ADDRESS_TAKEN = "ADDRESS_TAKEN"
"""Another device is where this one was heard last; `services.registration_addresses` leaves no host then."""


class Session(TextChoices):
    """`lwm2m.presence.State`, and signed off: device or portal ended the registration before its time.

    Behind a gateway: the gateway is not there, or it is and does not tell of the device any more.
    """

    REGISTERED = "registered", _("Registered")
    ASLEEP = "asleep", _("Asleep")
    LATE = "late", _("Late")
    LOST = "lost", _("Lost")
    SIGNED_OFF = "signed_off", _("Signed off")
    NEVER_SEEN = "never_seen", _("Never seen")
    GATEWAY_OFFLINE = "gateway_offline", _("Gateway offline")
    GONE = "gone", _("Gone from its gateway")


OF_END_DEVICES = (Session.GATEWAY_OFFLINE, Session.GONE)


@dataclass(frozen=True, slots=True)
class Told:
    """`words` stand alone ("asleep until about 14:20"); with `since` set, they want "3 min ago" behind.

    `left_seconds` is what is left of the lifetime, None where it has no end or is over; `left_share` of 100.
    `cause` is one of the catalogue where something is to be mended.
    """

    state: Session
    words: str
    since: datetime | None = None
    left_seconds: int | None = None
    left_share: int = 0
    cause: str = ""

    @property
    def listens(self) -> bool:
        """Whether something that is sent now can reach it."""
        return self.state is Session.REGISTERED and self.cause != ADDRESS_TAKEN


@dataclass(frozen=True, slots=True)
class _Facts:
    queue_mode: bool
    last_seen_at: float
    expires_at: float | None


def of_device(device: Device, now: datetime) -> Told:
    """Needs `ways.PRESENCE` selected with the device."""
    if device.reach == Reach.GATEWAY:
        return _of_end_device(device, now)
    return of(device, now)


def _of_end_device(device: Device, now: datetime) -> Told:
    gateway = ways.gateway(device)
    if gateway is None:
        return Told(Session.NEVER_SEEN, gettext("no gateway tells of it yet"), cause="END_DEVICE_NOT_TOLD")
    if device.gone_at is not None:
        words = gettext("gone from %(gateway)s") % {"gateway": gateway}
        return Told(Session.GONE, words, since=device.gone_at, cause=ways.gone_cause(device))
    told = of(gateway, now, through=gateway)
    if told.state in (Session.LOST, Session.SIGNED_OFF, Session.NEVER_SEEN):
        words = gettext("gateway %(gateway)s offline") % {"gateway": gateway}
        return Told(Session.GATEWAY_OFFLINE, words, since=told.since, cause="GATEWAY_OFFLINE")
    return told


def of(device: Device, now: datetime, *, through: Device | None = None) -> Told:
    """By the device's own registration; its detail knows why one that is not live any more ended.

    `through` is the gateway whose registration it is, where the words are about a device behind it.
    """
    registration: Registration | None = getattr(device, "registration", None)
    detail: RegistrationDetail | None = getattr(device, "registration_detail", None)
    if registration is None:
        return Told(Session.NEVER_SEEN, gettext("never seen"))
    expires_at = registration.expires_at
    ended_at = detail.ended_at if detail else None
    if not registration.is_live and not (detail and detail.end_cause == EXPIRED):
        return Told(Session.SIGNED_OFF, gettext("signed off"), since=ended_at or registration.last_seen_at)
    facts = _Facts(
        registration.queue_mode,
        registration.last_seen_at.timestamp(),
        None if expires_at is None else expires_at.timestamp(),
    )
    window = awake.seconds(device, registration.transport)
    found = presence(facts, now.timestamp(), window, settings.LIFETIME_GRACE_SECONDS)
    if not registration.is_live or found.state is State.LOST:
        return Told(Session.LOST, gettext("lost"), since=expires_at or ended_at)
    if found.state is State.LATE:
        return Told(Session.LATE, _words_of_late(clock(found.next_contact_by, now), through))
    left = None if expires_at is None else max(0, int((expires_at - now).total_seconds()))
    share = 100 if left is None else min(100, round(100 * left / max(1, registration.lifetime_seconds)))
    if found.state is State.ASLEEP:
        words = _words_of_sleep(clock(found.next_contact_by, now) if found.next_contact_by else "", through)
        return Told(Session.ASLEEP, words, left_seconds=left, left_share=share)
    if not registration.host:
        return Told(
            Session.REGISTERED,
            _words_of_registration(NEXT_TIME, through),
            left_seconds=left,
            left_share=share,
            cause=ADDRESS_TAKEN,
        )
    words = _words_of_registration(clock(found.awake_until, now) if found.awake_until else "", through)
    return Told(Session.REGISTERED, words, left_seconds=left, left_share=share)


NEXT_TIME = "next time"
"""In place of a time: the device is not reached before it speaks again."""


def _words_of_late(until: str, through: Device | None) -> str:
    facts = {"clock": until, "gateway": through}
    if through is None:
        return gettext("late, expected until %(clock)s") % facts
    return gettext("late with %(gateway)s, expected until %(clock)s") % facts


def _words_of_sleep(until: str, through: Device | None) -> str:
    facts = {"clock": until, "gateway": through}
    if through is None:
        return gettext("asleep until about %(clock)s") % facts if until else gettext("asleep")
    if until:
        return gettext("asleep with %(gateway)s until about %(clock)s") % facts
    return gettext("asleep with %(gateway)s") % facts


def _words_of_registration(until: str, through: Device | None) -> str:
    facts = {"clock": until, "gateway": through}
    if through is None:
        if until == NEXT_TIME:
            return gettext("registered, to be reached again when it next speaks")
        return gettext("registered, awake until %(clock)s") % facts if until else gettext("registered")
    if until == NEXT_TIME:
        return gettext("registered through %(gateway)s, to be reached again when it next speaks") % facts
    if until:
        return gettext("registered through %(gateway)s, awake until %(clock)s") % facts
    return gettext("registered through %(gateway)s") % facts


def clock(at: float | None, now: datetime) -> str:
    """The time of day, with the date where it is not today."""
    if at is None:
        return ""
    local, today = timezone.localtime(datetime.fromtimestamp(at, tz=UTC)), timezone.localtime(now).date()
    return formats.date_format(local, "H:i" if local.date() == today else "j M, H:i")


def condition(state: str, now: datetime, *, of_device: bool = True) -> Q:
    """Rows in this state: devices, or with `of_device` False registrations. Says what `of_device` and `of` say."""
    if not of_device:
        return _registered("", "device__registration_detail__", "device__", state, now)
    told = Q(via__isnull=False, gone_at=None)
    via = "via__registration__", "via__registration_detail__", "via__"
    if state == Session.GONE:
        return Q(gone_at__isnull=False)
    if state == Session.GATEWAY_OFFLINE:
        over = _registered(*via, Session.LOST, now) | _registered(*via, Session.SIGNED_OFF, now)
        return told & (Q(via__registration__isnull=True) | over)
    if state == Session.NEVER_SEEN:
        return Q(registration__isnull=True, via__isnull=True)
    own = _registered("registration__", "registration_detail__", "", state, now)
    through = state in (Session.REGISTERED, Session.ASLEEP, Session.LATE)
    return own | (told & _registered(*via, state, now)) if through else own


def _registered(here: str, detail: str, device: str, state: str, now: datetime) -> Q:
    """By the columns of a registration, its detail and its device, each found under a prefix."""

    def q(**lookups: object) -> Q:
        return Q(**{f"{here}{name}": value for name, value in lookups.items()})

    over = now - timedelta(seconds=settings.LIFETIME_GRACE_SECONDS)
    listens = awake.condition(now, registration=here, device=device)
    live = q(is_live=True) & (q(expires_at=None) | q(expires_at__gt=now))
    expired = Q(**{f"{detail}end_cause": EXPIRED})
    return {
        Session.REGISTERED: live & (q(queue_mode=False) | listens),
        Session.ASLEEP: live & q(queue_mode=True) & ~listens,
        Session.LATE: q(is_live=True, expires_at__lte=now, expires_at__gt=over),
        Session.LOST: q(is_live=True, expires_at__lte=over) | (q(is_live=False) & expired),
        Session.SIGNED_OFF: q(is_live=False) & ~expired,
    }.get(Session(state), Q(pk__in=[]))
