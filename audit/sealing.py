"""The sealer: gives the events of a chain their places, in batches, a moment after their deeds committed.

Any number of these may run: the head of a chain is locked, and who finds it locked leaves it to the other.
docs/decisions/ledger.md says why no event is left out or sealed twice.
"""

from __future__ import annotations

import logging
from itertools import takewhile
from random import shuffle
from time import monotonic

from django.db import DEFAULT_DB_ALIAS, IntegrityError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from audit import canonical, isolation, locks, rows
from audit.models import LedgerHead
from audit.rows import Head, Seal

logger = logging.getLogger(__name__)

BATCH = 1_000
"""Events in one transaction."""
SECONDS = 60.0
"""For so long one run goes on; what is left is for the next one."""


def run(*, using: str | None = None, seconds: float = SECONDS) -> int:
    """Seals what has no place yet, of every chain in turn; returns how many events got one."""
    connection = connections[using or DEFAULT_DB_ALIAS]
    until = monotonic() + seconds
    sealed = 0
    # Looked for anew after each round, without a lock: who came while a head was locked and left is found here.
    while waiting := rows.chains_unsealed(connection=connection):
        shuffle(waiting)  # which chains are left when the time is over is no matter of their numbers
        in_time = takewhile(lambda _: monotonic() < until, waiting)
        done = isolation.one_by_one(in_time, lambda chain: seal_batch(chain, using=using), what="sealing")
        sealed += done
        if not done:
            break
    return sealed


def seal_batch(chain: int, *, using: str | None = None) -> int:
    """One batch of one chain, in a transaction of its own; 0 where there is nothing, or somebody else is at it."""
    connection = connections[using or DEFAULT_DB_ALIAS]
    with transaction.atomic(using=connection.alias):
        rows.make_head(chain, connection=connection)
        head = _locked(chain, connection)
        # A statement of its own, after the lock: it sees whatever the sealer before committed.
        waiting = [] if head is None else rows.unsealed(chain, limit=BATCH, connection=connection)
        if head is None or not waiting:
            return 0
        seals = _places(head, waiting)
        if rows.seal(seals, connection=connection) != len(seals):
            raise IntegrityError(f"events of chain {chain} were sealed by somebody who did not lock its head")
        LedgerHead.objects.using(connection.alias).filter(pk=chain).update(
            sequence=seals[-1].sequence, hash=seals[-1].hash
        )
    return len(seals)


def _locked(chain: int, connection: BaseDatabaseWrapper) -> Head | None:
    heads = LedgerHead.objects.using(connection.alias).filter(pk=chain)
    found = locks.rows(heads, skip_locked=True).first()
    return None if found is None else Head(found.sequence, found.hash)


def _places(head: Head, waiting: list[rows.Unsealed]) -> list[Seal]:
    places = []
    sequence, previous = head
    for event in waiting:
        sequence += 1
        previous = canonical.chained(previous, sequence=sequence, event_id=event.id, digest=event.digest)
        places.append(Seal(event, sequence, previous))
    return places
