"""A device's link to one server by SMS: the modem of the device, and the number of the server."""

from __future__ import annotations

from collections.abc import Callable

from simulator.accounts import Account
from simulator.faults import NONE, Faults
from simulator.link import Link, LinkFailed
from simulator.modem import Modem
from smpp import Address


class SmsLink(Link):
    """CoAP messages to one number and back.

    While it `is_deaf` nothing is lost: the SMSC keeps the messages and tries again. ``knows`` says whether a message
    belongs to this conversation; several servers may have one number, and so has a server that also bootstraps.
    """

    def __init__(
        self,
        account: Account,
        modem: Modem | None,
        receive: Callable[[bytes], None],
        knows: Callable[[bytes], bool],
        faults: Faults = NONE,
    ) -> None:
        super().__init__(account.address, receive, faults)
        self.number = account.sms_number
        self._modem = modem
        self._knows = knows
        self._is_open = False

    @property
    def is_usable(self) -> bool:
        return self._is_open

    async def open(self) -> None:
        """Raises `LinkFailed` for a device without a modem; without an SMSC what is sent waits for one."""
        if self._modem is None:
            raise LinkFailed(f"{self.address} is reached by SMS, and this device has no modem")
        if not self._is_open:
            self._is_open = True
            self._modem.start()
            self._modem.listen(self.number, self)

    def rebind(self) -> None:
        """A number stays what it is."""

    def close(self) -> None:
        self._is_open = False
        if self._modem is not None:
            self._modem.ignore(self.number, self)

    def knows(self, message: bytes) -> bool:
        return self._knows(message)

    def arrived(self, message: bytes) -> None:
        if self._is_open and self._dice.random() >= self._faults.drop_in:
            self._receive(message)

    def _transmit(self, message: bytes) -> None:
        if self._is_open and self._modem is not None and self._dice.random() >= self._faults.drop_out:
            self._modem.send(Address.parse(self.number), message)
