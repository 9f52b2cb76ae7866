"""How the device is, whether it listens and until when, and what that means for what one asks of it.

What shuts it out or keeps it from coming stands before what its last registration says, as on every other page.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext, ngettext

from backoffice.manage.facts import Facts
from devices.inventory.models import Reach
from devices.inventory.states import Access
from devices.registry import awake
from devices.registry.selectors import present, sessions
from devices.registry.selectors.present import Present
from devices.registry.selectors.sessions import OF_END_DEVICES, Session, Told
from devices.registry.selectors.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Presence:
    """`sentences` stand one after the other; `listens` tells whether a command leaves now."""

    standing: Present
    verdict: Verdict | None
    sentences: tuple[str, ...]
    waiting: int
    listens: bool

    @property
    def waiting_words(self) -> str:
        if not self.waiting:
            return gettext("No commands waiting")
        return ngettext("%(count)s command waiting", "%(count)s commands waiting", self.waiting) % {
            "count": self.waiting
        }


def of(facts: Facts) -> Presence:
    standing = facts.standing
    return Presence(
        standing,
        facts.verdict,
        (_where(facts, standing), _leaves(facts, standing)),
        len(facts.open_commands),
        standing.is_session and standing.session.listens,
    )


def _where(facts: Facts, standing: Present) -> str:
    if standing.is_session:
        return _of_session(facts, standing.session)
    words = f"{standing.words[:1].upper()}{standing.words[1:]}."
    if standing.cause is None:
        return words
    times = f" {standing.refusal.count}×:" if standing.refusal else ""
    return f"{words}{times} {standing.cause.support} {standing.cause.action}"


def _of_session(facts: Facts, told: Told) -> str:
    row = facts.registration
    if told.state in OF_END_DEVICES or (facts.device.reach == Reach.GATEWAY and row is None):
        return f"{told.words[:1].upper()}{told.words[1:]}."
    if row is None:
        return gettext("It has never registered.")
    expires_at = row.expires_at.timestamp() if row.expires_at else None
    by = (
        gettext("next contact expected by %(clock)s") % {"clock": sessions.clock(expires_at, facts.now)}
        if expires_at
        else ""
    )
    match told.state:
        case Session.ASLEEP if facts.device.reach != Reach.GATEWAY:
            slept_at = row.last_seen_at + timedelta(seconds=awake.seconds(facts.device, row.transport))
            asleep = gettext("Asleep since %(clock)s") % {
                "clock": sessions.clock(slept_at.timestamp(), facts.now)
            }
            return (
                f"{asleep}, {by}."
                if by
                else gettext("%(asleep)s; it did not say when it comes back.") % {"asleep": asleep}
            )
        case Session.REGISTERED | Session.ASLEEP:
            words = told.words[:1].upper() + told.words[1:]
            return f"{words}, {by}." if by else f"{words}."
        case Session.LATE:
            return gettext("It is %(words)s.") % {"words": told.words}
        case _:
            seen = sessions.clock(row.last_seen_at.timestamp(), facts.now)
            return gettext("%(words)s, last heard %(seen)s.") % {
                "words": told.words.capitalize(),
                "seen": seen,
            }


def _leaves(facts: Facts, standing: Present) -> str:
    if facts.device.access == Access.RETIRED:
        return gettext("Nothing can be asked of it any more.")
    if present.is_shut_out(standing):
        return gettext("Nothing is sent to it, and nothing can be asked of it until that has changed.")
    told = standing.session
    if standing.is_session and told.listens:
        return gettext("What you ask leaves at once.")
    if told.state in (Session.REGISTERED, Session.ASLEEP):
        return gettext("What you ask is kept and leaves at its next contact.")
    if told.state in OF_END_DEVICES:
        return gettext("What you ask is kept until its gateway tells of it again, at most 24 hours.")
    return gettext("What you ask is kept until it registers, at most 24 hours.")
