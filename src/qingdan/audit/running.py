"""Runs an audit: read the files, judge every kind of fact, set aside what the tables cannot say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from qingdan.audit.model import Audit, NotJudged, Part, Sources
from qingdan.policy.absence import absent_columns, cannot_be_judged, columns_above, tainted_columns
from qingdan.policy.compiler import Compiler
from qingdan.policy.engines.duck import DuckEngine, Hits, ParquetFacts
from qingdan.policy.pack import Pack
from qingdan.policy.provisions import Rule
from qingdan.policy.vocabulary import PLACE, FactKind
from qingdan.workbooks import InputError, ParquetTable, Reading, Table, Unreadable, read

Progress = Callable[[str, int, int], None]


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
    sources = _take(engine, pack, reading)
    compiler = engine.prepare()
    audit = Audit(pack, layer, engine, compiler, sources, [], list(reading.unreadable), list(reading.skipped), [], {})
    audit.unreadable.extend(_unknown_places(engine))
    audit.records = {name: engine.record_count(name) for name in sources.parts}
    to_judge = compiler.kinds_to_judge(sources.parts)
    for number, kind in enumerate(to_judge):
        tell(f"判定{kind.label}", number, len(to_judge))
        _judge_kind(audit, kind, tell)
    tell("判定完成", len(to_judge), len(to_judge))
    return audit


def _take(engine: DuckEngine, pack: Pack, reading: Reading) -> Sources:
    """Hand the tables to the engine; return where their records lie."""
    sources, numbers = Sources(), dict[str, int]()
    for table in reading.tables:
        if isinstance(table, Table):
            number = numbers.setdefault(table.file, len(numbers))
            kind = pack.vocabulary.kinds[table.kind]
            sources.add(table, engine.add_rows(kind, _with_codes(table, pack), len(table.rows), source=number))
    for table in reading.tables:
        if isinstance(table, ParquetTable):
            for file in table.files:
                engine.add_parquet(ParquetFacts(table.kind, Path(file), table.columns))
                sources.add_parquet(table.kind, file, table.present)
    return sources


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


def _judge_kind(audit: Audit, kind: FactKind, tell: Progress) -> None:
    compiler, engine = audit.compiler, audit.engine
    root = compiler.root(kind)
    parts = audit.sources.parts[root.name]
    everywhere = _up(kind, compiler, absent_columns(root, _columns(parts), compiler))
    rules = compiler.rules(kind.name)
    unanswerable = [rule for rule in rules if cannot_be_judged(audit.pack, rule, everywhere)]
    answerable = [rule for rule in rules if rule not in unanswerable]
    if unanswerable:
        for rule, count in zip(unanswerable, engine.applicable(compiler, kind, unanswerable), strict=True):
            if count:
                _set_aside(audit, kind, rule, everywhere, count, parts)
    if answerable:
        hits = engine.judge(compiler, kind, answerable, progress=tell)
        for part in parts:
            _excuse(audit, hits, root, part)
        audit.hits.append(hits)


def _columns(parts: Sequence[Part]) -> frozenset[str]:
    """The columns that at least one of the parts has."""
    return frozenset[str]().union(*(part.present for part in parts))


def _up(kind: FactKind, compiler: Compiler, columns: frozenset[str]) -> frozenset[str]:
    """Columns of the recorded kind at the root, carried up to the columns of a kind derived from it."""
    if kind.derived is None:
        return columns
    below = compiler.pack.vocabulary.kinds[kind.derived.source]
    return columns_above(kind, _up(below, compiler, columns), compiler)


def _excuse(audit: Audit, hits: Hits, root: FactKind, part: Part) -> None:
    """Undetermined only because the record's own table lacks a column: told once for the table, not once a record."""
    kind = hits.compiled.kind
    absent = absent_columns(root, part.present, audit.compiler)
    tainted = _up(kind, audit.compiler, tainted_columns(root, absent, audit.compiler))
    for index, rule in enumerate(hits.compiled.rules):
        looked_at = audit.pack.columns_of(rule)
        lacking = sorted(tainted.intersection(looked_at))
        if not lacking:
            continue
        conditions = [f"{name} IS NOT NULL" for name in (kind.date, *looked_at) if name not in tainted]
        conditions.append("(" + " OR ".join(f"{name} IS NULL" for name in lacking) + ")")
        conditions.append(f"row_id >= {part.first} AND row_id < {part.after}")
        if count := audit.engine.excuse(hits, index, " AND ".join(conditions)):
            _set_aside(audit, kind, rule, tainted, count, [part])


def _set_aside(audit: Audit, kind: FactKind, rule: Rule, lacking: frozenset[str], count: int, parts: Sequence[Part]) -> None:
    file, sheet = (parts[0].file, parts[0].sheet) if len(parts) == 1 else ("", None)
    labels = missing_labels(audit.compiler, kind, rule, lacking, _columns(parts))
    audit.not_judged.append(NotJudged(rule, file, sheet, labels, count))


def missing_labels(compiler: Compiler, kind: FactKind, rule: Rule, lacking: frozenset[str], have: frozenset[str]) -> tuple[str, ...]:
    """The labels of the recorded columns whose absence keeps a rule from being judged."""
    pack, names = compiler.pack, dict[str, None]()

    def descend(kind: FactKind, name: str) -> None:
        if kind.derived is not None and (kind.name, name) not in pack.expressions:
            below = pack.vocabulary.kinds[kind.derived.source]
            for each in compiler.derived(kind).needs[name]:
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
