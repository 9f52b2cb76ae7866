"""How the device is, whether it listens and until when, and what that means for what one asks of it.

What shuts it out or keeps it from coming stands before what its last registration says, as on every other page.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

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
            return "No commands waiting"
        return f"{self.waiting} command{'' if self.waiting == 1 else 's'} waiting"


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
        return "It has never registered."
    expires_at = row.expires_at.timestamp() if row.expires_at else None
    by = f"next contact expected by {sessions.clock(expires_at, facts.now)}" if expires_at else ""
    match told.state:
        case Session.ASLEEP if facts.device.reach != Reach.GATEWAY:
            slept_at = row.last_seen_at + timedelta(seconds=awake.seconds(facts.device, row.transport))
            asleep = f"Asleep since {sessions.clock(slept_at.timestamp(), facts.now)}"
            return f"{asleep}, {by}." if by else f"{asleep}; it did not say when it comes back."
        case Session.REGISTERED | Session.ASLEEP:
            words = told.words[:1].upper() + told.words[1:]
            return f"{words}, {by}." if by else f"{words}."
        case Session.LATE:
            return f"It is {told.words}."
        case _:
            seen = sessions.clock(row.last_seen_at.timestamp(), facts.now)
            return f"{told.words.capitalize()}, last heard {seen}."


def _leaves(facts: Facts, standing: Present) -> str:
    if facts.device.access == Access.RETIRED:
        return "Nothing can be asked of it any more."
    if present.is_shut_out(standing):
        return "Nothing is sent to it, and nothing can be asked of it until that has changed."
    told = standing.session
    if standing.is_session and told.listens:
        return "What you ask leaves at once."
    if told.state in (Session.REGISTERED, Session.ASLEEP):
        return "What you ask is kept and leaves at its next contact."
    if told.state in OF_END_DEVICES:
        return "What you ask is kept until its gateway tells of it again, at most 24 hours."
    return "What you ask is kept until it registers, at most 24 hours."
