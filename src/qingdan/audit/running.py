"""Runs an audit: read the files, judge every kind of fact, set aside what the tables cannot say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from qingdan.audit.model import Audit, NotJudged, Sources
from qingdan.policy.absence import absent_columns, cannot_be_judged, columns_above, tainted_columns
from qingdan.policy.compiler import Compiler
from qingdan.policy.engines.duck import DuckEngine, Hits, ParquetFacts
from qingdan.policy.pack import Pack
from qingdan.policy.provisions import Rule
from qingdan.policy.vocabulary import PLACE, FactKind
from qingdan.workbooks import InputError, ParquetTable, Reading, Table, Unreadable, read

Progress = Callable[[str, int, int], None]
_IN_TABLE = "row_id >= {first} AND row_id < {after}"


def run_audit(
    paths: Sequence[Path],
    *,
    pack: Pack,
    layer: str,
    kinds: Mapping[Path, str] | None = None,
    progress: Progress | None = None,
    threads: int | None = None,
    memory_limit: str | None = None,
) -> Audit:
    """Judge files and folders by the law of a layer (and of the places that the records themselves name).

    ``kinds`` forces the fact kind of a path. ``progress`` is told what is being done, how much is done, and of how much.
    Raises InputError when no table at all can be used, UnknownLayer for an unknown layer.
    """
    grade_names = pack.layer(layer).grade_names
    reading = read(paths, pack.vocabulary, kinds=dict(kinds or {}), grade_names=grade_names, progress=progress)
    return judge_reading(reading, pack=pack, layer=layer, progress=progress, threads=threads, memory_limit=memory_limit)


def judge_reading(
    reading: Reading,
    *,
    pack: Pack,
    layer: str,
    progress: Progress | None = None,
    threads: int | None = None,
    memory_limit: str | None = None,
) -> Audit:
    """Judge what was read; the second half of :func:`run_audit`, for callers who judge the same facts under several laws."""
    tell = progress or (lambda what, done, whole: None)
    engine = DuckEngine(pack, layer, threads=threads, memory_limit=memory_limit)
    sources, present = _take(engine, pack, reading)
    compiler = engine.prepare()
    audit = Audit(pack, layer, engine, compiler, sources, [], list(reading.unreadable), list(reading.skipped), [], {})
    audit.unreadable.extend(_unknown_places(engine))
    audit.records = {name: engine.record_count(name) for name in present}
    to_judge = compiler.kinds_to_judge(present)
    for number, kind in enumerate(to_judge):
        tell(f"判定{kind.label}", number, len(to_judge))
        _judge_kind(audit, kind, present)
    tell("判定完成", len(to_judge), len(to_judge))
    return audit


def _take(engine: DuckEngine, pack: Pack, reading: Reading) -> tuple[Sources, dict[str, list[frozenset[str]]]]:
    """Hand the tables to the engine; return where records lie, and per kind the columns of each table."""
    sources, present = Sources(), dict[str, list[frozenset[str]]]()
    numbers: dict[str, int] = {}
    for table in reading.tables:
        if isinstance(table, Table):
            first = engine.add_rows(
                pack.vocabulary.kinds[table.kind],
                _with_codes(table, pack),
                len(table.rows),
                source=numbers.setdefault(table.file, len(numbers)),
            )
            sources.add(table, first)
            present.setdefault(table.kind, []).append(table.present)
    for table in reading.tables:
        if isinstance(table, ParquetTable):
            for file in table.files:
                engine.add_parquet(ParquetFacts(table.kind, Path(file), table.columns))
                sources.parquet.setdefault(table.kind, []).append(file)
                present.setdefault(table.kind, []).append(table.present)
    return sources, present


def _with_codes(table: Table, pack: Pack) -> dict[str, list[object]]:
    """The table's columns, places by code where they were written by name."""
    if PLACE not in table.columns:
        return table.columns
    codes = {layer.name: code for code, layer in pack.layers.items()}
    return {**table.columns, PLACE: [codes.get(str(place), place) for place in table.columns[PLACE]]}


def _unknown_places(engine: DuckEngine) -> list[Unreadable]:
    return [
        Unreadable("", None, None, "地区代码", place, f"政策包里没有名为“{place}”的层，{count} 条记录没有判定；请改正代码，或补上这一层")
        for place, count in engine.unknown_places.items()
    ]


