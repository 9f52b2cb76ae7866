"""What its caller holds of a request that is on its way."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from coap.blockwise import Transfer
from coap.exchanges import Exchange
from coap.tuning import Tuning


class Call:
    """One request on its way, until it is `Finished`; `tag` is whatever its caller wants to know it by."""

    __slots__ = ("ends_at", "exchange", "is_over", "peer", "tag", "token", "transfer", "tuning")

    def __init__(
        self,
        peer: Hashable,
        transfer: Transfer,
        tuning: Tuning,
        token: bytes | None,
        ends_at: float | None,
        tag: Any,
    ) -> None:
        self.peer = peer
        self.tuning = tuning
        self.ends_at = ends_at
        self.tag = tag
        self.transfer = transfer
        self.token = token
        self.exchange: Exchange | None = None
        self.is_over = False
