"""One tree as one server gets it: its observations, its attributes, and an answer to each request."""

from __future__ import annotations

from collections.abc import Callable

from lwm2m.messages import Request
from lwm2m.paths import Path
from simulator.answers import Answer
from simulator.attributes import AttributeTable, Conditions
from simulator.enablement import Enablement, Execute
from simulator.faults import Faults
from simulator.nameplate import Firmware
from simulator.objects import ObjectTree
from simulator.observations import Notify, Observations, Topic

Conditioned = Callable[[AttributeTable, Path], Conditions]
"""What holds at a path, the server's own defaults included."""


class TreeService:
    """``conditions`` and ``notify`` are the server's; what is observed and written here is this tree's."""

    def __init__(
        self,
        tree: ObjectTree,
        *,
        firmware: Firmware,
        faults: Faults,
        execute: Execute,
        switch_off: Callable[[], None],
        conditions: Conditioned,
        notify: Notify,
    ) -> None:
        self.attributes = AttributeTable()
        self.observations = Observations(
            tree=tree,
            read=self._read,
            conditions=lambda path: conditions(self.attributes, path),
            notify=notify,
            confirmable=firmware.confirmable_notifications,
        )
        self._enablement = Enablement(
            tree=tree,
            firmware=firmware,
            faults=faults,
            observations=self.observations,
            attributes=self.attributes,
            execute=execute,
            switch_off=switch_off,
        )

    def serve(self, request: Request, token: bytes) -> Answer:
        """Answer one request; never raises."""
        return self._enablement.serve(request, token)

    def _read(self, topic: Topic) -> Answer:
        return self._enablement.read(topic)
