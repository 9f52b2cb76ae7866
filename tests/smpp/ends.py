"""An ESME's and an SMSC's session with nothing but lists of bytes between them, and a time that tests make up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from smpp import (
    Address,
    Bind,
    BindWanted,
    Command,
    DeliverSm,
    Event,
    Limits,
    Pdu,
    Session,
    SmscSession,
    SubmitSm,
    Transmit,
    decode_all,
    encode,
)
from smpp.pdus import Body

E = TypeVar("E")

OURS, DEVICE = Address.parse("2772"), Address.parse("+491711234567")
SUBMIT = SubmitSm(OURS, DEVICE, short_message=b"x", data_coding=4)
DELIVER = DeliverSm(DEVICE, OURS, short_message=b"x", data_coding=4)


def of(kind: type[E], events: Iterable[Event]) -> list[E]:
    return [event for event in events if isinstance(event, kind)]


def octets(events: Iterable[Event]) -> bytes:
    return b"".join(event.octets for event in of(Transmit, events))


def sent(events: Iterable[Event]) -> list[Pdu]:
    """The PDUs that events have transmitted."""
    return decode_all(octets(events))


def pdu(body: Body, sequence: int = 1, status: int = 0) -> bytes:
    return encode(Pdu(body, sequence, status))


class Ends:
    """Bound from the start unless told otherwise; ``now`` is 0."""

    def __init__(
        self, *, binds: bool = True, command: Command = Command.BIND_TRANSCEIVER, **limits: float
    ) -> None:
        self.esme = Session(Bind("portal", "secret", command=command), Limits(**limits))  # type: ignore[arg-type]
        self.smsc = SmscSession(Limits(), now=0.0)
        if binds:
            asked = self.to_smsc(self.esme.start(0.0))
            assert of(BindWanted, asked)
            self.to_esme(self.smsc.accept("SMSC", 0.0))

    def to_smsc(self, events: Iterable[Event], now: float = 0.0) -> list[Event]:
        return self.smsc.receive(octets(events), now)

    def to_esme(self, events: Iterable[Event], now: float = 0.0) -> list[Event]:
        return self.esme.receive(octets(events), now)
