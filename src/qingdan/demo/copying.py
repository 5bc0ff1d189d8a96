"""Many rows at once: COPY into a model's table, with keys taken from its sequence beforehand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db import connection, models
from psycopg import sql

_BLOCK = 2_000


class Ids:
    """Fresh primary keys of a model, fetched in blocks."""

    def __init__(self, model: type[models.Model]) -> None:
        self._table, self._column = model._meta.db_table, str(model._meta.pk.column)
        self._left: Iterator[int] = iter(())

    def take(self) -> int:
        """The next key."""
        found = next(self._left, None)
        if found is None:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)", [self._table, self._column, _BLOCK]
                )
                self._left = iter([key for (key,) in cursor.fetchall()])
            found = next(self._left)
        return found


def copy_rows(model: type[models.Model], fields: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Write rows by COPY; ``fields`` are attribute names (``school_class_id``). JSON comes as text. The number of rows is returned."""
    columns = [sql.Identifier(str(next(field.column for field in model._meta.concrete_fields if field.attname == name))) for name in fields]
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(model._meta.db_table), sql.SQL(", ").join(columns))
    count = 0
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


def copy_records(model: type[models.Model], records: Sequence[models.Model]) -> int:
    """Write records as they stand, times that the model would set by itself included; those without a key get one."""
    fields = [field for field in model._meta.concrete_fields if not field.generated]
    ids = Ids(model)
    for record in records:
        if record.pk is None:
            record.pk = ids.take()
    rows = ([_plain(field, getattr(record, field.attname)) for field in fields] for record in records)
    return copy_rows(model, [field.attname for field in fields], rows)


def _plain(field: models.Field[Any, Any], value: object) -> object:
    if isinstance(field, models.JSONField):
        return json.dumps(value, ensure_ascii=False)
    return str(value) if isinstance(value, str) else value
