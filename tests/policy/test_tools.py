"""Lint, trace, diff and what-if, on the small pack where every answer can be counted by hand."""

from __future__ import annotations

import datetime
import re

import pytest

from qingdan.policy.comparing import Point, compare
from qingdan.policy.linting import lint
from qingdan.policy.supposing import Unsupposable, suppose
from qingdan.policy.tracing import counts_by_document, trace
from tests.policy.conftest import SMALL, MakePack

LOW = "low/lessons/minutes.yaml"
DAY = datetime.date(2026, 11, 17)


def override(primary: int) -> str:
    """A lower layer's own figure."""
    return (
        "id: lessons.minutes\ntitle: 时长（下层）\ncites: [local.minutes]\n"
        f"parameters: {{lessons.minutes: {{overrides: true, values: [{{from: 2023-01-01, value: {{primary: {primary}}}}}]}}}}\n"
    )


@pytest.mark.parametrize(("figure", "sorts"), [(70, {"looser"}), (50, {"stricter"}), (60, set())])
def test_lint_reports_a_figure_that_is_looser_or_stricter_than_above_with_both_clauses(
    small_pack: MakePack, figure: int, sorts: set[str]
) -> None:
    notes = [note for note in lint(small_pack({LOW: override(figure)})) if note.sort in ("looser", "stricter")]
    assert {note.sort for note in notes} == sorts
    for note in notes:
        assert "下规 第1条" in note.message
        assert "上规 第1条" in note.message
        assert note.place.file == LOW


def test_lint_reports_a_gap_in_time(small_pack: MakePack) -> None:
    gap = SMALL["top/lessons/minutes.yaml"].replace(
        "values: [{from: 2022-01-01", "values: [{from: 2020-01-01, until: 2021-01-01, value: {junior: 80}}, {from: 2022-01-01"
    )
    notes = [note for note in lint(small_pack({"top/lessons/minutes.yaml": gap})) if note.sort == "gap"]
    assert len(notes) == 1
    assert "2021-01-01 至 2022-01-01" in notes[0].message


def test_lint_notes_a_clause_that_is_only_planned_until_something_carries_it_out(small_pack: MakePack) -> None:
    assert [note.place.file for note in lint(small_pack()) if note.sort == "uncited"] == ["low/documents/local.yaml"]
    assert not [note for note in lint(small_pack({LOW: override(60)})) if note.sort == "uncited"]


def test_trace_links_a_clause_to_the_rule_whose_figure_it_sets(small_pack: MakePack) -> None:
    traced = trace(small_pack({LOW: override(50)}))
    assert {each.clause.id: each.strongest for each in traced} == {"law.minutes": "rule", "local.minutes": "rule"}
    assert counts_by_document(traced)["law"] == {"rule": 1}


def test_diff_of_two_layers_names_the_figure_the_case_and_the_direction(small_pack: MakePack) -> None:
    found = compare(small_pack({LOW: override(50)}), Point("top", DAY), Point("low", DAY))
    assert [(each.parameter.name, each.case, each.direction) for each in found.figures] == [("lessons.minutes", "小学", "stricter")]
    assert not found.rules


def test_diff_of_two_days_names_rules_that_came_into_force(small_pack: MakePack) -> None:
    found = compare(small_pack(), Point("top", datetime.date(2021, 12, 31)), Point("top", datetime.date(2022, 1, 1)))
    assert [(each.rule.id, each.is_in_first) for each in found.rules] == [("lessons.minutes", False)]


def test_a_supposed_figure_applies_to_its_case_only_and_leaves_the_pack_alone(small_pack: MakePack) -> None:
    pack = small_pack()
    supposed, _ = suppose(pack, "lessons.minutes[primary]=40", at="low")
    assert supposed.value("lessons.minutes", at="low", on=DAY, case=["primary"]).value == 40
    assert supposed.value("lessons.minutes", at="low", on=DAY, case=["junior"]).value == 90
    assert pack.value("lessons.minutes", at="low", on=DAY, case=["primary"]).value == 60


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("lessons.minutes", "--set 要写成 参数=数值"),
        ("lessons.minuts=40", "是否想写“lessons.minutes”？"),
        ("lessons.minutes=四十", "不是“时长上限”的数值"),
        ("lessons.minutes[primry]=40", "没有情形“primry”；是否想写“primary”？"),
        ("lessons.minutes[primary,x]=40", "情形要写 1 项"),
    ],
)
def test_a_supposition_that_cannot_be_made_says_how_to_write_it(small_pack: MakePack, setting: str, message: str) -> None:
    with pytest.raises(Unsupposable, match=re.escape(message)):
        suppose(small_pack(), setting, at="low")
