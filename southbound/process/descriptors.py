"""How many descriptors this process may have: what its connections may take of them is a part, never all.

The database, logs and the devices' datagrams need some too, and each is held by somebody who may say nothing more.
"""

from __future__ import annotations

import resource

MOST = 65_536
"""More than this is of no use to one process."""
STREAMS, PAGES = 4, 4
"""A quarter of them for each port of CoAP over TCP, and one for HTTP."""


def raise_limit() -> int:
    """Take as many as the system gives without asking anybody (the hard limit); returns how many there are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return limit()


def limit() -> int:
    """How many there may be now."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else soft


def part(of: int) -> int:
    """A share for one kind of connection: the limit divided by `of`."""
    return max(1, limit() // of)
