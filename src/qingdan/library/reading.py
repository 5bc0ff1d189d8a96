"""The pack as the pages need it: put together once, since a pack never changes while the server runs."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from qingdan.audit.running import missing_labels
from qingdan.policy.checking import fact_value
from qingdan.policy.compiler import Compiler
from qingdan.policy.documents import PERIODS, Document
from qingdan.policy.findings import show_value
from qingdan.policy.layers import Layer
from qingdan.policy.linting import above, tighter_or_looser
from qingdan.policy.pack import Limit, Pack
from qingdan.policy.provisions import Parameter, Rule, Statement
from qingdan.policy.tracing import SORTS, Traced, counts_by_document, trace
from qingdan.policy.vocabulary import FactKind


@lru_cache(maxsize=4)
def traced(pack: Pack) -> dict[str, list[Traced]]:
    """Document id -> its clauses with what carries them out."""
    found: dict[str, list[Traced]] = {document: [] for document in pack.documents}
    for each in trace(pack):
        found[each.document.id].append(each)
    return found


@lru_cache(maxsize=4)
def coverage(pack: Pack) -> dict[str, list[tuple[str, str, int]]]:
    """Document id -> sort, its Chinese word and how many clauses it carries, the strongest sort first."""
    counts = counts_by_document([each for clauses in traced(pack).values() for each in clauses])
    return {document: [(sort, word, counts.get(document, Counter())[sort]) for sort, word in SORTS.items()] for document in pack.documents}


@lru_cache(maxsize=4)
def carrier_notes(pack: Pack) -> dict[str, str]:
    """Duty or indicator id -> what a reader wants to know besides its title."""
    notes = {duty.id: f"{PERIODS[duty.every]}；留存：{duty.evidence}" for _, duty in pack.duties}
    return notes | {indicator.id: f"算法：{indicator.formula}" for _, indicator in pack.indicators}


def chapter(locator: str) -> str:
    """The part of a document that a locator lies in."""
    return locator.split("·", 1)[0]


def layer_order(pack: Pack) -> list[Layer]:
    """Layers, each after the one above it."""
    return sorted(pack.layers.values(), key=lambda layer: tuple(reversed(layer.chain)))


def documents_in_order(pack: Pack) -> list[Document]:
    """Documents by their layers."""
    order = [layer.code for layer in layer_order(pack)]
    return sorted(pack.documents.values(), key=lambda document: (order.index(document.layer), document.id))


@dataclass(frozen=True)
class Figure:
    """One figure as a row of a table."""

    layer: Layer
    statement: Statement
    case: str
    text: str
    cites: tuple[tuple[str, str], ...]
    #: ``stricter``, ``looser`` or nothing, against the layer above.
    direction: str | None
    upper: str

    @property
    def mark(self) -> str:
        """The direction in a word."""
        return {"stricter": "比上级严", "looser": "比上级宽"}.get(self.direction or "", "")


@dataclass(frozen=True)
class FigureTable:
    """A parameter with every layer's figures."""

    parameter: Parameter
    subject: str
    figures: tuple[Figure, ...]
    rules: tuple[Rule, ...]

    @property
    def stricter_when(self) -> str:
        """Which way is stricter."""
        return {"lower": "数值越小越严", "higher": "数值越大越严"}.get(self.parameter.tighter, "不分宽严")


def _figure(pack: Pack, parameter: Parameter, statement: Statement) -> Figure:
    upper = above(pack, statement)
    return Figure(
        layer=pack.layers[statement.layer],
        statement=statement,
        case=pack.show_cell(parameter, statement.cell),
        text=Limit(parameter, statement.value, statement).text,
        cites=tuple((cite, pack.cite(cite)) for cite in statement.cites),
        direction=tighter_or_looser(parameter, statement.value, upper.value) if upper else None,
        upper=f"{pack.layers[upper.layer].name} {Limit(parameter, upper.value, upper).text}" if upper else "",
    )


@lru_cache(maxsize=4)
def figure_tables(pack: Pack) -> dict[str, FigureTable]:
    """Parameter name -> its table, upper layers first."""
    order = [layer.code for layer in layer_order(pack)]
    subjects = list(subject_labels(pack))
    users: dict[str, list[Rule]] = {}
    for rule in pack.rules.values():
        for name in pack.parameters_of(rule):
            users.setdefault(name, []).append(rule)
    return {
        name: FigureTable(
            parameter,
            name.split(".", 1)[0],
            tuple(
                _figure(pack, parameter, each)
                for each in sorted(pack.statements.get(name, ()), key=lambda each: (order.index(each.layer), each.cell, each.since))
            ),
            tuple(users.get(name, ())),
        )
        for name, parameter in sorted(pack.parameters.items(), key=lambda each: (subjects.index(each[0].split(".", 1)[0]), each[0]))
    }


