"""What a transaction failed of that met another one: such a failure says nothing about the data or the database.

SQLSTATEs of PostgreSQL, Appendix A. SQLite has one writer at a time and neither deadlocks nor waits for rows.
"""

from django.db import Error

_DEADLOCKS = frozenset({"40001", "40P01"})
_LOCK_TIMEOUT = "55P03"


def _sqlstate(error: BaseException) -> str:
    """Of what the driver raised; Django keeps it as the cause of its own error."""
    return getattr(error.__cause__ or error, "sqlstate", None) or ""


def is_deadlock(error: Error) -> bool:
    """It was chosen to give way, or saw a row that changed meanwhile: the same once more will do."""
    return _sqlstate(error) in _DEADLOCKS


def is_lock_timeout(error: BaseException) -> bool:
    """Somebody holds a row for longer than one waits here (`lock_timeout`)."""
    return _sqlstate(error) == _LOCK_TIMEOUT
