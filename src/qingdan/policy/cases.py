"""Runs the worked cases of a pack: the law's own examples, judged by the engine that judges real files."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from qingdan.policy.checking import fact_value
from qingdan.policy.compiler import Compiler
from qingdan.policy.engines.duck import DuckEngine
from qingdan.policy.findings import Explainer
from qingdan.policy.pack import Pack
from qingdan.policy.provisions import Case, Rule, Verdict
from qingdan.policy.sources import Place
from qingdan.policy.vocabulary import PLACE, FactKind


@dataclass(frozen=True)
class WorkedCase:
    """A case with the rule it is for and the place and day it plays at."""

    rule: Rule
    case: Case
    layer: str
    day: datetime.date
    place: Place


@dataclass(frozen=True)
class CaseResult:
    """What the engine said to a case."""

    worked: WorkedCase
    verdict: Verdict
    sentence: str

    @property
    def passed(self) -> bool:
        """Whether the engine's verdict is the expected one."""
        return self.verdict.value == self.worked.case.verdict


def verdict_of(value: object) -> Verdict:
    """SQL's true, false and null as a verdict."""
    return Verdict.UNDETERMINED if value is None else Verdict.COMPLIANT if value else Verdict.BREACH


def worked_cases(pack: Pack) -> list[WorkedCase]:
    """Every case of the pack."""
    found = []
    for layer, provision, source in pack.provisions:
        rule = pack.rules.get(provision.judges or provision.id)
        if rule is None:  # of a draft: it binds nobody yet
            continue
        since = [value.since for parameter in provision.parameters.values() for value in parameter.values]
        for index, case in enumerate(provision.cases):
            date_column = pack.vocabulary.kinds[rule.facts].date
            given = case.on or case.facts.get(date_column)
            day = given if isinstance(given, datetime.date) else max([rule.since, *since])
            found.append(WorkedCase(rule, case, case.at or layer, day, source.place("cases", index)))
    return found


def run_cases(pack: Pack, chosen: Callable[[WorkedCase], bool] = lambda _: True) -> list[CaseResult]:
    """Judge the chosen cases, all of a fact kind in one SELECT; results in the order of the pack."""
    by_kind: defaultdict[str, list[WorkedCase]] = defaultdict(list)
    for worked in worked_cases(pack):
        if chosen(worked):
            by_kind[worked.rule.facts].append(worked)
    results = [result for kind, cases in by_kind.items() for result in _run(pack, pack.vocabulary.kinds[kind], cases)]
    return sorted(results, key=lambda result: result.worked.place)


def _run(pack: Pack, kind: FactKind, cases: Sequence[WorkedCase]) -> Iterable[CaseResult]:
    columns: dict[str, list[object]] = {name: [] for name in (PLACE, *kind.columns)}
    for worked in cases:
        facts: Mapping[str, object] = {kind.date: worked.day, **worked.case.facts}
        columns[PLACE].append(worked.layer)
        for name in kind.columns:
            columns[name].append(fact_value(kind, name, facts.get(name), pack.vocabulary))
    engine = DuckEngine(pack, cases[0].layer, threads=1)
    compiler = Compiler(pack, "duckdb", [worked.layer for worked in cases])
    rules = list({worked.rule.id: worked.rule for worked in cases}.values())
    number = {rule.id: index for index, rule in enumerate(rules)}
    explainer = Explainer(pack)
    for row in engine.judge_given(kind, columns, compiler, rules):
        row_id = row["row_id"]
        assert isinstance(row_id, int)
        worked = cases[row_id]
        verdict = verdict_of(row[f"v{number[worked.rule.id]}"])
        sentence = ""
        if verdict is not Verdict.COMPLIANT:
            sentence = explainer.finding(worked.rule, is_breach=verdict is Verdict.BREACH, place=worked.layer, row=row).sentence
        yield CaseResult(worked, verdict, sentence)
