"""Whether the device listens, since when and until when, and what that means for what one asks of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from audit.causes import CAUSES
from devices import awake
from devices.management_views.facts import Facts
from devices.models import Reach
from devices.selectors import sessions
from devices.selectors.sessions import OF_END_DEVICES, Session, Told
from devices.states import Access


@dataclass(frozen=True, slots=True)
class Presence:
    """`sentences` stand one after the other; `listens` tells whether a command leaves now."""

    session: Told
    sentences: tuple[str, ...]
    waiting: int
    listens: bool

    @property
    def waiting_words(self) -> str:
        if not self.waiting:
            return "No commands waiting"
        return f"{self.waiting} command{'' if self.waiting == 1 else 's'} waiting"


def of(facts: Facts) -> Presence:
    told = sessions.of_device(facts.device, facts.now)
    return Presence(
        told,
        (_where(facts, told), _leaves(told)),
        len(facts.open_commands),
        told.state is Session.REGISTERED and facts.device.access == Access.ACTIVE,
    )


def _where(facts: Facts, told: Told) -> str:
    row = facts.registration
    if told.state in OF_END_DEVICES or (facts.device.reach == Reach.GATEWAY and row is None):
        cause = CAUSES.get(told.cause)
        return f"{told.words[:1].upper()}{told.words[1:]}. {cause.action if cause else ''}".strip()
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


def _leaves(told: Told) -> str:
    if told.state is Session.REGISTERED:
        return "What you ask leaves at once."
    if told.state is Session.ASLEEP:
        return "What you ask is kept and leaves at its next contact."
    if told.state in OF_END_DEVICES:
        return "What you ask is kept until its gateway tells of it again, at most 24 hours."
    return "What you ask is kept until it registers, at most 24 hours."
