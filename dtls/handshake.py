"""One handshake in progress, the half that server and client share: between the wire's disorder and OpenSSL.

OpenSSL gets each message once, whole and in order, in records that we number; what it answers is taken apart
into messages again, and `Flight` sends those. Records of epoch 1 are opened by us and sealed again for
OpenSSL in the form without a CID, which is what it knows. So its own retransmission, its record numbers
(openssl#32063) and its replay window never meet the network.
"""

from __future__ import annotations

from collections.abc import Callable

from dtls import messages, records
from dtls.backends.interface import Connection
from dtls.errors import Malformed, RecordRejected
from dtls.flight import CCS_FRAGMENT, Flight
from dtls.messages import Message, ServerHello
from dtls.prf import key_block
from dtls.reassembly import Reassembly
from dtls.suites import BY_NUMBER, Security

MAX_EARLY = 4  # records of epoch 1 that came before their keys; a flight has one
MAX_EARLY_LENGTH = 512


class Handshake:
    """Drives one OpenSSL connection. After each call look at `failure`, `alert` and `is_complete`."""

    def __init__(
        self,
        connection: Connection,
        flight: Flight,
        *,
        server: bool,
        next_sequence: int,
        cid: bytes | None,
        random: Callable[[int], bytes],
    ) -> None:
        self.connection = connection
        self.flight = flight
        self.is_complete = False
        self.failure: str | None = None
        self.alert: int | None = None  # what OpenSSL wants to tell the peer
        self.security: Security | None = None
        self.window: tuple[int, int] = (-1, 0)  # the replay window after the peer's Finished
        self.cid = cid  # ours, offered or (server) kept ready; None when there is none
        self.client_random = b""
        self.client_cid: bytes | None = None
        self._hello: ServerHello | None = None
        self._server = server
        self._random = random
        self._incoming = Reassembly(next_sequence)
        self._finished: Message | None = None
        self._early: list[bytes] = []
        self._fed = 0  # records fed to OpenSSL in epoch 0
        self._outgoing: Reassembly | None = None  # what OpenSSL emits; what it repeats belongs to the past

    def start(self) -> None:
        """Let a client make its first flight."""
        self._digest(self.connection.step(b""))

    def add(self, payload: bytes) -> bool:
        """A handshake record of epoch 0. True if anything in it was new. Raises `Malformed`."""
        is_new = False
        for fragment in messages.fragments(payload):
            if fragment.kind != messages.FINISHED:
                is_new |= self._incoming.add(fragment)
        return is_new

    def take(self) -> Message | None:
        """The next whole message of epoch 0."""
        return self._incoming.take()

    def feed(self, message: Message) -> None:
        """Give a message to OpenSSL and take its answer."""
        if message.kind == messages.SERVER_HELLO:
            self._hear(messages.server_hello(message.body))
        # OpenSSL drops, without a word, a record that is longer than the hellos agreed (RFC 6066 section 4).
        room = self.flight.max_fragment - messages.HEADER
        fed = b""
        for offset in range(0, max(len(message.body), 1), room):
            size = min(room, len(message.body) - offset)
            part = messages.fragment_of(message, offset, size)
            fed += records.plain(records.HANDSHAKE, records.DTLS_1_2, self._fed, part)
            self._fed += 1
        self._digest(self.connection.step(fed))

    def open(self, record: bytes) -> bool:
        """A record of epoch 1. False if it does not authenticate; held if there are no keys yet."""
        if self.security is None:
            if len(self._early) < MAX_EARLY and len(record) <= MAX_EARLY_LENGTH:
                self._early.append(record)
            return True
        try:
            kind, payload = self.security.opener().open(record)
        except RecordRejected:
            return False
        if kind == records.HANDSHAKE and self._finished is None:
            self._note_finished(payload, int.from_bytes(record[5:11], "big"))
        return True

    def open_early(self) -> bool:
        """Open what was held. False if there was something and none of it authenticates."""
        held, self._early = self._early, []
        return not held or any(self.open(record) for record in held)

    def feed_finished(self) -> None:
        """Give the peer's Finished to OpenSSL, once it has come and everything before it was fed."""
        message, security = self._finished, self.security
        if message is None or security is None or message.sequence != self._incoming.next_sequence:
            return
        self._finished = None
        self._incoming.next_sequence += 1
        # A record of epoch 1 that authenticates says by itself that the peer has changed ciphers, so we do
        # not wait for the ChangeCipherSpec of a flight that lost it; OpenSSL does want to see one.
        change = records.plain(records.CHANGE_CIPHER_SPEC, records.DTLS_1_2, self._fed, CCS_FRAGMENT)
        sealer = security.sealer_of(not self._server, b"", self._random)
        self._digest(self.connection.step(change + sealer.seal(records.HANDSHAKE, message.whole(), 0)))

    def secure(self) -> None:
        """Derive the keys, as soon as OpenSSL has a master secret."""
        master, hello = self.connection.master_secret(), self._hello
        suite = BY_NUMBER.get(hello.suite) if hello else None
        if not master or hello is None or suite is None or self.security is not None:
            return
        with_cid = hello.cid is not None and self.cid is not None
        server_cid, client_cid = hello.cid or b"", self.client_cid or b""
        self.security = Security(
            suite=suite,
            block=key_block(master, self.client_random, hello.random, suite.block_length),
            mac_last=hello.encrypt_then_mac and suite.mode == "cbc",
            server=self._server,
            own_cid=(server_cid if self._server else client_cid) if with_cid else b"",
            peer_cid=(client_cid if self._server else server_cid) if with_cid else b"",
            max_fragment=hello.max_fragment,
        )

    def free(self) -> None:
        """Give OpenSSL's memory back."""
        self.connection.free()

    def _note_finished(self, payload: bytes, sequence: int) -> None:
        try:
            fragment = messages.fragments(payload)[0]
        except (Malformed, IndexError):
            return
        if fragment.kind == messages.FINISHED and len(fragment.body) == fragment.length:
            self._finished = Message(fragment.kind, fragment.sequence, fragment.body)
            self.window = (sequence, 1)

    def _digest(self, output: bytes) -> None:
        """Take OpenSSL's records apart; what it repeats on its own clock is dropped."""
        new: list[Message] = []
        for record in records.split(output, 0):
            kind, payload = record.kind, record.fragment
            if record.epoch:
                self.secure()
                if self.security is None:
                    self.failure = "no keys for our own Finished"
                    return
                try:
                    kind, payload = self.security.opener_of(self._server, b"").open(record.whole)
                except RecordRejected:
                    self.failure = "our keys are not OpenSSL's"
                    return
            if kind == records.ALERT and len(payload) == 2:
                self.alert = payload[1]
            elif kind == records.HANDSHAKE:
                new += self._emit(payload)
        if new:
            self.flight.replace(new)
        if self.connection.failure is not None:
            self.failure = self.connection.failure
        elif self.connection.is_complete:
            self.is_complete = True

    def _emit(self, payload: bytes) -> list[Message]:
        """OpenSSL's messages that are whole and new; it cuts them where the hellos agreed on short records."""
        new = []
        for fragment in messages.fragments(payload):
            if self._outgoing is None:
                self._outgoing = Reassembly(fragment.sequence)
            self._outgoing.add(fragment)
            while message := self._outgoing.take():
                if message.kind == messages.SERVER_HELLO:
                    self._hear(messages.server_hello(message.body))
                elif message.kind == messages.CLIENT_HELLO:
                    self.client_random, self.client_cid = message.body[2:34], self.cid
                new.append(message)
        return new

    def _hear(self, hello: ServerHello) -> None:
        self._hello = hello
        self.flight.max_fragment = hello.max_fragment
