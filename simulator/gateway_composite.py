"""Composite operations at a gateway: one request may name its own objects and those of several children.

The names carry the prefix (``/dev0/3303/0/5700``), in answers as in requests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lwm2m.codes import Code
from lwm2m.errors import Lwm2mError
from lwm2m.messages import Request
from lwm2m.nodes import Node
from lwm2m.paths import ROOT
from simulator import content, writing
from simulator.answers import Answer
from simulator.enablement import composite_nodes, read_or_observe
from simulator.faults import Faults, Operation
from simulator.gateway import Gateway
from simulator.nameplate import Firmware
from simulator.observations import Observations, Topic


class CompositeEnablement:
    """Read, Observe and Write over several trees. ``root`` is the gateway's real alternate path."""

    def __init__(
        self,
        gateway: Gateway,
        observations: Observations,
        *,
        root: tuple[str, ...],
        firmware: Firmware,
        faults: Faults,
        switch_off: Callable[[], None],
    ) -> None:
        self._gateway = gateway
        self._observations = observations
        self._root = "/".join(root)
        self._firmware = firmware
        self._faults = faults
        self._switch_off = switch_off

    def serve(self, request: Request, token: bytes) -> Answer:
        """Answer one request; never raises."""
        try:
            operation, act = self._operation(request, token)
        except Lwm2mError as error:
            return Answer(error.code, payload=error.detail.encode())
        return self._faults.answer(operation, act, self._switch_off)

    def read(self, topic: Topic) -> Answer:
        """The values of a Read-Composite or of its notification as they are now."""
        named = zip(topic.prefixes, topic.paths, strict=True)
        nodes = self._gateway.composite((self._bare(prefix), path) for prefix, path in named)
        number, payload = content.encode(nodes, ROOT, topic.accept, self._firmware.version)
        return Answer(Code.CONTENT, payload, number)

    def _operation(self, request: Request, token: bytes) -> tuple[Operation, Callable[[], Answer]]:
        nodes = composite_nodes(request, self._gateway.tree_of("").catalogue, self._firmware.version)
        if request.code == Code.IPATCH:
            return "write", lambda: self._write(nodes)
        wished = request.accept if request.accept is not None else request.content_format
        topic = Topic(
            tuple(node.path for node in nodes),
            wished,
            is_composite=True,
            prefixes=tuple(node.prefix for node in nodes),
        )
        return read_or_observe(request, topic, token, self._observations, self.read)

    def _write(self, nodes: Sequence[Node]) -> Answer:
        """All or nothing, over all the trees (6.3.9)."""
        parts: dict[str, list[Node]] = {}
        for node in nodes:
            parts.setdefault(self._bare(node.prefix), []).append(node)
        trees = {prefix: self._gateway.tree_of(prefix) for prefix in parts}
        for prefix, part in parts.items():
            writing.check_composite(trees[prefix], part)
        for prefix, part in parts.items():
            writing.store_composite(trees[prefix], part)
        return Answer(Code.CHANGED)

    def _bare(self, prefix: str) -> str:
        """A name may or may not begin with the gateway's alternate path; what is left is the child's prefix."""
        if self._root and (prefix == self._root or prefix.startswith(f"{self._root}/")):
            return prefix[len(self._root) :].strip("/")
        return prefix
