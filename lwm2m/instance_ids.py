"""Instance ids for the accounts that a bootstrap writes, so that the bootstrap account is never hit.

Overwriting the bootstrap account is the commonest field failure of bootstrap servers: the device then
can never come back. Hence every ``/0`` instance without a Short Server ID is left alone, and so is every
other instance that was not deleted, unless it is the same server's. A wish for such an id gives way.

When the client told us nothing (1.0 clients may refuse Bootstrap-Discover, and ``/0`` cannot be read), ids
start at 2: bootstrap accounts stand at ``/0/0`` (Leshan, Wakaama, Anjay) or ``/0/1`` (OMA configuration
C.13 and many 1.0 clients).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from lwm2m.accounts import ServerAccount
from lwm2m.links import DiscoveredInstances

FIRST_BLIND_SECURITY_INSTANCE = 2


def security(
    accounts: Sequence[ServerAccount], known: DiscoveredInstances | None, deleted: bool
) -> list[int]:
    """Ids of ``/0`` for the accounts in order; ``deleted`` tells whether the client deleted ``/0``."""
    wishes = [account.security_instance for account in accounts]
    if known is None or not known.security:
        return _assign(wishes, set(), [None] * len(accounts), FIRST_BLIND_SECURITY_INSTANCE)
    occupied = {one.instance_id for one in known.security if one.short_server_id is None or not deleted}
    by_server = {one.short_server_id: one.instance_id for one in known.security if not deleted}
    return _assign(wishes, occupied, _own(accounts, by_server))


def server(accounts: Sequence[ServerAccount], known: DiscoveredInstances | None, deleted: bool) -> list[int]:
    """Ids of ``/1`` for the accounts in order; an instance that survives is reused by its own server."""
    wishes = [account.server_instance for account in accounts]
    if known is None or deleted:
        return _assign(wishes, set(), [None] * len(accounts))
    occupied = {one.instance_id for one in known.servers}
    return _assign(
        wishes, occupied, _own(accounts, {one.short_server_id: one.instance_id for one in known.servers})
    )


def free(occupied: set[int | None], count: int) -> list[int]:
    """The ``count`` lowest instance ids that are not occupied."""
    return list(islice((number for number in range(65535) if number not in occupied), count))


def _own(accounts: Iterable[ServerAccount], by_server: Mapping[int | None, int]) -> list[int | None]:
    return [by_server.get(account.short_server_id) for account in accounts]


def _assign(
    wishes: Sequence[int | None], occupied: set[int], own: Sequence[int | None], start: int = 0
) -> list[int]:
    """The same server's instance first, then the wish, then the lowest free id from ``start``."""
    taken = occupied | {number for number in own if number is not None}
    granted: list[int | None] = list(own)
    for index, wish in enumerate(wishes):
        if granted[index] is None and wish is not None and wish not in taken:
            granted[index] = wish
            taken.add(wish)
    rest = iter(free({*range(start), *taken}, len(granted)))
    return [next(rest) if number is None else number for number in granted]
