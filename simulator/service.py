"""What one server gets from a device: a connection, and on it an answer to whatever the server asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from lwm2m.codes import Code
from lwm2m.messages import Request
from lwm2m.paths import Path
from simulator.accounts import Account
from simulator.answers import Answer
from simulator.attributes import AttributeTable, Conditions
from simulator.enablement import Execute
from simulator.faults import Faults
from simulator.gateway import Gateway
from simulator.gateway_service import GatewayService
from simulator.modem import Modem
from simulator.nameplate import Firmware
from simulator.objects import ObjectTree
from simulator.stacks import Way, connect
from simulator.tree_service import TreeService


class Service:
    """The connection may be replaced by `reconnect`; observations and attributes stay."""

    def __init__(
        self,
        account: Account,
        *,
        tree: ObjectTree,
        firmware: Firmware,
        faults: Faults,
        execute: Execute,
        switch_off: Callable[[], None],
        asked: Callable[[Request, Answer], None],
        gateway: Gateway | None = None,
        modem: Modem | None = None,
    ) -> None:
        self._account = account
        self._asked = asked
        self._tree = tree
        self._firmware = firmware
        self._faults = faults
        self._own = TreeService(
            tree,
            firmware=firmware,
            faults=faults,
            execute=execute,
            switch_off=switch_off,
            conditions=self._conditions,
            notify=self._notify,
        )
        self.observations = self._own.observations
        self.behind: GatewayService | None = None
        if gateway is not None:
            self.behind = GatewayService(
                gateway,
                self._own,
                firmware=firmware,
                faults=faults,
                switch_off=switch_off,
                conditions=self._conditions,
                notify=self._notify,
            )
        self._modem = modem
        self.connection = self._new_connection()
        self._beside = self._sms_beside()

    async def open_beside(self) -> None:
        """Listen to the SMS of a server that is reached over IP: its triggers, and whatever else it sends there."""
        if self._beside is not None:
            await self._beside.open()

    def reconnect(self) -> None:
        """A new socket and a new security context: the old ones may be why nobody answers."""
        self.connection.close()
        self.connection = self._new_connection()

    def leave(self, *, goodbye: bool) -> None:
        """Drop the connection and every observation."""
        self.forget()
        if self.behind is not None:
            self.behind.close()
        self.connection.close(goodbye=goodbye)
        if self._beside is not None:
            self._beside.close()

    def forget(self) -> None:
        """Every observation is over, those of end devices too."""
        self.observations.clear()
        if self.behind is not None:
            self.behind.forget()

    def _new_connection(self) -> Way:
        return connect(
            self._account,
            firmware=self._firmware,
            faults=self._faults,
            serve=self._serve,
            sleeps=self._firmware.queue_mode,
            modem=self._modem,
        )

    def _sms_beside(self) -> Way | None:
        account = self._account
        if self._modem is None or not account.sms_number or account.address.number:
            return None
        return connect(
            account,
            firmware=self._firmware,
            faults=self._faults,
            serve=self._serve_by_sms,
            modem=self._modem,
            by_sms=True,
        )

    def _serve_by_sms(self, request: Request, token: bytes) -> Answer:
        """Answer over SMS what was asked over SMS; but notifications go over IP, so nothing is observed here.

        A trigger that is not confirmable has no answer at all (``/1/x/21``: "no SMS response is expected").
        """
        answer = self._serve(replace(request, observe=None), token)
        if request.confirmable or not is_trigger(request) or not answer.code.is_success:
            return answer
        if answer.afterwards is not None:
            asyncio.get_running_loop().call_soon(answer.afterwards)
        return Answer(Code.EMPTY, silent=True)

    def _serve(self, request: Request, token: bytes) -> Answer:
        answer = (self.behind or self._own).serve(request, token)
        self._asked(request, answer)
        return answer

    def _notify(self, token: bytes, answer: Answer, confirmable: bool, cancelled: Callable[[], None]) -> None:
        self.connection.notify(token, answer, confirmable, cancelled)

    def _conditions(self, attributes: AttributeTable, path: Path) -> Conditions:
        """``/1/x/2`` and ``/1/x/3`` stand in where no attribute was written."""
        server = self._account.server_instance or 0
        pmin, pmax = (self._tree.value(1, server, resource_id) for resource_id in (2, 3))
        return attributes.conditions(
            path, pmin if isinstance(pmin, int) else 0, pmax if isinstance(pmax, int) else None
        )


def is_trigger(request: Request) -> bool:
    """Execute of ``/1/x/8`` (Registration Update Trigger) or ``/1/x/9`` (Bootstrap-Request Trigger)."""
    path = request.path
    return request.code == Code.POST and len(path) == 3 and path[0] == "1" and path[2] in ("8", "9")
