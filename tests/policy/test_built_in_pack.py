"""The pack that comes with the software keeps its own promises."""

from __future__ import annotations

import datetime
from collections import defaultdict

import pytest

from qingdan.policy.cases import CaseResult, run_cases, worked_cases
from qingdan.policy.comparing import Point, compare
from qingdan.policy.documents import MODALITIES, PERIODS
from qingdan.policy.linting import lint
from qingdan.policy.pack import Pack
from qingdan.policy.packs import default_pack
from qingdan.policy.tracing import trace


@pytest.fixture(scope="module")
def pack() -> Pack:
    return default_pack()


@pytest.fixture(scope="module")
def results(pack: Pack) -> list[CaseResult]:
    return run_cases(pack)


def test_every_worked_case_gets_the_verdict_it_names(results: list[CaseResult]) -> None:
    wrong = [f"{each.worked.place} {each.worked.case.what}: {each.verdict}" for each in results if not each.passed]
    assert not wrong


def test_every_rule_has_cases_on_both_sides_and_one_that_is_undetermined(pack: Pack) -> None:
    verdicts: defaultdict[str, set[str]] = defaultdict(set)
    for worked in worked_cases(pack):
        verdicts[worked.rule.id].add(worked.case.verdict)
    assert not {rule: seen for rule, seen in verdicts.items() if seen != {"compliant", "breach", "undetermined"}}
    assert set(verdicts) == set(pack.rules)


def test_every_rule_is_tried_on_the_day_before_it_came_into_force(pack: Pack) -> None:
    tried = {
        worked.rule.id
        for worked in worked_cases(pack)
        if worked.case.verdict == "compliant" and worked.day == worked.rule.since - datetime.timedelta(days=1)
    }
    assert not set(pack.rules) - tried


def test_no_sentence_of_a_worked_breach_has_a_hole_where_the_deciding_value_should_stand(results: list[CaseResult]) -> None:
    assert not [each.sentence for each in results if each.verdict.value == "breach" and "{" in each.sentence]


def test_every_figure_has_a_unit_a_date_and_a_clause_that_its_own_chain_holds(pack: Pack) -> None:
    for name, statements in pack.statements.items():
        assert str(pack.parameters[name].unit)
        for statement in statements:
            assert statement.cites, name
            assert all(pack.clauses[cite][0].layer in pack.layers[statement.layer].chain for cite in statement.cites), name


def test_every_clause_has_all_its_parts_and_something_that_carries_it_out(pack: Pack) -> None:
    traced = trace(pack)
    assert {each.document.id for each in traced} == {"s0", "s1", "s2", "s3", "s4"}
    for each in traced:
        assert each.links, each.clause.id
        assert each.clause.summary, each.clause.id
        assert each.clause.locator, each.clause.id
        assert each.clause.modality in MODALITIES
    assert all(duty.every in PERIODS for _, duty in pack.duties)


def test_what_is_invented_is_marked_fictional(pack: Pack) -> None:
    assert {code for code, layer in pack.layers.items() if layer.fictional} == {
        "demo-district",
        "demo-school",
        "demo-shanghai",
        "demo-xinjiang",
    }
    assert {document.id for document in pack.documents.values() if document.fictional} == {"s3", "s4"}
    assert all(blank.fictional for _, blank in pack.blanks)


def test_lint_reports_the_later_online_end_of_shanghai_and_xinjiang_as_looser_than_the_nation(pack: Pack) -> None:
    looser = [note.message for note in lint(pack) if note.sort == "looser"]
    assert any("新疆" in message and "23:00" in message and "20:30" in message for message in looser)
    assert any("上海" in message and "21:00" in message for message in looser)


@pytest.mark.parametrize(("layer", "grade_six"), [("cn", 60), ("cn-xinjiang", 60), ("cn-shanghai", 90), ("demo-district", 60)])
def test_grade_six_belongs_to_the_stage_that_the_layer_says(pack: Pack, layer: str, grade_six: int) -> None:
    day = datetime.date(2026, 11, 17)
    stage = next(stage for stage, grades in pack.layers[layer].grades.stages.items() if 6 in grades)
    assert pack.value("homework.daily_minutes", at=layer, on=day, case=[stage]).value == grade_six


def test_shanghai_and_xinjiang_differ_in_the_end_of_online_training(pack: Pack) -> None:
    day = datetime.date(2026, 11, 17)
    found = compare(pack, Point("cn-shanghai", day), Point("cn-xinjiang", day))
    ends = [(each.case, each.first and each.first.text, each.second and each.second.text, each.direction) for each in found.figures]
    assert ("线上", "21:00", "23:00", "looser") in ends


def test_every_recorded_kind_can_be_recognised_and_its_columns_have_labels(pack: Pack) -> None:
    for kind in pack.vocabulary.recorded_kinds:
        assert kind.recognise, kind.name
        assert all(column.label for column in kind.columns.values())
        labels = [column.label for column in kind.columns.values()]
        assert len(labels) == len(set(labels)), kind.name
