"""A bootstrap session as a machine without I/O: the next request out, the client's answer in.

`OMA-TS-LightweightM2M_Core 6.1`. One request is in flight at a time; the caller sends what `Session`
returns and reports the answer, until it gets `Finished`. Paths never carry the alternate path.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lwm2m.accounts import BootstrapPlan, ServerAccount, validate
from lwm2m.messages import Request
from lwm2m.paths import Path

__all__ = ["BootstrapPlan", "Finished", "Operation", "ServerAccount", "Session", "validate"]

Kind = Literal["discover", "read", "delete", "write", "finish"]
Result = Literal["done", "finished_with_errors", "finish_failed", "transport_failed"]


@dataclass(frozen=True, slots=True)
class Operation:
    """The next request to send. ``secret`` says that its payload holds keys: never log or show it."""

    kind: Kind
    request: Request
    path: Path
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of a session; ``cause`` and ``detail`` are empty when ``result`` is ``done``."""

    result: Result
    cause: str = ""
    detail: str = ""


class Session:
    """One session; skeleton, see the module docstring."""

    def __init__(self, plan: BootstrapPlan, *, content_format: int, version: str | None = None) -> None:
        self._plan = plan

    def first(self) -> Operation:
        raise NotImplementedError

    def answered(
        self, code: int, payload: bytes = b"", content_format: int | None = None
    ) -> Operation | Finished:
        raise NotImplementedError

    def failed(self, reason: str) -> Finished:
        raise NotImplementedError
