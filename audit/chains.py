"""Appending to the chains: locks their heads, numbers and hashes the entries, writes events and heads.

Only the ledger calls this, as the last thing before a unit of work commits.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from django.db.backends.base.base import BaseDatabaseWrapper

from audit import canonical
from audit.entries import Datum, Entry
from audit.models import FIRST_HASH, LedgerEvent, LedgerHead, PersonalDatum

_EVENT_TABLE = LedgerEvent._meta.db_table
_HEAD_TABLE = LedgerHead._meta.db_table
_COLUMNS = (*canonical.COLUMNS, "hash")
_COLUMN_LIST = ", ".join(f'"{column}"' for column in _COLUMNS)

Head: TypeAlias = tuple[int, str]  # sequence, hash


def append(
    entries: Sequence[Entry], *, connection: BaseDatabaseWrapper, is_erased: Callable[[int, Datum], bool]
) -> None:
    """Append to each chain in the order given. Call it in a transaction, which holds the heads' locks.

    Personal strings for which `is_erased(chain, datum)` says yes are covered by the hash but not stored.
    """
    if not entries:
        return
    by_chain: dict[int, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_chain[entry.chain].append(entry)
    heads = _lock_heads(sorted(by_chain), connection)
    for chain, head in heads.items():
        heads[chain] = _seal(by_chain[chain], head)
    _insert_events([entry for chain in heads for entry in by_chain[chain]], connection)
    _move_heads(heads, connection)
    for chain in heads:
        _insert_personal(chain, by_chain[chain], connection, is_erased)


def _lock_heads(chains: Sequence[int], connection: BaseDatabaseWrapper) -> dict[int, Head]:
    """The locked heads in ascending order, made where missing.

    One statement that makes and locks in the order of its values: two writers can never wait for each other,
    not even over the first event of a new operator.
    """
    values = ", ".join(["(%s, 0, %s)"] * len(chains))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {_HEAD_TABLE} (chain, sequence, hash) VALUES {values} "  # noqa: S608 our own names
            f"ON CONFLICT (chain) DO UPDATE SET sequence = {_HEAD_TABLE}.sequence "
            "RETURNING chain, sequence, hash",
            [parameter for chain in chains for parameter in (chain, FIRST_HASH)],
        )
        found = {chain: (sequence, hash_) for chain, sequence, hash_ in cursor.fetchall()}
    return {chain: found[chain] for chain in chains}


def _seal(entries: Iterable[Entry], head: Head) -> Head:
    sequence, previous = head
    for entry in entries:
        sequence += 1
        entry.row["sequence"] = sequence
        entry.row["previous_hash"] = previous
        previous = entry.row["hash"] = canonical.event_hash(entry.row)
    return sequence, previous


def _insert_events(entries: Sequence[Entry], connection: BaseDatabaseWrapper) -> None:
    """Without the ORM, whose price per row is a multiple of everything else that an event costs here."""
    times = {
        at: connection.ops.adapt_datetimefield_value(at) for at in {entry.row["at"] for entry in entries}
    }
    rows = []
    for entry in entries:
        entry.row["at"] = times[entry.row["at"]]
        rows.append([entry.row[column] for column in _COLUMNS])
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            statement = f"COPY {_EVENT_TABLE} ({_COLUMN_LIST}) FROM STDIN"
            with connection.wrap_database_errors, cursor.copy(statement) as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            places = ", ".join(["%s"] * len(_COLUMNS))
            cursor.executemany(f"INSERT INTO {_EVENT_TABLE} ({_COLUMN_LIST}) VALUES ({places})", rows)  # noqa: S608


def _move_heads(heads: dict[int, Head], connection: BaseDatabaseWrapper) -> None:
    LedgerHead.objects.using(connection.alias).bulk_create(
        [
            LedgerHead(chain=chain, sequence=sequence, hash=hash_)
            for chain, (sequence, hash_) in heads.items()
        ],
        update_conflicts=True,
        unique_fields=["chain"],
        update_fields=["sequence", "hash"],
    )


def _insert_personal(
    chain: int,
    entries: Sequence[Entry],
    connection: BaseDatabaseWrapper,
    is_erased: Callable[[int, Datum], bool],
) -> None:
    kept = [
        (entry.row["sequence"], datum)
        for entry in entries
        for datum in entry.personal
        if not is_erased(chain, datum)
    ]
    if not kept:
        return
    sequences = [sequence for sequence, _ in kept]
    ids = dict(
        LedgerEvent.objects.using(connection.alias)
        .filter(chain=chain, sequence__range=(sequences[0], sequences[-1]))
        .order_by()
        .values_list("sequence", "id")
    )
    PersonalDatum.objects.using(connection.alias).bulk_create(
        [
            PersonalDatum(
                event_id=ids[sequence],
                field=datum.field,
                salt=datum.salt,
                value=datum.value,
                subject=datum.subject,
            )
            for sequence, datum in kept
        ]
    )
