"""What a device does wrong on purpose, so that tests can see how a server bears it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from lwm2m.codes import Code
from lwm2m.errors import Lwm2mError
from simulator.answers import Answer

Operation = Literal[
    "read", "write", "execute", "create", "delete", "discover", "write-attributes", "observe", "finish"
]
"""What a server asks for; the bootstrap operations have the names of the management ones."""


@dataclass(frozen=True, slots=True)
class Faults:
    """Nothing is wrong by default.

    ``drop_in`` and ``drop_out`` are shares of datagrams lost (0 to 1), drawn from ``seed``.
    ``silent_on`` an operation: it is never answered. ``silent_after`` one: it is answered, and then the
    device is switched off, deaf and dumb. ``refuse`` answers an operation with a code.
    ``slow_seconds`` makes every answer a separate response. ``wrong_key`` spoils the key of DTLS.
    ``garbled`` answers reads with bytes that are not of their format. ``register_payload`` replaces the
    object list, ``extra_query`` is added to Register.
    """

    drop_in: float = 0.0
    drop_out: float = 0.0
    seed: int = 1
    silent_on: Operation | None = None
    silent_after: Operation | None = None
    refuse: Mapping[Operation, Code] = field(default_factory=dict)
    slow_seconds: float = 0.0
    wrong_key: bool = False
    garbled: bool = False
    register_payload: bytes | None = None
    extra_query: tuple[tuple[str, str], ...] = ()

    def answer(
        self, operation: Operation, act: Callable[[], Answer], switch_off: Callable[[], None]
    ) -> Answer:
        """Do what was asked, or what is wrong instead; an `Lwm2mError` becomes its code in words."""
        if operation == self.silent_on:
            return Answer(Code.EMPTY, silent=True)
        refused = self.refuse.get(operation)
        try:
            answer = act() if refused is None else Answer(refused, payload=b"refused on purpose")
        except Lwm2mError as error:
            answer = Answer(error.code, payload=error.detail.encode())
        if self.garbled and operation == "read" and answer.code.is_success:
            answer = replace(answer, payload=b"\xff\x00\xff" + answer.payload[:5])
        if self.slow_seconds:
            answer = replace(answer, delay_seconds=self.slow_seconds)
        if operation == self.silent_after:
            answer = replace(answer, afterwards=switch_off)
        return answer


NONE = Faults()
