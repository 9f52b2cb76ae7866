"""A device's connection to one account: the link, the CoAP conversation on it, and the radio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from lwm2m.messages import Request, Response
from simulator.accounts import Account
from simulator.answers import Answer, Serve
from simulator.conversation import Conversation
from simulator.dtls_link import DtlsLink
from simulator.faults import Faults
from simulator.link import Link
from simulator.modem import Modem
from simulator.nameplate import Firmware
from simulator.sms_link import SmsLink
from simulator.traffic import Traffic


class Connection:
    """Open it, ask, be asked, close it.

    In queue mode (`OMA-TS-LightweightM2M_Core 6.5`) the radio goes off when nothing was said for
    ``awake_seconds``: what arrives then is lost, or kept by the SMSC. The next own message switches it on again.

    ``by_sms`` speaks over the ``modem`` with a server that is also reached over IP; one that has only a number is
    spoken with by SMS anyway.
    """

    def __init__(
        self,
        account: Account,
        *,
        firmware: Firmware,
        faults: Faults,
        serve: Serve,
        sleeps: bool = False,
        heard: Callable[[], None] | None = None,
        modem: Modem | None = None,
        by_sms: bool = False,
    ) -> None:
        self.account = account
        by_sms = by_sms or bool(account.address.number)
        self._sleeps = sleeps
        self._awake_seconds = firmware.awake_seconds
        self._tell_heard = heard
        self._loop = asyncio.get_running_loop()
        self._asleep_timer: asyncio.TimerHandle | None = None
        self._conversation = Conversation(
            transmit=self._transmit,
            serve=serve,
            tuning=firmware.sms.tuning if by_sms else firmware.tuning,
            heard=self._heard,
        )
        self.traffic = Traffic()
        self.link: Link
        if by_sms:
            self.link = SmsLink(account, modem, self._receive, self._conversation.knows, faults)
        else:
            self.link = _link(account, firmware, faults, self._receive)

    async def open(self) -> None:
        """Open the socket and, with a key, shake hands. Raises `LinkFailed`."""
        await self.link.open()
        self._stay_awake()

    async def request(self, request: Request) -> Response:
        """Ask the server. Raises `NoAnswer`, or `LinkFailed` when a new handshake was needed and failed."""
        if not self.link.is_usable:
            await self.link.open()
        self._stay_awake()
        return await self._conversation.request(request)

    def notify(self, token: bytes, answer: Answer, confirmable: bool, cancelled: Callable[[], None]) -> None:
        """Send a notification; see `Conversation.notify`."""
        self._stay_awake()
        self._conversation.notify(token, answer, confirmable=confirmable, cancelled=cancelled)

    @property
    def is_usable(self) -> bool:
        """False before `open`, after `close`, and when a secured link has lost its session."""
        return self.link.is_usable

    def rebind(self) -> None:
        """Go on from another port."""
        self.link.rebind()

    @property
    def awake_until(self) -> float | None:
        """When the radio goes off, in the time of the event loop; None when it does not."""
        return None if self._asleep_timer is None else self._asleep_timer.when()

    @property
    def is_awake(self) -> bool:
        return not self.link.is_deaf

    def sleep(self) -> None:
        """Switch the radio off now, whatever the time."""
        self.link.is_deaf = True

    def close(self, *, goodbye: bool = False) -> None:
        """Leave, with ``goodbye`` not without a word to the server's DTLS; safe to call twice."""
        if goodbye:
            self.link.say_goodbye()
        self._conversation.close()
        if self._asleep_timer is not None:
            self._asleep_timer.cancel()
            self._asleep_timer = None
        self.link.close()

    async def closed(self) -> None:
        """`close` has done it all."""

    def _transmit(self, message: bytes) -> None:
        self.traffic.sent(len(message))
        self.link.send(message)

    def _receive(self, message: bytes) -> None:
        self.traffic.received(len(message))
        self._conversation.receive(message)

    def _heard(self) -> None:
        self._stay_awake()
        if self._tell_heard is not None:
            self._tell_heard()

    def _stay_awake(self) -> None:
        self.link.is_deaf = False
        if not self._sleeps:
            return
        if self._asleep_timer is not None:
            self._asleep_timer.cancel()
        self._asleep_timer = self._loop.call_later(self._awake_seconds, self.sleep)


def _link(account: Account, firmware: Firmware, faults: Faults, receive: Callable[[bytes], None]) -> Link:
    if account.address.is_secured:
        return DtlsLink(account, firmware, receive, faults)
    return Link(account.address, receive, faults)
