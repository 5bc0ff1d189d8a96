"""GoRules' zen-engine: a decision graph of one expression node a kind, evaluated record by record.

The graph answers 0 (compliant or not applicable), 1 (breach) or 2 (undetermined) per rule; the figures of a record's place and
day come with the record, and dates as the whole numbers that the rules ask for, so that the engine has nothing to do but decide.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import zen

from bench.law import Figures
from bench.peers.records import Finding, Record

Decide = Callable[[Record], dict[str, int]]
_UNLAWFUL = "place_has_law ? 1 : 2"
_HOMEWORK = {
    "written-minutes": "form == 'written' and done_at == 'home' ? (homework_minutes == null or not(place_has_law) ? 2 : "
    "homework_minutes <= (grade <= 2 ? written_lower : grade <= 6 ? written_upper : grade <= 9 ? written_junior : 600) ? 0 : 1) : 0",
    "electronic-minutes": "form == 'electronic' and done_at == 'home' ? "
    "(homework_minutes == null or not(place_has_law) ? 2 : homework_minutes <= electronic ? 0 : 1) : 0",
    "marked-by-parent": f"marked_by == null ? 2 : marked_by == 'parent' ? ({_UNLAWFUL}) : 0",
    "needs-parent": f"needs_parent == null ? 2 : needs_parent ? ({_UNLAWFUL}) : 0",
    "punitive": f"is_punitive == null ? 2 : is_punitive ? ({_UNLAWFUL}) : 0",
}
_SESSION = {
    "ends-at": "mode == null or ends_at == null or not(place_has_law) ? 2 : "
    "ends_at <= (mode == 'online' ? ends_online : ends_offline) ? 0 : 1",
    "days-off": "category == 'academic' and grade < 10 ? (day_kind == null or not(place_has_law) ? 2 : "
    "day_kind == 'workday' and not(in_vacation) ? 0 : 1) : 0",
    "lesson-minutes": "mode == 'offline' ? 0 : lesson_minutes == null or not(place_has_law) ? 2 : "
    "lesson_minutes <= lesson ? 0 : mode == null ? 2 : 1",
    "gap-minutes": "mode == 'offline' ? 0 : gap_minutes == null or not(place_has_law) ? 2 : gap_minutes >= gap ? 0 : mode == null ? 2 : 1",
    "age": "category == 'academic' ? (youngest_age == null or not(place_has_law) ? 2 : youngest_age >= age ? 0 : 1) : 0",
}
_PREPAYMENT = {
    "months": "covered_months == null or not(place_has_law) ? 2 : covered_months <= months ? 0 : 1",
    "custody": "supervision_mode == 'custody' and custody_fen == null ? 0 : "
    f"supervision_mode == 'reserve' or supervision_mode == 'transfer' ? ({_UNLAWFUL}) : "
    f"custody_fen == null or amount_fen == null ? 2 : custody_fen >= amount_fen ? 0 : ({_UNLAWFUL})",
    "amount": "amount_fen == null or not(place_has_law) ? 2 : amount_fen <= contract_fen ? 0 : 1",
}
GRAPHS = {"homework_item": _HOMEWORK, "training_session": _SESSION, "prepayment": _PREPAYMENT}
#: What a record must carry besides the columns its rules name: nothing else is handed over.
_COLUMNS = {
    "homework_item": ("form", "done_at", "grade", "homework_minutes", "marked_by", "needs_parent", "is_punitive"),
    "training_session": (
        "category",
        "mode",
        "grade",
        "ends_at",
        "lesson_minutes",
        "gap_minutes",
        "youngest_age",
        "day_kind",
        "in_vacation",
    ),
    "prepayment": ("supervision_mode", "custody_fen", "amount_fen"),
}
_FIGURES = {
    "homework_item": ("written_lower", "written_upper", "written_junior", "electronic"),
    "training_session": ("ends_offline", "ends_online", "lesson", "gap", "age"),
    "prepayment": ("months", "contract_fen"),
}


def _graph(rules: dict[str, str]) -> dict[str, object]:
    expressions = [{"id": name, "key": name.replace("-", "_"), "value": text} for name, text in rules.items()]
    node = {"id": "judge", "type": "expressionNode", "name": "judge", "content": {"expressions": expressions}}
    nodes = [{"id": "in", "type": "inputNode", "name": "in"}, node, {"id": "out", "type": "outputNode", "name": "out"}]
    edges = [{"id": f"{one}-{two}", "type": "edge", "sourceId": one, "targetId": two} for one, two in (("in", "judge"), ("judge", "out"))]
    return {"contentType": "application/vnd.gorules.decision", "nodes": nodes, "edges": edges}


def decision(kind: str) -> Decide:
    """The decision of a kind. Of the ways to call one, an engine that holds its graphs is the fastest (seen 5 to 10 times faster)."""
    engine = zen.ZenEngine({"loader": {"type": "static", "content": {kind: _graph(GRAPHS[kind])}}})

    def decide(context: Record) -> dict[str, int]:
        result: dict[str, int] = engine.evaluate(kind, context)["result"]
        return result

    return decide


def expressions(kind: str) -> Decide:
    """The same conditions by zen's expression evaluator alone, without a decision around them: the least it can take."""
    names = [name.replace("-", "_") for name in GRAPHS[kind]]
    compiled = zen.compile_expression(f"[{', '.join(GRAPHS[kind].values())}]")
    return lambda context: dict(zip(names, compiled.evaluate(context), strict=True))


def context(kind: str, record: dict[str, Any], law: Figures | None) -> Record:
    """What the decision is given of a record."""
    found: Record = {name: record[name] for name in _COLUMNS[kind]}
    found["place_has_law"] = law is not None
    figures = dataclasses.asdict(law) if law is not None else {}
    found |= {name: figures.get(name) for name in _FIGURES[kind]}
    if kind == "prepayment":
        first, last = record["course_from"], record["course_until"]
        covered = None if last is None else 12 * (last.year - first.year) + last.month - first.month + (last.day >= first.day)
        found["covered_months"] = covered
    return found


def findings(kind: str, record: dict[str, Any], result: dict[str, int]) -> list[Finding]:
    """A decision as findings."""
    return [
        (f"bench.{name}", "breach" if result[name.replace("-", "_")] == 1 else "undetermined", record["record"])
        for name in GRAPHS[kind]
        if result[name.replace("-", "_")]
    ]
