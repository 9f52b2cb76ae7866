"""A server's handshakes in progress: cookies before any state, a cap on them, keys that come later."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from dtls import alerts, messages, records
from dtls.admission import Admission
from dtls.associations import Associations
from dtls.attempt import Attempt
from dtls.backends import Backend, Parameters, Profile
from dtls.config import MAX_IDENTITY, MAX_KEY, MIN_KEY, ServerConfig
from dtls.cookies import Cookies
from dtls.errors import Malformed
from dtls.events import Cause, Event, KeyWanted, Refused, Transmit
from dtls.flight import Flight
from dtls.handshake import Handshake
from dtls.messages import Fragment, Message
from dtls.pieces import HelloPieces
from dtls.records import Record
from dtls.session import Address
from dtls.statistics import Statistics

SECOND_HELLO = 1  # message_seq of the ClientHello that carries a cookie


class HalfOpen:
    """All attempts, by address and by number; each that completes becomes a session of `associations`."""

    def __init__(
        self,
        config: ServerConfig,
        backend: Backend,
        random: Callable[[int], bytes],
        statistics: Statistics,
        associations: Associations,
    ) -> None:
        self._config = config
        self._backend = backend
        self._random = random
        self._statistics = statistics
        self._associations = associations
        self._profile = Profile(server=True, ciphers=config.ciphers, with_cid=config.cid_length > 0)
        self._cookies = Cookies(random, config.cookie_period)
        self._admission = Admission(config)
        self._pieces = HelloPieces()
        self.by_address: dict[Address, Attempt] = {}
        self._by_id: dict[int, Attempt] = {}
        self._wakeups: list[tuple[float, int]] = []

    def handshake_record(self, record: Record, address: Address, now: float) -> list[Event]:
        """A handshake record of epoch 0. Raises `Malformed`."""
        found = messages.fragments(record.fragment)
        if found[0].kind == messages.CLIENT_HELLO:
            return self._hello(record, found[0], address, now)
        attempt = self.by_address.get(address)
        if attempt is None:
            self._statistics.unknown_address += 1
            return []
        if not attempt.core.add(record.fragment):
            return self._repeat(attempt)
        return self._proceed(attempt, now)

    def protected_record(self, record: Record, address: Address, now: float) -> list[Event] | None:
        """A record of epoch 1, which should be the peer's Finished; None if it belongs to no attempt."""
        attempt = self.by_address.get(address)
        if attempt is None or record.kind not in (records.HANDSHAKE, records.TLS12_CID):
            return None
        if record.cid != attempt.cid:
            return None
        if not attempt.core.open(record.whole):
            return self._mismatch(attempt, now)
        return self._proceed(attempt, now)

    def alert_record(self, record: Record, address: Address) -> list[Event]:
        """A plaintext alert: it may end an attempt, never a session."""
        attempt = self.by_address.get(address)
        if attempt is None or not alerts.ends(record.fragment):
            return []
        name = alerts.name(record.fragment[1])
        cause = alerts.CAUSES.get(record.fragment[1], "DTLS_HANDSHAKE_FAILED")
        return self._refuse(attempt, cause, f"the device sent {name}")

    def provide_key(self, number: int, key: bytes | None, now: float, key_id: int = 0) -> list[Event]:
        """The answer to `KeyWanted`."""
        attempt = self._by_id.get(number)
        if attempt is None or attempt.held is None:
            return []
        events: list[Event] = []
        if key is not None and not MIN_KEY <= len(key) <= MAX_KEY:
            return self._refuse(
                attempt, "DTLS_HANDSHAKE_FAILED", f"the key has {len(key)} bytes", alerts.INTERNAL_ERROR
            )
        if key is None:
            refused = self._refused(attempt, "PSK_IDENTITY_UNKNOWN", "nobody has this identity")
            if not self._config.hide_unknown_identities:
                return self._end(attempt, alerts.UNKNOWN_PSK_IDENTITY, refused)
            # A key that nobody has: from here on it looks like a wrong key to whoever probes for names.
            attempt.is_unknown, key = True, self._random(MIN_KEY)
            events.append(refused)
        attempt.parameters.key = key
        attempt.key_id = key_id
        message, attempt.held = attempt.held, None
        attempt.core.feed(message)
        attempt.core.secure()
        attempt.core.flight.start_timer(now)
        self._wake(attempt)
        if attempt.core.failure is not None or attempt.core.security is None:
            return events + self._failed(attempt)
        if not attempt.core.open_early():
            return events + self._mismatch(attempt, now)
        return events + self._proceed(attempt, now)

    def tick(self, now: float) -> list[Event]:
        """Retransmissions and time-outs that are due."""
        events: list[Event] = []
        while self._wakeups and self._wakeups[0][0] <= now:
            attempt = self._by_id.get(heapq.heappop(self._wakeups)[1])
            if attempt is None:
                continue
            if attempt.expires_at <= now:
                events += self._expire(attempt)
                continue
            flight = attempt.core.flight
            if flight.due_at is not None and flight.due_at <= now:
                self._statistics.retransmissions += 1
                flight.back_off(now)
                events += self._send(attempt)
            self._wake(attempt)
        return events

    def next_deadline(self) -> float | None:
        """Nothing is due before this."""
        return self._wakeups[0][0] if self._wakeups else None

    def drop(self, attempt: Attempt) -> None:
        """Forget an attempt and free what OpenSSL holds for it."""
        attempt.core.free()
        if self._by_id.pop(attempt.id, None) is not None:
            self._admission.leave(attempt.address)
        if self.by_address.get(attempt.address) is attempt:
            del self.by_address[attempt.address]
        self._statistics.half_open = len(self._by_id)

    def _hello(self, record: Record, fragment: Fragment, address: Address, now: float) -> list[Event]:
        body = fragment.body
        if len(body) != fragment.length:
            is_proved = False
            if fragment.offset == 0 and (head := _head_of(body)) is not None:
                is_proved = self._cookies.is_good(head[0], address, head[1], now)
                if not is_proved:
                    return [self._verify(record, head[1], address, now)]
            whole = self._pieces.add(fragment, address, now, is_proved=is_proved)
            if whole is None:
                return []
            body = whole.body
        hello = messages.client_hello(body)
        if not self._cookies.is_good(hello.cookie, address, hello.covered, now):
            return [self._verify(record, hello.covered, address, now)]
        attempt = self.by_address.get(address)
        if attempt is not None and attempt.core.client_random == hello.random:
            return self._repeat(attempt)
        if fragment.sequence != SECOND_HELLO:
            raise Malformed("a cookie in the first message")
        events = self._make_room(attempt, address, now)
        if events is not None:
            return events
        attempt = self._begin(record.sequence, address, now)
        attempt.core.client_random, attempt.core.client_cid = hello.random, hello.cid
        attempt.core.feed(Message(fragment.kind, fragment.sequence, body))
        if attempt.core.failure is not None:
            return self._failed(attempt)
        attempt.core.flight.start_timer(now)
        self._wake(attempt)
        return self._send(attempt)

    def _verify(self, record: Record, covered: bytes, address: Address, now: float) -> Transmit:
        """Both numbers are the client's own (RFC 6347 section 4.2.1): we remember nothing."""
        self._statistics.hello_verify_requests += 1
        verify = messages.hello_verify_request(self._cookies.make(address, covered, now)).whole()
        return Transmit(records.plain(records.HANDSHAKE, records.DTLS_1_0, record.sequence, verify), address)

    def _begin(self, record_sequence: int, address: Address, now: float) -> Attempt:
        config = self._config
        cid = self._associations.new_cid() if config.cid_length else None
        parameters = Parameters(cid=cid)
        # Our records go on from the number of the ClientHello (RFC 6347 section 4.2.1).
        flight = Flight(record_sequence, config.mtu, config.retransmit_after, config.retransmit_at_most)
        core = Handshake(
            self._backend.connect(self._profile, parameters),
            flight,
            server=True,
            next_sequence=SECOND_HELLO + 1,
            cid=cid,
            random=self._random,
        )
        attempt = Attempt(address, core, parameters, now + config.handshake_timeout)
        self.by_address[address] = attempt
        self._by_id[attempt.id] = attempt
        self._admission.enter(address)
        self._statistics.half_open = len(self._by_id)
        return attempt

    def _make_room(self, old: Attempt | None, address: Address, now: float) -> list[Event] | None:
        """None when another attempt may begin, else what to answer."""
        if old is not None:
            self.drop(old)  # the device began anew
        if not self._admission.is_host_full(address):
            if not self._admission.is_full():
                return None
            oldest = next(iter(self._by_id.values()))
            if self._admission.may_push_out(oldest.expires_at, now):
                self.drop(oldest)
                return None
        self._statistics.flooded += 1
        return [*self._admission.report(address, now)]

    def _proceed(self, attempt: Attempt, now: float) -> list[Event]:
        """Go on with whatever is whole and in order."""
        core = attempt.core
        while attempt.held is None and core.failure is None and (message := core.take()):
            if message.kind == messages.CLIENT_KEY_EXCHANGE:
                return self._want_key(attempt, message)
            core.feed(message)
        if attempt.held is None and core.failure is None:
            core.feed_finished()
        if core.failure is not None:
            return self._failed(attempt)
        if core.is_complete:
            return self._established(attempt, now)
        return []

    def _established(self, attempt: Attempt, now: float) -> list[Event]:
        events = self._associations.establish(
            attempt.core, attempt.identity or b"", attempt.address, now, attempt.key_id
        )
        if events is None:
            detail = "neither a connection id nor sequence numbers could be had for it"
            return self._refuse(attempt, "DTLS_HANDSHAKE_FAILED", detail, alerts.INTERNAL_ERROR)
        self.drop(attempt)
        return events

    def _want_key(self, attempt: Attempt, message: Message) -> list[Event]:
        identity = messages.psk_identity(message.body)
        if len(identity) > MAX_IDENTITY:
            detail = f"an identity of {len(identity)} bytes"
            return self._refuse(attempt, "DTLS_HANDSHAKE_FAILED", detail, alerts.UNKNOWN_PSK_IDENTITY)
        attempt.identity, attempt.held = identity, message
        attempt.core.flight.stop_timer()
        return [KeyWanted(attempt.id, identity, attempt.address)]

    def _repeat(self, attempt: Attempt) -> list[Event]:
        """The peer repeated its flight, so ours was lost (RFC 6347 section 4.2.4)."""
        if attempt.repeats_left <= 0 or attempt.identity is not None:
            return []
        attempt.repeats_left -= 1
        self._statistics.retransmissions += 1
        return self._send(attempt)

    def _send(self, attempt: Attempt) -> list[Event]:
        return [Transmit(datagram, attempt.address) for datagram in attempt.core.flight.datagrams(None)]

    def _mismatch(self, attempt: Attempt, now: float) -> list[Event]:
        """A record where the peer's Finished should be, and it does not authenticate.

        Anybody who knows the address could have sent it, so it ends nothing by itself (RFC 6347 section
        4.1.2.7). But if no good one follows soon, the peer's key is not ours (RFC 4279 section 2).
        """
        self._statistics.bad_records += 1
        if not attempt.is_mismatched:
            attempt.is_mismatched = True
            attempt.expires_at = min(attempt.expires_at, now + self._config.mismatch_grace)
            self._wake(attempt)
        return []

    def _expire(self, attempt: Attempt) -> list[Event]:
        if attempt.is_mismatched:
            detail = "the device's key is not the one on record"
            return self._refuse(attempt, "PSK_MISMATCH", detail, alerts.DECRYPT_ERROR)
        self._statistics.timeouts += 1
        return self._refuse(attempt, "DTLS_HANDSHAKE_TIMEOUT", attempt.stage)

    def _failed(self, attempt: Attempt) -> list[Event]:
        core = attempt.core
        detail = core.failure or "no keys"
        alert = alerts.INTERNAL_ERROR if core.alert is None else core.alert
        # In OpenSSL's words; the device has certificates, raw public keys, or other suites than ours.
        no_suite = detail == "no shared cipher"
        return self._refuse(
            attempt, "DTLS_SUITE_UNSUPPORTED" if no_suite else "DTLS_HANDSHAKE_FAILED", detail, alert
        )

    def _refuse(self, attempt: Attempt, cause: Cause, detail: str, alert: int | None = None) -> list[Event]:
        refused = None if attempt.is_unknown else self._refused(attempt, cause, detail)
        return self._end(attempt, alert, refused)

    def _refused(self, attempt: Attempt, cause: Cause, detail: str) -> Refused:
        self._statistics.refused += 1
        return Refused(attempt.address, cause, detail, attempt.identity)

    def _end(self, attempt: Attempt, alert: int | None, refused: Refused | None) -> list[Event]:
        events: list[Event] = []
        if alert is not None:
            datagram = attempt.core.flight.alert(alerts.fatal(alert))
            events.append(Transmit(datagram, attempt.address))
        if refused is not None:
            events.append(refused)
        self.drop(attempt)
        return events

    def _wake(self, attempt: Attempt) -> None:
        due_at = attempt.core.flight.due_at
        when = attempt.expires_at if due_at is None else min(due_at, attempt.expires_at)
        heapq.heappush(self._wakeups, (when, attempt.id))


def _head_of(body: bytes) -> tuple[bytes, bytes] | None:
    """Cookie and what it covers of a first fragment; None where it ends before that."""
    try:
        return messages.client_hello_head(body)
    except Malformed:
        return None
