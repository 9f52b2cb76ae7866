"""The device's side of bootstrap: ask, let the bootstrap server configure `/0` and `/1`, judge the result.

`OMA-TS-LightweightM2M_Core 6.1`. The tree is put back as it was when a bootstrap does not end with a
Finish that the device agrees to, so the account of the bootstrap server can never get lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from lwm2m.codes import Code, ContentFormat
from lwm2m.errors import Lwm2mError
from lwm2m.messages import Request
from lwm2m.paths import ROOT, Path
from lwm2m.requests import bootstrap_pack_request, bootstrap_request
from simulator import accounts, consistency, content
from simulator.answers import Answer, NoAnswer
from simulator.discover import bootstrap_discover
from simulator.faults import Faults, Operation
from simulator.link import LinkFailed
from simulator.modem import Modem
from simulator.nameplate import Firmware
from simulator.objects import ObjectTree
from simulator.stacks import Way, connect

WHAT_A_GATEWAY_SEES = frozenset({25, 26})
"""A bootstrap server does not touch what a gateway tells of its end devices (`OMA-TS-LWM2M_Gateway`)."""

MANDATORY = frozenset({Path(3, 0)})
"""What a bootstrap server cannot delete besides the bootstrap account (6.1.7.5)."""


class BootstrapFailed(Exception):
    """The bootstrap came to nothing; the text says why."""


class Bootstrap:
    """One bootstrap: `run` it once. ``report`` hears the name of each operation and its code."""

    def __init__(
        self,
        *,
        tree: ObjectTree,
        endpoint: str,
        firmware: Firmware,
        faults: Faults,
        switch_off: Callable[[], None],
        report: Callable[[str, str], None],
        modem: Modem | None = None,
    ) -> None:
        self._tree = tree
        self._endpoint = endpoint
        self._firmware = firmware
        self._faults = faults
        self._switch_off = switch_off
        self._report = report
        self._modem = modem
        self._loop = asyncio.get_running_loop()
        self._finish_seconds = firmware.finish_seconds
        self._finished: asyncio.Future[None] = self._loop.create_future()
        self._heard_at = self._loop.time()
        self._lingering: asyncio.TimerHandle | None = None
        self.connection: Way | None = None

    async def run(self) -> None:
        """Raises `BootstrapFailed`. Call `close` later: a Finish whose answer got lost is repeated."""
        account = accounts.bootstrap(self._tree)
        if account is None:
            raise BootstrapFailed("there is no account of a bootstrap server that can be used")
        await asyncio.sleep(account.hold_off_seconds)
        saved = self._tree.snapshot()
        if account.address.number:
            self._finish_seconds = self._firmware.sms.finish_seconds
        self.connection = connect(
            account,
            firmware=self._firmware,
            faults=self._faults,
            serve=self._serve,
            heard=self._heard,
            modem=self._modem,
        )
        try:
            await self.connection.open()
            await self._ask()
            await self._wait()
        except (LinkFailed, NoAnswer) as error:
            self._tree.restore(saved)
            raise BootstrapFailed(str(error)) from None
        except (BootstrapFailed, asyncio.CancelledError):
            self._tree.restore(saved)
            raise
        finally:
            self._linger()

    async def _ask(self) -> None:
        """Bootstrap-Request; a 1.0 device does not say which format it prefers."""
        assert self.connection is not None
        if self._firmware.asks_for_pack and self._firmware.version >= "1.2":
            pack = bootstrap_pack_request(endpoint=self._endpoint, accept=self._firmware.preferred_format)
            refused = await self.connection.request(pack)
            # Whatever comes: this device reads no packs, and goes on as after a refusal (6.1.7.8).
            self._report("bootstrap-pack", refused.code.dotted)
        wished = None if self._firmware.version == "1.0" else self._firmware.preferred_format
        request = bootstrap_request(endpoint=self._endpoint, preferred_format=wished)
        response = await self.connection.request(request)
        self._report("bootstrap-request", response.code.dotted)
        if not response.code.is_success:
            raise BootstrapFailed(f"Bootstrap-Request was answered {response.code.dotted}")

    async def _wait(self) -> None:
        """Until Finish, or until nothing came for EXCHANGE_LIFETIME."""
        self._heard_at = self._loop.time()
        while not self._finished.done():
            left = self._heard_at + self._finish_seconds - self._loop.time()
            if left <= 0:
                raise BootstrapFailed("the bootstrap server went silent before Finish")
            await asyncio.wait({self._finished}, timeout=left)

    def _linger(self) -> None:
        """Stay a while for a repeated Finish, then close."""
        tuning = self._firmware.tuning
        if self._finished.done() and self.connection is not None:
            self._lingering = self._loop.call_later(tuning.ack_timeout * 8, self.close)
        else:
            self.close()

    def close(self) -> None:
        """Leave the bootstrap server; safe to call twice."""
        if self._lingering is not None:
            self._lingering.cancel()
            self._lingering = None
        if self.connection is not None:
            self.connection.close(goodbye=self._finished.done())

    def _heard(self) -> None:
        self._heard_at = self._loop.time()

    # -- what the bootstrap server asks --------------------------------------------------------------------

    def _serve(self, request: Request, token: bytes) -> Answer:
        """Bootstrap paths never have the alternate path in front (6.1.7)."""
        if self._finished.done():
            return Answer(Code.BAD_REQUEST, payload=b"the bootstrap is finished")
        if request.code == Code.POST and request.path == ("bs",):
            answer = self._faults.answer("finish", self._finish, self._switch_off)
            self._report("finish", answer.code.dotted)
            if answer.code.is_success and not answer.silent:
                self._finished.set_result(None)
            return answer
        try:
            path = Path.of(request.path)
            operation, act = self._operation(request, path)
        except Lwm2mError as error:
            return Answer(error.code, payload=error.detail.encode())
        answer = self._faults.answer(operation, act, self._switch_off)
        self._report(f"{operation} {path}", answer.code.dotted)
        return answer

    def _operation(self, request: Request, path: Path) -> tuple[Operation, Callable[[], Answer]]:
        if request.code == Code.GET and request.accept == ContentFormat.LINK and path.depth <= 1:
            return "discover", lambda: self._discover(path)
        if request.code == Code.GET:
            return "read", lambda: self._read(path, request.accept)
        if request.code == Code.PUT and 1 <= path.depth <= 3:
            return "write", lambda: self._write(path, request)
        if request.code == Code.DELETE and path.depth <= 2:
            return "delete", lambda: self._delete(path)
        raise Lwm2mError(
            Code.METHOD_NOT_ALLOWED, "NOT_ALLOWED", f"A bootstrap server cannot do that to {path}."
        )

    def _discover(self, path: Path) -> Answer:
        payload = bootstrap_discover(self._tree, path, self._firmware.version)
        return Answer(Code.CONTENT, payload, ContentFormat.LINK)

    def _read(self, path: Path, accept: int | None) -> Answer:
        """Bootstrap-Read came with 1.1 and shows only servers and access control (6.1.7.3)."""
        if self._firmware.version == "1.0" or path.object_id not in (1, 2) or path.depth > 2:
            raise Lwm2mError(Code.METHOD_NOT_ALLOWED, "NOT_ALLOWED", f"{path} cannot be read here.")
        number, payload = content.encode(self._tree.nodes(path), path, accept, self._firmware.version)
        return Answer(Code.CONTENT, payload, number)

    def _write(self, path: Path, request: Request) -> Answer:
        """Bootstrap-Write stores what it is told, known or not; an instance is replaced whole (6.1.7.6)."""
        if path.depth < 3 and request.content_format is None:
            raise Lwm2mError(Code.BAD_REQUEST, "FORMAT_MISSING", "A write needs a Content-Format.")
        nodes = content.decode(
            request.content_format, request.payload, path, self._tree.catalogue, self._firmware.version
        )
        for instance in {Path(*node.path.ids[:2]) for node in nodes if node.path.depth >= 2}:
            if path.depth <= 2 and self._tree.exists(instance) and instance not in MANDATORY:
                self._tree.remove(instance)
        self._tree.write(nodes)
        for node in nodes:
            if node.path.depth == 2 and not self._tree.exists(node.path):
                self._tree.set_instance(node.path.ids[0], node.path.ids[1], {})
        return Answer(Code.CHANGED)

    def _delete(self, path: Path) -> Answer:
        """Bootstrap-Delete never takes the bootstrap account away (6.1.7.5)."""
        kept = set(MANDATORY)
        kept |= {Path(0, i) for i in self._tree.instance_ids(0) if self._tree.value(0, i, 1) is True}
        if path in kept:
            raise Lwm2mError(Code.BAD_REQUEST, "NOT_ALLOWED", f"{path} cannot be deleted.")
        objects = self._tree.object_ids if path == ROOT else [path.ids[0]]
        for object_id in sorted(set(objects) - WHAT_A_GATEWAY_SEES):
            for instance_id in self._tree.instance_ids(object_id):
                instance = Path(object_id, instance_id)
                if path.contains(instance) and instance not in kept:
                    self._tree.remove(instance)
        return Answer(Code.DELETED)

    def _finish(self) -> Answer:
        problem = consistency.problem(self._tree)
        if problem is not None:
            return Answer(Code.NOT_ACCEPTABLE, payload=problem.encode())
        return Answer(Code.CHANGED)
