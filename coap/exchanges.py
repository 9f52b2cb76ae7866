"""One confirmable message and its answer: repeated until acknowledged, then waited for (RFC 7252 sections 4.2 and 5.2).

```text
             sent --- due, repetitions left ---> sent (twice the pause)
               |  --- due, none left ---------> Failed(UNACKNOWLEDGED)
               |  --- empty ACK --------------> acknowledged --- due, response_seconds later ---> Failed(UNANSWERED)
  either state |  --- RST --------------------> Failed(RESET)
               |  --- ACK with the answer, or CON or NON with it -> Response
               |  --- any of these, broken ---> Failed(UNREADABLE)
```

A reliable transport has neither acknowledgements nor repetitions, and a message that is not confirmable wants none: an
answer comes within `patience`, or never.
"""

from __future__ import annotations

from coap.errors import Failed, Malformed, Reason
from coap.message import ACK, CON, RST, Response, empty, read_response
from coap.tuning import Tuning


class Heard:
    """What a datagram of the peer was to an exchange: `outcome` ends it, `reply` is to be sent back."""

    __slots__ = ("outcome", "reply")

    def __init__(self, outcome: Response | Failed | None = None, reply: bytes | None = None) -> None:
        self.outcome = outcome
        self.reply = reply


UNACKNOWLEDGED = Failed(Reason.UNACKNOWLEDGED, "No acknowledgement after all repetitions.")
RESET = Failed(Reason.RESET, "The device answered with a reset.")
_NOTED, _RESET = Heard(), Heard(RESET)


class Transmission:
    """A confirmable datagram until it is acknowledged: `due_at` is when it has to be sent `again`."""

    __slots__ = ("_left", "_pause", "data", "due_at")

    def __init__(self, data: bytes, tuning: Tuning, pause: float, now: float) -> None:
        """`data` is sent now. `pause`: ACK_TIMEOUT, by the dice up to half as long again."""
        self.data = data
        self.due_at = now + pause
        self._pause = pause
        self._left = tuning.max_retransmit

    def again(self, now: float) -> bytes | None:
        """It is due: what to send once more, None after the last repetition."""
        if self._left == 0:
            return None
        self._left -= 1
        self._pause *= 2
        self.due_at = now + self._pause
        return self.data


class Exchange:
    """`due_at` is when `handle_timer` is to be called, unless the exchange has ended."""

    __slots__ = ("_is_repeated", "_transmission", "_tuning", "due_at", "is_acknowledged", "mid", "token")

    def __init__(
        self,
        *,
        mid: int,
        token: bytes,
        data: bytes,
        tuning: Tuning,
        pause: float,
        now: float,
        is_confirmable: bool = True,
    ) -> None:
        """See `Transmission`."""
        self.mid = mid
        self.token = token
        self.is_acknowledged = False
        self._tuning = tuning
        self._transmission = Transmission(data, tuning, pause, now)
        self._is_repeated = is_confirmable and not tuning.is_reliable
        self.due_at = self._transmission.due_at if self._is_repeated else now + tuning.patience

    def handle_timer(self, now: float) -> bytes | Failed:
        """It is due: what to send once more, or how it ended."""
        if self.is_acknowledged:
            seconds = self._tuning.response_seconds
            return Failed(
                Reason.UNANSWERED, f"The device acknowledged it, and did not answer within {seconds:.0f} s."
            )
        if not self._is_repeated:
            return Failed(Reason.OVERDUE, f"No response within {self._tuning.patience:.0f} s.")
        data = self._transmission.again(now)
        if data is None:
            return UNACKNOWLEDGED
        self.due_at = self._transmission.due_at
        return data

    def receive(self, data: bytes, now: float) -> Heard | None:
        """A datagram that is no request; None if it has nothing to do with this exchange."""
        kind = data[0] >> 4 & 3
        mid = data[2] << 8 | data[3]
        if data[1] == 0:
            return self._empty(kind, mid, now)
        if data[4 : 4 + (data[0] & 15)] != self.token or kind == RST:
            return None
        if kind == ACK and mid != self.mid and not self._tuning.is_reliable:
            return None  # RFC 7252 section 5.3.2: message id and token, both
        try:
            response = read_response(data)
        except Malformed as error:
            reply = empty(RST, mid) if kind == CON else None
            return Heard(Failed(Reason.UNREADABLE, f"The answer cannot be read: {error}."), reply)
        return Heard(response, empty(ACK, mid) if kind == CON else None)

    def is_for(self, data: bytes) -> bool:
        """Whether a message that is no request belongs to this exchange; its token is whole."""
        if data[1] == 0 or data[0] >> 4 & 3 in (ACK, RST):
            return data[2] << 8 | data[3] == self.mid
        return data[4 : 4 + (data[0] & 15)] == self.token

    def _empty(self, kind: int, mid: int, now: float) -> Heard | None:
        if mid != self.mid or kind not in (ACK, RST) or self._tuning.is_reliable:
            return None
        if kind == RST:
            return _RESET
        if self._is_repeated and not self.is_acknowledged:
            self.is_acknowledged = True
            self.due_at = now + self._tuning.response_seconds
        return _NOTED
