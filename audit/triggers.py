"""Database triggers that refuse what must never happen to the ledger, whoever asks and with whatever program.

A later migration that alters a ledger table on SQLite makes the table anew and loses its triggers: let it end
with `install`. `verify_audit` reports triggers that are missing.
"""

from django.db import NotSupportedError
from django.db.backends.base.base import BaseDatabaseWrapper

from audit import canonical, partitions

EVENT = "audit_ledgerevent"
DATUM = "audit_personaldatum"
HEAD = "audit_ledgerhead"

CHECKPOINT = "audit_ledgercheckpoint"

_CONTENT = ("id", *canonical.COLUMNS, "digest")
_SEALING = "OLD.sequence IS NULL AND OLD.hash = '' AND NEW.sequence IS NOT NULL AND NEW.hash <> ''"
_CLAIMS_TO_BE_SEALED = "NEW.sequence IS NOT NULL OR NEW.hash <> ''"


def _same(compared: str) -> str:
    return " AND ".join(f'NEW."{column}" {compared} OLD."{column}"' for column in _CONTENT)


# trigger -> (table, moment, condition, what the refusal says)
_SQLITE = {
    # UPDATE OR REPLACE and INSERT OR REPLACE would delete another row without asking the trigger of deletions.
    "audit_event_no_update": (
        EVENT,
        "BEFORE UPDATE",
        f"WHEN NOT ({_SEALING} AND {_same('IS')} AND NOT EXISTS "  # noqa: S608 our own names
        f"(SELECT 1 FROM {EVENT} WHERE chain = NEW.chain AND sequence = NEW.sequence))",
        "ledger events are never changed",
    ),
    "audit_event_no_delete": (EVENT, "BEFORE DELETE", "", "ledger events are never deleted"),
    "audit_event_no_replace": (
        EVENT,
        "BEFORE INSERT",
        f"WHEN EXISTS (SELECT 1 FROM {EVENT} WHERE id = NEW.id)",  # noqa: S608 our own names
        "ledger events are never replaced",
    ),
    "audit_event_no_place": (
        EVENT,
        "BEFORE INSERT",
        f"WHEN {_CLAIMS_TO_BE_SEALED}",
        "ledger events are inserted unsealed",
    ),
    "audit_datum_no_update": (DATUM, "BEFORE UPDATE", "", "personal data is erased or kept, never changed"),
    "audit_head_no_return": (
        HEAD,
        "BEFORE UPDATE",
        "WHEN NEW.chain <> OLD.chain OR NEW.sequence < OLD.sequence",
        "a ledger head never goes back",
    ),
    "audit_head_no_delete": (HEAD, "BEFORE DELETE", "", "ledger heads are never deleted"),
    "audit_checkpoint_no_update": (CHECKPOINT, "BEFORE UPDATE", "", "checkpoints are never changed"),
    "audit_checkpoint_no_delete": (CHECKPOINT, "BEFORE DELETE", "", "checkpoints are never deleted"),
    "audit_checkpoint_no_replace": (
        CHECKPOINT,
        "BEFORE INSERT",
        f"WHEN EXISTS (SELECT 1 FROM {CHECKPOINT} WHERE id = NEW.id) "  # noqa: S608 our own names
        f"OR EXISTS (SELECT 1 FROM {CHECKPOINT} WHERE chain = NEW.chain AND epoch = NEW.epoch)",
        "checkpoints are never replaced",
    ),
}
_POSTGRESQL = {
    "audit_event_no_update": (
        EVENT,
        "BEFORE UPDATE",
        f"FOR EACH ROW WHEN (NOT ({_SEALING} AND {_same('IS NOT DISTINCT FROM')}))",
        "ledger events are never changed",
    ),
    "audit_event_no_delete": (EVENT, "BEFORE DELETE", "FOR EACH ROW", "ledger events are never deleted"),
    "audit_event_no_truncate": (EVENT, "BEFORE TRUNCATE", "", "ledger events are never deleted"),
    "audit_event_no_place": (
        EVENT,
        "BEFORE INSERT",
        f"FOR EACH ROW WHEN ({_CLAIMS_TO_BE_SEALED})",
        "ledger events are inserted unsealed",
    ),
    "audit_datum_no_update": (
        DATUM,
        "BEFORE UPDATE",
        "FOR EACH ROW",
        "personal data is erased or kept, never changed",
    ),
    "audit_head_no_return": (
        HEAD,
        "BEFORE UPDATE",
        "FOR EACH ROW WHEN (NEW.chain <> OLD.chain OR NEW.sequence < OLD.sequence)",
        "a ledger head never goes back",
    ),
    "audit_head_no_delete": (HEAD, "BEFORE DELETE", "FOR EACH ROW", "ledger heads are never deleted"),
    "audit_head_no_truncate": (HEAD, "BEFORE TRUNCATE", "", "ledger heads are never deleted"),
    "audit_checkpoint_no_update": (
        CHECKPOINT,
        "BEFORE UPDATE",
        "FOR EACH ROW",
        "checkpoints are never changed",
    ),
    "audit_checkpoint_no_delete": (
        CHECKPOINT,
        "BEFORE DELETE",
        "FOR EACH ROW",
        "checkpoints are never deleted",
    ),
    "audit_checkpoint_no_truncate": (CHECKPOINT, "BEFORE TRUNCATE", "", "checkpoints are never deleted"),
}
_OF_EACH_PARTITION = "audit_event_no_truncate"
"""PostgreSQL hands triggers of rows on to partitions by itself, those of statements it does not."""
# Raised in the class of constraint violations, so that Django's error is an IntegrityError as on SQLite.
_FUNCTION = """
CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation';
END $$
"""


