"""Notification attributes: what a server wrote to say when it wants to hear.

`OMA-TS-LightweightM2M_Core 5.1.2`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from lwm2m.errors import bad_request
from lwm2m.objects import Catalogue, ValueType
from lwm2m.paths import Path

PERIODS = ("pmin", "pmax", "epmin", "epmax")
STEPS = ("gt", "lt", "st")
_NUMERIC = (ValueType.INTEGER, ValueType.UNSIGNED, ValueType.FLOAT, ValueType.TIME)


@dataclass(frozen=True, slots=True)
class Conditions:
    """The attributes that hold for one observation, inherited from above where they are not set."""

    pmin: float = 0.0
    pmax: float | None = None
    gt: float | None = None
    lt: float | None = None
    st: float | None = None

    def with_(self, attributes: Mapping[str, float]) -> Conditions:
        """These, and over them what ``attributes`` say."""
        said = {name: value for name, value in attributes.items() if name in ("pmin", "pmax", *STEPS)}
        found = replace(self, **said)  # type: ignore[arg-type]
        if found.pmax is not None and (found.pmax <= 0 or found.pmax < found.pmin):
            return replace(found, pmax=None)  # a pmax below pmin is ignored
        return found

    @property
    def has_steps(self) -> bool:
        return (self.gt, self.lt, self.st) != (None, None, None)


class AttributeTable:
    """The attributes that one server has written, by path."""

    __slots__ = ("_written",)

    def __init__(self) -> None:
        self._written: dict[Path, dict[str, float]] = {}

    def write(self, path: Path, query: Iterable[str], catalogue: Catalogue) -> None:
        """Write-Attributes; a name without value unsets (R-19). Raises 4.00 for what makes no sense."""
        wished = parsed(path, query, catalogue, self._written.get(path, {}))
        if wished:
            self._written[path] = wished
        else:
            self._written.pop(path, None)

    def own(self, path: Path) -> dict[str, float]:
        """What was written at exactly this path, for Discover."""
        return self._written.get(path, {})

    def effective(self, path: Path) -> dict[str, float]:
        """What holds at ``path``: its own attributes over its parents'; gt, lt and st are not inherited."""
        merged: dict[str, float] = {}
        for depth in range(1, path.depth):
            above = self.own(Path(*path.ids[:depth]))
            merged |= {name: value for name, value in above.items() if name not in STEPS}
        return merged | self.own(path)

    def conditions(self, path: Path, default_pmin: float, default_pmax: float | None) -> Conditions:
        """What holds at ``path``: what was written there and above, over ``/1/x/2`` and ``/1/x/3``."""
        return Conditions(default_pmin, default_pmax).with_(self.effective(path))


def parsed(
    path: Path, query: Iterable[str], catalogue: Catalogue, before: Mapping[str, float] | None = None
) -> dict[str, float]:
    """The attributes of a query, those of ``before`` where it is silent. Raises 4.00 for what makes no sense."""
    wished = dict(before or {})
    for parameter in query:
        name, has_value, text = parameter.partition("=")
        if name not in PERIODS + STEPS:
            raise bad_request("BAD_ATTRIBUTE", f"{name!r} is not an attribute of this device.")
        if not has_value:
            wished.pop(name, None)
        else:
            wished[name] = _number(name, text)
    _check(path, wished, catalogue)
    return wished


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise bad_request("BAD_ATTRIBUTE", f"{name} needs a number.") from None
    if value != value or abs(value) == float("inf") or (name in PERIODS and (value < 0 or value % 1)):
        raise bad_request("BAD_ATTRIBUTE", f"{name} cannot be {text[:20]}.")
    return value


def _check(path: Path, wished: dict[str, float], catalogue: Catalogue) -> None:
    if not any(name in wished for name in STEPS):
        return
    model = catalogue.resource(path)
    if path.depth < 3 or (model is not None and model.type not in _NUMERIC):
        raise bad_request("BAD_ATTRIBUTE", "gt, lt and st are for numeric resources.")
    low, high, step = wished.get("lt"), wished.get("gt"), wished.get("st", 0.0)
    if step < 0 or (low is not None and high is not None and low + 2 * step >= high):
        raise bad_request("BAD_ATTRIBUTE", "lt + 2 st must be below gt, and st not negative.")


def as_text(value: float) -> str:
    return str(int(value)) if value % 1 == 0 else str(value)
