"""The flight that we have sent last: its datagrams, anew for each transmission, and its timer.

RFC 6347 section 4.2.4: a flight is repeated when its timer expires, or when the peer repeats its own; each
transmission uses new record sequence numbers (section 4.2.2), and a message is cut to what the path takes
(section 4.2.3).
"""

from __future__ import annotations

from collections.abc import Callable

from dtls import messages, records
from dtls.messages import Message

CCS_FRAGMENT = b"\x01"

Seal = Callable[[int, bytes], bytes]


class Flight:
    """Messages of ours that are not answered yet."""

    __slots__ = ("_interval", "_max_interval", "_mtu", "due_at", "max_fragment", "messages", "sequence")

    def __init__(self, sequence: int, mtu: int, first_interval: float, max_interval: float) -> None:
        self.sequence = sequence  # of the next record in epoch 0
        self.messages: list[Message] = []
        self.due_at: float | None = None
        self.max_fragment = records.MAX_PLAINTEXT  # of the peer (RFC 6066 section 4)
        self._mtu = mtu
        self._interval = first_interval
        self._max_interval = max_interval

    def replace(self, new: list[Message]) -> None:
        """The next flight: the peer has answered the one before."""
        self.messages = new

    def start_timer(self, now: float) -> None:
        """Expect an answer."""
        self.due_at = now + self._interval

    def back_off(self, now: float) -> None:
        """Expect an answer in twice the time, section 4.2.4.1."""
        self._interval = min(self._interval * 2, self._max_interval)
        self.due_at = now + self._interval

    def stop_timer(self) -> None:
        """The peer is talking, or nothing more is expected of it."""
        self.due_at = None

    def datagrams(self, seal: Seal | None) -> list[bytes]:
        """The flight, packed; `seal` protects a Finished, the only message after ChangeCipherSpec."""
        packed: list[bytes] = []
        for record in self._records(seal):
            if packed and len(packed[-1]) + len(record) <= self._mtu:
                packed[-1] += record
            else:
                packed.append(record)
        return packed

    def _records(self, seal: Seal | None) -> list[bytes]:
        made: list[bytes] = []
        for message in self.messages:
            if message.kind == messages.FINISHED:
                if seal is not None:
                    made.append(self._plain(records.CHANGE_CIPHER_SPEC, CCS_FRAGMENT))
                    made.append(seal(records.HANDSHAKE, message.whole()))
                continue
            room = min(self._mtu - records.HEADER, self.max_fragment) - messages.HEADER
            for offset in range(0, max(len(message.body), 1), room):
                size = min(room, len(message.body) - offset)
                made.append(self._plain(records.HANDSHAKE, messages.fragment_of(message, offset, size)))
        return made

    def alert(self, fragment: bytes) -> bytes:
        """An alert without protection, as there is no other before the handshake is over."""
        return self._plain(records.ALERT, fragment)

    def _plain(self, kind: int, fragment: bytes) -> bytes:
        record = records.plain(kind, records.DTLS_1_2, self.sequence, fragment)
        self.sequence += 1
        return record
