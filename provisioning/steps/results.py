"""How a step can end for now; the kinds return these and `services.jobs` writes them down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Done:
    """`cause` and `detail` say what was not perfect but good enough."""

    data: Mapping[str, Any] = field(default_factory=dict)
    cause: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """This device does not need the step."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Not yet. `cause` is empty while nothing is wrong; `again_at` asks for another look without an event."""

    cause: str = ""
    detail: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    again_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The job ends here; a person has to mend the cause and start it again."""

    cause: str
    detail: str = ""


StepResult = Done | Skipped | Waiting | Failed
