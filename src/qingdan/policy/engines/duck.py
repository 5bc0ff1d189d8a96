"""DuckDB: judges files on a desk, or a folder of parquet that a province hands in."""

from __future__ import annotations

import itertools
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa

from qingdan.policy.compiler import SQL_TYPES, CompiledKind, Compiler
from qingdan.policy.distinctions import quote
from qingdan.policy.law import Limits, Span
from qingdan.policy.pack import Pack
from qingdan.policy.provisions import Rule
from qingdan.policy.vocabulary import PLACE, FactKind

ARROW_TYPES = {
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "DATE": pa.date32(),
    "BOOLEAN": pa.bool_(),
}
#: Row ids of parquet files: the file's number, from one, times this, plus the row's number in the file, from zero.
ROWS_PER_FILE = 1 << 40
Progress = Callable[[str, int, int], None]


@dataclass
class ParquetFacts:
    """Facts in a parquet file; ``columns`` maps our column names to the file's."""

    kind: str
    path: Path
    columns: Mapping[str, str]


@dataclass
class Hits:
    """What one SELECT found: rows that are not compliant throughout, kept in a table of the engine."""

    compiled: CompiledKind
    table: str
    count: int = 0


@dataclass
class _Facts:
    """The sources of one recorded kind."""

    tables: list[str] = field(default_factory=list)
    row_count: int = 0
    sources: set[int] = field(default_factory=set)
    parquet: list[ParquetFacts] = field(default_factory=list)


