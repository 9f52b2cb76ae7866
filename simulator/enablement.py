"""What a registered server may ask of a device: Device Management and Service Enablement, and Reporting.

`OMA-TS-LightweightM2M_Core 6.3 and 6.4`. One `Enablement` for each server, because attributes and
observations belong to the server that made them.
"""

from __future__ import annotations

from collections.abc import Callable

from lwm2m.codes import Code, ContentFormat
from lwm2m.errors import Lwm2mError, bad_request
from lwm2m.messages import Request
from lwm2m.nodes import Node
from lwm2m.objects import Catalogue
from lwm2m.paths import ROOT, Path
from simulator import content, reading, writing
from simulator.answers import Answer
from simulator.attributes import AttributeTable, parsed
from simulator.discover import discover
from simulator.faults import Faults, Operation
from simulator.nameplate import Firmware
from simulator.objects import ObjectTree
from simulator.observations import Observations, Topic

Execute = Callable[[Path, bytes], Callable[[], None] | None]
"""Starts an executable resource; returns what is to happen after the answer. Raises 4.05 for any other."""


class Enablement:
    """Turns a server's request into an operation on the tree, and its outcome into an answer."""

    def __init__(
        self,
        *,
        tree: ObjectTree,
        firmware: Firmware,
        faults: Faults,
        observations: Observations,
        attributes: AttributeTable,
        execute: Execute,
        switch_off: Callable[[], None],
    ) -> None:
        self._tree = tree
        self._firmware = firmware
        self._faults = faults
        self._observations = observations
        self._attributes = attributes
        self._execute = execute
        self._switch_off = switch_off

    def serve(self, request: Request, token: bytes) -> Answer:
        """Answer one request; never raises."""
        try:
            path = self._path(request)
            operation, act = self._operation(request, path, token)
        except Lwm2mError as error:
            return Answer(error.code, payload=error.detail.encode())
        return self._faults.answer(operation, act, self._switch_off)

    def _path(self, request: Request) -> Path:
        """The path below the alternate path (`OMA-TS-LightweightM2M_Core 6.2.1`)."""
        root = tuple(filter(None, self._firmware.root_path.split("/")))
        if request.path[: len(root)] != root:
            raise Lwm2mError(Code.NOT_FOUND, "NOT_ON_DEVICE", f"Requests begin with /{'/'.join(root)} here.")
        path = Path.of(request.path[len(root) :])
        if path.object_id in reading.HIDDEN:
            raise Lwm2mError(Code.UNAUTHORIZED, "HIDDEN_OBJECT", "Only a bootstrap server may touch this.")
        return path

    def _operation(
        self, request: Request, path: Path, token: bytes
    ) -> tuple[Operation, Callable[[], Answer]]:
        code = request.code
        if code == Code.GET and request.accept == ContentFormat.LINK:
            return "discover", lambda: self._discover(path, request.query)
        if code == Code.GET:
            return self._read_or_observe(request, self._topic(request, (path,), is_composite=False), token)
        if code == Code.FETCH:
            return self._read_or_observe(request, self._composite_topic(request), token)
        if code == Code.IPATCH:
            return "write", lambda: self._write_composite(request)
        if code == Code.PUT and not request.payload and request.content_format is None and request.query:
            return "write-attributes", lambda: self._write_attributes(path, request)
        if code == Code.PUT:
            return "write", lambda: self._write(path, request, replaces=True)
        if code == Code.DELETE:
            return "delete", lambda: writing.delete(self._tree, path)
        if code == Code.POST:
            return self._post(request, path)
        raise _not_allowed(path)

    def _post(self, request: Request, path: Path) -> tuple[Operation, Callable[[], Answer]]:
        if path.depth == 1:
            return "create", lambda: self._create(path, request)
        if path.depth == 2:
            return "write", lambda: self._write(path, request, replaces=False)
        if path.depth == 3 and request.content_format in (None, ContentFormat.TEXT):
            return "execute", lambda: self._run(path, request.payload)
        if path.depth == 3:
            return "write", lambda: self._write(path, request, replaces=False)
        raise _not_allowed(path)

    # -- reading -------------------------------------------------------------------------------------------

    def _topic(self, request: Request, paths: tuple[Path, ...], *, is_composite: bool) -> Topic:
        """An Observe may bring attributes since 1.2; a device of before refuses what it does not understand."""
        asked: dict[str, float] = {}
        if request.observe == 0 and request.query:
            if self._firmware.version in ("1.0", "1.1"):
                raise bad_request("BAD_ATTRIBUTE", "An Observe has no attributes before LwM2M 1.2.")
            asked = parsed(paths[0], request.query, self._tree.catalogue)
        return Topic(paths, request.accept, is_composite, attributes=tuple(asked.items()))

    def _composite_topic(self, request: Request) -> Topic:
        nodes = composite_nodes(request, self._tree.catalogue, self._firmware.version)
        wished = request.accept if request.accept is not None else request.content_format
        return Topic(tuple(node.path for node in nodes), wished, is_composite=True)

    def _read_or_observe(
        self, request: Request, topic: Topic, token: bytes
    ) -> tuple[Operation, Callable[[], Answer]]:
        return read_or_observe(request, topic, token, self._observations, self.read)

    def read(self, topic: Topic) -> Answer:
        """The values of a Read or of a notification as they are now."""
        number, payload = reading.read(self._tree, topic, self._firmware.version)
        return Answer(Code.CONTENT, payload, number)

    def _discover(self, path: Path, query: tuple[str, ...]) -> Answer:
        """``depth`` came with 1.2; a device of before does not look at it."""
        if not 1 <= path.depth <= 3:
            raise _not_allowed(path)
        said = dict(part.partition("=")[::2] for part in query) if self._firmware.version >= "1.2" else {}
        depth = said.get("depth", "")
        if depth and (len(depth) != 1 or depth not in "0123"):
            raise bad_request("BAD_DEPTH", "depth is 0, 1, 2 or 3.")
        payload = discover(self._tree, path, self._attributes, int(depth) if depth else None)
        return Answer(Code.CONTENT, payload, ContentFormat.LINK)

    # -- writing -------------------------------------------------------------------------------------------

    def _decoded(self, request: Request, path: Path) -> writing.Decoded:
        """Values of the payload, relative to ``path`` or to the instance that a Create is about to make."""
        catalogue, version = self._tree.catalogue, self._firmware.version
        if request.content_format is None and request.payload and path.depth < 3:
            raise bad_request("FORMAT_MISSING", "A write needs a Content-Format.")
        return lambda below: content.decode(
            request.content_format, request.payload, below or path, catalogue, version
        )

    def _write(self, path: Path, request: Request, *, replaces: bool) -> Answer:
        if path.depth < 2:
            raise _not_allowed(path)
        return writing.write(self._tree, path, self._decoded(request, path)(None), replaces=replaces)

    def _create(self, path: Path, request: Request) -> Answer:
        is_named = content.names_instance(request.content_format, request.payload)
        return writing.create(self._tree, path, self._decoded(request, path), is_named=is_named)

    def _write_composite(self, request: Request) -> Answer:
        nodes = composite_nodes(request, self._tree.catalogue, self._firmware.version)
        return writing.write_composite(self._tree, nodes)

    def _write_attributes(self, path: Path, request: Request) -> Answer:
        if path.depth == 0:
            raise _not_allowed(path)
        self._tree.nodes(path)
        self._attributes.write(path, request.query, self._tree.catalogue)
        self._observations.reconsider(path)
        return Answer(Code.CHANGED)

    def _run(self, path: Path, arguments: bytes) -> Answer:
        if not self._tree.exists(Path(*path.ids[:2])):
            raise Lwm2mError(Code.NOT_FOUND, "NOT_ON_DEVICE", f"{path} is not on this device.")
        return Answer(Code.CHANGED, afterwards=self._execute(path, arguments))


