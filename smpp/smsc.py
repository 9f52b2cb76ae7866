"""The SMSC's end of a link, as far as a message switch on loopback needs it."""

from __future__ import annotations

from smpp import codec, pdus
from smpp.commands import RESPONSE, Command
from smpp.errors import NotBound
from smpp.events import BindWanted, Bound, Event, Fault, Key, Transmit
from smpp.parameters import Tag
from smpp.pdus import INTERFACE_VERSION, AlertNotification, Bind, DeliverSm, Pdu
from smpp.peer import Limits, Peer, State
from smpp.status import Status, describe


class SmscSession(Peer):
    """One connection from an ESME. It answers `BindWanted` by `accept` or `refuse`."""

    MESSAGES = frozenset({Command.SUBMIT_SM, Command.DATA_SM})
    BUSY = Status.MSGQFUL

    def __init__(self, limits: Limits | None = None, *, now: float) -> None:
        super().__init__(limits or Limits())
        self._heard_at = now
        self._bind_due_at = now + self.limits.bind_timeout
        self._asked: tuple[Bind, int] | None = None

    @property
    def bind(self) -> Bind | None:
        """What the ESME said of itself when it asked to be bound."""
        return None if self._asked is None else self._asked[0]

    @property
    def can_receive(self) -> bool:
        """Whether `deliver` is allowed: a transmitter only sends."""
        return self.is_bound and self.bind is not None and self.bind.command != Command.BIND_TRANSMITTER

    def accept(self, system_id: str, now: float) -> list[Event]:
        """Let the ESME in. It may be gone again by now: then there are no events."""
        if self.state is State.CLOSED:
            return []
        if self._asked is None or self.state is not State.BINDING:
            raise NotBound("nobody has asked")
        bind, sequence = self._asked
        answer = pdus.BindResp(
            system_id, {Tag.SC_INTERFACE_VERSION: bytes((INTERFACE_VERSION,))}, _response_to(bind)
        )
        self.state, self._bind_due_at = State.BOUND, None
        return [Transmit(codec.encode(Pdu(answer, sequence))), Bound(bind.system_id)]

    def refuse(self, status: int, now: float) -> list[Event]:
        """Do not let the ESME in. Nor are there events for one that is gone."""
        if self.state is State.CLOSED:
            return []
        if self._asked is None or self.state is not State.BINDING:
            raise NotBound("nobody has asked")
        bind, sequence = self._asked
        answer = Pdu(pdus.BindResp(command=_response_to(bind)), sequence, status)
        return [Transmit(codec.encode(answer)), *self._end(f"refused: {describe(status)}")]

    def deliver(self, message: DeliverSm, key: Key, now: float) -> list[Event]:
        """Send a message; `Answered` or `Unanswered` follows. Raises `NotBound`, `NoRoom` and `TooLong`."""
        if not self.can_receive:
            raise NotBound("this ESME cannot receive")
        return self._send_message(message, key, now)

    def alert(self, alert: AlertNotification) -> list[Event]:
        """Tell that a number can be reached; nobody answers this."""
        return [Transmit(codec.encode(Pdu(alert, self._outstanding.upcoming())))] if self.can_receive else []

    def _request(self, pdu: Pdu, now: float) -> list[Event]:
        if not isinstance(pdu.body, Bind):
            return super()._request(pdu, now)
        if self.state is not State.NEW:
            refusal = Pdu(pdus.BindResp(command=_response_to(pdu.body)), pdu.sequence, Status.ALYBND)
            return [Transmit(codec.encode(refusal)), Fault("a second bind")]
        self.state, self._asked = State.BINDING, (pdu.body, pdu.sequence)
        return [BindWanted(pdu.body)]

    def _message(self, body: pdus.Carrier, sequence: int) -> list[Event]:
        if self.bind is not None and self.bind.command == Command.BIND_RECEIVER:
            return [self._response(body.command, sequence, Status.INVBNDSTS), Fault("a receiver sends")]
        return super()._message(body, sequence)


def _response_to(bind: Bind) -> Command:
    return Command(bind.command | RESPONSE)
