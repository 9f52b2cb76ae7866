"""What southbound counts: a gauge in memory, and refusals on their way to the waiting room, both bounded.

Refusals are gathered for a second and written as one upsert by `devices.registry.services.knocks`, so a flood costs a
dictionary entry and never a query per datagram.
"""

from __future__ import annotations

from dataclasses import dataclass, field

GATHERED_LIMIT = 500
_NAME_LIMIT = 255


@dataclass(slots=True)
class _Gathered:
    detail: str
    device_id: int | None
    operator_id: int | None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Refusals:
    """Refusals of one kind that came together, see `refused`."""

    plane: str
    cause: str
    claimed_name: str
    host: str
    detail: str
    device_id: int | None
    count: int
    operator_id: int | None


@dataclass(slots=True)
class Counters:
    """Totals since the start of the process, and the refusals not yet written."""

    datagrams: int = 0
    answers: int = 0
    malformed: int = 0
    throttled: int = 0
    duplicates: int = 0
    unsent: int = 0
    unreceived: int = 0
    passed_on: int = 0
    broken: int = 0
    committed: int = 0
    batches: int = 0
    failed_batches: int = 0
    deadlocks: int = 0
    overloaded: int = 0
    refusals: int = 0
    uncounted: int = 0
    untraced: int = 0
    late: int = 0
    by_cause: dict[str, int] = field(default_factory=dict)
    _gathered: dict[tuple[str, str, str, str], _Gathered] = field(default_factory=dict)

    def refused(
        self,
        plane: str,
        cause: str,
        name: str,
        host: str,
        detail: str,
        device_id: int | None = None,
        operator_id: int | None = None,
    ) -> None:
        """Count a refusal; `name` is the endpoint or identity as the peer wrote it."""
        self.refusals += 1
        self.by_cause[cause] = self.by_cause.get(cause, 0) + 1
        key = (plane, cause, name[:_NAME_LIMIT], host)
        known = self._gathered.get(key)
        if known is not None:
            known.count += 1
        elif len(self._gathered) < GATHERED_LIMIT:
            self._gathered[key] = _Gathered(detail, device_id, operator_id)
        else:
            self.uncounted += 1

    def take(self) -> list[Refusals]:
        """The refusals gathered since the last call."""
        gathered, self._gathered = self._gathered, {}
        return [
            Refusals(
                plane=plane,
                cause=cause,
                claimed_name=name,
                host=host,
                detail=seen.detail,
                device_id=seen.device_id,
                count=seen.count,
                operator_id=seen.operator_id,
            )
            for (plane, cause, name, host), seen in gathered.items()
        ]

    def gauge(self) -> dict[str, int]:
        """The totals by name, as a log line or a page shows them."""
        names = [
            "datagrams",
            "answers",
            "malformed",
            "throttled",
            "duplicates",
            "unsent",
            "unreceived",
            "committed",
            "batches",
            "failed_batches",
            "deadlocks",
            "broken",
            "overloaded",
            "refusals",
            "uncounted",
            "untraced",
            "late",
        ]
        return {name: getattr(self, name) for name in names}