def install(connection: BaseDatabaseWrapper) -> None:
    """Create the triggers; those that are there are made anew."""
    remove(connection)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_FUNCTION)
        for name, (table, moment, condition, refusal) in _known(connection).items():
            for statement in _statements(connection.vendor, name, table, moment, condition, refusal):
                cursor.execute(statement)
        for partition in partitions.names(connection, EVENT):
            for statement in of_partition(partition):
                cursor.execute(statement)


def of_partition(name: str) -> list[str]:
    """The statements that give a partition what it does not have from the whole table. For one without it."""
    _, moment, condition, refusal = _POSTGRESQL[_OF_EACH_PARTITION]
    return _statements("postgresql", _OF_EACH_PARTITION, name, moment, condition, refusal)


def remove(connection: BaseDatabaseWrapper) -> None:
    """Drop the triggers: to undo the migration, and for tests that must clean up or tamper. Nothing else."""
    with connection.cursor() as cursor:
        for name, (table, *_) in _known(connection).items():
            place = f" ON {table}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{place}")
        for partition in partitions.names(connection, EVENT):
            cursor.execute(f"DROP TRIGGER IF EXISTS {_OF_EACH_PARTITION} ON {partition}")


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """The triggers that this database should have and has not, or has switched off, be it on one partition."""
    pieces = partitions.names(connection, EVENT)
    tables = [EVENT, DATUM, HEAD, CHECKPOINT, *pieces]
    places = ", ".join(["%s"] * len(tables))
    if connection.vendor == "postgresql":
        query = (
            "SELECT tgname, relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "  # noqa: S608
            f"WHERE tgenabled = 'A' AND relname IN ({places}) AND pg_table_is_visible(tgrelid)"
        )
    else:
        query = f"SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN ({places})"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(query, tables)
        present = set(cursor.fetchall())
    return [
        name
        for name, (table, *_) in _known(connection).items()
        if any((name, one) not in present for one in (table, *(pieces if table == EVENT else ())))
    ]


def _known(connection: BaseDatabaseWrapper) -> dict[str, tuple[str, str, str, str]]:
    if connection.vendor == "postgresql":
        return _POSTGRESQL
    if connection.vendor == "sqlite":
        return _SQLITE
    raise NotSupportedError("the ledger is protected on SQLite and PostgreSQL only")


def _statements(vendor: str, name: str, table: str, moment: str, condition: str, refusal: str) -> list[str]:
    if vendor == "sqlite":
        return [
            f"CREATE TRIGGER {name} {moment} ON {table} {condition} "
            f"BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
        ]
    return [
        f"CREATE TRIGGER {name} {moment} ON {table} {condition} EXECUTE FUNCTION audit_refuse('{refusal}')",
        # ALWAYS: a session that calls itself a replica is not exempt.
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}",
    ]
