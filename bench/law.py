"""A generated policy pack: one nation, many places under it with figures of their own in two periods, 13 rules over three kinds.

The vocabulary is the built-in one, so judging goes through the same computed columns (stage of a grade, kind of a day, months
covered) as in a real audit. The figures are made here, once, and given to every peer: as YAML to Qingdan, as a table to SQL,
as dictionaries to the record-by-record engines.
"""

from __future__ import annotations

import datetime
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from qingdan.policy.packs import BUILT_IN

NATION = "cn"
SINCE = datetime.date(2021, 7, 24)
#: From this day on every place's second figures apply.
CHANGE = datetime.date(2026, 9, 1)
FAR_FUTURE = datetime.date(9999, 12, 31)
KINDS = ("homework_item", "training_session", "prepayment")
VACATION = (datetime.date(2026, 7, 4), datetime.date(2026, 8, 31))


@dataclass(frozen=True)
class BenchRule:
    """One rule as the pack says it."""

    kind: str
    name: str
    when: str | None
    require: str

    @property
    def id(self) -> str:
        """How findings name it."""
        return f"bench.{self.name}"


RULES = (
    BenchRule("homework_item", "written-minutes", "is_home_written", "homework_minutes <= bench.written_minutes"),
    BenchRule("homework_item", "electronic-minutes", "is_home_electronic", "homework_minutes <= bench.electronic_minutes"),
    BenchRule("homework_item", "marked-by-parent", None, "marked_by <> 'parent'"),
    BenchRule("homework_item", "needs-parent", None, "NOT needs_parent"),
    BenchRule("homework_item", "punitive", None, "NOT is_punitive"),
    BenchRule("training_session", "ends-at", None, "ends_at <= bench.ends_at"),
    BenchRule(
        "training_session",
        "days-off",
        "category = 'academic' AND NOT is_for_senior_high",
        "day_kind = 'workday' AND NOT is_in_vacation",
    ),
    BenchRule("training_session", "lesson-minutes", "mode = 'online'", "lesson_minutes <= bench.lesson_minutes"),
    BenchRule("training_session", "gap-minutes", "mode = 'online'", "gap_minutes >= bench.gap_minutes"),
    BenchRule("training_session", "age", "category = 'academic'", "youngest_age >= bench.age"),
    BenchRule("prepayment", "months", None, "covered_months <= bench.months"),
    BenchRule("prepayment", "custody", None, "is_in_custody"),
    BenchRule("prepayment", "amount", None, "amount_fen <= bench.contract_fen"),
)


@dataclass(frozen=True)
class Figures:
    """The law of one place in one period; times of day are minutes since midnight."""

    written_lower: int
    written_upper: int
    written_junior: int
    electronic: int
    ends_offline: int
    ends_online: int
    lesson: int
    gap: int
    age: int
    months: int
    contract_fen: int


def place_code(number: int) -> str:
    """The code of a place; codes sort as their numbers do."""
    return f"place-{number:05d}"


def figures(number: int, period: int) -> Figures:
    """A place's figures in its first (0) or second (1) period."""
    turn = number + 3 * period
    return Figures(
        written_lower=turn % 3,
        written_upper=60 - 5 * (turn % 4),
        written_junior=90 - 5 * (turn % 5),
        electronic=20 + turn % 5,
        ends_offline=1230 - 15 * (turn % 3),
        ends_online=1260 - 15 * (turn % 2),
        lesson=30 + turn % 3,
        gap=10 - turn % 3,
        age=6 + turn % 2,
        months=3 - turn % 2,
        contract_fen=500_000 + 10_000 * (turn % 7),
    )


def periods() -> tuple[tuple[datetime.date, datetime.date], ...]:
    """First day, and first day no longer included, of both periods."""
    return ((SINCE, CHANGE), (CHANGE, FAR_FUTURE))


def wide_rows(places: int) -> Iterator[tuple[str, datetime.date, datetime.date, Figures]]:
    """Place, since, until and figures of every place and period: the table that the peers are given."""
    for number in range(places):
        for period, (since, until) in enumerate(periods()):
            yield place_code(number), since, until, figures(number, period)


# ---- as a pack


