"""Qingdan's side of the comparison: the engine that ``qingdan audit`` uses, from Parquet files to the same table of findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow.parquet as pq

from bench.law import NATION
from qingdan.policy.compiler import Compiler
from qingdan.policy.engines.duck import DuckEngine, Hits, ParquetFacts
from qingdan.policy.pack import Pack
from qingdan.policy.vocabulary import fields_of

#: One rule's findings from the rows that the engine keeps: column for column what the hand-written statement gives.
_FINDINGS = """
SELECT '{rule}' AS rule, CASE WHEN v{index} IS NULL THEN 'undetermined' ELSE 'breach' END AS verdict, row_id AS record, place,
    {day} AS day, concat_ws(' ', {subject}) AS subject
FROM {table} WHERE v{index} IS NOT TRUE"""


def engine_with(
    pack: Pack, files: Mapping[str, Sequence[Path]], *, memory_limit: str | None = None, spill_folder: Path | None = None
) -> DuckEngine:
    """An engine on two threads that has taken the files."""
    engine = DuckEngine(pack, NATION, threads=2, memory_limit=memory_limit, spill_folder=spill_folder)
    for kind, paths in files.items():
        for path in paths:
            names = set(pq.read_schema(path).names)
            engine.add_parquet(ParquetFacts(kind, path, {name: name for name in names}))
    return engine


def judge(engine: DuckEngine, compiler: Compiler, kinds: Sequence[str]) -> list[Hits]:
    """Judge the kinds and fill the table ``findings``."""
    found = [engine.judge(compiler, kind) for kind in compiler.kinds_to_judge(kinds)]
    gather(engine, found)
    return found


def gather(engine: DuckEngine, found: Sequence[Hits]) -> None:
    """Fill the table ``findings`` from what the engine kept."""
    for number, hits in enumerate(found):
        kind = hits.compiled.kind
        parts = [
            _FINDINGS.format(rule=rule.id, index=index, table=hits.table, day=kind.date, subject=", ".join(fields_of(kind.subject)))
            for index, rule in enumerate(hits.compiled.rules)
        ]
        verb = "INSERT INTO findings" if number else "CREATE OR REPLACE TABLE findings AS"
        engine.connection.execute(f"{verb} {' UNION ALL '.join(parts)}")
