"""A link secured by DTLS 1.2 with a pre-shared key, over the client of the dtls room."""

from __future__ import annotations

from collections.abc import Callable

from simulator.accounts import Account
from simulator.faults import NONE, Faults
from simulator.link import Link, LinkFailed
from simulator.nameplate import Firmware


class DtlsLink(Link):
    """Waits for the dtls client; until then no secured server can be reached."""

    def __init__(
        self, account: Account, firmware: Firmware, receive: Callable[[bytes], None], faults: Faults = NONE
    ) -> None:
        super().__init__(account.address, receive, faults)

    async def open(self) -> None:
        raise LinkFailed("DTLS is not spoken yet")
