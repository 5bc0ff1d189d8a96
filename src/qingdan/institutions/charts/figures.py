"""What each chart of the registry shows: its numbers, a sentence that says what is seen, a table, and the indicators it carries out."""

from __future__ import annotations

import datetime
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from qingdan.accounts.models import User
from qingdan.charting import figures as charting
from qingdan.institutions.charts import questions
from qingdan.institutions.enums import CompetentDepartment, InspectionState, InstitutionState, TrainingCategory, TrainingField
from qingdan.institutions.oversight import finding_counts, findings_map
from qingdan.policy.documents import Document
from qingdan.policy.pack import Pack

#: More bars than that say nothing; the table has all.
BARS_MAX = 20
#: Months that are drawn one by one; what ends later is one bar.
_MONTHS = 12
#: The national indicator of reduction: the day on which the document that its clause stands in came into force is the base day.
REDUCTION = "indicator.s2-institution-reduction"
_IN_ORDER = "indicator.s0-academic-reregistered"
#: Figure -> the indicators that it shows, as far as the place has them.
INDICATORS: dict[str, tuple[str, ...]] = {
    "reduction": (REDUCTION, "indicator.s1-academic-reduction", _IN_ORDER),
    "by-field": ("indicator.s4-academic-institutions",),
    "inspections": ("indicator.s2-institution-compliance-rate",),
}
_NOBODY = "名册还是空的。登记或导入机构后，这里会有图。"


@dataclass(frozen=True)
class Indicator:
    """An indicator of the pack as a chart names it."""

    id: str
    title: str
    formula: str
    #: Clause id and how it is cited.
    cites: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Figure(charting.Figure):
    """One chart's content with the indicators that it carries out."""

    indicators: tuple[Indicator, ...] = ()


@dataclass(frozen=True)
class Asked:
    """Who asks, when, and by which law."""

    user: User
    day: datetime.date
    pack: Pack

    def indicators(self, name: str) -> tuple[Indicator, ...]:
        """The indicators that a figure shows at the asker's place."""
        chain = self.pack.layer(self.user.employer.layer_code).chain
        known = {each.id: each for layer, each in self.pack.indicators if layer in chain}
        return tuple(
            Indicator(each.id, each.title, each.formula, tuple((clause, self.pack.cite(clause)) for clause in each.cites))
            for wanted in INDICATORS.get(name, ())
            if (each := known.get(wanted)) is not None
        )

    @property
    def base(self) -> Document:
        """The document since which reduction is counted."""
        cites = next(each.cites for _, each in self.pack.indicators if each.id == REDUCTION)
        return self.pack.clauses[cites[0]][0]


