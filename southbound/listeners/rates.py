"""How much one source may say where nobody proves who they are, counted before anything is parsed.

For each address and for each network around it (/24, or /64 of IPv6), since whoever has one address there often has
all. What is over is dropped without a word, as a full network does: devices repeat themselves.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

WINDOW_SECONDS = 2.0
"""Counted over so long: as much may come at once."""
KEPT = 65_536
"""So many addresses and networks are counted in a window; those after them only together with others."""


class SourceRates:
    """`per_host` and `per_network` in messages a second; 0 is no bound."""

    def __init__(self, clock: Callable[[], float], *, per_host: int, per_network: int) -> None:
        self._clock = clock
        self._host_room = int(per_host * WINDOW_SECONDS)
        self._network_room = int(per_network * WINDOW_SECONDS)
        self._hosts: dict[str, int] = {}
        self._networks: dict[str, int] = {}
        self._ends_at = clock() + WINDOW_SECONDS

    def allows(self, host: str) -> bool:
        """Whether a message of this address may be looked at; counts it if so."""
        now = self._clock()
        if now >= self._ends_at:
            self._hosts, self._networks = {}, {}
            self._ends_at = now + WINDOW_SECONDS
        said = self._hosts.get(host, 0)
        if self._host_room and said >= self._host_room:
            return False
        if self._network_room:
            name = host.rpartition(".")[0] or _network(host)
            around = self._networks.get(name, 0)
            if around >= self._network_room:
                return False
            if around or len(self._networks) < KEPT:
                self._networks[name] = around + 1
        if said or len(self._hosts) < KEPT:
            self._hosts[host] = said + 1
        return True


def _network(host: str) -> str:
    return ipaddress.IPv6Address(host.partition("%")[0]).packed[:8].hex()
