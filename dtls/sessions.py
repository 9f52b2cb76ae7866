"""A server's sessions, by CID, else by address (RFC 9146 section 4), and in the order they went idle."""

from __future__ import annotations

import heapq

from dtls.session import Address, Session

SPARE = 1024  # entries of sessions that are gone, before they are cleared out


class Sessions:
    """Every index of the sessions; only this file changes them."""

    __slots__ = ("_idle", "_with_cid_at", "by_address", "by_cid", "by_id", "by_identity")

    def __init__(self) -> None:
        self.by_id: dict[int, Session] = {}
        self.by_cid: dict[bytes, Session] = {}
        # Only sessions whose peer sends no CID: for the others an address means nothing (RFC 9146 section 3).
        self.by_address: dict[Address | None, Session] = {}
        self._with_cid_at: dict[Address | None, Session] = {}
        self.by_identity: dict[bytes, list[Session]] = {}  # in the order they were established; a few each
        # (last active as known here, id): corrected when it comes to the top, so that a record costs nothing.
        self._idle: list[tuple[float, int]] = []

    def add(self, session: Session) -> None:
        """Make a session findable."""
        self.by_id[session.id] = session
        self.by_identity.setdefault(session.identity, []).append(session)
        if session.has_cid:
            self.by_cid[session.security.own_cid] = session
            self._with_cid_at[session.address] = session
        else:
            self.by_address[session.address] = session
        heapq.heappush(self._idle, (session.last_active_at, session.id))
        if len(self._idle) > 2 * len(self.by_id) + SPARE:
            self._idle = [(kept.last_active_at, kept.id) for kept in self.by_id.values()]
            heapq.heapify(self._idle)

    def remove(self, session: Session) -> None:
        """The opposite; harmless when done twice."""
        session.is_closed = True
        session.last_flight = None
        if self.by_id.pop(session.id, None) is not None:
            others = self.by_identity[session.identity]
            others.remove(session)
            if not others:
                del self.by_identity[session.identity]
        if session.has_cid:
            self.by_cid.pop(session.security.own_cid, None)
        for index in (self.by_address, self._with_cid_at):
            if index.get(session.address) is session:
                del index[session.address]

    def move(self, session: Session, address: Address | None) -> None:
        """A session with a CID has a new peer address."""
        if self._with_cid_at.get(session.address) is session:
            del self._with_cid_at[session.address]
        session.address = address
        self._with_cid_at[address] = session

    def replaced_by(self, session: Session) -> list[Session]:
        """What a new association ends (RFC 6347 section 4.2.8): the old one at the same address.

        One with a CID may live on from elsewhere while a NAT gives its port to another device, so it ends
        only if it was the same device.
        """
        found = []
        old = self.by_address.get(session.address)
        if old is not None and old is not session:
            found.append(old)
        old = self._with_cid_at.get(session.address)
        if old is not None and old is not session and old.identity == session.identity:
            found.append(old)
        return found

    def surplus(self, identity: bytes, limit: int) -> Session | None:
        """The session of an identity to close when it has as many as it may: the one that was idle longest."""
        own = self.by_identity.get(identity, ())
        return min(own, key=lambda session: session.last_active_at) if len(own) >= limit else None

    def before(self, session: Session) -> list[Session]:
        """The sessions of the same identity that are older."""
        return [other for other in self.by_identity.get(session.identity, ()) if other.id < session.id]

    def longest_idle(self) -> Session | None:
        """The session to evict when there are too many."""
        while self._idle:
            noted_at, number = self._idle[0]
            session = self.by_id.get(number)
            if session is None:
                heapq.heappop(self._idle)
            elif session.last_active_at > noted_at:
                heapq.heapreplace(self._idle, (session.last_active_at, number))
            else:
                return session
        return None

    def idle_for(self, seconds: float, now: float) -> Session | None:
        """A session that has been idle for that long; the sum is the one that a deadline is made of."""
        if not self._idle or self._idle[0][0] + seconds > now:
            return None
        session = self.longest_idle()
        return session if session is not None and session.last_active_at + seconds <= now else None

    def earliest(self) -> float | None:
        """No session was last active before this."""
        return self._idle[0][0] if self._idle else None
