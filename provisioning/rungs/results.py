"""How a rung can go; the kinds return these and `services.reachability` writes them down."""

from __future__ import annotations

from dataclasses import dataclass

REASON = "The device missed its contact"
"""Of whatever a rung has done."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Something was done; now it is given its time. `sms` is how many SMS that cost.

    With `ticket_cause` it is now for people to go on, and why.
    """

    detail: str = ""
    sms: int = 0
    ticket_cause: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """This rung is not for this device, or not now: the next one is taken at once."""

    cause: str
    detail: str = ""


RungResult = Taken | Skipped
