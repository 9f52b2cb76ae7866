"""One device's registration with one server: Register, Update in time, De-register.

`OMA-TS-LightweightM2M_Core 6.2`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum

from lwm2m.codes import Code
from lwm2m.messages import Request, Response
from lwm2m.paths import Path
from lwm2m.requests import deregister_request, register_request, send_request, update_request
from simulator.accounts import Account
from simulator.answers import Answer, NoAnswer
from simulator.discover import object_links
from simulator.faults import Faults
from simulator.gateway import Gateway
from simulator.gateway_service import GatewayService
from simulator.link import LinkFailed
from simulator.modem import Modem
from simulator.nameplate import Firmware
from simulator.objects import ObjectTree
from simulator.observations import Observations
from simulator.retries import Retries
from simulator.service import Service
from simulator.stacks import Way

LONGEST_MARGIN_SECONDS = 93.0
"""An Update goes out MAX_TRANSMIT_WAIT before the lifetime ends, or at half of a short one."""


class State(Enum):
    """Where a registration stands; DISABLED is what Execute ``/1/x/4`` makes of it for a while."""

    IDLE = "idle"
    REGISTERING = "registering"
    REGISTERED = "registered"
    DISABLED = "disabled"


class RegistrationFailed(Exception):
    """The server could not be reached or refused for as often as the account allows."""


class Registration:
    """Keeps a device registered with one server for as long as `run` runs.

    ``report`` hears what happens: registered, updated, deregistered, refused.
    """

    def __init__(
        self,
        account: Account,
        *,
        tree: ObjectTree,
        endpoint: str,
        firmware: Firmware,
        faults: Faults,
        execute: Callable[[Registration, Path, bytes], Callable[[], None] | None],
        switch_off: Callable[[], None],
        report: Callable[[Registration, str, str], None],
        asked: Callable[[Request, Answer], None],
        gateway: Gateway | None = None,
        modem: Modem | None = None,
    ) -> None:
        self.account = account
        self.location: tuple[str, ...] = ()
        self.state = State.IDLE
        self._tree = tree
        self._endpoint = endpoint
        self._firmware = firmware
        self._faults = faults
        self._report = report
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._news: set[str] = set()
        self._disabled_seconds: float | None = None
        self._must_register = False
        self._has_left = False
        self._update_at: float | None = None
        self._asking = asyncio.Lock()
        self._service = Service(
            account,
            tree=tree,
            firmware=firmware,
            faults=faults,
            execute=lambda path, arguments: execute(self, path, arguments),
            switch_off=switch_off,
            asked=asked,
            gateway=gateway,
            modem=modem,
        )
        self._sms_number = (
            None if modem is None or not account.sms_number else modem.sim.number.removeprefix("+")
        )

    @property
    def connection(self) -> Way:
        """The way to the server; another one after each reconnection."""
        return self._service.connection

    @property
    def observations(self) -> Observations:
        """What the server observes."""
        return self._service.observations

    @property
    def behind(self) -> GatewayService | None:
        """What the server does to the end devices, at a gateway."""
        return self._service.behind

    # -- the life of a registration ------------------------------------------------------------------------

    async def run(self) -> None:
        """Register and stay registered until cancelled. Raises `RegistrationFailed`."""
        self._tree.listeners.append(self._changed)
        try:
            if self._sms_number is not None and self._firmware.version != "1.0":
                self._tree.set(f"/1/{self._server}/21", True)  # Trigger: this device can be woken by SMS
            await self._service.open_beside()
            while True:
                await self._register()
                await self._stay()
                await self._pause()
        finally:
            self._tree.listeners.remove(self._changed)
            self.state = State.IDLE

    async def _register(self) -> None:
        """Register, again and again as the account says (`/1/x/17` to `/1/x/20`)."""
        self.state = State.REGISTERING
        self._service.forget()
        retries = Retries.of(self._tree, self._server, self._firmware)
        for pause in retries.pauses():
            problem = await self._try_to_register()
            if problem is None:
                return
            self._report(self, "refused", problem)
            if pause is None:
                break
            await asyncio.sleep(pause)
        raise RegistrationFailed(problem)

    async def _try_to_register(self) -> str | None:
        """None when it worked, else what went wrong."""
        firmware = self._firmware
        links = object_links(self._tree, firmware.version, firmware.root_path)
        payload = self._faults.register_payload
        request = register_request(
            endpoint=self._endpoint,
            object_links=links if payload is None else payload,
            lifetime_seconds=self.lifetime_seconds,
            version=firmware.version,
            binding=self._binding,
            queue_mode=firmware.queue_mode,
            sms_number=self._sms_number,
            attributes=self._faults.extra_query,
        )
        self._news.clear()
        self._must_register = False
        try:
            async with self._asking:
                response = await self.connection.request(request)
        except (NoAnswer, LinkFailed) as error:
            self._service.reconnect()
            return str(error)
        if response.code != Code.CREATED or not response.location:
            return f"Register was answered {response.code.dotted}"
        self.location = response.location
        self._has_left = False
        self.state = State.REGISTERED
        self._refreshed()
        self._report(self, "registered", "/" + "/".join(response.location))
        return None

    async def _stay(self) -> None:
        """Update whenever it is time or something changed; ends when a new Register is needed."""
        while True:
            left = None if self._update_at is None else max(0.0, self._update_at - self._loop.time())
            try:
                async with asyncio.timeout(left):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            if self._disabled_seconds is not None or self._must_register:
                return
            if not await self.update():
                return

    async def update(self) -> bool:
        """Send one Update with what changed since the last; False when the device must register anew."""
        if not self.connection.is_usable:
            return False  # a new security context means a new registration
        news, self._news = self._news, set()
        binding_changed = "binding" in news
        request = update_request(
            self.location,
            lifetime_seconds=self.lifetime_seconds if "lifetime" in news else None,
            binding=self._binding if binding_changed else None,
            queue_mode=binding_changed and self._firmware.queue_mode,
            object_links=object_links(self._tree, self._firmware.version, self._firmware.root_path)
            if "objects" in news
            else b"",
            version=self._firmware.version,
        )
        try:
            async with self._asking:
                response = await self.connection.request(request)
        except (NoAnswer, LinkFailed) as error:
            self._report(self, "refused", str(error))
            self._service.reconnect()
            return False
        if response.code != Code.CHANGED:
            self._report(self, "refused", f"Update was answered {response.code.dotted}")
            return False
        self._refreshed()
        self._report(self, "updated", "")
        return True

    async def _pause(self) -> None:
        """After Execute ``/1/x/4``: de-register and keep away for ``/1/x/5`` seconds (R-11)."""
        seconds, self._disabled_seconds = self._disabled_seconds, None
        if seconds is None:
            return
        await self.deregister()
        self.state = State.DISABLED
        self._report(self, "disabled", f"{seconds:g} s")
        await asyncio.sleep(seconds)

    async def deregister(self) -> None:
        """Say good-bye; a server that does not answer is left anyway."""
        location, self.location = self.location, ()
        self._service.forget()
        self._has_left = True
        if not location:
            return
        try:
            async with self._asking:
                response = await self.connection.request(deregister_request(location))
            self._report(self, "deregistered", response.code.dotted)
        except (NoAnswer, LinkFailed) as error:
            self._report(self, "refused", str(error))

    async def send(self, content_format: int, payload: bytes) -> Response:
        """``POST /dp``: report values unasked. Raises `NoAnswer` or `LinkFailed`."""
        return await self.connection.request(send_request(content_format, payload))

    # -- what happens meanwhile ----------------------------------------------------------------------------

    def wish_update(self, *news: str) -> None:
        """Have an Update sent now; ``news`` of lifetime, binding, objects go with it."""
        self._news.update(news)
        self._wake.set()

    def register_anew(self) -> None:
        """Give the registration up and register again at once."""
        self._must_register = True
        self._wake.set()

    def disable(self, seconds: float) -> None:
        """De-register now and stay away."""
        self._disabled_seconds = seconds
        self._wake.set()

    def leave(self) -> None:
        """Drop the connection and all that hangs on it; a word of good-bye only after De-register."""
        self._service.leave(goodbye=self._has_left)

    def _changed(self, path: Path) -> None:
        server = Path(1, self._server)
        if self.state is not State.REGISTERED:
            return
        if path == server.child(1):
            self.wish_update("lifetime")
        elif path == server.child(7):
            self.wish_update("binding")
        elif path.depth in (1, 2) and path.object_id not in (0, 21):
            self.wish_update("objects")

    def _refreshed(self) -> None:
        lifetime = self.lifetime_seconds
        after = self._firmware.update_seconds
        if after is None and lifetime:
            margin = (
                self._firmware.sms.margin_seconds if self.account.address.number else LONGEST_MARGIN_SECONDS
            )
            after = lifetime - min(margin, lifetime / 2)
        self._update_at = None if after is None else self._loop.time() + after

    @property
    def _server(self) -> int:
        return self.account.server_instance or 0

    @property
    def lifetime_seconds(self) -> int:
        value = self._tree.value(1, self._server, 1)
        return value if isinstance(value, int) else self._firmware.lifetime_seconds

    @property
    def _binding(self) -> str:
        """Without the letter Q, which `register_request` adds where the version wants it."""
        value = self._tree.value(1, self._server, 7)
        return value.replace("Q", "") if isinstance(value, str) and value else self._firmware.binding
