"""A bootstrap session as a machine without I/O: the next request out, the client's answer in.

`OMA-TS-LightweightM2M_Core 6.1`, order after L-23: Discover, Read, Delete, then Write of ``/0``, ``/1`` and
``/2``, Finish. One request is in flight at a time; the caller sends what `Session` gives and reports the
answer until it gets `Finished`. A refused deletion or access right is noted and the session goes on, as a
client may well be able to live with it. A server account that is refused in every format ends the session
without Finish: a client that is never told "finished" gives up after 247 s and keeps the accounts that it had
(`OMA-TS-LightweightM2M_Core 6.1.7`), and one that is told so would be without an account. Paths never carry the
alternate path.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from lwm2m import formats, instance_ids
from lwm2m.accounts import (
    AccessRight,
    BootstrapPlan,
    SecurityMode,
    ServerAccount,
    access_nodes,
    security_nodes,
    server_nodes,
)
from lwm2m.codes import Code, ContentFormat, dotted
from lwm2m.errors import Lwm2mError
from lwm2m.links import DiscoveredInstances, parse_bootstrap_discover
from lwm2m.messages import Request
from lwm2m.nodes import Node
from lwm2m.paths import ROOT, Path
from lwm2m.plan_rules import validate

__all__ = [
    "AccessRight",
    "BootstrapPlan",
    "Finished",
    "Operation",
    "SecurityMode",
    "ServerAccount",
    "Session",
    "validate",
]

Kind = Literal["discover", "read", "delete", "write", "finish"]
Result = Literal["done", "finished_with_errors", "write_refused", "finish_failed", "transport_failed"]

_FORMAT_FAULTS: dict[int, tuple[ContentFormat, ...]] = {
    # Decoders of JSON fail on base64url or on the order of keys, those of CBOR on lengths: TLV has neither.
    Code.BAD_REQUEST: (ContentFormat.TLV,),
    Code.NOT_ACCEPTABLE: (ContentFormat.TLV, ContentFormat.SENML_JSON, ContentFormat.SENML_CBOR),
    Code.UNSUPPORTED_CONTENT_FORMAT: (
        ContentFormat.TLV,
        ContentFormat.SENML_JSON,
        ContentFormat.SENML_CBOR,
    ),
}
"""What a refused Write is tried in next. Never as single resources: half an account is worse than none."""
_FORMAT_NAMES = {
    ContentFormat.TLV: "TLV",
    ContentFormat.SENML_JSON: "SenML JSON",
    ContentFormat.SENML_CBOR: "SenML CBOR",
    ContentFormat.LWM2M_CBOR: "LwM2M CBOR",
}

_CAUSE = re.compile(r"[A-Z][A-Z0-9_]{2,63}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Operation:
    """The next request to send. ``secret`` says that its payload holds keys: never log or show it.

    ``note`` is a sentence for the trail where the request is not the usual one.
    """

    kind: Kind
    request: Request
    path: Path
    secret: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of a session; ``cause`` is empty when ``result`` is ``done``, ``detail`` says what was noted.

    ``done`` and ``finished_with_errors`` mean that the client accepted Finish; with ``write_refused`` none was sent.
    """

    result: Result
    cause: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class _Answer:
    code: int
    payload: bytes
    content_format: int | None

    @property
    def is_success(self) -> bool:
        return self.code >> 5 == 2


_Steps = Generator[Operation, _Answer, Finished]


