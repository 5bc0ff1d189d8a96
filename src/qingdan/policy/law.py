"""The law as wide rows: one row per place and period, with a switch per rule and a figure per parameter and case.

Places that say nothing of their own share their rows' making; columns that say the same are kept once.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, product
from typing import Any

from qingdan.policy.distinctions import distinctions, quote
from qingdan.policy.layers import Layer
from qingdan.policy.pack import Pack, cell_holds
from qingdan.policy.provisions import Cell, Figure, Parameter, Rule, Statement
from qingdan.policy.vocabulary import PLACE, FactKind

FAR_PAST = datetime.date(1900, 1, 1)
FAR_FUTURE = datetime.date(9999, 12, 31)
Case = tuple[str | int | bool | None, ...]
#: The first and the last day of something.
Span = tuple[datetime.date, datetime.date]
#: Since, until, and the switches and figures between them.
Period = tuple[datetime.date, datetime.date, list[object]]


@dataclass(frozen=True)
class LimitColumn:
    """One column of the wide row: a parameter's figure for one case."""

    name: str
    parameter: Parameter
    case: Case


@dataclass(frozen=True)
class Limits:
    """The wide rows of one kind: place, first day, first day no longer included, switches and figures."""

    columns: tuple[tuple[str, str], ...]  # name, SQL type
    rows: tuple[tuple[object, ...], ...]


@dataclass(frozen=True)
class Law:
    """The wide rows of one kind, and which of their columns holds each rule's switch (``r0``) and each figure (``c0``)."""

    limits: Limits
    held_by: Mapping[str, str]

    def column(self, name: str) -> str:
        """How the judgement spells a switch or a figure."""
        return f"f.law_{self.held_by[name]}"

    def least(self, name: str) -> str:
        """The least figure of all places and periods, as SQL; NULL where some have none."""
        return self._edge(name, min)

    def most(self, name: str) -> str:
        """The greatest figure of all places and periods, as SQL; NULL where some have none."""
        return self._edge(name, max)

    def _edge(self, name: str, pick: Callable[[list[Any]], Any]) -> str:
        index = next(number for number, (column, _) in enumerate(self.limits.columns) if column == self.held_by[name])
        figures = [row[index] for row in self.limits.rows]
        if not figures or None in figures:
            return "NULL"
        edge = pick(figures)
        return f"DATE {quote(str(edge))}" if isinstance(edge, datetime.date) else str(edge)

    @property
    def selected(self) -> str:
        """The columns as the kind's relation brings them along."""
        return ", ".join(f"l.{name} AS law_{name}" for name in dict.fromkeys(self.held_by.values()))


class LawMaker:
    """Makes the wide rows of a pack for some layers."""

    def __init__(self, pack: Pack, layers: Sequence[Layer], spans: Mapping[str, Span]) -> None:
        self.pack = pack
        self.layers = layers
        self.spans = spans
        self._columns: dict[tuple[str, tuple[str, ...]], dict[str, list[tuple[LimitColumn, str]]]] = {}
        self._made: dict[tuple[str, tuple[str, ...]], Law] = {}

    def limit_columns(self, kind: FactKind, rules: Sequence[Rule]) -> dict[str, list[tuple[LimitColumn, str]]]:
        """Parameter -> its wide-row columns, each with the SQL condition of its case (over ``f``)."""
        key = (kind.name, tuple(rule.id for rule in rules))
        if key not in self._columns:
            self._columns[key] = self._limit_columns(kind, rules)
        return self._columns[key]

    def _limit_columns(self, kind: FactKind, rules: Sequence[Rule]) -> dict[str, list[tuple[LimitColumn, str]]]:
        found: dict[str, list[tuple[LimitColumn, str]]] = {}
        count = 0
        for rule in rules:
            for name in self.pack.parameters_of(rule):
                if name in found:
                    continue
                found[name] = []
                for condition, case in self.cases(self.pack.parameters[name], kind):
                    found[name].append((LimitColumn(f"c{count}", self.pack.parameters[name], case), condition))
                    count += 1
        return found

    def cases(self, parameter: Parameter, kind: FactKind) -> Iterator[tuple[str, Case]]:
        """Every case that some statement of the layers' chains tells apart: its SQL condition and values that stand for it."""
        cells = {each.cell for each in self.pack.statements.get(parameter.name, ()) if each.layer in self._chains}
        per_dimension = [
            list(distinctions(dimension, kind.columns[dimension], {cell[index] for cell in cells}))
            for index, dimension in enumerate(parameter.by)
        ]
        for atoms in product(*per_dimension):
            condition = " AND ".join(condition for condition, _ in atoms)
            yield condition, tuple(value for _, value in atoms)

    @cached_property
    def _chains(self) -> frozenset[str]:
        return frozenset(code for layer in self.layers for code in layer.chain)

    def law(self, kind: FactKind, rules: Sequence[Rule]) -> Law:
        """The wide rows for some rules of a kind; made once."""
        key = (kind.name, tuple(rule.id for rule in rules))
        if key not in self._made:
            self._made[key] = self._make(kind, rules)
        return self._made[key]

    def _make(self, kind: FactKind, rules: Sequence[Rule]) -> Law:
        cells = [column for columns in self.limit_columns(kind, rules).values() for column, _ in columns]
        names = [(f"r{index}", "BOOLEAN") for index in range(len(rules))]
        names += [(column.name, "DATE" if column.parameter.is_date else "BIGINT") for column in cells]
        periods = _Periods(self.pack, rules, cells, self.spans.get(kind.name, (FAR_PAST, FAR_FUTURE)))
        rows = [(layer.code, since, until, *row) for layer in self.layers for since, until, row in periods.of(layer)]
        # Switches are mostly the same for all rules: what says the same is kept, and joined, once.
        first: dict[object, str] = {}
        held_by: dict[str, str] = {}
        for index, (name, sql_type) in enumerate(names, start=3):
            held_by[name] = first.setdefault((sql_type, tuple(row[index] for row in rows)), name)
        kept = [0, 1, 2, *(index for index, (name, _) in enumerate(names, start=3) if held_by[name] == name)]
        columns = [(PLACE, "VARCHAR"), ("since", "DATE"), ("until", "DATE"), *names]
        limits = Limits(tuple(columns[index] for index in kept), tuple(tuple(row[index] for index in kept) for row in rows))
        return Law(limits, held_by)


