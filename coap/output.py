"""What the halves of an endpoint leave behind: datagrams to send and events, each in its order."""

from __future__ import annotations

from collections.abc import Hashable

from coap.events import Event


class Output:
    """Both halves write into one, so that an ACK leaves before the request that follows from it."""

    __slots__ = ("events", "sent")

    def __init__(self) -> None:
        self.sent: list[tuple[Hashable, bytes]] = []
        self.events: list[Event] = []

    def take_sent(self) -> list[tuple[Hashable, bytes]]:
        sent, self.sent = self.sent, []
        return sent

    def take_events(self) -> list[Event]:
        events, self.events = self.events, []
        return events
