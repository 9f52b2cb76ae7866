"""Who is bound to an SMSC, and whose number is whose."""

from __future__ import annotations

from dataclasses import dataclass, field

from simulator.smpp_wire import SmppWire
from smpp import Address, SmscSession


@dataclass(eq=False)
class Line:
    """One bound ESME. ``numbers`` is an exact number, or with ``is_prefix`` what its numbers begin with."""

    session: SmscSession
    wire: SmppWire = field(init=False)
    system_id: str = ""
    numbers: str = ""
    own: Address | None = None
    is_prefix: bool = False

    def holds(self, number: str) -> bool:
        """Whether messages to and from this number are this ESME's."""
        if not self.numbers:
            return False
        return number.startswith(self.numbers) if self.is_prefix else number == self.numbers

    def learn(self) -> None:
        """Read the address range of the bind: a number, a short code, a name, or ``^`` and leading digits.

        The specification has a regular expression there (5.2.7); a leading ``^`` is as much of one as we read.
        """
        bind = self.session.bind
        if bind is None or not bind.address_range:
            return
        text = bind.address_range
        self.is_prefix = text.startswith("^")
        digits = text.removeprefix("^").removesuffix(".*")
        own = Address(bind.addr_ton, bind.addr_npi, digits)
        self.own = None if self.is_prefix else own
        is_number = self.is_prefix and digits.lstrip("+").isdigit()
        self.numbers = f"+{digits.lstrip('+')}" if is_number else str(own)


class Lines:
    """The bound ESMEs. An exact number beats a prefix, and of equals the one that was bound last."""

    def __init__(self) -> None:
        self._exact: dict[str, list[Line]] = {}
        self._prefixes: list[Line] = []
        self.all: list[Line] = []

    def add(self, line: Line) -> None:
        self.all.append(line)
        if line.is_prefix:
            self._prefixes.append(line)
        elif line.numbers:
            self._exact.setdefault(line.numbers, []).append(line)

    def remove(self, line: Line) -> None:
        """Safe to call twice."""
        if line not in self.all:
            return
        self.all.remove(line)
        if line.is_prefix:
            self._prefixes.remove(line)
        elif line.numbers:
            self._exact[line.numbers].remove(line)
            if not self._exact[line.numbers]:
                del self._exact[line.numbers]

    def to(self, number: str) -> Line | None:
        """Whoever gets what is sent to a number; None while nobody is bound for it."""
        exact = [line for line in self._exact.get(number, ()) if line.session.can_receive]
        if exact:
            return exact[-1]
        covering = [line for line in self._prefixes if line.holds(number) and line.session.can_receive]
        return max(reversed(covering), key=lambda line: len(line.numbers), default=None)
