"""What a device answers and notifies, whoever carries it, and how it gets to ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lwm2m.codes import Code
from lwm2m.messages import Request


@dataclass(frozen=True, slots=True)
class Answer:
    """What the device answers, or notifies when ``observe`` is set.

    ``silent`` answers nothing at all. ``delay_seconds`` makes it a separate response. ``afterwards`` is
    called once the answer has left: a device that reboots says 2.04 first.
    """

    code: Code
    payload: bytes = b""
    content_format: int | None = None
    location: tuple[str, ...] = ()
    observe: int | None = None
    delay_seconds: float = 0.0
    silent: bool = False
    afterwards: Callable[[], None] | None = None


Serve = Callable[[Request, bytes], Answer]
"""Answers a request; it gets the token too, because an observation is known by it."""


class NoAnswer(Exception):
    """A request was given up: repeated in vain, reset by the peer, or the conversation was closed."""


def known_code(code: int) -> Code:
    """A code we have a name for; an unknown one counts as x.00 of its class (`RFC 7252 section 5.9`)."""
    try:
        return Code(code)
    except ValueError:
        return {2: Code.CONTENT, 4: Code.BAD_REQUEST}.get(code >> 5, Code.INTERNAL_SERVER_ERROR)
