"""What one server gets from a gateway: each request goes where its path leads.

The prefix of an end device is an alternate path of its own, below the real one if there is one
(``/lwm2m/dev0/3303/0``). Composite requests go to the root and may mix the gateway and its children.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lwm2m.codes import Code
from lwm2m.messages import Request
from simulator.answers import Answer
from simulator.faults import Faults
from simulator.gateway import Gateway
from simulator.gateway_children import Child
from simulator.gateway_composite import CompositeEnablement
from simulator.nameplate import Firmware
from simulator.observations import Notify, Observations
from simulator.tree_service import Conditioned, TreeService


class GatewayService:
    """Each child gets observations and attributes of its own, made when the server first asks for it."""

    def __init__(
        self,
        gateway: Gateway,
        own: TreeService,
        *,
        firmware: Firmware,
        faults: Faults,
        switch_off: Callable[[], None],
        conditions: Conditioned,
        notify: Notify,
    ) -> None:
        self._gateway = gateway
        self._own = own
        self._root = tuple(filter(None, firmware.root_path.split("/")))
        self._firmware = replace(firmware, root_path="") if firmware.root_path else firmware
        self._faults = faults
        self._switch_off = switch_off
        self._conditions = conditions
        self._notify = notify
        self._children: dict[Child, TreeService] = {}
        self._composites = Observations(
            tree=gateway,
            read=lambda topic: self._composite.read(topic),
            conditions=lambda path: conditions(own.attributes, path),
            notify=notify,
            confirmable=firmware.confirmable_notifications,
        )
        self._composite = CompositeEnablement(
            gateway,
            self._composites,
            root=self._root,
            firmware=self._firmware,
            faults=faults,
            switch_off=switch_off,
        )
        gateway.leaving.append(self._gone)

    def serve(self, request: Request, token: bytes) -> Answer:
        """Answer one request; never raises."""
        if request.path[: len(self._root)] != self._root:
            return self._own.serve(request, token)
        path = request.path[len(self._root) :]
        if request.code in (Code.FETCH, Code.IPATCH) and not path:
            return self._composite.serve(request, token)
        if not path or path[0].isdigit():
            return self._own.serve(request, token)
        child = self._gateway.child(path[0])
        if child is None:
            return Answer(Code.NOT_FOUND, payload=f"No end device has the prefix {path[0][:64]}.".encode())
        return self._of(child).serve(replace(request, path=path[1:]), token)

    def observations_of(self, prefix: str) -> int:
        """How many observations the server has on a child."""
        child = self._gateway.child(prefix)
        known = None if child is None else self._children.get(child)
        return 0 if known is None else len(known.observations)

    def forget(self) -> None:
        """Every observation of a child and every mixed one is over: the gateway left or registers anew."""
        self._composites.clear()
        for service in self._children.values():
            service.observations.clear()

    def close(self) -> None:
        """As `forget`, for good."""
        self.forget()
        if self._gone in self._gateway.leaving:
            self._gateway.leaving.remove(self._gone)

    def _of(self, child: Child) -> TreeService:
        service = self._children.get(child)
        if service is None:
            service = self._children[child] = TreeService(
                child.tree,
                firmware=self._firmware,
                faults=self._faults,
                execute=child.execute,
                switch_off=self._switch_off,
                conditions=self._conditions,
                notify=self._notify,
            )
        return service

    def _gone(self, child: Child) -> None:
        service = self._children.pop(child, None)
        if service is not None:
            service.observations.clear()
