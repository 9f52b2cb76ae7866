"""What a session asks of its owner and tells it, in the order it must happen."""

from __future__ import annotations

from dataclasses import dataclass

from smpp import status
from smpp.addresses import Address
from smpp.pdus import Bind, Carrier, Outbind
from smpp.status import Class

Key = object
"""Whatever the owner calls a request by: the id of a row, a future."""


@dataclass(frozen=True, slots=True)
class Transmit:
    """Write these bytes to the connection."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class Bound:
    """The link may be used; ``system_id`` is the other side's name."""

    system_id: str


@dataclass(frozen=True, slots=True)
class BindRefused:
    """The SMSC does not let us in. `Closed` follows."""

    status: int

    @property
    def may_retry(self) -> bool:
        """False: somebody has to change the settings first."""
        return status.is_bind_worth_a_retry(self.status)


@dataclass(frozen=True, slots=True)
class BindWanted:
    """To an SMSC: let them in with `SmscSession.accept`, or not with `SmscSession.refuse`."""

    bind: Bind


@dataclass(frozen=True, slots=True)
class OutbindReceived:
    """To an ESME: the SMSC asks to be bound; look at the password, then `Session.start`."""

    outbind: Outbind


@dataclass(frozen=True, slots=True)
class Received:
    """A message from the other side. It is theirs until `acknowledge(handle, ...)`: store it first."""

    handle: int
    body: Carrier


@dataclass(frozen=True, slots=True)
class Answered:
    """The response to a message of ours. ``was_late``: it had been given up as `Unanswered` before."""

    key: Key
    status: int
    message_id: str = ""
    was_late: bool = False

    @property
    def outcome(self) -> Class:
        return status.classify(self.status)


@dataclass(frozen=True, slots=True)
class Unanswered:
    """No response came, in time or before the link ended: whether the other side has the message is not known."""

    key: Key
    reason: str


@dataclass(frozen=True, slots=True)
class Reachable:
    """alert_notification: this number can be reached again."""

    source: Address


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that does not belong here came and was refused or ignored; for the log and a counter."""

    detail: str


@dataclass(frozen=True, slots=True)
class Closed:
    """The session is over: write what stands before this, then close the connection. Always the last event."""

    reason: str


Event = (
    Transmit
    | Bound
    | BindRefused
    | BindWanted
    | OutbindReceived
    | Received
    | Answered
    | Unanswered
    | Reachable
    | Fault
    | Closed
)