def _judge_kind(audit: Audit, kind: FactKind, present: Mapping[str, Sequence[frozenset[str]]]) -> None:
    compiler, engine, pack = audit.compiler, audit.engine, audit.pack
    root = compiler.root(kind)
    everywhere = _up(kind, compiler, absent_columns(root, frozenset[str]().union(*present[root.name]), compiler))
    rules = compiler.rules(kind.name)
    unanswerable = [rule for rule in rules if cannot_be_judged(pack, rule, everywhere)]
    answerable = [rule for rule in rules if rule not in unanswerable]
    if unanswerable:
        for rule, count in zip(unanswerable, engine.applicable(compiler, kind, unanswerable), strict=True):
            if count:
                _set_aside(audit, kind, rule, everywhere, count, None)
    if not answerable:
        return
    hits = engine.judge(compiler, kind, answerable)
    _excuse(audit, hits, kind, root, present[root.name])
    audit.hits.append(hits)


def _up(kind: FactKind, compiler: Compiler, columns: frozenset[str]) -> frozenset[str]:
    """Columns of the recorded kind at the root, carried up to the columns of a kind derived from it."""
    if kind.derived is None:
        return columns
    below = compiler.pack.vocabulary.kinds[kind.derived.source]
    return columns_above(kind, _up(below, compiler, columns), compiler)


def _excuse(audit: Audit, hits: Hits, kind: FactKind, root: FactKind, present: Sequence[frozenset[str]]) -> None:
    """Undetermined only because the record's own table lacks a column: told once for the table, not once a record."""
    starts = audit.sources.starts.get(root.name, [])
    for number, columns in enumerate(present):
        absent = absent_columns(root, columns, audit.compiler)
        tainted = _up(kind, audit.compiler, tainted_columns(root, absent, audit.compiler))
        if not tainted or number > len(starts):
            continue
        for index, rule in enumerate(hits.compiled.rules):
            looked_at = audit.pack.columns_of(rule)
            lacking = tainted.intersection(looked_at)
            if not lacking:
                continue
            conditions = [f"{name} IS NOT NULL" for name in (kind.date, *looked_at) if name not in tainted]
            conditions.append("(" + " OR ".join(f"{name} IS NULL" for name in sorted(lacking)) + ")")
            if number < len(starts):
                after = starts[number + 1] if number + 1 < len(starts) else 1 << 40
                conditions.append(_IN_TABLE.format(first=starts[number], after=after))
            else:
                conditions.append(f"row_id >= {1 << 40}")
            if count := audit.engine.excuse(hits, index, " AND ".join(conditions)):
                _set_aside(audit, kind, rule, tainted, count, number)


def _set_aside(audit: Audit, kind: FactKind, rule: Rule, lacking: frozenset[str], count: int, number: int | None) -> None:
    root = audit.compiler.root(kind)
    tables = audit.sources.tables.get(root.name, [])
    if number is None and len(tables) == 1:
        number = 0
    file, sheet = ("", None)
    if number is not None:
        known = number < len(tables)
        file = tables[number].file if known else audit.sources.parquet[root.name][0]
        sheet = tables[number].sheet if known else None
    present = [table.present for table in tables] if number is None or number >= len(tables) else [tables[number].present]
    have = frozenset[str]().union(*present)
    labels = missing_labels(audit.pack, kind, rule, lacking, have)
    audit.not_judged.append(NotJudged(rule, file, sheet, labels, count))


def missing_labels(pack: Pack, kind: FactKind, rule: Rule, lacking: frozenset[str], have: frozenset[str]) -> tuple[str, ...]:
    """The labels of the recorded columns whose absence keeps a rule from being judged."""
    names: dict[str, None] = {}

    def descend(kind: FactKind, name: str) -> None:
        if kind.derived is not None and (kind.name, name) not in pack.expressions:
            below = pack.vocabulary.kinds[kind.derived.source]
            for each in Compiler(pack, "duckdb", []).derived(kind).needs[name]:
                descend(below, each)
        elif (expression := pack.expressions.get((kind.name, name))) is not None:
            for each in expression.columns:
                descend(kind, each)
        elif name not in have and (kind.columns[name].read_from or "") not in have:
            names[kind.columns[name].label] = None

    for name in pack.columns_of(rule):
        if name in lacking:
            descend(kind, name)
    return tuple(names)


__all__ = ["InputError", "judge_reading", "run_audit"]
