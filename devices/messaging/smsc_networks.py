"""Where an SMSC may be: the networks and ports of the settings, so that a link is no way into the house's own network.

Whoever runs an operator types host and port; whoever runs the portal says which of them it may connect to
(`SMSC_NETWORKS`, `SMSC_PORTS`). Names are judged by the addresses that they have when the link connects.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

from django.conf import settings

from accounts.errors import Refused

PUBLIC = "public"
"""In place of a network: every address that the internet routes to."""


def allows(address: str, port: int) -> bool:
    """Whether a link may connect there; `address` is numeric."""
    return _allows_port(port) and _allows_address(_numeric(address))


def check(host: str, port: int) -> None:
    """Raises Refused with the field that has to change, as far as that shows without asking anybody for a name."""
    if not _allows_port(port):
        low, high = settings.SMSC_PORTS
        raise Refused("SMSC_PORT_NOT_ALLOWED", field="port", low=low, high=high)
    try:
        found = _numeric(host)
    except ValueError:
        return
    if not _allows_address(found):
        raise Refused("SMSC_HOST_NOT_ALLOWED", field="host")


def _allows_port(port: int) -> bool:
    low, high = settings.SMSC_PORTS
    return bool(low <= port <= high)


def _allows_address(address: IPv4Address | IPv6Address) -> bool:
    return any(
        address.is_global and not address.is_multicast if network == PUBLIC else address in network
        for network in settings.SMSC_NETWORKS
    )


def _numeric(address: str) -> IPv4Address | IPv6Address:
    """An IPv4 address in the clothes of IPv6 is what it is. Raises ValueError."""
    found = ip_address(address.partition("%")[0].strip("[]"))
    return getattr(found, "ipv4_mapped", None) or found
