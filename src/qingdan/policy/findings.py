"""Findings: a verdict that says by which clause, on what it saw, against which limit of that place and day."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qingdan.policy.pack import Limit, Pack
from qingdan.policy.provisions import Rule, Verdict
from qingdan.policy.units import NUMBER, show_clock, show_date, show_quantity
from qingdan.policy.vocabulary import FactKind, fill


def show_rows(rows: Sequence[int]) -> str:
    """Row numbers as people write them: ``4、9–12``."""
    runs: list[list[int]] = []
    for row in rows:
        if runs and row == runs[-1][-1] + 1:
            runs[-1].append(row)
        else:
            runs.append([row])
    return "、".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


@dataclass(frozen=True)
class SourcePlace:
    """Where a fact stands in what was handed in. ``rows`` are 1-based; empty when the fact has no rows to show."""

    file: str
    sheet: str | None
    rows: tuple[int, ...]

    def __str__(self) -> str:
        rows = f" 第 {show_rows(self.rows)} 行" if self.rows else ""
        return f"{self.file}{f'〔{self.sheet}〕' if self.sheet else ''}{rows}"


@dataclass(frozen=True)
class Finding:
    """One rule's answer, other than compliant, on one fact."""

    rule: Rule
    verdict: Verdict
    place: str
    kind: str
    subject: str
    date: datetime.date | None
    #: Column -> value, of those the rule looked at.
    observed: Mapping[str, object]
    limits: tuple[Limit, ...]
    #: Columns that were needed and empty.
    missing: tuple[str, ...]
    sentence: str
    sources: tuple[SourcePlace, ...] = ()


def show_value(kind: FactKind, name: str, value: object, pack: Pack) -> str:
    """A column's value as people read it: ``是``, ``书面``, ``65 分钟``, ``20:45``, ``11月17日``."""
    column = kind.columns[name]
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, datetime.date):
        return show_date(value)
    if column.type == "category":
        return pack.vocabulary.category_of(column).label(str(value))
    if isinstance(value, int):
        unit = column.unit_of_values
        if column.type == "clock":
            return show_clock(value)
        return str(value) if unit == NUMBER else show_quantity(value, unit)
    return str(value)


class Explainer:
    """Turns rows of the judged SELECT into findings; remembers limits, which repeat."""

    def __init__(self, pack: Pack) -> None:
        self.pack = pack
        self._limits: dict[tuple[object, ...], tuple[Limit, ...]] = {}

    def finding(
        self, rule: Rule, *, is_breach: bool, place: str, row: Mapping[str, object], sources: Sequence[SourcePlace] = ()
    ) -> Finding:
        """The finding of a rule on one row (column -> value) at a place."""
        kind = self.pack.vocabulary.kinds[rule.facts]
        looked_at = self.pack.columns_of(rule)
        observed = {name: row[name] for name in looked_at if row.get(name) is not None}
        missing = () if is_breach else tuple(name for name in [kind.date, *looked_at] if row.get(name) is None)
        date = row.get(kind.date)
        assert date is None or isinstance(date, datetime.date)
        limits = self.limits(rule, place, date, row)
        shown = {name: show_value(kind, name, row.get(name), self.pack) for name in kind.columns}
        subject = " ".join(fill(kind.subject, shown).split())
        if is_breach:
            figures = {limit.parameter.name: limit.text for limit in limits}
            sentence = fill(rule.says, {**shown, **figures})
        else:
            sentence = f"{subject}{f' {shown[kind.date]}' if date else ''} 无法判定：{self._why(kind, missing, rule, limits)}"
        verdict = Verdict.BREACH if is_breach else Verdict.UNDETERMINED
        return Finding(rule, verdict, place, kind.name, subject, date, observed, limits, missing, sentence, tuple(sources))

    def _why(self, kind: FactKind, missing: Sequence[str], rule: Rule, limits: Sequence[Limit]) -> str:
        unset = [name for name in self.pack.parameters_of(rule) if name not in {limit.parameter.name for limit in limits}]
        if missing:
            labels = dict.fromkeys(kind.columns[name].label for name in dict.fromkeys(missing))
            return f"缺少{'、'.join(labels)}"
        if unset:
            return f"本地当日没有规定{'、'.join(self.pack.parameters[name].label for name in unset)}"
        return "所给事实不足"

    def limits(self, rule: Rule, place: str, date: datetime.date | None, row: Mapping[str, object]) -> tuple[Limit, ...]:
        """The limits that a rule compared with, at a place on a day for the case of a row; those in force only."""
        if date is None:
            return ()
        names = self.pack.parameters_of(rule)
        cases = tuple(tuple(row.get(dimension) for dimension in self.pack.parameters[name].by) for name in names)
        key = (rule.id, place, date, cases)
        if key not in self._limits:
            found = []
            for name, case in zip(names, cases, strict=True):
                statement = self.pack.find(name, at=place, on=date, case=case)  # type: ignore[arg-type]
                if statement is not None:
                    found.append(Limit(self.pack.parameters[name], statement.value, statement))
            self._limits[key] = tuple(found)
        return self._limits[key]