class _Periods:
    """The periods of each place for some rules and figures; places with the same speaking layers above them share theirs."""

    def __init__(self, pack: Pack, rules: Sequence[Rule], cells: Sequence[LimitColumn], span: Span) -> None:
        self.pack = pack
        self.rules = rules
        #: Changes of the law before the first fact and after the last are nobody's.
        self.first, self.last = span
        self.cells = cells
        self._switching = {rule.layer for rule in pack.rules.values()} | {off.layer for off in pack.switch_offs}
        names = {column.parameter.name for column in cells}
        self._speaking = self._switching | {layer for name, layer in pack.statements_by_layer if name in names}
        self._known: dict[tuple[str, ...], list[Period]] = {}
        self._switches: dict[tuple[tuple[str, ...], datetime.date], list[bool]] = {}
        self._names = names
        #: Per figure: its parameter, and how loosely each cell of a statement fits the case, if it does.
        self._holding = [(column.parameter.name, self._holds(column)) for column in cells]

    def _holds(self, column: LimitColumn) -> dict[Cell, int | None]:
        cells = {each.cell for each in self.pack.statements.get(column.parameter.name, ())}
        return {cell: cell_holds(cell, column.case) for cell in cells}

    def of(self, layer: Layer) -> list[Period]:
        """The periods of a place, from the far past to the far future."""
        speaking = tuple(code for code in layer.chain if code in self._speaking)
        if speaking not in self._known:
            self._known[speaking] = list(self._make(layer))
        return self._known[speaking]

    def _make(self, layer: Layer) -> Iterator[Period]:
        edges = [FAR_PAST, *sorted(day for day in self._days(layer.chain) if self.first < day <= self.last), FAR_FUTURE]
        start, last = FAR_PAST, list[object]()
        for since, until in pairwise(edges):
            on = max(since, self.first)
            row: list[object] = list(self._switches_at(layer, on))
            row += [self._figure(name, holds, layer.chain, on) for name, holds in self._holding]
            if since != FAR_PAST and row != last:
                yield start, since, last
                start = since
            last = row
            if until == FAR_FUTURE:
                yield start, FAR_FUTURE, row

    def _days(self, chain: Sequence[str]) -> set[datetime.date]:
        """The days on which something of the law of a place may change."""
        spans = [(rule.since, rule.until) for rule in self.rules]
        spans += [(rule.since, rule.until) for rule in self.pack.rules.values() if rule.replaces and rule.layer in chain]
        spans += [(off.since, off.until) for off in self.pack.switch_offs if off.layer in chain]
        stated = self.pack.statements_by_layer
        spans += [(each.since, each.until) for name in self._names for code in chain for each in stated.get((name, code), ())]
        return {day for span in spans for day in span if day is not None}

    def _switches_at(self, layer: Layer, on: datetime.date) -> list[bool]:
        """Which rules are on at a place from a day on: a matter of the layers that say anything about rules."""
        key = (tuple(code for code in layer.chain if code in self._switching), on)
        if key not in self._switches:
            self._switches[key] = [self.pack.rule_is_on(rule, at=layer.code, on=on) for rule in self.rules]
        return self._switches[key]

    def _figure(self, name: str, holds: Mapping[Cell, int | None], chain: Sequence[str], on: datetime.date) -> Figure | None:
        """The figure of the nearest layer with a word on the case, its most exact one; as :meth:`Pack.find` has it."""
        for code in chain:
            best: tuple[int, Statement] | None = None
            for statement in self.pack.statements_by_layer.get((name, code), ()):
                looseness = holds[statement.cell]
                if looseness is not None and statement.in_force(on) and (best is None or looseness < best[0]):
                    best = (looseness, statement)
            if best is not None:
                return best[1].value
        return None
