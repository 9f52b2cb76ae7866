"""The radio of a device that has SMS: one SMPP connection with the device's number, for as long as it is on.

A real device has a modem and a SIM; here an ESME is bound at the SMSC with the number as its address range. CoAP
messages come and go in 8-bit SMS with the ports of CoAP, in parts where they must.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Protocol

from simulator.smpp_wire import SmppWire
from smpp import (
    Address,
    Answered,
    Bind,
    BindRefused,
    Bound,
    Class,
    Closed,
    Event,
    Limits,
    Malformed,
    NotBinary,
    Part,
    Reassembly,
    Received,
    Session,
    Status,
    Unanswered,
    describe,
    is_receipt,
    part_of,
    split,
    submit_sm,
)
from smpp.pdus import Carrier

logger = logging.getLogger(__name__)

MAX_QUEUED = 100
RECONNECT_SECONDS = 1.0
LONGEST_RECONNECT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Sim:
    """The SIM card: a number, and how the SMSC lets it in."""

    number: str
    host: str = "127.0.0.1"
    port: int = 2775
    system_id: str = "device"
    password: str = field(default="device", repr=False)


class Listener(Protocol):
    """Whoever speaks with one number. While all of them are deaf, the SMSC shall keep what it has for them."""

    is_deaf: bool

    def knows(self, message: bytes) -> bool:
        """Whether the message belongs to what was said before."""

    def arrived(self, message: bytes) -> None:
        """Take a CoAP message."""


class Modem:
    """Connects by itself, again and again, from `start` to `stop`; what is sent meanwhile waits for the SMSC.

    ``listen`` says who gets what a number sends: of several the one that knows the message, else the newest. What
    comes from a number that nobody listens to is thrown away, acknowledged: it is no server of this device.
    """

    def __init__(self, sim: Sim, *, reconnect_seconds: float = RECONNECT_SECONDS) -> None:
        self.sim = sim
        self.counts: Counter[str] = Counter()
        self._own = Address.parse(sim.number)
        self._listeners: dict[str, list[Listener]] = {}
        self._reassembly: Reassembly[None] = Reassembly(expire_seconds=3600.0)
        self._queue: deque[tuple[Address, Part]] = deque(maxlen=MAX_QUEUED)
        self._reference = 0
        self._reconnect_seconds = self._pause = reconnect_seconds
        self._wire: SmppWire | None = None
        self._session: Session | None = None
        self._closed: asyncio.Event | None = None
        self._task: asyncio.Task[None] | None = None
        self._pumping: asyncio.TimerHandle | None = None

    @property
    def is_connected(self) -> bool:
        return self._session is not None and self._session.is_bound

    # -- what its owner does -------------------------------------------------------------------------------

    def start(self) -> None:
        """Switch it on; safe to call twice."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._live())

    def stop(self) -> None:
        """Switch it off, with what it has not sent; safe to call twice."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        if self._pumping is not None:
            self._pumping.cancel()
            self._pumping = None
        if self._wire is not None:
            self._wire.cut()
        self._queue.clear()

    def listen(self, number: str, listener: Listener) -> None:
        """Hand messages of this number to ``listener`` from now on."""
        self.ignore(number, listener)
        self._listeners.setdefault(number, []).append(listener)

    def ignore(self, number: str, listener: Listener) -> None:
        """Stop listening; safe to call twice."""
        with contextlib.suppress(KeyError, ValueError):
            self._listeners[number].remove(listener)

    def send(self, number: Address, message: bytes) -> None:
        """Send one CoAP message. Never fails: what cannot be sent is lost, as in the air."""
        self._reference = (self._reference + 1) & 0xFF
        for part in split(message, reference=self._reference):
            self._queue.append((number, part))
        self._pump()

    # -- the link ------------------------------------------------------------------------------------------

    async def _live(self) -> None:
        while True:
            self._closed = asyncio.Event()
            try:
                await self._connect()
                await self._closed.wait()
            except OSError as error:
                logger.debug("modem.no_smsc number=%s detail=%s", self.sim.number, error)
            await asyncio.sleep(self._pause)
            self._pause = min(2 * self._pause, LONGEST_RECONNECT_SECONDS)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        own = self._own
        session = Session(
            Bind(
                self.sim.system_id,
                self.sim.password,
                system_type="M2M",
                addr_ton=own.ton,
                addr_npi=own.npi,
                address_range=own.digits,
            ),
            Limits(window=5),
        )
        wire = SmppWire(session, self._handle)
        await loop.create_connection(lambda: wire, self.sim.host, self.sim.port)
        self._session, self._wire = session, wire
        wire.act(session.start(loop.time()))

    def _handle(self, event: Event) -> None:
        match event:
            case Bound():
                self.counts["bound"] += 1
                self._pause = self._reconnect_seconds
                self._pump()
            case BindRefused():
                self.counts["bind refused"] += 1
                logger.warning("modem.refused number=%s status=%s", self.sim.number, describe(event.status))
            case Received():
                self._received(event.handle, event.body)
            case Answered():
                self._answered(event)
            case Unanswered():
                self.counts["unanswered"] += 1
                self._pump()
            case Closed():
                self._session = self._wire = None
                if self._closed is not None:
                    self._closed.set()

    def _pump(self) -> None:
        session, wire = self._session, self._wire
        if session is None or wire is None:
            return
        loop = asyncio.get_running_loop()
        while self._queue and session.room(loop.time()):
            number, part = self._queue.popleft()
            self.counts["sent"] += 1
            message = submit_sm(part, source=self._own, destination=number)
            wire.act(session.submit(message, (number, part), loop.time()))
        again_at = session.room_at(loop.time())
        if self._queue and again_at is not None and self._pumping is None:
            self._pumping = loop.call_at(again_at, self._pump_again)

    def _pump_again(self) -> None:
        self._pumping = None
        self._pump()

    def _answered(self, event: Answered) -> None:
        """Again what was throttled; the rest is CoAP's to repeat, or lost."""
        if event.outcome is Class.OK:
            self.counts["submitted"] += 1
        elif event.outcome is Class.SLOWER:
            self.counts["throttled"] += 1
            self._queue.appendleft(event.key)  # type: ignore[arg-type]
        else:
            self.counts["refused"] += 1
        self._pump()

    # -- what arrives --------------------------------------------------------------------------------------

    def _received(self, handle: int, body: Carrier) -> None:
        """Acknowledge what was heard or is of no use; the rest the SMSC keeps for later."""
        number = str(body.source)
        listeners = self._listeners.get(number, [])
        if is_receipt(body) or not listeners:
            self.counts["ignored"] += 1
            return self._acknowledge(handle)
        if all(listener.is_deaf for listener in listeners):
            self.counts["asleep"] += 1
            return self._acknowledge(handle, Status.RX_T_APPN)
        self._acknowledge(handle)
        try:
            part = part_of(body)
        except (NotBinary, Malformed):
            self.counts["unreadable"] += 1
            return None
        whole = self._reassembly.add(number, part, None, asyncio.get_running_loop().time())
        if whole is not None:
            self._arrived(whole.payload, listeners)
        return None

    def _arrived(self, message: bytes, listeners: list[Listener]) -> None:
        self.counts["received"] += 1
        awake = [listener for listener in reversed(listeners) if not listener.is_deaf]
        chosen = next((listener for listener in awake if listener.knows(message)), awake[0])
        chosen.arrived(message)

    def _acknowledge(self, handle: int, status: int = Status.OK) -> None:
        if self._session is not None and self._wire is not None:
            now = asyncio.get_running_loop().time()
            self._wire.act(self._session.acknowledge(handle, status, now=now))
