"""From what is known about a device, in a file or on a command line, to the device itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from simulator.device import Device
from simulator.device_file import BadFile, Entry
from simulator.gateway_children import Child, UnknownKind
from simulator.gateway_children import numbered as numbered_children
from simulator.modem import Sim
from simulator.nameplate import AIOCOAP, Firmware, Nameplate
from simulator.sim_cards import NOBODY, BadCard, Provider, with_sms
from simulator.uris import BadUri, ServerAddress


class BadDevice(ValueError):
    """A device that could never call anybody; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Behind:
    """What is behind every device that its entry says nothing of: ``count`` end devices, or 0 for no gateway."""

    count: int = 0
    version: str = "2.0"


NOTHING_BEHIND = Behind()


def device(
    entry: Entry, firmware: Firmware, behind: Behind = NOTHING_BEHIND, provider: Provider = NOBODY
) -> Device:
    """The device of an entry; what the entry leaves open is as in ``firmware``. Raises `BadDevice`."""
    firmware = behaviour(entry, firmware)
    _check_stack(entry, firmware)
    found = children(entry, firmware, behind.count)
    card = sim_card(entry, provider)
    return Device(nameplate(entry), firmware, children=found, gateway_version=behind.version, sim=card)


def sim_card(entry: Entry, provider: Provider) -> Sim | None:
    """The SIM card of a device that has SMS. Raises `BadDevice`."""
    try:
        return None if entry.sms is None else provider.card(entry.sms)
    except BadCard as error:
        raise BadDevice(f"{entry.endpoint}: {error}") from None


def check(entry: Entry, firmware: Firmware, behind: Behind = NOTHING_BEHIND) -> None:
    """Raises `BadDevice` as `device` would, and makes nothing that is large."""
    nameplate(entry)
    sim_card(entry, NOBODY)
    whole = behaviour(entry, firmware)
    _check_stack(entry, whole)
    children(entry, whole, min(behind.count, 1))


def children(entry: Entry, firmware: Firmware, count: int = 0) -> list[Child] | None:
    """The end devices behind it; None for a device that is no gateway. Raises `BadDevice`."""
    if entry.children is None and not count:
        return None
    if firmware.version == "1.0":
        raise BadDevice(f"{entry.endpoint} is a gateway, which takes LwM2M 1.1 or newer.")
    if entry.children is None:
        return list(numbered_children(entry.endpoint, count))
    try:
        return [Child(identifier, kind) for identifier, kind in entry.children.items()]
    except UnknownKind as error:
        raise BadDevice(f"{entry.endpoint}: {error}") from None


def nameplate(entry: Entry) -> Nameplate:
    """What is printed on the device. Raises `BadDevice`."""
    if (entry.bootstrap is None) == (entry.server is None):
        raise BadDevice(f"{entry.endpoint} needs one address: --bootstrap or --server.")
    try:
        address = ServerAddress.parse(entry.bootstrap or entry.server or "")
        key = entry.key
    except (BadUri, BadFile) as error:
        raise BadDevice(str(error)) from None
    if address.number and entry.sms is None:
        raise BadDevice(f"{entry.endpoint} calls {address} and needs a number of its own: --sms.")
    if address.is_secured and not (entry.identity and 16 <= len(key) <= 64):
        raise BadDevice(
            f"{entry.endpoint} calls {address} and needs an identity and a key of 16 to 64 bytes."
        )
    return Nameplate(
        endpoint=entry.endpoint,
        bootstrap_uri=entry.bootstrap,
        server_uri=entry.server,
        identity=(entry.identity or "").encode(),
        key=key,
    )


def _check_stack(entry: Entry, firmware: Firmware) -> None:
    if firmware.stack != AIOCOAP:
        return
    address = ServerAddress.parse(entry.bootstrap or entry.server or "")
    if address.is_secured or address.number or firmware.queue_mode:
        raise BadDevice(
            f"{entry.endpoint} speaks aiocoap, which is for coap:// addresses here, without queue mode."
        )


def behaviour(entry: Entry, firmware: Firmware) -> Firmware:
    """The firmware of one device; equal ones are shared by the caller, so unchanged means the same object."""
    changes: dict[str, object] = {}
    if entry.version is not None and entry.version != firmware.version:
        changes["version"] = entry.version
    if entry.queue_mode is not None and entry.queue_mode != firmware.queue_mode:
        changes["queue_mode"] = entry.queue_mode
    if entry.lifetime is not None and entry.lifetime != firmware.lifetime_seconds:
        changes["lifetime_seconds"] = entry.lifetime
    if entry.stack is not None and entry.stack != firmware.stack:
        changes["stack"] = entry.stack
    if entry.objects is not None and tuple(entry.objects) != firmware.objects:
        changes["objects"] = tuple(entry.objects)
    if entry.sms is not None:
        firmware = with_sms(firmware, by_sms_alone=(entry.bootstrap or entry.server or "").startswith("tel:"))
    return replace(firmware, **changes) if changes else firmware  # type: ignore[arg-type]


def numbered(
    prefix: str,
    count: int,
    *,
    bootstrap: str | None,
    server: str | None,
    identity: str | None,
    key_hex: str | None,
) -> Iterator[Entry]:
    """``count`` devices that differ in their number; ``{endpoint}`` in the identity is filled in."""
    for number in range(1, count + 1):
        endpoint = f"{prefix}{number}"
        own = None if key_hex is None else (identity or "{endpoint}").replace("{endpoint}", endpoint)
        yield Entry(endpoint, bootstrap=bootstrap, server=server, identity=own, key_hex=key_hex)
