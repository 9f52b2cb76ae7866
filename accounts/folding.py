"""Looking for a part of a text in any case, beyond ASCII too, on either database.

PostgreSQL compares upper case, for which the migrations make trigram indexes. SQLite's LIKE folds ASCII alone; a word
that has more is compared by Python's own folding there.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.models import CharField, TextField
from django.db.models.lookups import IContains

FOLD = "portal_fold"


class Folded(IContains):
    """`column__folded="WÄHLER"` finds `Wasserzähler`."""

    lookup_name = "folded"

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> Any:
        return compiler.compile(IContains(self.lhs, self.rhs))

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper) -> Any:
        if str(self.rhs).isascii():
            return self.as_sql(compiler, connection)
        column, parameters = compiler.compile(self.lhs)
        pattern = f"%{connection.ops.prep_for_like_query(str(self.rhs).casefold())}%"
        return f"{FOLD}({column}) LIKE %s ESCAPE '\\'", [*parameters, pattern]


def _fold(text: str | None) -> str | None:
    return None if text is None else text.casefold()


def _teach(connection: BaseDatabaseWrapper, **_: Any) -> None:
    if connection.vendor == "sqlite":
        connection.connection.create_function(FOLD, 1, _fold, deterministic=True)


def connect() -> None:
    """Once, when the models are there."""
    for kind in (CharField, TextField):
        kind.register_lookup(Folded)
    connection_created.connect(_teach, dispatch_uid="accounts.folding")
