"""A virtual LwM2M device: switch it on and it bootstraps, registers, stays registered and answers.

It knows what is printed on it (`Nameplate`) and how its firmware behaves (`Firmware`), and nothing else.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Sequence
from enum import Enum

from lwm2m.messages import Request, Response
from lwm2m.paths import ROOT, Path
from simulator import accounts, content, reading
from simulator.answers import Answer
from simulator.bootstrap import Bootstrap, BootstrapFailed
from simulator.equipment import not_executable
from simulator.equipping import built_in
from simulator.factory import new_tree
from simulator.faults import NONE, Faults
from simulator.gateway import Gateway
from simulator.gateway import split as split_prefix
from simulator.gateway_children import Child
from simulator.modem import Modem, Sim
from simulator.nameplate import Firmware, Nameplate
from simulator.registration import Registration, RegistrationFailed
from simulator.registration import State as RegistrationState
from simulator.retries import backoff
from simulator.traffic import Traffic, total

REMEMBERED = 64


class State(Enum):
    """What the device is about. WAITING is the pause before it tries again."""

    OFF = "off"
    BOOTSTRAPPING = "bootstrapping"
    REGISTERING = "registering"
    REGISTERED = "registered"
    WAITING = "waiting"


class Muted(Exception):
    """The server has not allowed this device to Send."""


Listener = Callable[["Device", str, str], None]


class Device:
    """Start and stop it from one event loop. Everything it does is in ``journal`` and counted in ``counts``,
    what its servers asked of it and what it answered in ``asked``.

    With a ``sim`` it has a modem and speaks SMS. With ``children``, were it an empty list, it is an M2M gateway.

    ``listeners`` are called with each event: bootstrapped, bootstrap-failed, registered, updated,
    deregistered, disabled, refused, and the operations of a bootstrap server such as ``write /0/1``.
    """

    def __init__(
        self,
        nameplate: Nameplate,
        firmware: Firmware | None = None,
        faults: Faults = NONE,
        children: Sequence[Child] | None = None,
        gateway_version: str = "2.0",
        sim: Sim | None = None,
    ) -> None:
        self.nameplate = nameplate
        self.firmware = firmware or Firmware()
        if (nameplate.bootstrap_uri or nameplate.server_uri or "").startswith("tel:"):
            self.firmware = self.firmware.for_sms()
        self.faults = faults
        self.tree = new_tree(nameplate, self.firmware)
        self.asked: deque[tuple[Request, Answer]] = deque(maxlen=REMEMBERED)
        self.gateway: Gateway | None = None
        if children is not None:
            self.gateway = Gateway(self.tree, children, version=gateway_version)
        self.modem = None if sim is None else Modem(sim)
        self.state = State.OFF
        self.registrations: list[Registration] = []
        self.counts: Counter[str] = Counter()
        self.journal: deque[tuple[str, str]] = deque(maxlen=REMEMBERED)
        self.listeners: list[Listener] = []
        self._task: asyncio.Task[None] | None = None
        self._bootstrap: Bootstrap | None = None
        self._bootstrap_wanted = False
        self._turn: asyncio.Future[None] | None = None
        self._watchers: set[asyncio.Future[None]] = set()
        self._failures = 0
        self.equipment = built_in(self, self.firmware.objects)
        self._unpacked = self.tree.snapshot()

    # -- what a person does with it ------------------------------------------------------------------------

    def start(self) -> None:
        """Switch it on."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._live())

    async def stop(self, *, deregister: bool = False, within_seconds: float = 2.0) -> None:
        """Switch it off; with ``deregister`` it says good-bye first, if that does not take too long."""
        if deregister:
            try:
                async with asyncio.timeout(within_seconds):
                    await asyncio.gather(*(each.deregister() for each in self.registrations))
            except TimeoutError:
                pass
        left = [each.connection for each in self.registrations]
        if self._bootstrap is not None and self._bootstrap.connection is not None:
            left.append(self._bootstrap.connection)
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})
        self._leave()
        await asyncio.gather(*(each.closed() for each in left))

    def power_off(self) -> None:
        """Pull the plug: not a word more, in the middle of whatever it is."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._leave()

    def reboot(self) -> None:
        """``/3/0/4``: forget the connections, register anew from another port, without De-register."""
        self._turn_over()

    def start_bootstrap(self) -> None:
        """``/1/x/9``: ask the bootstrap server for a new configuration."""
        self._bootstrap_wanted = True
        self._turn_over()

    def rebind(self) -> None:
        """Every socket gets a new port, as when a NAT forgets its mappings."""
        for registration in self.registrations:
            registration.connection.rebind()

    async def update(self) -> None:
        """Send an Update to every server now and wait for the answers."""
        before = self.counts["updated"]
        for registration in self.registrations:
            registration.wish_update()
        await self.until(lambda: self.counts["updated"] >= before + len(self.registrations))

    async def send(
        self, paths: Sequence[str], *, content_format: int | None = None, even_if_muted: bool = False
    ) -> Response:
        """Send (LwM2M 1.1): report the values at ``paths``. Raises `Muted`, `NoAnswer`, `LinkFailed`.

        A device is mute until its server writes false to ``/1/x/23`` (R-17). A gateway also reports for its
        children: ``/dev0/3303/0/5700``.
        """
        server = self.registrations[0].account.server_instance or 0
        if self.tree.value(1, server, 23) is not False and not even_if_muted:
            raise Muted(f"/1/{server}/23 is not false")
        if self.gateway is not None:
            nodes = self.gateway.composite(map(split_prefix, paths))
        else:
            nodes = reading.composite(self.tree, tuple(Path.parse(path) for path in paths))
        number, payload = content.encode(nodes, ROOT, content_format, self.firmware.version)
        return await self.registrations[0].send(number, payload)

    @property
    def traffic(self) -> Traffic:
        """What was said on the connections that stand."""
        return total(each.connection.traffic for each in self.registrations)

    @property
    def is_registered(self) -> bool:
        """True while every server has accepted it."""
        return self.state is State.REGISTERED

    async def until(self, condition: Callable[[], bool], seconds: float = 10.0) -> None:
        """Wait until something is true of this device; looked at after each event. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not condition():
                watcher: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self._watchers.add(watcher)
                try:
                    await watcher
                finally:
                    self._watchers.discard(watcher)

    # -- what it does by itself ----------------------------------------------------------------------------

    async def _live(self) -> None:
        while True:
            servers = accounts.servers(self.tree)
            if self._bootstrap_wanted or not servers:
                await self._configure()
            else:
                await self._be_managed(servers)

    async def _configure(self) -> None:
        """Bootstrap; after a failure wait, longer each time, before it is tried again."""
        self._set(State.BOOTSTRAPPING)
        if self._bootstrap is not None:
            self._bootstrap.close()
        self._bootstrap = Bootstrap(
            tree=self.tree,
            endpoint=self.nameplate.endpoint,
            firmware=self.firmware,
            faults=self.faults,
            switch_off=self.power_off,
            report=self._tell,
            modem=self.modem,
        )
        try:
            await self._bootstrap.run()
        except BootstrapFailed as error:
            self._bootstrap_wanted = False
            self._set(State.WAITING)
            self._tell("bootstrap-failed", str(error))
            await self._back_off()
            return
        self._bootstrap_wanted = False
        self._failures = 0
        self._tell("bootstrapped", "")

    async def _be_managed(self, servers: list[accounts.Account]) -> None:
        """Keep every registration until something turns the device over, or one fails for good."""
        self._set(State.REGISTERING)
        loop = asyncio.get_running_loop()
        self._turn = loop.create_future()
        self.registrations = [self._registration(account) for account in servers]
        tasks = [loop.create_task(each.run()) for each in self.registrations]
        try:
            await asyncio.wait({*tasks, self._turn}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            self._leave_registrations()
        if not self._turn.done():
            await self._failed([each for each in ended if isinstance(each, RegistrationFailed)])

    async def _failed(self, problems: list[RegistrationFailed]) -> None:
        """Bootstrap anew where there is an account for it and ``/1/x/16`` does not forbid it."""
        self._set(State.WAITING)
        self._tell("registration-failed", "; ".join(map(str, problems)))
        allowed = all(self.tree.value(1, i, 16) is not False for i in self.tree.instance_ids(1))
        if accounts.bootstrap(self.tree) is not None and allowed:
            self._bootstrap_wanted = True
        else:
            await self._back_off()

    async def _back_off(self) -> None:
        pause = backoff(self._failures, self.firmware.retry_seconds, self.firmware.retry_limit_seconds)
        self._failures += 1
        await asyncio.sleep(pause)

    def _registration(self, account: accounts.Account) -> Registration:
        return Registration(
            account,
            tree=self.tree,
            endpoint=self.nameplate.endpoint,
            firmware=self.firmware,
            faults=self.faults,
            execute=self._execute,
            switch_off=self.power_off,
            report=self._registration_event,
            asked=lambda request, answer: self.asked.append((request, answer)),
            gateway=self.gateway,
            modem=self.modem,
        )

    def _execute(self, by: Registration, path: Path, arguments: bytes) -> Callable[[], None] | None:
        """The executable resources; what they start happens after the answer has left."""
        object_id, instance_id, resource_id = path.ids
        if (object_id, resource_id) == (1, 4):
            seconds = self.tree.value(1, instance_id, 5)
            return lambda: by.disable(float(seconds) if isinstance(seconds, int) else 86_400.0)
        if (object_id, resource_id) == (1, 8):
            return by.wish_update
        if (object_id, resource_id) == (1, 9) and self.firmware.version != "1.0":
            return self.start_bootstrap
        if (object_id, resource_id) == (3, 4):
            return self.reboot
        if (object_id, resource_id) == (3, 5):
            return self._factory_reset
        if (object_id, resource_id) == (3, 12):
            return lambda: self.tree.set("/3/0/11", {0: 0})
        if object_id in self.equipment:
            return self.equipment[object_id].execute(path, arguments)
        raise not_executable(path)

    def _factory_reset(self) -> None:
        self.tree.restore(self._unpacked)
        self._unpacked = self.tree.snapshot()
        if self.gateway is not None:
            self.gateway.restore()
        self._turn_over()

    def _turn_over(self) -> None:
        if self._turn is not None and not self._turn.done():
            self._turn.set_result(None)

    def _leave(self) -> None:
        if self._bootstrap is not None:
            self._bootstrap.close()
            self._bootstrap = None
        self._leave_registrations()
        if self.modem is not None:
            self.modem.stop()
        for each in self.equipment.values():
            each.close()
        self._set(State.OFF)

    def _leave_registrations(self) -> None:
        for registration in self.registrations:
            registration.leave()
        self.registrations = []

    # -- telling -------------------------------------------------------------------------------------------

    def _registration_event(self, registration: Registration, event: str, detail: str) -> None:
        states = {each.state for each in self.registrations}
        self._set(State.REGISTERED if states == {RegistrationState.REGISTERED} else State.REGISTERING)
        if event == "registered":
            self._failures = 0
        self._tell(event, detail)

    def _set(self, state: State) -> None:
        self.state = state
        self._look()

    def _tell(self, event: str, detail: str) -> None:
        self.counts[event] += 1
        self.journal.append((event, detail))
        for listener in self.listeners:
            listener(self, event, detail)
        self._look()

    def _look(self) -> None:
        for watcher in self._watchers:
            if not watcher.done():
                watcher.set_result(None)