class DuckEngine:
    """Takes facts, then judges them. One instance judges one batch."""

    def __init__(
        self, pack: Pack, layer: str, *, threads: int | None = None, memory_limit: str | None = None, spill_folder: Path | None = None
    ) -> None:
        self.pack = pack
        self.layer = pack.layer(layer).code
        settings: dict[str, str | bool | int | float | list[str]] = {
            "preserve_insertion_order": "false",
            "autoinstall_known_extensions": "false",
        }
        if threads is not None:
            settings["threads"] = threads
        if memory_limit is not None:
            settings["memory_limit"] = memory_limit
        # DuckDB makes the folder when it has to, and takes it away again; its own choice would be the user's working folder.
        settings["temp_directory"] = str(spill_folder or Path(tempfile.gettempdir()) / f"qingdan-{uuid.uuid4().hex}")
        self.connection = duckdb.connect(":memory:", config=settings)
        self._facts: dict[str, _Facts] = {}
        #: Places that the facts name and the pack does not have, with the number of records; these are not judged.
        self.unknown_places: dict[str, int] = {}

    # ---- taking facts

    def add_rows(self, kind: FactKind, columns: Mapping[str, Sequence[object]], count: int, *, source: int = 0) -> int:
        """Take rows held in memory (column -> values); return the ``row_id`` of the first, the others follow.

        ``source`` numbers the file they come from.
        """
        facts = self._facts.setdefault(kind.name, _Facts())
        first = facts.row_count
        arrays = {
            "row_id": pa.array(range(first, first + count), pa.int64()),
            "source_number": pa.repeat(pa.scalar(source, pa.int64()), count),
        }
        facts.sources.add(source)
        types = {PLACE: "VARCHAR", **{name: SQL_TYPES[column.type] for name, column in kind.columns.items()}}
        for name, sql_type in types.items():
            arrow = ARROW_TYPES[sql_type]
            arrays[name] = pa.array(columns[name], arrow) if name in columns else pa.nulls(count, arrow)
        name = f"rows_{kind.name}_{len(facts.tables)}"
        self.connection.register(name, pa.table(arrays))
        facts.tables.append(name)
        facts.row_count += count
        return first

    def add_parquet(self, source: ParquetFacts) -> int:
        """Take a parquet file; return its number among the kind's files. Raises duckdb.Error when it cannot be read."""
        facts = self._facts.setdefault(source.kind, _Facts())
        facts.parquet.append(source)
        return len(facts.parquet) - 1

    def _parquet_select(self, kind: FactKind, number: int, source: ParquetFacts) -> str:
        # The files of one folder are parts of one whole.
        columns = [f"CAST(file_row_number + {(number + 1) * ROWS_PER_FILE} AS BIGINT) AS row_id", "CAST(-1 AS BIGINT) AS source_number"]
        types = {PLACE: "VARCHAR", **{name: SQL_TYPES[column.type] for name, column in kind.columns.items()}}
        for name, sql_type in types.items():
            theirs = source.columns.get(name)
            columns.append(f'CAST("{theirs}" AS {sql_type}) AS {name}' if theirs else f"CAST(NULL AS {sql_type}) AS {name}")
        return f"SELECT {', '.join(columns)} FROM read_parquet({quote(str(source.path))}, file_row_number=true)"

    def _selects(self, kind: FactKind) -> list[str]:
        facts = self._facts[kind.name]
        selects = [f"SELECT * FROM {table}" for table in facts.tables]
        selects += [self._parquet_select(kind, number, source) for number, source in enumerate(facts.parquet)]
        if not self.unknown_places:
            return selects
        unknown = ", ".join(map(quote, self.unknown_places))
        return [f"SELECT * FROM ({select}) WHERE {PLACE} IS NULL OR {PLACE} NOT IN ({unknown})" for select in selects]

    def _view(self, kind: FactKind, selects: Sequence[str]) -> None:
        self.connection.execute(f"CREATE OR REPLACE VIEW facts_{kind.name} AS {' UNION ALL BY NAME '.join(selects)}")

    # ---- judging

    def prepare(self) -> Compiler:
        """Make the facts, the calendar and the places known to the engine; return the compiler for the places found."""
        kinds = self.pack.vocabulary.kinds
        for name in self._facts:
            self._view(kinds[name], self._selects(kinds[name]))
        places, spans, has_placeless = self._places()
        # Text that need not be looked at for NULL stays coded as the file has it, which makes the join cheaper.
        default_place = self.layer if has_placeless else None
        compiler = Compiler(self.pack, "duckdb", places, default_place=default_place, spans=spans)
        compiler.keeps_sources_apart = any(len(facts.sources) + bool(facts.parquet) > 1 for facts in self._facts.values())
        self._provide(compiler)
        if self.unknown_places:
            for name in self._facts:
                self._view(kinds[name], self._selects(kinds[name]))
        return compiler

    def judge(self, compiler: Compiler, kind: FactKind, rules: Sequence[Rule] | None = None, progress: Progress | None = None) -> Hits:
        """Judge one kind by all its rules or the given ones; the law of each fact's place and day applies."""
        compiled = compiler.compile(kind, rules=rules)
        self._create(f"limits_{kind.name}", compiled.limits)
        hits = Hits(compiled, f"hits_{kind.name}")
        batches = self._batches(compiler, kind)
        root = compiler.root(kind)
        for number, select in enumerate(batches):
            if progress is not None and len(batches) > 1:
                progress(kind.label, number, len(batches))
            if len(batches) > 1:
                self._view(root, [select])
            verb = f"CREATE OR REPLACE TABLE {hits.table} AS" if number == 0 else f"INSERT INTO {hits.table}"
            self.connection.execute(f"{verb} {compiled.sql}")
        if len(batches) > 1:
            self._view(root, self._selects(root))
        hits.count = self._number(f"SELECT COUNT(*) FROM {hits.table}")
        return hits

    def applicable(self, compiler: Compiler, kind: FactKind, rules: Sequence[Rule]) -> list[int]:
        """Per rule, to how many facts of a kind it applies or might apply."""
        compiled = compiler.compile_applicability(kind, rules)
        self._create(f"limits_{kind.name}", compiled.limits)
        row = self.connection.execute(compiled.sql).fetchone()
        assert row is not None
        return [int(count) for count in row]

    def judge_given(
        self, kind: FactKind, columns: Mapping[str, Sequence[object]], compiler: Compiler, rules: Sequence[Rule]
    ) -> Iterator[dict[str, object]]:
        """Judge rows of any kind, derived ones too, just as they are given; every row comes back with its verdicts."""
        self.add_rows(kind, columns, len(columns[PLACE]))
        self._view(kind, self._selects(kind))
        self._provide(compiler)
        compiled = compiler.compile(kind, rules=rules, given=True, every_fact=True)
        self._create(f"limits_{kind.name}", compiled.limits)
        hits = Hits(compiled, "judged_given")
        self.connection.execute(f"CREATE OR REPLACE TABLE {hits.table} AS {compiled.sql}")
        yield from self.rows(hits, order_by="row_id")

    def _batches(self, compiler: Compiler, kind: FactKind) -> list[str]:
        """The parts that can be judged one after the other: each file, unless facts of one group may lie in two."""
        root = compiler.root(kind)
        facts = self._facts[root.name]
        selects = self._selects(root)
        if len(facts.parquet) > 1 and not facts.tables and (kind is root or self._places_are_apart(root.name)):
            return selects
        return [" UNION ALL BY NAME ".join(selects)]

    def _places_are_apart(self, kind: str) -> bool:
        """Whether no place occurs in two of a kind's parquet files, by their statistics alone."""
        spans = []
        for source in self._facts[kind].parquet:
            theirs = source.columns.get(PLACE)
            if theirs is None:
                return False
            low, high = self.connection.execute(
                f"SELECT MIN(stats_min_value), MAX(stats_max_value) FROM parquet_metadata({quote(str(source.path))}) "
                f"WHERE path_in_schema = {quote(theirs)}"
            ).fetchall()[0]
            if low is None or high is None:
                return False
            spans.append((low, high))
        spans.sort()
        return all(first[1] < second[0] for first, second in itertools.pairwise(spans))

    def _places(self) -> tuple[list[str], dict[str, Span], bool]:
        """The layers that the facts name, and the one for those that name none; per kind its first and last day; whether some name none."""
        places, spans, has_placeless = dict[str, None](), dict[str, Span](), not self._facts
        for name, facts in self._facts.items():
            if any(PLACE in source.columns for source in facts.parquet) or facts.tables:
                rows = self.connection.execute(f"SELECT {PLACE}, COUNT(*) FROM facts_{name} GROUP BY {PLACE} ORDER BY {PLACE}").fetchall()
                for place, count in rows:
                    if place in self.pack.layers:
                        places[place] = None
                    elif place is None:
                        has_placeless = True
                    else:
                        self.unknown_places[place] = self.unknown_places.get(place, 0) + count
            else:
                has_placeless = True
            day = self.pack.vocabulary.kinds[name].date
            span = self.connection.execute(f"SELECT MIN({day}), MAX({day}) FROM facts_{name}").fetchone()
            if span is not None and span[0] is not None and not self._is_filled_in(name, day):
                spans[name] = span
        if has_placeless or not places:
            places[self.layer] = None
        return list(places), spans, has_placeless

    def _is_filled_in(self, kind: str, column: str) -> bool:
        """Whether a column has values that the records themselves do not say."""
        return (kind, column) in self.pack.expressions or any(column in layer.attributes for layer in self.pack.layers.values())

    def _provide(self, compiler: Compiler) -> None:
        self._create("policy_calendar", compiler.calendar_table())
        self._create("policy_places", compiler.places_table())

    def _create(self, name: str, limits: Limits) -> None:
        arrays = {
            column: pa.array([row[index] for row in limits.rows], ARROW_TYPES[sql_type])
            for index, (column, sql_type) in enumerate(limits.columns)
        }
        self.connection.register("incoming", pa.table(arrays))
        self.connection.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM incoming")
        self.connection.unregister("incoming")

    # ---- reading what was found

    def _number(self, sql: str) -> int:
        row = self.connection.execute(sql).fetchone()
        assert row is not None
        return int(row[0])

    def excuse(self, hits: Hits, index: int, condition: str) -> int:
        """Count as not judged the undetermined facts of a rule for which a condition holds; return how many there were."""
        where = f"v{index} IS NULL AND {condition}"
        count = self._number(f"SELECT COUNT(*) FROM {hits.table} WHERE {where}")
        if count:
            self.connection.execute(f"UPDATE {hits.table} SET v{index} = TRUE WHERE {where}")
            every = " AND ".join(f"v{number}" for number in range(len(hits.compiled.rules)))
            self.connection.execute(f"DELETE FROM {hits.table} WHERE {every}")
            hits.count = self._number(f"SELECT COUNT(*) FROM {hits.table}")
        return count

    def rows(self, hits: Hits, *, order_by: str = "row_id") -> Iterator[dict[str, object]]:
        """The hits as dictionaries: ``row_id``, ``place``, columns, ``v0 …``."""
        cursor = self.connection.cursor().execute(f"SELECT * FROM {hits.table} ORDER BY {order_by}")
        names = [each[0] for each in cursor.description or ()]
        while batch := cursor.fetchmany(10_000):
            for row in batch:
                yield dict(zip(names, row, strict=True))

    def counts(self, hits: Hits) -> list[tuple[int, int]]:
        """Per rule of the SELECT: how many facts are in breach, and how many undetermined."""
        parts = [
            f"COUNT(*) FILTER (WHERE v{index} IS FALSE), COUNT(*) FILTER (WHERE v{index} IS NULL)"
            for index in range(len(hits.compiled.rules))
        ]
        row = self.connection.execute(f"SELECT {', '.join(parts)} FROM {hits.table}").fetchone()
        assert row is not None
        return [(row[index], row[index + 1]) for index in range(0, len(row), 2)]

    def _member_join(self, compiler: Compiler, hits: Hits) -> tuple[str, str, FactKind]:
        """CTEs, the condition under which a record ``f`` belongs to a derived hit ``h``, and the record's kind."""
        derived = hits.compiled.derived
        assert derived is not None
        below = self.pack.vocabulary.kinds[derived.source]
        ctes = ", ".join(f"{name} AS ({sql})" for name, sql in compiler.ctes(below, needed=derived.group))
        same = " AND ".join([f"h.{PLACE} = f.{PLACE}", *(f"h.{name} IS NOT DISTINCT FROM f.{name}" for name in derived.group)])
        if compiler.keeps_sources_apart:
            same += " AND COALESCE(h.source_number = f.source_number, TRUE)"
        return ctes, same, below

    def members(self, compiler: Compiler, hits: Hits) -> dict[int, list[int]]:
        """First record -> all records that each derived hit sums up, in order."""
        ctes, same, below = self._member_join(compiler, hits)
        sql = (
            f"WITH {ctes} SELECT h.row_id, LIST(f.row_id ORDER BY f.row_id) FROM {hits.table} AS h "
            f"JOIN {below.name} AS f ON {same} GROUP BY h.row_id"
        )
        return dict(self.connection.execute(sql).fetchall())

    def touched(self, compiler: Compiler, kind: FactKind, found: Sequence[Hits]) -> int:
        """How many records of a recorded kind lie under some hit, their own or one of a kind derived from theirs."""
        parts, steps = [], ""
        for hits in found:
            if hits.compiled.kind.name == kind.name:
                parts.append(f"SELECT row_id FROM {hits.table}")
            elif hits.compiled.derived is not None and hits.compiled.derived.source == kind.name:
                ctes, same, below = self._member_join(compiler, hits)
                steps = f"WITH {ctes} "
                parts.append(f"SELECT f.row_id FROM {below.name} AS f SEMI JOIN {hits.table} AS h ON {same}")
        return self._number(f"{steps}SELECT COUNT(DISTINCT row_id) FROM ({' UNION ALL '.join(parts)})") if parts else 0

    def record_count(self, kind: str) -> int:
        """How many facts of a recorded kind were taken."""
        return self._number(f"SELECT COUNT(*) FROM facts_{kind}")