def _day(day: datetime.date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def reduction(asked: Asked) -> Figure:
    """How many academic institutions there were, and are."""
    title, base_day = "学科类机构压减率", asked.base.in_force_from
    indicators = asked.indicators("reduction")
    found = [each for each in questions.reduction(asked.user, base_day) if each.base or each.present]
    whole = questions.Reduction(
        False, *(sum(getattr(each, name) for each in found) for name in ("base", "closed", "converted", "added", "present", "in_order"))
    )
    if not whole.base:
        advice = f"名册里没有 {_day(base_day)}及以前登记的学科类机构，算不出压减率。登记日期请填机构原来的登记日期，已注销的也请补进名册。"
        return Figure("reduction", title, advice=advice, indicators=indicators)
    named = [("线上" if each.runs_online else "线下", each) for each in found] + ([("合计", whole)] if len(found) > 1 else [])
    data = [
        {"label": label, "when": when, "count": count}
        for label, each in named
        for when, count in ((f"基期 {base_day}", each.base), (f"现有 {asked.day}", each.present))
    ]
    rows = [(label, each.base, each.closed, each.converted, each.added, each.present, each.percent) for label, each in named]
    change = f"压减 {whole.percent:g}%" if (whole.percent or 0) >= 0 else f"增加 {-(whole.percent or 0):g}%"
    sentence = f"{_day(base_day)}有学科类机构 {whole.base} 家，现有 {whole.present} 家，{change}。"
    sentence += f"其中注销 {whole.closed} 家，转为非学科类 {whole.converted} 家，新增 {whole.added} 家。"
    if any(each.id == _IN_ORDER for each in indicators):
        sentence += f"登记为非营利性或已终止的 {whole.in_order} 家，规范完成率 {round(100 * whole.in_order / whole.base, 1):g}%。"
    columns = ("方式", "基期", "已注销", "转为非学科类", "新增", "现有", "压减率（%）")
    note = f"基期取《意见》发布之日（{asked.base.short}）。机构当时的类别按名册最早的记载；停业整顿的仍算现有。"
    return Figure("reduction", title, sentence, columns, tuple(rows), tuple(data), note, indicators=indicators)


def _stacked(asked: Asked, name: str, title: str, column: str, what: str, labels: dict[str, str]) -> Figure:
    """Institutions by the values of a column, stacked by state."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for value, state, count in questions.by_column(asked.user, column):
        counts[labels.get(value, value) or "未填"][state] += count
    indicators = asked.indicators(name)
    if not counts:
        return Figure(name, title, advice=_NOBODY, indicators=indicators)
    states = [(state, str(label)) for state, label in InstitutionState.choices]
    order = sorted(counts, key=lambda value: (-counts[value].total(), value))
    data = [
        {"label": value, "state": label, "count": counts[value][state]}
        for value in order[:BARS_MAX]
        for state, label in states
        if counts[value][state]
    ]
    rows = [(value, *(counts[value][state] for state, _ in states), counts[value].total()) for value in order]
    whole = sum(each.total() for each in counts.values())
    active = sum(each[InstitutionState.ACTIVE] for each in counts.values())
    sentence = f"共登记 {whole} 家，在册 {active} 家；{order[0]}最多，{counts[order[0]].total()} 家。"
    note = f"只画最多的 {BARS_MAX} 项，其余见表。" if len(order) > BARS_MAX else ""
    columns = (what, *(label for _, label in states), "合计")
    return Figure(name, title, sentence, columns, tuple(rows), tuple(data), note, indicators=indicators)


def by_field(asked: Asked) -> Figure:
    """The registry by what is taught: academic, and the fields of the rest."""
    labels = {field: f"{label}类" for field, label in TrainingField.choices}
    found = _stacked(asked, "by-field", "名册：按类别和领域", "field", "领域", labels)
    count = questions.academic_of_compulsory_education(asked.user)
    return found if found.is_empty else replace(found, sentence=f"{found.sentence}在册、面向义务教育阶段的学科类机构 {count} 家。")


def by_department(asked: Asked) -> Figure:
    """The registry by department in charge."""
    return _stacked(asked, "by-department", "名册：按主管部门", "department", "主管部门", _labels(CompetentDepartment.choices))


def by_street(asked: Asked) -> Figure:
    """The registry by street."""
    return _stacked(asked, "by-street", "名册：按街道", "street", "街道", {})


def _labels(choices: Any) -> dict[str, str]:
    return {value: str(label) for value, label in choices}


def permits(asked: Asked) -> Figure:
    """Permits in force by the month in which they end."""
    title = "有效许可：按到期月份"
    months = [_month_after(asked.day.replace(day=1), number) for number in range(_MONTHS)]
    counts: Counter[tuple[str, str]] = Counter()
    labels = _labels(TrainingCategory.choices)
    for month, category, count in questions.permits_by_month(asked.user, asked.day):
        counts[f"{month:%Y-%m}" if month <= months[-1] else "更晚", labels[category]] += count
    if not counts:
        return Figure("permits", title, advice="没有有效的许可。批准申请时发的许可会列在这里。")
    order = [*(f"{month:%Y-%m}" for month in months), "更晚"]
    # Months without any are drawn too: it is a calendar.
    data = [{"label": when, "state": label, "count": counts[when, label]} for when in order for label in labels.values()]
    rows = [
        (when, *(counts[when, label] for label in labels.values()), sum(counts[when, label] for label in labels.values())) for when in order
    ]
    soon = sum(count for (when, _), count in counts.items() if when in order[:3])
    sentence = f"有效许可 {counts.total()} 件，其中 {soon} 件在本月和随后两个月里到期。"
    return Figure("permits", title, sentence, ("到期月份", *labels.values(), "合计"), tuple(rows), tuple(data))


def _month_after(first: datetime.date, number: int) -> datetime.date:
    months = first.year * 12 + first.month - 1 + number
    return datetime.date(months // 12, months % 12 + 1, 1)


def inspections(asked: Asked) -> Figure:
    """The results of the last yearly inspection by field, and how many of those inspected were in order."""
    indicators = asked.indicators("inspections")
    year, found = questions.inspections_by_field(asked.user)
    if year is None:
        return Figure("inspections", "年检合规率", advice="还没有年检结果。发起年检并核查后，这里会有图。", indicators=indicators)
    results = _labels(each for each in InspectionState.choices if any(state == each[0] for _, state, _ in found))
    fields = {field: label for field, label in _labels(TrainingField.choices).items() if any(each[0] == field for each in found)}
    counts = {(field, state): count for field, state, count in found}
    data = [
        {"label": label, "state": result, "count": counts[field, state]}
        for field, label in fields.items()
        for state, result in results.items()
        if (field, state) in counts
    ]
    rows = []
    for field, label in fields.items():
        own = [counts.get((field, state), 0) for state in results]
        rows.append((label, *own, sum(own), round(100 * counts.get((field, InspectionState.PASSED), 0) / sum(own), 1)))
    whole, passed = sum(counts.values()), sum(count for (_, state), count in counts.items() if state == InspectionState.PASSED)
    sentence = f"{year} 年年检已核查 {whole} 家，合格 {passed} 家，合规率 {round(100 * passed / whole, 1):g}%。"
    columns = ("领域", *results.values(), "合计", "合规率（%）")
    return Figure("inspections", "年检合规率", sentence, columns, tuple(rows), tuple(data), indicators=indicators)


def findings(asked: Asked) -> Figure:
    """Findings about institutions by field; the table has every kind of fact."""
    title = "体检发现的问题：按领域"
    kinds = {kind.name: kind.label for kind in asked.pack.vocabulary.kinds.values()}
    shown = findings_map(finding_counts(asked.user), kinds)
    if not shown.rows:
        return Figure("findings", title, advice="体检还没有发现机构的问题。每天凌晨体检一次。")
    data = [
        {"label": label, "state": state, "count": count}
        for _, label, _, total in shown.rows
        for state, count in (("待处理", total.pending), ("已有结果", total.whole - total.pending))
        if count
    ]
    rows = [
        (label, *(cell.whole or None for cell in cells), total.pending, total.whole - total.pending, total.whole)
        for _, label, cells, total in shown.rows
    ]
    whole, (_, most, _, total) = sum(row[3].whole for row in shown.rows), max(shown.rows, key=lambda row: row[3].whole)
    sentence = f"共发现 {whole} 个问题，待处理 {shown.pending} 个；{most}最多，{total.whole} 个。"
    columns = ("领域", *(label for _, label in shown.kinds), "待处理", "已有结果", "合计")
    return Figure("findings", title, sentence, columns, tuple(rows), tuple(data))


FIGURES: dict[str, Callable[[Asked], Figure]] = {
    "reduction": reduction,
    "by-field": by_field,
    "by-department": by_department,
    "by-street": by_street,
    "permits": permits,
    "inspections": inspections,
    "findings": findings,
}