class Session:
    """One session for one client: call `first`, then `answered` or `failed` until `Finished` comes.

    ``content_format`` is what the client asked for with ``pct``, TLV when it did not. ``version`` is the
    LwM2M version it is believed to speak; what Bootstrap-Discover says counts more. After `Finished`, an
    answer gets the same end again. ``discovered`` and ``refusals`` tell what was learned on the way.
    """

    def __init__(
        self, plan: BootstrapPlan, *, content_format: int = ContentFormat.TLV, version: str | None = None
    ) -> None:
        self.discovered: DiscoveredInstances | None = None
        self.refusals: list[str] = []
        self._mended: list[str] = []
        self._cause = ""
        self._plan = plan
        self._format = int(content_format)
        self._version = version or ("1.0" if content_format == ContentFormat.TLV else "1.1")
        self._deleted: set[Path] = set()
        self._steps = self._run()
        self._started = False
        self._end: Finished | None = None

    def first(self) -> Operation:
        """The first request; raises 4.15 or 4.00 when the plan cannot be written in the client's format."""
        # Written once before anything is deleted, so that no plan fails halfway.
        for nodes, path in self._writes():
            formats.encode(self._format, nodes, path)
        self._started = True
        return next(self._steps)

    def answered(
        self, code: int, payload: bytes = b"", content_format: int | None = None
    ) -> Operation | Finished:
        """Take the client's answer to the last operation and give the next one, or the end."""
        if not self._started:
            return self.failed("an answer came before any request")
        if self._end is not None:
            return self._end
        try:
            return self._steps.send(_Answer(code, payload, content_format))
        except StopIteration as stop:
            end: Finished = stop.value
            self._end = end
            return end

    def failed(self, reason: str) -> Finished:
        """End without an answer; ``reason`` is a cause code such as ``BOOTSTRAP_TIMEOUT``, or words."""
        if self._end is None:
            self._steps.close()
            cause = reason if _CAUSE.match(reason) else "BOOTSTRAP_INTERRUPTED"
            self._end = Finished("transport_failed", cause, f"The session broke off: {reason}.")
        return self._end

    def _run(self) -> _Steps:
        if self._plan.discover:
            yield from self._discover()
        for path in self._plan.reads:
            answer = yield Operation("read", Request(Code.GET, path.segments), path)
            if not answer.is_success:
                # LwM2M 1.0 has no Bootstrap-Read: good to know, no failure of the session.
                self.refusals.append(_refusal("read", path, answer))
        for path in self._plan.deletes:
            answer = yield Operation("delete", Request(Code.DELETE, path.segments), path)
            # Some clients answer 4.04 where there is nothing to delete.
            if answer.is_success or answer.code == Code.NOT_FOUND:
                self._deleted.add(path)
            else:
                self.refusals.append(_refusal("delete", path, answer))
                self._cause = "BOOTSTRAP_DELETE_REFUSED"
        for nodes, path in self._writes():
            is_taken = yield from self._write(nodes, path)
            if not is_taken and path.object_id in (0, 1):
                return Finished("write_refused", self._cause, f"{'; '.join(self.refusals)}. {_NO_FINISH}")
        answer = yield Operation("finish", Request(Code.POST, ("bs",)), ROOT)
        return self._finished(answer)

    def _write(self, nodes: Sequence[Node], path: Path) -> Generator[Operation, _Answer, bool]:
        """In the client's format, and where that fails in others; what it took once is used from then on."""
        to_try, tried, note = [self._format], dict[int, _Answer](), ""
        while to_try:
            form = to_try.pop(0)
            payload = formats.encode(form, nodes, path)
            request = Request(Code.PUT, path.segments, content_format=form, payload=payload)
            answer = yield Operation("write", request, path, secret=path.object_id == 0, note=note)
            if answer.is_success:
                if tried:
                    self._mended.append(
                        f"{_in_formats('Write', path, tried)}; it was taken in {_named(form)}"
                    )
                self._format = form
                return True
            tried[form] = answer
            to_try = [int(one) for one in _FORMAT_FAULTS.get(answer.code, ()) if one not in tried]
            if to_try:
                note = f"Tried in {_named(to_try[0])}, as {_named(form)} was answered {dotted(answer.code)}."
        self.refusals.append(_in_formats("Write", path, tried))
        self._cause = "BOOTSTRAP_WRITE_REFUSED"  # which weighs more than a refused deletion
        return False

    def _discover(self) -> Generator[Operation, _Answer, None]:
        """``/0`` first, ``/`` where that says nothing; a refusal is no error, see `lwm2m.instance_ids`."""
        for path in (Path(0), ROOT):
            request = Request(Code.GET, path.segments, accept=int(ContentFormat.LINK))
            answer = yield Operation("discover", request, path)
            if answer.code != Code.CONTENT:
                continue
            try:
                found = parse_bootstrap_discover(answer.payload)
            except Lwm2mError:
                continue
            if found.version in ("1.1", "1.2"):
                self._version = found.version
            if found.security:
                self.discovered = found
                break
        if self.discovered is not None and path != ROOT:
            yield from self._discover_survivors(self.discovered)

    def _discover_survivors(self, found: DiscoveredInstances) -> Generator[Operation, _Answer, None]:
        """What the plan does not delete must be known, or a write would land on it."""
        for kept in (Path(1), Path(2)):
            written = kept.object_id == 1 or self._plan.access_rights
            if not written or kept in self._plan.deletes or ROOT in self._plan.deletes:
                continue
            request = Request(Code.GET, kept.segments, accept=int(ContentFormat.LINK))
            answer = yield Operation("discover", request, kept)
            try:
                more = parse_bootstrap_discover(answer.payload if answer.code == Code.CONTENT else b"")
            except Lwm2mError:
                continue
            found = replace(found, servers=found.servers + more.servers, others=found.others + more.others)
        self.discovered = found

    def _writes(self) -> list[tuple[Sequence[Node], Path]]:
        accounts = self._plan.accounts
        security = instance_ids.security(accounts, self.discovered, self._is_deleted(0))
        server = instance_ids.server(accounts, self.discovered, self._is_deleted(1))
        writes: list[tuple[Sequence[Node], Path]] = [
            (security_nodes(account, number), Path(0, number))
            for account, number in zip(accounts, security, strict=True)
        ]
        writes += [
            (server_nodes(account, number, self._version), Path(1, number))
            for account, number in zip(accounts, server, strict=True)
        ]
        writes += [
            (access_nodes(right, number), Path(2, number))
            for right, number in zip(self._plan.access_rights, self._access_ids(), strict=True)
        ]
        return writes

    def _access_ids(self) -> list[int]:
        known = self.discovered.others if self.discovered is not None else ()
        kept = () if self._is_deleted(2) else (path.instance_id for path in known if path.object_id == 2)
        return instance_ids.free(set(kept), len(self._plan.access_rights))

    def _is_deleted(self, object_id: int) -> bool:
        return ROOT in self._deleted or Path(object_id) in self._deleted

    def _finished(self, answer: _Answer) -> Finished:
        noted = "; ".join(self.refusals + self._mended)
        if answer.code == Code.NOT_ACCEPTABLE:
            detail = (
                "The client finds its accounts inconsistent (4.06); mend the profile and bootstrap again."
            )
            return Finished("finish_failed", "BOOTSTRAP_INCONSISTENT", f"{detail} {noted}".strip())
        if not answer.is_success:
            detail = f"The client answered Finish with {dotted(answer.code)}; see its log."
            return Finished("finish_failed", "BOOTSTRAP_FINISH_REFUSED", f"{detail} {noted}".strip())
        if self._cause:
            return Finished("finished_with_errors", self._cause, f"{noted}.")
        return Finished("done", detail=f"{'; '.join(self._mended)}." if self._mended else "")


_NO_FINISH = "Finish was not sent, so the device keeps the accounts that it had."


def _named(content_format: int) -> str:
    known = {int(one): name for one, name in _FORMAT_NAMES.items()}
    return known.get(content_format, f"format {content_format}")


def _in_formats(what: str, path: Path, tried: dict[int, _Answer]) -> str:
    answers = ", ".join(f"{dotted(answer.code)} in {_named(form)}" for form, answer in tried.items())
    return f"{what} {path} was answered {answers}"


def _refusal(kind: Kind, path: Path, answer: _Answer) -> str:
    return f"{kind.capitalize()} {path} was answered {dotted(answer.code)}"
