"""PostgreSQL: judges a form while it is saved, and a district's database at night.

Facts are tables or views named ``facts_<kind>`` with ``row_id``, ``place`` and the kind's columns. The law is put into
tables beside them by :meth:`PostgresEngine.install`; it has to be installed again when the pack changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from qingdan.policy.compiler import SQL_TYPES, CompiledKind, Compiler
from qingdan.policy.law import Limits
from qingdan.policy.pack import Pack
from qingdan.policy.provisions import Rule
from qingdan.policy.vocabulary import PLACE, FactKind

Connection = psycopg.Connection[Any]
#: Compiled SELECTs by kind, touched columns, whether every fact is wanted, and the calendar that all places share, if they do.
Compiled = dict[tuple[str, tuple[str, ...], bool, str | None], CompiledKind]


class PostgresEngine:
    """Judges the facts of one database by the law of the given layers."""

    def __init__(
        self,
        connection: Connection,
        pack: Pack,
        layers: Iterable[str],
        *,
        default_place: str | None = None,
        compiled: Compiled | None = None,
    ) -> None:
        """``compiled`` is what engines of the same pack and layers share, whatever the days of their calendars."""
        self.connection = connection
        self.pack = pack
        self.compiler = Compiler(pack, "postgres", layers, default_place=default_place)
        self._compiled: Compiled = {} if compiled is None else compiled

    def install(self, kinds: Iterable[FactKind]) -> None:
        """Put calendar, places and the wide rows of the kinds into tables, in one transaction."""
        with self.connection.transaction():
            self.install_places()
            self.install_limits(kinds)

    def install_places(self) -> None:
        """Put calendar and places into tables: what changes with a calendar."""
        with self.connection.transaction():
            self._put("policy_calendar", self.compiler.calendar_table(), key=("calendar", "day"))
            self._put("policy_places", self.compiler.places_table(), key=(PLACE,))

    def install_limits(self, kinds: Iterable[FactKind]) -> None:
        """Put the wide rows of the kinds into tables: what changes with the pack alone."""
        with self.connection.transaction():
            for kind in kinds:
                limits = self.compiler.limits(kind, self.compiler.rules(kind.name))
                self._put(f"limits_{kind.name}", limits, key=(PLACE, "since"))

    def create_facts(self, kind: FactKind) -> None:
        """Create a plain table for the facts of a kind (tests, benchmarks; a domain app brings a view instead)."""
        columns = [sql.SQL("row_id bigint PRIMARY KEY"), sql.SQL("{} text").format(sql.Identifier(PLACE))]
        columns += [sql.SQL("{} {}").format(sql.Identifier(name), _type(SQL_TYPES[column.type])) for name, column in kind.columns.items()]
        table = sql.Identifier(f"facts_{kind.name}")
        self.connection.execute(sql.SQL("CREATE TABLE {} ({})").format(table, sql.SQL(", ").join(columns)))

    def _put(self, name: str, limits: Limits, *, key: Sequence[str]) -> None:
        table = sql.Identifier(name)
        columns = [sql.SQL("{} {}").format(sql.Identifier(column), _type(sql_type)) for column, sql_type in limits.columns]
        columns.append(sql.SQL("PRIMARY KEY ({})").format(sql.SQL(", ").join(map(sql.Identifier, key))))
        self.connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(table))
        self.connection.execute(sql.SQL("CREATE TABLE {} ({})").format(table, sql.SQL(", ").join(columns)))
        with self.connection.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(table)) as copy:
            for row in limits.rows:
                copy.write_row(row)
        self.connection.execute(sql.SQL("ANALYZE {}").format(table))

    def compiled(self, kind: FactKind, restrict_by: Sequence[str] = (), *, every_fact: bool = False) -> CompiledKind:
        """The SELECT of a kind, compiled once."""
        key = (kind.name, tuple(restrict_by), every_fact, self.compiler.calendar)
        if key not in self._compiled:
            self._compiled[key] = self.compiler.compile(kind, restrict_by=restrict_by, every_fact=every_fact)
        return self._compiled[key]

    def judge(self, kind: FactKind) -> Iterator[dict[str, object]]:
        """Judge every fact of a kind: rows that are not compliant throughout, as the compiler describes them."""
        with psycopg.RawCursor(self.connection, row_factory=dict_row) as cursor:
            yield from cursor.stream(self.compiled(kind).sql)

    def judge_touched(
        self, kind: FactKind, restrict_by: Sequence[str], values: Sequence[object], *, every_fact: bool = False
    ) -> list[dict[str, object]]:
        """Judge only the facts whose recorded columns have the given values (the keys that a form has touched).

        A name that is no column of the kind is a whole-number column that the view has besides. ``every_fact`` gives the
        compliant ones too. The statement is prepared on the connection at its first use.
        """
        with psycopg.RawCursor(self.connection, row_factory=dict_row) as cursor:
            return cursor.execute(self.compiled(kind, restrict_by, every_fact=every_fact).sql, values, prepare=True).fetchall()

    def rules(self, kind: FactKind) -> Sequence[Rule]:
        """The rules behind ``v0 …`` of a kind's rows."""
        return self.compiled(kind).rules


def _type(name: str) -> sql.SQL:
    return sql.SQL({"VARCHAR": "text", "BIGINT": "bigint", "DATE": "date", "BOOLEAN": "boolean"}[name])
