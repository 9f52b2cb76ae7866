"""aiocoap's messages as tests write them by hand: with the type, id and token that its layers give else."""

from __future__ import annotations

from typing import Any

from aiocoap import Message
from aiocoap.numbers.types import Type


def message(kind: int, mid: int, token: bytes, **what: Any) -> Message:
    """A message that can be encoded as it is; ``what`` is code, payload and options as `aiocoap.Message` takes them."""
    made = Message(**what)
    made.mtype, made.mid, made.token = Type(kind), mid, token
    return made