def composite_nodes(request: Request, catalogue: Catalogue, version: str) -> list[Node]:
    """What a composite request names; raises 4.05 for a 1.0 device and 4.15 for another format."""
    if version == "1.0":
        raise Lwm2mError(Code.METHOD_NOT_ALLOWED, "NOT_ALLOWED", "LwM2M 1.0 has no composite operations.")
    if request.content_format not in content.COMPOSITE:
        raise Lwm2mError(
            Code.UNSUPPORTED_CONTENT_FORMAT,
            "FORMAT_UNSUPPORTED",
            "A composite operation needs SenML or LwM2M CBOR.",
        )
    return content.decode(request.content_format, request.payload, ROOT, catalogue, version, names=True)


def read_or_observe(
    request: Request,
    topic: Topic,
    token: bytes,
    observations: Observations,
    read: Callable[[Topic], Answer],
) -> tuple[Operation, Callable[[], Answer]]:
    """A GET or FETCH is a read, the beginning of an observation, or its end and a read."""
    if request.observe == 0:
        return "observe", lambda: observations.add(token, topic)
    if request.observe == 1:
        observations.remove(token)
    return "read", lambda: read(topic)


def _not_allowed(path: Path) -> Lwm2mError:
    return Lwm2mError(Code.METHOD_NOT_ALLOWED, "NOT_ALLOWED", f"That cannot be done to {path}.")
