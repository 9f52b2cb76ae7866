"""One handshake of one address with a server, until it becomes a session or nothing."""

from __future__ import annotations

from itertools import count

from dtls.backends import Parameters
from dtls.handshake import Handshake
from dtls.messages import Message
from dtls.session import Address

MAX_REPEATS = 16  # of our flight on the peer's demand; its timer and ours are not bounded by this

_ids = count(1)


class Attempt:
    """`core` computes; the rest is what the server side must remember."""

    __slots__ = (
        "address",
        "core",
        "expires_at",
        "held",
        "id",
        "identity",
        "is_mismatched",
        "is_unknown",
        "key_id",
        "parameters",
        "repeats_left",
    )

    def __init__(self, address: Address, core: Handshake, parameters: Parameters, expires_at: float) -> None:
        self.id = next(_ids)
        self.address = address
        self.core = core
        self.parameters = parameters
        self.expires_at = expires_at
        self.identity: bytes | None = None
        self.key_id = 0
        self.held: Message | None = None  # the ClientKeyExchange, until its key is here
        self.is_mismatched = False  # something came instead of a good Finished
        self.is_unknown = False  # nobody has the identity, and the peer is not to know yet
        self.repeats_left = MAX_REPEATS

    @property
    def cid(self) -> bytes:
        """The CID in the peer's records of epoch 1; empty if none was agreed on."""
        core = self.core
        return core.cid if core.cid is not None and core.client_cid is not None else b""

    @property
    def stage(self) -> str:
        """How far it came, for whoever asks why it ended."""
        if self.held is not None:
            return "the key did not come in time"
        return "the device fell silent" if self.identity is None else "the device's Finished did not come"
