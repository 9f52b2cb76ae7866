"""SIM cards for devices from a command line or a file: which number, and through which SMSC."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache

from simulator.device_file import Entry
from simulator.modem import Sim
from simulator.nameplate import Firmware
from simulator.uris import BadUri, telephone_number

DEFAULT_PORT = 2775


class BadCard(ValueError):
    """A number or an SMSC that cannot be used; the text says how to write one."""


@dataclass(frozen=True, slots=True)
class Provider:
    """The SMSC that lets every SIM card of a fleet in."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    system_id: str = "device"
    password: str = field(default="device", repr=False)

    @classmethod
    def parse(cls, text: str, system_id: str, password: str) -> Provider:
        """Read ``HOST``, ``HOST:PORT`` or ``[IPV6]:PORT``. Raises `BadCard`."""
        host, _, port = text.rpartition(":") if text.rpartition(":")[2].isdigit() else (text, "", "")
        host = host.removeprefix("[").removesuffix("]")
        number = int(port) if port else DEFAULT_PORT
        if not host or not 0 < number <= 65535:
            raise BadCard(f"{text!r} is no SMSC; write HOST:PORT.")
        return cls(host, number, system_id, password)

    def card(self, number: str) -> Sim:
        """Raises `BadCard`."""
        try:
            return Sim(telephone_number(number), self.host, self.port, self.system_id, self.password)
        except BadUri as error:
            raise BadCard(str(error)) from None


NOBODY = Provider()


def numbered(entries: Iterable[Entry], first: str) -> Iterator[Entry]:
    """The entries with numbers that count up from ``first``. Raises `BadCard`."""
    for index, entry in enumerate(entries):
        yield replace(entry, sms=counted(first, index))


def counted(first: str, index: int) -> str:
    """The number so many after the first. Raises `BadCard`."""
    try:
        digits = telephone_number(first).removeprefix("+")
    except BadUri as error:
        raise BadCard(str(error)) from None
    return f"+{int(digits) + index:0{len(digits)}d}"


@lru_cache(maxsize=64)  # thousands of devices share a few firmwares
def with_sms(firmware: Firmware, *, by_sms_alone: bool) -> Firmware:
    """The binding of a device that has SMS, unless its firmware says one of its own."""
    return replace(firmware, binding="S" if by_sms_alone else "US") if firmware.binding == "U" else firmware
