"""A loopback SMSC: a small message switch that speaks SMPP over TCP, for tests, the demo and the embedded portal.

Whoever binds with a number as ``address_range`` gets what is sent to that number and may send from it, the portal
and simulated devices alike. It stores and forwards: a message to a number that nobody holds waits until somebody
does or its validity ends, and a deliver_sm is repeated until it is acknowledged. Nothing survives a restart.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime

from simulator.smpp_wire import SmppWire
from simulator.smsc_faults import SmscFaults
from simulator.smsc_lines import Line, Lines
from simulator.smsc_store import Message
from simulator.smsc_switch import Switch
from smpp import (
    Address,
    Answered,
    BindWanted,
    Bound,
    Closed,
    DeliverSm,
    Event,
    Limits,
    Malformed,
    NotBinary,
    Received,
    SmscSession,
    Status,
    Unanswered,
    deliver_sm,
    part_of,
)
from smpp.parts import UDHI
from smpp.pdus import Carrier, SubmitSm
from smpp.times import seconds_left
from smpp.udh import MAX_USER_DATA

NAME = "LOOPBACK"
DEFAULT_LIMITS = Limits(window=100, enquire_after=60.0, response_timeout=10.0)


class Smsc:
    """Make and start it in an event loop; ``accounts`` are the passwords by system_id. ``counts`` tells what it did.

    ``keeps`` False refuses messages to numbers that nobody holds at the moment.
    """

    def __init__(
        self,
        accounts: Mapping[str, str],
        *,
        faults: SmscFaults | None = None,
        limits: Limits = DEFAULT_LIMITS,
        keeps: bool = True,
        validity_seconds: float = 86_400.0,
        repeat_seconds: float = 5.0,
    ) -> None:
        self.accounts = dict(accounts)
        self.faults = faults or SmscFaults()
        self.lines = Lines()
        self.switch = Switch(
            self.lines, faults=self.faults, repeat_seconds=repeat_seconds, validity_seconds=validity_seconds
        )
        self.counts = self.switch.counts
        self._limits = limits
        self._keeps = keeps
        self._loop = asyncio.get_running_loop()
        self._wires: set[SmppWire] = set()
        self._server: asyncio.Server | None = None
        self._sweeping: asyncio.Task[None] | None = None
        self._bound_to = ("127.0.0.1", 0)

    # -- up and down ---------------------------------------------------------------------------------------

    @property
    def host(self) -> str:
        return self._bound_to[0]

    @property
    def port(self) -> int:
        """Where it listens; the same again after `go_down` and `come_up`."""
        return self._bound_to[1]

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 takes a free one. Raises OSError."""
        self._bound_to = (host, port)
        await self.come_up()
        self._sweeping = self._loop.create_task(self.switch.run())

    async def come_up(self) -> None:
        """Listen again after `go_down`; what was stored is still there."""
        if self._server is None:
            self._server = await self._loop.create_server(self._connected, *self._bound_to)
            self._bound_to = (self._bound_to[0], int(self._server.sockets[0].getsockname()[1]))

    async def go_down(self) -> None:
        """Break every connection without a word and accept none."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
            for wire in list(self._wires):
                wire.cut()
            await server.wait_closed()

    async def stop(self) -> None:
        """Go down for good."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.gather(self._sweeping, return_exceptions=True)
            self._sweeping = None
        self.switch.close()
        await self.go_down()

    # -- what ESMEs do -------------------------------------------------------------------------------------

    def _connected(self) -> SmppWire:
        line = Line(SmscSession(self._limits, now=self._loop.time()))
        line.wire = SmppWire(line.session, lambda event: self._handle(line, event))
        self._wires.add(line.wire)
        return line.wire

    def _handle(self, line: Line, event: Event) -> None:
        match event:
            case BindWanted():
                self._bind_wanted(line, event)
            case Bound():
                line.learn()
                self.lines.add(line)
                self.switch.pump_all()
            case Received():
                self._received(line, event)
            case Answered():
                self.switch.answered(event)
            case Unanswered():
                self.switch.repeat(event.key)
            case Closed():
                self._wires.discard(line.wire)
                self.lines.remove(line)

    def _bind_wanted(self, line: Line, event: BindWanted) -> None:
        bind, now = event.bind, self._loop.time()
        password = self.accounts.get(bind.system_id)
        if password is None:
            self.counts["binds refused"] += 1
            line.wire.act(line.session.refuse(Status.INVSYSID, now))
        elif not hmac.compare_digest(password.encode(), bind.password.encode()):
            self.counts["binds refused"] += 1
            line.wire.act(line.session.refuse(Status.INVPASWD, now))
        else:
            line.system_id = bind.system_id
            line.wire.act(line.session.accept(NAME, now))

    def _received(self, line: Line, event: Received) -> None:
        """Judge at once, answer now or later: a refusal is a refusal whatever comes meanwhile."""
        refusal, message = self.faults.refusal(), None
        if refusal is None:
            try:
                message = self._message(line, event.body)
            except _Refused as error:
                refusal = error.status
        if message is not None and self.faults.says_nothing():
            self.counts["unanswered"] += 1
            self.switch.accept(message)
            return
        self.switch.later(
            self.faults.slow_seconds, lambda: self._respond(line, event.handle, refusal, message)
        )

    def _respond(self, line: Line, handle: int, refusal: int | None, message: Message | None) -> None:
        now = self._loop.time()
        if message is None:
            self.counts["refused"] += 1
            line.wire.act(line.session.acknowledge(handle, refusal or Status.SYSERR, now=now))
            return
        self.counts["accepted"] += 1
        line.wire.act(line.session.acknowledge(handle, message_id=message.message_id, now=now))
        self.switch.accept(message)

    def _message(self, line: Line, body: Carrier) -> Message:
        """What to keep of a submitted message. Raises `_Refused`."""
        source = body.source if body.source.digits else line.own
        if source is None or not line.holds(str(source)):
            raise _Refused(Status.INVSRCADR)
        destination = str(body.destination)
        if not destination or (not self._keeps and self.lines.to(destination) is None):
            raise _Refused(Status.INVDSTADR)
        if self.switch.store.is_full:
            raise _Refused(Status.MSGQFUL)
        wanted = body.registered_delivery & 3
        return Message(
            message_id=self.switch.store.new_id(),
            body=_as_delivered(body, source),
            expires_at=self._loop.time() + self._validity(body),
            receipt_to=source if wanted else None,
            only_failure=wanted == 2,
        )

    def _validity(self, body: Carrier) -> float:
        try:
            told = (
                seconds_left(body.validity_period, datetime.now(UTC)) if isinstance(body, SubmitSm) else None
            )
        except Malformed as error:
            raise _Refused(error.status) from None
        return self.switch.validity_seconds if told is None else min(told, self.switch.validity_seconds)


class _Refused(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def _as_delivered(body: Carrier, source: Address) -> DeliverSm:
    """Ports and numbering leave in the user data header, however they came: handsets know nothing of TLVs."""
    try:
        delivered = deliver_sm(part_of(body), source=source, destination=body.destination)
    except NotBinary:
        text = body.short_message if isinstance(body, SubmitSm) else b""
        return DeliverSm(
            source, body.destination, text, esm_class=body.esm_class & UDHI, data_coding=body.data_coding
        )
    except Malformed as error:
        raise _Refused(error.status) from None
    except ValueError:
        raise _Refused(Status.INVMSGLEN) from None
    if len(delivered.short_message) > MAX_USER_DATA:
        raise _Refused(Status.INVMSGLEN)
    return delivered
