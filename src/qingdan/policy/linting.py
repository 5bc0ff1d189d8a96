"""``policy lint``: what is not wrong, but an author should know. Errors are found when a pack is loaded; these are notes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from qingdan.policy.compiler import Compiler
from qingdan.policy.documents import Status
from qingdan.policy.lexicons import contradictions
from qingdan.policy.pack import Pack
from qingdan.policy.provisions import Figure, Parameter, Statement
from qingdan.policy.sources import Place
from qingdan.policy.units import show_quantity


@dataclass(frozen=True)
class Note:
    """One remark on a pack. ``sort`` is ``looser``, ``stricter``, ``gap``, ``unset``, ``uncited``, ``draft``, ``thin`` or
    ``two_minded``."""

    sort: str
    place: Place
    message: str

    @property
    def label(self) -> str:
        """The Chinese word for the sort."""
        return {
            "looser": "比上级宽",
            "stricter": "比上级严",
            "gap": "时间空档",
            "unset": "尚无数值",
            "uncited": "尚无承接",
            "draft": "未生效",
            "thin": "案例偏少",
            "two_minded": "一词两义",
        }[self.sort]


def tighter_or_looser(parameter: Parameter, lower: Figure, upper: Figure) -> str | None:
    """How a lower layer's figure stands to the one above: ``stricter``, ``looser`` or None (equal, or no order)."""
    if lower == upper or parameter.tighter == "neither":
        return None
    assert type(lower) is type(upper)
    is_less = lower < upper  # type: ignore[operator]
    return "stricter" if is_less == (parameter.tighter == "lower") else "looser"


def lint(pack: Pack) -> list[Note]:
    """Every remark, by place."""
    notes = [*_against_above(pack), *_gaps(pack), *_unset(pack), *_drafts(pack), *_uncarried(pack), *_thin(pack), *_words(pack)]
    return sorted(notes, key=lambda note: (note.sort, note.place, note.message))


def _place(statement: Statement) -> Place:
    return statement.source.place(*statement.path)


def above(pack: Pack, statement: Statement) -> Statement | None:
    """The figure of the nearest layer above for the same case, on the first day of a statement."""
    parent = pack.layers[statement.layer].parent
    if parent is None:
        return None
    case = next(
        (case for cell, case in _representatives(pack, statement) if cell == statement.cell),
        tuple(statement.cell),
    )
    return pack.find(statement.parameter, at=parent, on=statement.since, case=case)


def _representatives(pack: Pack, statement: Statement) -> Iterator[tuple[tuple[str, ...], tuple[str | int | bool | None, ...]]]:
    """Cells of a parameter with values that stand for them."""
    parameter = pack.parameters[statement.parameter]
    kind = next((each for each in pack.vocabulary.kinds.values() if all(name in each.columns for name in parameter.by)), None)
    if kind is None:
        return
    compiler = Compiler(pack, "duckdb", [statement.layer])
    for case in compiler.cases(parameter, kind):
        found = pack.find(parameter.name, at=statement.layer, on=statement.since, case=case)
        if found is not None and found == statement:
            yield found.cell, case


def _against_above(pack: Pack) -> Iterator[Note]:
    for name, statements in pack.statements.items():
        parameter = pack.parameters[name]
        for statement in statements:
            upper = above(pack, statement)
            if upper is None:
                continue
            sort = tighter_or_looser(parameter, statement.value, upper.value)
            if sort is None:
                continue
            here, there = pack.layers[statement.layer], pack.layers[upper.layer]
            cell = pack.show_cell(parameter, statement.cell)
            yield Note(
                sort,
                _place(statement),
                f"{here.name}的“{parameter.label}”{f'（{cell}）' if cell else ''}为 {show_quantity(statement.value, parameter.unit)}"
                f"（{pack.cite(statement.cites[0])}），{there.name}为 {show_quantity(upper.value, parameter.unit)}"
                f"（{pack.cite(upper.cites[0])}）：比上级{'严' if sort == 'stricter' else '宽'}",
            )


def _gaps(pack: Pack) -> Iterator[Note]:
    for name, statements in pack.statements.items():
        groups: dict[tuple[str, tuple[str, ...]], list[Statement]] = {}
        for statement in statements:
            groups.setdefault((statement.layer, statement.cell), []).append(statement)
        for own in groups.values():
            own.sort(key=lambda each: each.since)
            for first, second in itertools.pairwise(own):
                if first.until is not None and first.until < second.since:
                    day = first.until
                    if above(pack, Statement(name, first.layer, first.cell, day, None, first.value, (), "", first.source)) is None:
                        yield Note("gap", _place(second), f"参数“{name}”在 {day} 至 {second.since} 之间没有值，上级也没有")


def _unset(pack: Pack) -> Iterator[Note]:
    for name, parameter in pack.parameters.items():
        if not pack.statements.get(name):
            yield Note("unset", parameter.source.place("parameters", name), f"参数“{name}”声明了，但没有任何一层给出数值")


def _drafts(pack: Pack) -> Iterator[Note]:
    for document in pack.documents.values():
        place = document.source.place("status")
        if document.status is Status.DRAFT:
            yield Note("draft", place, f"《{document.title}》是征求意见稿，以它为据的规则和数值都不生效")
        elif document.status is Status.REPLACED:
            yield Note("draft", place, f"《{document.title}》自 {document.in_force_until} 起失效")


def _uncarried(pack: Pack) -> Iterator[Note]:
    for document in pack.documents.values():
        for index, clause in enumerate(document.clauses):
            sorts = {carrier.sort for carrier in clause.carried_out_by}
            if clause.modality in ("must", "must_not") and sorts == {"planned"} and clause.id not in pack.rules_by_clause:
                place = document.source.place("clauses", index)
                yield Note("uncited", place, f"条款“{clause.id}”（{clause.locator}）还没有规则、职责、指标或页面承接，只在计划中")


def _thin(pack: Pack) -> Iterator[Note]:
    for rule in pack.rules.values():
        verdicts = {case.verdict for case in rule.cases}
        if not {"compliant", "breach"} <= verdicts:
            yield Note("thin", rule.source.place("cases"), f"规则“{rule.id}”的案例没有同时包括合规与违规两面")


def _words(pack: Pack) -> Iterator[Note]:
    for place, message in contradictions(pack.lexicons):
        yield Note("two_minded", place, message)
    for lexicon in pack.lexicons.values():
        for index, each in enumerate(lexicon.words):
            for at, cite in enumerate(each.cites):
                if pack.clauses[cite][0].status is Status.DRAFT:
                    place = lexicon.source.place("words", index, "cites", at)
                    yield Note("draft", place, f"词“{each.word}”依据的条款“{cite}”出自征求意见稿，尚不生效")
