"""What both ends of a link do: framing, sequence numbers, requests under way, enquire_link, and the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from itertools import count

from smpp import codec, pdus
from smpp.commands import RESPONSE, Command
from smpp.errors import Malformed, NoRoom, NotBound
from smpp.events import Answered, Closed, Event, Fault, Key, Received, Transmit, Unanswered
from smpp.framing import MAX_PDU, Frame, Framer
from smpp.outstanding import Outstanding, Waiting
from smpp.pace import Pace
from smpp.pdus import Body, Pdu
from smpp.status import Class, Status, classify, describe


class State(Enum):
    """Where a link stands. BINDING: the ESME waits for an answer, the SMSC for a bind or its own owner."""

    NEW = "new"
    BINDING = "binding"
    BOUND = "bound"
    UNBINDING = "unbinding"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds, and how much may be under way. ``per_second`` 0 sends as fast as the window allows.

    ``window`` bounds our messages without a response, ``max_received`` theirs without an acknowledgement;
    what comes above is refused as temporary.
    """

    window: int = 10
    per_second: float = 0.0
    burst: int = 1
    max_received: int = 1000
    bind_timeout: float = 15.0
    response_timeout: float = 30.0
    enquire_after: float = 30.0
    max_pdu: int = MAX_PDU


class Peer:
    """One end of one connection. Nothing here raises for what the other side sends, and nothing after `Closed`.

    The subclass says what it makes of requests (`_request`) and of the answers that are not to messages.
    """

    MESSAGES: frozenset[Command] = frozenset()  # requests that carry a message to this end
    BUSY = Status.SYSERR  # refuses a message when too many wait for their acknowledgement

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.state = State.NEW
        self._framer = Framer(limits.max_pdu)
        self._outstanding = Outstanding()
        self._handles = count(1)
        self._received: dict[int, tuple[int, Command]] = {}
        self._pace = Pace(limits.per_second, limits.burst)
        self._heard_at = 0.0
        self._bind_due_at: float | None = None

    # -- what the owner does -------------------------------------------------------------------------------

    @property
    def is_bound(self) -> bool:
        return self.state is State.BOUND

    @property
    def under_way(self) -> int:
        """Our messages without a response."""
        return self._outstanding.messages

    def room(self, now: float) -> int:
        """How many messages may be sent at this moment, by state, window and rate."""
        if self.state is not State.BOUND:
            return 0
        return int(min(float(self.limits.window - self.under_way), self._pace.room(now)))

    def room_at(self, now: float) -> float | None:
        """When there is room again; None while only a response or a bind can make some."""
        if self.state is not State.BOUND or self.under_way >= self.limits.window:
            return None
        return self._pace.room_at(now)

    def receive(self, octets: bytes, now: float) -> list[Event]:
        """What bytes from the connection lead to. Never raises, whatever the bytes."""
        events: list[Event] = []
        self._framer.feed(octets)
        while self.state is not State.CLOSED:
            try:
                frame = self._framer.take()
            except Malformed as error:
                nack = Transmit(codec.encode(Pdu(pdus.GenericNack(), 0, error.status)))
                return [*events, Fault(error.detail), nack, *self._end(error.detail)]
            if frame is None:
                break
            self._heard_at = now
            events += self._frame(frame, now)
        return events

    def acknowledge(
        self, handle: int, status: int = Status.OK, *, message_id: str = "", now: float
    ) -> list[Event]:
        """Answer a `Received`: it is ours now, or refused by status. Too late after `Closed`: no events."""
        known = self._received.pop(handle, None)
        if known is None or self.state is State.CLOSED:
            return []
        sequence, command = known
        return [self._response(command, sequence, status, message_id)]

    def unbind(self, now: float) -> list[Event]:
        """Leave politely; `Closed` follows when the other side agrees or does not answer."""
        if self.state is not State.BOUND:
            return self.lost("closed before it was bound")
        self.state = State.UNBINDING
        return self._ask(pdus.Unbind(), None, now)

    def lost(self, reason: str) -> list[Event]:
        """The connection is gone: what was under way has no answer any more."""
        return self._end(reason)

    def tick(self, now: float) -> list[Event]:
        """What is due by now: time-outs, and a question whether the other side is still there."""
        if self.state is State.CLOSED:
            return []
        if self._bind_due_at is not None and now >= self._bind_due_at:
            return self._end("the bind took too long")
        events: list[Event] = []
        for waiting in self._outstanding.overdue(now):
            events += self._timed_out(waiting)
        enquires_at = self._enquires_at()
        if enquires_at is not None and now >= enquires_at:
            events += self._ask(pdus.EnquireLink(), None, now)
        return events

    def next_deadline(self) -> float | None:
        """When `tick` has something to do, unless bytes come first."""
        if self.state is State.CLOSED:
            return None
        due = (self._outstanding.deadline(), self._bind_due_at, self._enquires_at())
        return min((each for each in due if each is not None), default=None)

    # -- for the subclasses --------------------------------------------------------------------------------

    def _request(self, pdu: Pdu, now: float) -> list[Event]:
        """A request other than enquire_link, unbind and messages."""
        return [self._nack(pdu.sequence, Status.INVCMDID), Fault("a command that does not belong here")]

    def _answer(self, command: Command, status: int, body: Body | None, now: float) -> list[Event]:
        """The answer to a request of ours that was no message."""
        return []

    def _send_message(self, body: Body, key: Key, now: float) -> list[Event]:
        if self.state is not State.BOUND:
            raise NotBound(f"the link is {self.state.value}")
        if self.room(now) < 1:
            raise NoRoom("the window is full or the throughput is spent")
        events = self._ask(body, key, now)
        self._pace.spend(now)
        return events

    def _ask(self, body: Body, key: Key, now: float) -> list[Event]:
        sequence = self._outstanding.upcoming()
        octets = codec.encode(Pdu(body, sequence))
        due_at = now + self.limits.response_timeout
        self._outstanding.add(sequence, Waiting(Command(int(body.command)), key, now, due_at))
        return [Transmit(octets)]

    def _response(
        self, command: Command, sequence: int, status: int = Status.OK, message_id: str = ""
    ) -> Transmit:
        return Transmit(codec.encode(Pdu(_RESPONSES[command](message_id), sequence, status)))

    def _nack(self, sequence: int, status: int) -> Transmit:
        return Transmit(codec.encode(Pdu(pdus.GenericNack(), sequence, status)))

    def _end(self, reason: str) -> list[Event]:
        if self.state is State.CLOSED:
            return []
        self.state = State.CLOSED
        self._received.clear()
        return [*(Unanswered(key, reason) for key in self._outstanding.clear()), Closed(reason)]

    # -- what arrives --------------------------------------------------------------------------------------

    def _frame(self, frame: Frame, now: float) -> list[Event]:
        if frame.command & RESPONSE:
            return self._responded(frame, now)
        try:
            pdu = codec.decode(frame)
        except Malformed as error:
            return [self._refusal(frame, error.status), Fault(error.detail)]
        match pdu.body:
            case pdus.EnquireLink():
                return [self._response(Command.ENQUIRE_LINK, pdu.sequence)]
            case pdus.Unbind():
                answer = self._response(Command.UNBIND, pdu.sequence)
                return [answer, *self._end("unbound by the other side")]
            case pdus.SubmitSm() | pdus.DeliverSm() | pdus.DataSm() if pdu.body.command in self.MESSAGES:
                return self._message(pdu.body, pdu.sequence)
        return self._request(pdu, now)

    def _refusal(self, frame: Frame, status: int) -> Transmit:
        """A request that cannot be read is refused by its own response, one without a response by a nack."""
        command = Command(frame.command)
        if command in _RESPONSES:
            return self._response(command, frame.sequence, status or Status.SYSERR)
        return self._nack(frame.sequence, status)

    def _message(self, body: pdus.Carrier, sequence: int) -> list[Event]:
        if self.state is not State.BOUND:
            return [self._response(body.command, sequence, Status.INVBNDSTS), Fault("a message before bind")]
        if len(self._received) >= self.limits.max_received:
            return [
                self._response(body.command, sequence, self.BUSY),
                Fault("too many without acknowledgement"),
            ]
        handle = next(self._handles)
        self._received[handle] = (sequence, body.command)
        return [Received(handle, body)]

    def _responded(self, frame: Frame, now: float) -> list[Event]:
        """A response counts by its header: with an unreadable body the other side has still answered."""
        waiting = self._outstanding.answered(frame.sequence, frame.command)
        if waiting is None:
            return [Fault(f"a response to nothing: 0x{frame.command:08X}, {describe(frame.status)}")]
        is_nack = frame.command == Command.GENERIC_NACK
        status = (frame.status or Status.SYSERR) if is_nack else frame.status
        body = _readable(frame) if status == Status.OK else None
        if waiting.is_message:
            return self._message_answered(waiting, status, body, now)
        if waiting.command == Command.UNBIND:
            return self._end("unbound")
        return self._answer(waiting.command, status, body, now)

    def _message_answered(self, waiting: Waiting, status: int, body: Body | None, now: float) -> list[Event]:
        if classify(status) is Class.SLOWER:
            self._pace.slow_down(now)
        else:
            self._pace.went_through()
        return [Answered(waiting.key, status, getattr(body, "message_id", ""), waiting.is_late)]

    # -- time ----------------------------------------------------------------------------------------------

    def _timed_out(self, waiting: Waiting) -> list[Event]:
        if waiting.is_message:
            return [Unanswered(waiting.key, "no response in time")]
        if waiting.command == Command.ENQUIRE_LINK and self._heard_at > waiting.sent_at:
            return []  # busy with other things, but there
        return self._end(f"{waiting.command.name.lower()} was not answered")

    def _enquires_at(self) -> float | None:
        if self.state is not State.BOUND or self._outstanding.enquiries:
            return None
        return self._heard_at + self.limits.enquire_after


def _readable(frame: Frame) -> Body | None:
    try:
        return codec.decode(frame).body
    except Malformed:
        return None


_RESPONSES: dict[Command, Callable[[str], Body]] = {
    Command.BIND_RECEIVER: lambda _: pdus.BindResp(command=Command.BIND_RECEIVER_RESP),
    Command.BIND_TRANSMITTER: lambda _: pdus.BindResp(command=Command.BIND_TRANSMITTER_RESP),
    Command.BIND_TRANSCEIVER: lambda _: pdus.BindResp(command=Command.BIND_TRANSCEIVER_RESP),
    Command.ENQUIRE_LINK: lambda _: pdus.EnquireLinkResp(),
    Command.UNBIND: lambda _: pdus.UnbindResp(),
    Command.SUBMIT_SM: pdus.SubmitSmResp,
    Command.DELIVER_SM: pdus.DeliverSmResp,
    Command.DATA_SM: pdus.DataSmResp,
}
