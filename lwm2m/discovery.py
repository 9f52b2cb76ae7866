"""What Bootstrap-Discover tells: which instances a client holds and which one is its bootstrap account.

`OMA-TS-LightweightM2M_Core 6.1.7.2`. Also reads the 1.0 form ``lwm2m=1.0,</0/0>;…`` that has no root link.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lwm2m.core_links import Link, parse_links
from lwm2m.errors import bad_request
from lwm2m.paths import MAX_ID, RESERVED_INSTANCE_ID, Path

MAX_INSTANCES = 4_096

_TARGET = re.compile(r"/?(0|[1-9][0-9]{0,4})(?:/(0|[1-9][0-9]{0,4}))?/?\Z", re.ASCII)
_LEGACY_HEAD = re.compile(rb'\s*+lwm2m\s*+=\s*+"?([0-9]{1,3}\.[0-9]{1,3})"?\s*+(?:,|\Z)')
_ENABLER = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class SecurityInstance:
    """One ``/0/x``; without ``short_server_id`` it is the account of the bootstrap server itself."""

    instance_id: int
    short_server_id: int | None = None
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class ServerInstance:
    """One ``/1/x``."""

    instance_id: int
    short_server_id: int | None = None


@dataclass(frozen=True, slots=True)
class DiscoveredInstances:
    """The instances a client reported, by kind; ``version`` is the LwM2M version it named, if any."""

    version: str | None = None
    security: tuple[SecurityInstance, ...] = ()
    servers: tuple[ServerInstance, ...] = ()
    others: tuple[Path, ...] = ()

    @property
    def bootstrap_account_instance(self) -> int | None:
        """The one ``/0`` instance without a Short Server ID; None when there is none or it is not clear."""
        without = [known.instance_id for known in self.security if known.short_server_id is None]
        return without[0] if len(without) == 1 else None

    @property
    def unclear_accounts(self) -> tuple[int, ...]:
        """Every ``/0`` instance that might be the bootstrap account and must not be written."""
        return tuple(known.instance_id for known in self.security if known.short_server_id is None)


def parse_bootstrap_discover(payload: bytes) -> DiscoveredInstances:
    """Read the 2.05 of Bootstrap-Discover; raise 4.00 ``BAD_LINK_FORMAT`` when it cannot be read."""
    version: str | None = None
    legacy = _LEGACY_HEAD.match(payload[:64])
    if legacy is not None:
        version = legacy[1].decode()
        payload = payload[legacy.end() :]
    found: dict[Path, Link] = {}
    for link in parse_links(payload):
        if not link.target.strip("/"):
            named = link.attribute("lwm2m")
            version = named if named is not None and _ENABLER.match(named) else version
            continue
        path = _instance(link.target)
        if path is not None:
            found.setdefault(path, link)
            if len(found) > MAX_INSTANCES:
                raise bad_request("BAD_LINK_FORMAT", f"More than {MAX_INSTANCES} instances were discovered.")
    return _sorted_by_kind(version, found)


def _instance(target: str) -> Path | None:
    match = _TARGET.match(target)
    if match is None or match[2] is None:
        return None
    object_id, instance_id = int(match[1]), int(match[2])
    if object_id > MAX_ID or instance_id >= RESERVED_INSTANCE_ID:
        return None
    return Path(object_id, instance_id)


def _sorted_by_kind(version: str | None, found: dict[Path, Link]) -> DiscoveredInstances:
    security: list[SecurityInstance] = []
    servers: list[ServerInstance] = []
    others: list[Path] = []
    for path in sorted(found):
        link = found[path]
        instance = path.instance_id or 0
        if path.object_id == 0:
            security.append(SecurityInstance(instance, _short_server_id(link), link.attribute("uri")))
        elif path.object_id == 1:
            servers.append(ServerInstance(instance, _short_server_id(link)))
        else:
            others.append(path)
    return DiscoveredInstances(version, tuple(security), tuple(servers), tuple(others))


def _short_server_id(link: Link) -> int | None:
    """``ssid`` as a number; 0 and 65535 mean "no server" (the account of a bootstrap server)."""
    text = link.attribute("ssid")
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 5:
        return None
    number = int(text)
    return number if 0 < number < RESERVED_INSTANCE_ID else None