#: Subject folders of the built-in pack, in the order in which people look for them; others come last under their own name.
SUBJECTS = {
    "homework": "作业管理",
    "afterschool": "课后服务",
    "teaching": "教育教学",
    "wellbeing": "体质健康",
    "training": "校外培训活动",
    "institutions": "校外培训机构",
    "prepaid": "收费与预收费",
}


@lru_cache(maxsize=4)
def subject_labels(pack: Pack) -> dict[str, str]:
    """Subject folder -> its Chinese name, in order."""
    used = {rule.subject for rule in pack.rules.values()} | {name.split(".", 1)[0] for name in pack.parameters}
    known = {subject: label for subject, label in SUBJECTS.items() if subject in used}
    return known | {subject: subject for subject in sorted(used - set(known))}


@dataclass(frozen=True)
class ShownKind:
    """A kind of fact as the page on workbooks shows it."""

    subject: str
    kind: FactKind
    rules: tuple[Rule, ...]


@lru_cache(maxsize=4)
def shown_kinds(pack: Pack) -> list[ShownKind]:
    """The kinds that a workbook can hold, by the subject of the rules over them."""
    labels = subject_labels(pack)
    shown = []
    for kind in pack.vocabulary.recorded_kinds:
        names, found = {kind.name}, {kind.name}
        while found:
            found = {each.name for name in found for each in pack.vocabulary.derived_from(name)} - names
            names |= found
        rules = tuple(rule for rule in pack.rules.values() if rule.facts in names)
        subjects = Counter(rule.subject for rule in rules).most_common(1)
        shown.append(ShownKind(subjects[0][0] if subjects else "", kind, rules))
    order = list(labels)
    # Within a subject the kind that most rules look at comes first: it is the one that most people send.
    shown.sort(key=lambda each: (order.index(each.subject) if each.subject in order else len(order), -len(each.rules)))
    return [ShownKind(labels.get(each.subject, "其他"), each.kind, each.rules) for each in shown]


@dataclass(frozen=True)
class ShownCase:
    """A worked case in Chinese."""

    what: str
    layer: str
    facts: tuple[tuple[str, str], ...]
    verdict: str
    verdict_label: str


_VERDICTS = {"compliant": "合规", "breach": "违规", "undetermined": "待定"}


@lru_cache(maxsize=512)
def shown_cases(pack: Pack, rule_id: str) -> list[ShownCase]:
    """A rule's worked cases, those of lower layers that judge by it included."""
    kind = pack.vocabulary.kinds[pack.rules[rule_id].facts]
    found = []
    order = [layer.code for layer in layer_order(pack)]
    for layer, provision, _ in sorted(pack.provisions, key=lambda each: order.index(each[0])):
        if (provision.judges or provision.id) != rule_id:
            continue
        for case in provision.cases:
            facts = []
            for name, raw in case.facts.items():
                value = fact_value(kind, name, raw, pack.vocabulary)
                if isinstance(value, datetime.date):
                    text = f"{value.year}年{value.month}月{value.day}日"
                else:
                    text = show_value(kind, name, value, pack)
                facts.append((kind.columns[name].label, text or "未填"))
            at = pack.layers[case.at or layer].name
            found.append(ShownCase(case.what, at, tuple(facts), case.verdict, _VERDICTS[case.verdict]))
    return found


def needed_columns(pack: Pack, rule: Rule) -> tuple[str, ...]:
    """The labels of the columns that a workbook must have for a rule to be judged."""
    kind = pack.vocabulary.kinds[rule.facts]
    return missing_labels(Compiler(pack, "duckdb", []), kind, rule, frozenset(kind.columns), frozenset())


def places_of(pack: Pack, rule: Rule, on: datetime.date) -> list[tuple[Layer, bool]]:
    """The layers that a rule could apply to, and whether it does on a day."""
    return [(layer, pack.rule_is_on(rule, at=layer.code, on=on)) for layer in layer_order(pack) if rule.layer in layer.chain]


def contains(text: str, parts: Iterable[str]) -> bool:
    """Whether every word of a search stands in one of the parts."""
    whole = "\n".join(parts).lower()
    return all(word in whole for word in text.lower().split())
