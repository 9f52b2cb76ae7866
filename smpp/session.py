"""The ESME's end of a link: bind, submit within window and rate, take deliver_sm in, unbind."""

from __future__ import annotations

from smpp import pdus
from smpp.commands import Command
from smpp.events import BindRefused, Bound, Event, Fault, Key, OutbindReceived, Reachable
from smpp.pdus import Bind, Body, Pdu, SubmitSm
from smpp.peer import Limits, Peer, State
from smpp.status import Status


class Session(Peer):
    """One connection to an SMSC, from `start` to `Closed`; a new connection is a new session.

    The owner writes every `Transmit`, gives `receive` what arrives, calls `tick` at `next_deadline`, says `lost`
    when the connection breaks, and acknowledges each `Received` once it is stored.
    """

    MESSAGES = frozenset({Command.DELIVER_SM, Command.DATA_SM})
    BUSY = Status.RX_T_APPN

    def __init__(self, bind: Bind, limits: Limits | None = None) -> None:
        super().__init__(limits or Limits())
        self._bind = bind

    def start(self, now: float) -> list[Event]:
        """Ask to be bound. Raises `TooLong` for settings that do not fit their fields."""
        if self.state is not State.NEW:
            return []
        events = self._ask(self._bind, None, now)
        self.state = State.BINDING
        self._heard_at = now
        self._bind_due_at = now + self.limits.bind_timeout
        return events

    def submit(self, message: SubmitSm, key: Key, now: float) -> list[Event]:
        """Send a message; an `Answered` or `Unanswered` with this key follows.

        Raises `NotBound`, `NoRoom` (see `room`), and `TooLong`, each before anything was sent.
        """
        return self._send_message(message, key, now)

    def _request(self, pdu: Pdu, now: float) -> list[Event]:
        match pdu.body:
            case pdus.Outbind() if self.state is State.NEW:
                return [OutbindReceived(pdu.body)]
            case pdus.AlertNotification() if self.state is State.BOUND:
                return [Reachable(pdu.body.source)]
            case pdus.Outbind() | pdus.AlertNotification():
                return [Fault(f"{pdu.body.command.name.lower()} in state {self.state.value}")]
        return super()._request(pdu, now)

    def _answer(self, command: Command, status: int, body: Body | None, now: float) -> list[Event]:
        if command != self._bind.command or self.state is not State.BINDING:
            return []
        self._bind_due_at = None
        if status != Status.OK:
            return [BindRefused(status), *self._end("the bind was refused")]
        self.state = State.BOUND
        return [Bound(body.system_id if isinstance(body, pdus.BindResp) else "")]
