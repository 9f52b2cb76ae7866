"""Which CoAP stack carries what a device says: one line for each, and the device is the same on all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from lwm2m.messages import Request, Response
from simulator.accounts import Account
from simulator.answers import Answer, Serve
from simulator.connection import Connection
from simulator.faults import Faults
from simulator.foreign.connection import ForeignConnection
from simulator.modem import Modem
from simulator.nameplate import AIOCOAP, Firmware
from simulator.traffic import Traffic


class Way(Protocol):
    """What a device needs of its connection to one server."""

    traffic: Traffic

    @property
    def is_usable(self) -> bool: ...
    async def open(self) -> None: ...
    async def request(self, request: Request) -> Response: ...
    def notify(
        self, token: bytes, answer: Answer, confirmable: bool, cancelled: Callable[[], None]
    ) -> None: ...
    def rebind(self) -> None: ...
    def close(self, *, goodbye: bool = False) -> None: ...
    async def closed(self) -> None: ...


def connect(
    account: Account,
    *,
    firmware: Firmware,
    faults: Faults,
    serve: Serve,
    sleeps: bool = False,
    heard: Callable[[], None] | None = None,
    modem: Modem | None = None,
    by_sms: bool = False,
) -> Way:
    """The connection to one server; not open yet. Over SMS there is but one stack."""
    if firmware.stack == AIOCOAP and not by_sms:
        return ForeignConnection(account, firmware=firmware, serve=serve, heard=heard)
    return Connection(
        account,
        firmware=firmware,
        faults=faults,
        serve=serve,
        sleeps=sleeps,
        heard=heard,
        modem=modem,
        by_sms=by_sms,
    )
