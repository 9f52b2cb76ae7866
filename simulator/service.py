"""What one server gets from a device: a connection, and on it an answer to whatever the server asks."""

from __future__ import annotations

from collections.abc import Callable

from lwm2m.messages import Request
from lwm2m.paths import Path
from simulator.accounts import Account
from simulator.attributes import AttributeTable, Conditions
from simulator.coap import Answer
from simulator.connection import Connection
from simulator.enablement import Enablement, Execute
from simulator.faults import Faults
from simulator.nameplate import Firmware
from simulator.objects import ObjectTree
from simulator.observations import Observations, Topic


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
    ) -> None:
        self._account = account
        self._tree = tree
        self._firmware = firmware
        self._faults = faults
        self._attributes = AttributeTable()
        self.observations = Observations(
            tree=tree,
            read=self._read,
            conditions=self._conditions,
            notify=self._notify,
            confirmable=firmware.confirmable_notifications,
        )
        self._enablement = Enablement(
            tree=tree,
            firmware=firmware,
            faults=faults,
            observations=self.observations,
            attributes=self._attributes,
            execute=execute,
            switch_off=switch_off,
        )
        self.connection = self._new_connection()

    def reconnect(self) -> None:
        """A new socket and a new security context: the old ones may be why nobody answers."""
        self.connection.close()
        self.connection = self._new_connection()

    def leave(self, *, goodbye: bool) -> None:
        """Drop the connection and every observation."""
        self.observations.clear()
        self.connection.close(goodbye=goodbye)

    def _new_connection(self) -> Connection:
        return Connection(
            self._account,
            firmware=self._firmware,
            faults=self._faults,
            serve=self._serve,
            sleeps=self._firmware.queue_mode,
        )

    def _serve(self, request: Request, token: bytes) -> Answer:
        return self._enablement.serve(request, token)

    def _read(self, topic: Topic) -> Answer:
        return self._enablement.read(topic)

    def _notify(self, token: bytes, answer: Answer, confirmable: bool, cancelled: Callable[[], None]) -> None:
        self.connection.notify(token, answer, confirmable, cancelled)

    def _conditions(self, path: Path) -> Conditions:
        """``/1/x/2`` and ``/1/x/3`` stand in where no attribute was written."""
        server = self._account.server_instance or 0
        pmin, pmax = (self._tree.value(1, server, resource_id) for resource_id in (2, 3))
        return self._attributes.conditions(
            path, pmin if isinstance(pmin, int) else 0, pmax if isinstance(pmax, int) else None
        )
