"""What a server sends unasked: separate answers and notifications (RFC 7252 section 5.2.2, RFC 7641 section 4.5).

To each peer one confirmable message at a time is repeated until it is acknowledged, and the rest waits for it. One that
is not confirmable leaves at once and is over; for a while a reset to it is still understood.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from typing import Any

from coap.errors import Failed
from coap.exchanges import RESET, UNACKNOWLEDGED, Transmission
from coap.message import ACK, RST
from coap.timers import Timers
from coap.tuning import ACK_RANDOM_FACTOR, Tuning

PEER_UNCONFIRMED = 32
"""So many unconfirmed messages of a peer are known by their id, the newest."""
UNCONFIRMED = 16_384
"""Of all peers together: anybody can have as many answered as they like, from addresses that they make up."""
PEER_QUEUED = 256
"""More confirmable ones than these push out the oldest that wait: a peer that acknowledges nothing holds no more."""


class Delivery:
    """One message; `tag` is whatever its sender wants to know it by."""

    __slots__ = ("data", "ends_at", "is_over", "mid", "peer", "tag", "transmission")

    def __init__(self, peer: Hashable, mid: int, data: bytes, tag: Any) -> None:
        self.peer = peer
        self.mid = mid
        self.data = data
        self.tag = tag
        self.is_over = False
        self.transmission: Transmission | None = None
        self.ends_at = 0.0


class Deliveries:
    """`transmit` sends a datagram, `tell` hears how each ended: None for acknowledged."""

    def __init__(
        self,
        *,
        tuning: Tuning,
        dice: Callable[[float, float], float],
        transmit: Callable[[Hashable, bytes], None],
        tell: Callable[[Delivery, Failed | None], None],
    ) -> None:
        self._tuning = tuning
        self._dice = dice
        self._transmit = transmit
        self._tell = tell
        self._open: dict[Hashable, Delivery] = {}
        self._queued: dict[Hashable, deque[Delivery]] = {}
        self._unconfirmed: dict[Hashable, OrderedDict[int, Delivery]] = {}
        self._order: deque[Delivery] = deque()
        self._timers = Timers(_is_due)

    def __len__(self) -> int:
        """How many are on their way or wait for their turn."""
        return len(self._open) + sum(len(queue) for queue in self._queued.values())

    def send(self, delivery: Delivery, now: float, *, is_confirmable: bool) -> None:
        peer = delivery.peer
        if self._tuning.is_reliable:
            self._transmit(peer, delivery.data)
            delivery.is_over = True
        elif not is_confirmable:
            self._transmit(peer, delivery.data)
            self._remember(delivery, now)
        elif peer not in self._open:
            self._begin(delivery, now)
        else:
            queue = self._queued.setdefault(peer, deque())
            queue.append(delivery)
            if len(queue) > PEER_QUEUED:
                self._end(queue.popleft(), UNACKNOWLEDGED)

    def receive(self, peer: Hashable, kind: int, mid: int, now: float) -> bool:
        """An empty ACK or RST; false if it has nothing to do with what was sent here."""
        delivery = self._open.get(peer)
        if delivery is not None and delivery.mid == mid and kind in (ACK, RST):
            self._end(delivery, None if kind == ACK else RESET)
            self._next(peer, now)
            return True
        if kind != RST:
            return False
        known = self._unconfirmed.get(peer)
        delivery = None if known is None else known.get(mid)
        if delivery is None:
            return False
        self._forget(delivery)
        if delivery.ends_at > now:
            self._tell(delivery, RESET)
        return True

    def awaits(self, peer: Hashable, mid: int) -> bool:
        """Whether the message with this id is one of ours."""
        delivery = self._open.get(peer)
        return (delivery is not None and delivery.mid == mid) or mid in self._unconfirmed.get(peer, ())

    def next_timer(self) -> float | None:
        return self._timers.next()

    def handle_timer(self, now: float) -> None:
        while (delivery := self._timers.take(now)) is not None:
            assert delivery.transmission is not None
            data = delivery.transmission.again(now)
            if data is None:
                self._end(delivery, UNACKNOWLEDGED)
                self._next(delivery.peer, now)
            else:
                self._timers.note(delivery.transmission.due_at, delivery)
                self._transmit(delivery.peer, data)

    def fail(self, peer: Hashable, failed: Failed) -> None:
        """The way to the peer is closed: what waits for an acknowledgement ends."""
        waiting = self._queued.pop(peer, ())
        delivery = self._open.get(peer)
        for one in (*((delivery,) if delivery is not None else ()), *waiting):
            self._end(one, failed)

    def fail_all(self, failed: Failed) -> None:
        for peer in list(self._open):
            self.fail(peer, failed)

    def drop(self, peer: Hashable, failed: Failed) -> None:
        """The peer is gone."""
        self.fail(peer, failed)
        for delivery in list(self._unconfirmed.get(peer, {}).values()):
            self._forget(delivery)

    def _begin(self, delivery: Delivery, now: float) -> None:
        tuning = self._tuning
        pause = self._dice(tuning.ack_timeout, tuning.ack_timeout * ACK_RANDOM_FACTOR)
        delivery.transmission = Transmission(delivery.data, tuning, pause, now)
        self._open[delivery.peer] = delivery
        self._timers.note(delivery.transmission.due_at, delivery)
        self._transmit(delivery.peer, delivery.data)

    def _next(self, peer: Hashable, now: float) -> None:
        queue = self._queued.get(peer)
        if queue and peer not in self._open:
            following = queue.popleft()
            if not queue:
                del self._queued[peer]
            self._begin(following, now)

    def _end(self, delivery: Delivery, failed: Failed | None) -> None:
        delivery.is_over = True
        if self._open.get(delivery.peer) is delivery:
            del self._open[delivery.peer]
        self._tell(delivery, failed)

    def _remember(self, delivery: Delivery, now: float) -> None:
        """Of those that are not confirmable the newest of each peer, for as long as their ids count."""
        order = self._order
        while order and (len(order) >= UNCONFIRMED or order[0].is_over or order[0].ends_at <= now):
            self._forget(order.popleft())
        delivery.ends_at = now + self._tuning.unconfirmed_seconds
        order.append(delivery)
        known = self._unconfirmed.setdefault(delivery.peer, OrderedDict())
        if delivery.mid in known:
            self._forget(known[delivery.mid])
            known = self._unconfirmed.setdefault(delivery.peer, OrderedDict())
        known[delivery.mid] = delivery
        if len(known) > PEER_UNCONFIRMED:
            self._forget(next(iter(known.values())))

    def _forget(self, delivery: Delivery) -> None:
        if delivery.is_over:
            return
        delivery.is_over = True
        known = self._unconfirmed[delivery.peer]
        del known[delivery.mid]
        if not known:
            del self._unconfirmed[delivery.peer]


def _is_due(delivery: Delivery, at: float) -> bool:
    return not delivery.is_over and delivery.transmission is not None and delivery.transmission.due_at == at