def _values(each: Figures) -> dict[str, object]:
    return {
        "bench.written_minutes": {
            "primary_lower": each.written_lower,
            "primary_upper": each.written_upper,
            "junior": each.written_junior,
            "senior": 600,
        },
        "bench.electronic_minutes": each.electronic,
        "bench.ends_at": {"offline": _clock(each.ends_offline), "online": _clock(each.ends_online)},
        "bench.lesson_minutes": each.lesson,
        "bench.gap_minutes": each.gap,
        "bench.age": each.age,
        "bench.months": each.months,
        "bench.contract_fen": each.contract_fen,
    }


_DECLARED = {
    "bench.written_minutes": {"label": "书面作业上限", "unit": "minute", "by": ["stage"], "tighter": "lower"},
    "bench.electronic_minutes": {"label": "电子作业上限", "unit": "minute", "tighter": "lower"},
    "bench.ends_at": {"label": "结束时间上限", "unit": "clock", "by": ["mode"], "tighter": "lower"},
    "bench.lesson_minutes": {"label": "线上课时上限", "unit": "minute", "tighter": "lower"},
    "bench.gap_minutes": {"label": "线上课间下限", "unit": "minute", "tighter": "higher"},
    "bench.age": {"label": "年龄下限", "unit": "year", "tighter": "higher"},
    "bench.months": {"label": "预收月数上限", "unit": "month", "tighter": "lower"},
    "bench.contract_fen": {"label": "单次金额上限", "unit": "fen", "tighter": "lower"},
}
_DOCUMENT = f"""
id: bench
title: 测速用的规定
short: 测速
issuer: 测速
status: in_force
in_force_from: {SINCE}
dated_by: 为测速而编
fictional: true
clauses:
  - {{id: bench.all, locator: 第一条, summary: 测速, modality: must, addressee: [everyone], carried_out_by: [{{goal: true}}]}}
"""
_NATION = f"""
code: {NATION}
name: 测速
kind: nation
fictional: true
grades: {{stages: {{primary_lower: [1, 2], primary_upper: [3, 4, 5, 6], junior: [7, 8, 9], senior: [10, 11, 12]}}}}
calendar:
  terms: [{{name: 学期甲, from: 2025-09-01, until: 2026-07-03}}, {{name: 学期乙, from: 2026-09-01, until: 2026-12-31}}]
  vacations: [{{name: 暑假, from: {VACATION[0]}, until: {VACATION[1]}}}]
"""


def write_pack(folder: Path, places: int) -> Path:
    """Write the pack into an empty folder: two small files a place, as a district writes them."""
    for kind in KINDS:
        _write(folder / "facts" / f"{kind}.yaml", (BUILT_IN / "facts" / f"{kind}.yaml").read_text(encoding="utf-8"))
    shutil.copytree(BUILT_IN / "facts" / "categories", folder / "facts" / "categories")
    _write(folder / NATION / "layer.yaml", _NATION)
    _write(folder / NATION / "documents" / "bench.yaml", _DOCUMENT)
    # Figures are declared by the nation and set by each place.
    _write(folder / NATION / "bench" / "figures.yaml", _provision(id="bench.figures", title="数值", parameters=_DECLARED))
    for rule in RULES:
        _write(folder / NATION / "bench" / f"{rule.name}.yaml", _rule(rule))
    for number in range(places):
        code = place_code(number)
        layer = {"code": code, "name": f"第{number}区", "parent": NATION, "kind": "district", "fictional": True}
        _write(folder / code / "layer.yaml", json.dumps(layer, ensure_ascii=False))
        _write(folder / code / "bench" / "figures.yaml", _figures_file(number))
    return folder


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _provision(**fields: object) -> str:
    return json.dumps({"cites": ["bench.all"], **fields}, ensure_ascii=False, default=str)


def _rule(rule: BenchRule) -> str:
    condition = {"require": rule.require} if rule.when is None else {"when": rule.when, "require": rule.require}
    case = {"what": "空", "facts": {}, "verdict": "undetermined"}
    return _provision(id=rule.id, title=rule.name, facts=rule.kind, rule=condition, says="不合规", remedy="改正", cases=[case])


def _figures_file(number: int) -> str:
    first, second = (_values(figures(number, period)) for period in (0, 1))
    lines = [f"id: {place_code(number)}.figures", "title: 本地数值", "cites: [bench.all]", "parameters:"]
    for name in _DECLARED:
        before = f"{{from: {SINCE}, until: {CHANGE}, value: {json.dumps(first[name])}}}"
        after = f"{{from: {CHANGE}, value: {json.dumps(second[name])}}}"
        lines.append(f"  {name}: {{overrides: true, values: [{before}, {after}]}}")
    return "\n".join(lines)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
