"""How fictional books go: the demonstration that starts anew, and tests that empty every table behind them.

A book that is in use cannot be emptied, and there is no way but this one: the owner of the tables lets the guard sleep.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

_TABLES = ("ledger_posting", "ledger_entry")
#: Before and after the statement that empties the tables.
LET_EMPTY = tuple(f"ALTER TABLE {table} DISABLE TRIGGER ledger_is_not_emptied" for table in _TABLES)
GUARD_AGAIN = tuple(f"ALTER TABLE {table} ENABLE TRIGGER ledger_is_not_emptied" for table in _TABLES)


@contextmanager
def guard_asleep() -> Iterator[None]:
    """Inside, TRUNCATE takes the books with it. One transaction: if it fails, the guard is awake again."""
    with transaction.atomic(), connection.cursor() as cursor:
        for each in LET_EMPTY:
            cursor.execute(each)
        yield
        for each in GUARD_AGAIN:
            cursor.execute(each)
