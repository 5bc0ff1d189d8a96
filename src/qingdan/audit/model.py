"""What an audit says: counts, findings, and everything it could not read or judge."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from qingdan.policy.compiler import Compiler
from qingdan.policy.engines.duck import ROWS_PER_FILE, DuckEngine, Hits
from qingdan.policy.findings import Explainer, Finding, SourcePlace
from qingdan.policy.pack import Pack
from qingdan.policy.provisions import Rule
from qingdan.workbooks import Skipped, Table, Unreadable

#: Above this many derived findings only the first record of each is named.
MANY = 50_000


@dataclass(frozen=True)
class Summary:
    """Counts of an audit.

    ``records``: rows read. ``compliant``: those of them under no finding. ``breach``, ``undetermined``: findings (one record
    can have several; a finding on a class's day rests on several records). ``unreadable``: cells, rows or files not read.
    """

    records: int
    compliant: int
    breach: int
    undetermined: int
    unreadable: int


@dataclass(frozen=True)
class NotJudged:
    """A rule that a table cannot answer because whole columns are not there; ``missing`` are their Chinese labels."""

    rule: Rule
    file: str
    sheet: str | None
    missing: tuple[str, ...]
    #: Facts that it applies to or might apply to.
    count: int

    @property
    def reason(self) -> str:
        """Why, and what to do, in one sentence."""
        return f"表中没有“{'”“'.join(self.missing)}”列，{self.count} 条无法判定；补上该列即可"


@dataclass(frozen=True)
class Part:
    """A run of records whose tables have the same columns: one sheet's table, or neighbouring parquet files."""

    file: str
    sheet: str | None
    present: frozenset[str]
    #: Row ids: the first, and the first that is no longer of this part.
    first: int
    after: int
    #: 1-based rows in the sheet; None for parquet, where a row's number follows from its id.
    rows: Sequence[int] | None


@dataclass
class Sources:
    """Finds the file, sheet and row of a record by its number."""

    #: Per kind: its parts, by row id.
    parts: dict[str, list[Part]] = field(default_factory=dict)
    #: Per kind: parquet files in the order in which the engine took them.
    parquet: dict[str, list[str]] = field(default_factory=dict)

    def add(self, table: Table, first: int) -> None:
        """Remember a table whose first record got a number."""
        part = Part(table.file, table.sheet, table.present, first, first + len(table.rows), table.rows)
        self.parts.setdefault(table.kind, []).append(part)

    def add_parquet(self, kind: str, file: str, present: frozenset[str]) -> None:
        """Remember a parquet file, after all tables held in memory."""
        files, parts = self.parquet.setdefault(kind, []), self.parts.setdefault(kind, [])
        files.append(file)
        first = len(files) * ROWS_PER_FILE
        if parts and parts[-1].rows is None and parts[-1].present == present:
            parts[-1] = replace(parts[-1], after=first + ROWS_PER_FILE)
        else:
            parts.append(Part(file, None, present, first, first + ROWS_PER_FILE, None))

    def of(self, kind: str, row_ids: list[int]) -> tuple[SourcePlace, ...]:
        """The places of records, one per table, rows in order."""
        rows: dict[tuple[str, str | None], list[int]] = {}
        parts = self.parts[kind]
        for row_id in row_ids:
            part = parts[bisect_right(parts, row_id, key=lambda each: each.first) - 1]
            if part.rows is None:
                file = self.parquet[kind][row_id // ROWS_PER_FILE - 1]
                rows.setdefault((file, None), []).append(row_id % ROWS_PER_FILE + 1)
            else:
                rows.setdefault((part.file, part.sheet), []).append(part.rows[row_id - part.first])
        return tuple(SourcePlace(file, sheet, tuple(found)) for (file, sheet), found in rows.items())


@dataclass
class Audit:
    """A finished audit. Findings are read from the engine as they are asked for."""

    pack: Pack
    layer: str
    engine: DuckEngine
    compiler: Compiler
    sources: Sources
    hits: list[Hits]
    unreadable: list[Unreadable]
    skipped: list[Skipped]
    not_judged: list[NotJudged]
    #: Kind -> records.
    records: dict[str, int]

    @cached_property
    def counts(self) -> dict[str, tuple[int, int]]:
        """Rule id -> breaches and undetermined."""
        return {rule.id: count for hits in self.hits for rule, count in zip(hits.compiled.rules, self.engine.counts(hits), strict=True)}

    @cached_property
    def summary(self) -> Summary:
        """The counts; see :class:`Summary`."""
        kinds = self.pack.vocabulary.kinds
        touched = sum(self.engine.touched(self.compiler, kinds[name], self.hits) for name in self.records)
        records = sum(self.records.values())
        breach = sum(count[0] for count in self.counts.values())
        undetermined = sum(count[1] for count in self.counts.values())
        return Summary(records, records - touched, breach, undetermined, len(self.unreadable))

    @property
    def is_clean(self) -> bool:
        """Whether there is nothing to act on: no finding, nothing unread."""
        return not any(hits.count for hits in self.hits) and not self.unreadable

    def findings(self) -> Iterator[Finding]:
        """Every finding: by kind of fact, in the order of the records."""
        explainer = Explainer(self.pack)
        for hits in self.hits:
            yield from self._of(hits, explainer)

    def _of(self, hits: Hits, explainer: Explainer) -> Iterator[Finding]:
        derived = hits.compiled.derived
        recorded = hits.compiled.kind.name if derived is None else derived.source
        members: dict[int, list[int]] = {}
        if derived is not None and hits.count <= MANY and self.pack.vocabulary.kinds[recorded].derived is None:
            members = self.engine.members(self.compiler, hits)
        while self.pack.vocabulary.kinds[recorded].derived is not None:
            recorded = self.compiler.derived(self.pack.vocabulary.kinds[recorded]).source
        for row in self.engine.rows(hits):
            row_id, place = row["row_id"], row["place"]
            assert isinstance(row_id, int)
            assert isinstance(place, str)
            sources = self.sources.of(recorded, members.get(row_id, [row_id]))
            for index, rule in enumerate(hits.compiled.rules):
                verdict = row[f"v{index}"]
                if verdict is not True:
                    yield explainer.finding(rule, is_breach=verdict is False, place=place, row=row, sources=sources)
