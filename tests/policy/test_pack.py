"""The pack is strict, speaks, and never guesses."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from qingdan.policy.cases import run_cases
from qingdan.policy.pack import OutsideDates, Pack, UnknownLayer
from qingdan.policy.sources import PackError
from tests.policy.conftest import SMALL, MakePack

RULE = "top/lessons/minutes.yaml"
LOW = "low/lessons/minutes.yaml"
DAY = datetime.date(2026, 11, 17)
OVERRIDE = """
id: lessons.minutes
title: 时长（下层）
cites: [local.minutes]
parameters: {lessons.minutes: {overrides: true, values: [{from: 2023-01-01, value: {primary: 50}}]}}
"""


def problems(small_pack: MakePack, changes: dict[str, str | None]) -> list[str]:
    """What the pack has against these changes."""
    with pytest.raises(PackError) as caught:
        small_pack(changes)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        (RULE, "title: 时长", "titel: 时长", "1: 缺少必填项“title”"),
        (RULE, "title: 时长", "titel: 时长", "不认识的键“titel”；是否想写“title”？"),
        (RULE, "title: 时长", "title: 时长\ntitle: 又一个", "键“title”重复出现"),
        (RULE, "title: 时长", "title: 7", "应当是文字，却是 7"),
        (RULE, "from: 2022-01-01", "from: 2022-02-30", "没有这一天：2022-02-30"),
        (RULE, "from: 2022-01-01", "from: 去年", "应当是日期（如 2021-07-24），却是 '去年'"),
        (RULE, "primary: 60", "primary: 60.5", "应当是整数"),
        (RULE, "primary: 60", "primari: 60", "“stage”没有“primari”这个取值；是否想写“primary”？"),
        (RULE, "unit: minute", "unit: minutte", "不认识的单位“minutte”"),
        (RULE, "tighter: lower", "tighter: less", "只能是"),
        (RULE, "cites: [law.minutes]", "cites: [law.minute]", "引用的条款“law.minute”不存在；是否想写“law.minutes”？"),
        (RULE, "cites: [law.minutes]", "cites: [local.minutes]", "不能引用不是自己也不是上级的条款"),
        (RULE, "facts: lesson\n", "facts: lessen\n", "没有“lessen”这类事实；是否想写“lesson”？"),
        (RULE, "{name} {minutes}，", "{nam} {minutes}，", "says 里的“nam”既不是列也不是参数"),
        (RULE, "facts: {name: 甲, grade: 3, minutes: 60}", "facts: {nam: 甲}", "没有“nam”这一列"),
        (RULE, "remedy: 缩短\n", "", "有规则（rule）就要写 remedy"),
        (RULE, "lessons.minutes: {label", "minutes: {label", "参数名要写成“主题.名称”"),
        (RULE, "id: lessons.minutes", "id: [lessons", "不是合格的 YAML"),
        ("facts/lesson.yaml", "of: stage", "of: stages", "没有类别“stages”；是否想写“stage”？"),
        ("facts/lesson.yaml", "compute: stage_of(grade)", "compute: stage_of(grad)", "没有“grad”这一列"),
        ("facts/lesson.yaml", "compute: day_kind(on_date)", "compute: in_vacation(on_date)", "这一列是 category，算出来的却是 boolean"),
        ("facts/lesson.yaml", "date: on_date", "date: minutes", "不是日期列"),
        ("facts/lesson_day.yaml", "COUNT(*) AS lesson_count", "name AS lesson_count", "算出来的却是 text"),
        ("facts/lesson_day.yaml", "TOTAL(minutes) AS minutes", "minutes AS minutes", "既不在 GROUP BY 里，也没有汇总"),
        ("facts/lesson_day.yaml", "FROM lesson GROUP", "FROM lessen GROUP", "FROM 后面应当是“lesson”"),
        ("facts/lesson_day.yaml", "  from: lesson\n", "  from: lessen\n", "没有“lessen”这类事实"),
        ("low/layer.yaml", "parent: top", "parent: tip", "没有名为“tip”的层；是否想写“top”？"),
        ("low/layer.yaml", "code: low", "code: lower", "code 要与文件夹同名"),
        ("top/layer.yaml", "kind: nation", "kind: nation\nparent: low", "上级关系成环：top → low → top"),
        ("top/layer.yaml", "primary: [1, 2", "primary: [7, 2", "同一年级不能属于两个学段"),
        ("top/documents/law.yaml", "planned: T1", "planned: T9", "没有名为“T9”的 planned"),
        ("top/documents/law.yaml", "addressee: [school]", "addressee: [scool]", "不认识的义务人“scool”；是否想写“school”？"),
        ("top/documents/law.yaml", "{planned: T1}", "{planned: T1, goal: true}", "每项只写"),
        ("top/documents/law.yaml", "status: in_force", "status: replaced", "要写 in_force_until"),
    ],
)
def test_each_fault_of_a_file_is_told_in_chinese_with_file_and_line(
    small_pack: MakePack, name: str, old: str, new: str, message: str
) -> None:
    assert old in SMALL[name]
    told = problems(small_pack, {name: SMALL[name].replace(old, new)})
    assert any(message in line and line.startswith(name) for line in told), told


def test_all_faults_are_told_at_once_not_just_the_first(small_pack: MakePack) -> None:
    told = problems(
        small_pack,
        {
            RULE: SMALL[RULE].replace("title: 时长", "titel: 时长"),
            "low/layer.yaml": SMALL["low/layer.yaml"].replace("name: 下层", "nam: 下层"),
        },
    )
    assert {line.split(":")[0] for line in told} >= {RULE, "low/layer.yaml"}


def test_a_file_in_another_encoding_is_told(tmp_path: Path) -> None:
    (tmp_path / "capabilities.yaml").write_bytes("T1: 试验".encode("gbk"))
    with pytest.raises(PackError, match="不是 UTF-8 编码"):
        Pack.load(tmp_path)


def test_a_folder_that_is_not_there_or_holds_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="没有这个政策包文件夹"):
        Pack.load(tmp_path / "nowhere")
    with pytest.raises(PackError, match=r"没有任何 \.yaml 文件"):
        Pack.load(tmp_path)


def test_two_values_in_force_in_one_layer_are_an_error(small_pack: MakePack) -> None:
    doubled = SMALL[RULE].replace("values: [{from: 2022-01-01", "values: [{from: 2022-06-01, value: {junior: 80}}, {from: 2022-01-01")
    assert "有两个值" in problems(small_pack, {RULE: doubled})[0]


def test_a_lower_layer_must_say_that_it_overrides(small_pack: MakePack) -> None:
    declared = OVERRIDE.replace("overrides: true, values", "label: 又, unit: minute, by: [stage], tighter: lower, values")
    assert "改写上级的数值请写 overrides: true" in problems(small_pack, {LOW: declared})[0]


def test_an_override_of_nothing_is_an_error(small_pack: MakePack) -> None:
    assert "没有上级声明过参数“lessons.hours”" in problems(small_pack, {LOW: OVERRIDE.replace("lessons.minutes: {", "lessons.hours: {")})[0]


def test_a_layer_changes_only_what_it_names(small_pack: MakePack) -> None:
    pack = small_pack({LOW: OVERRIDE})
    assert pack.value("lessons.minutes", at="low", on=DAY, case=["primary"]).value == 50
    assert pack.value("lessons.minutes", at="low", on=DAY, case=["junior"]).value == 90
    assert pack.value("lessons.minutes", at="top", on=DAY, case=["primary"]).value == 60
    assert pack.value("lessons.minutes", at="low", on=DAY, case=["primary"]).statement.cites == ("local.minutes",)


def test_a_figure_changes_on_its_day_and_not_the_day_before(small_pack: MakePack) -> None:
    pack = small_pack({LOW: OVERRIDE})
    before, on = datetime.date(2022, 12, 31), datetime.date(2023, 1, 1)
    assert pack.value("lessons.minutes", at="low", on=before, case=["primary"]).value == 60
    assert pack.value("lessons.minutes", at="low", on=on, case=["primary"]).value == 50


def test_a_value_outside_its_dates_raises(small_pack: MakePack) -> None:
    pack = small_pack()
    with pytest.raises(OutsideDates, match="2021-12-31：上层没有有效的“时长上限”"):
        pack.value("lessons.minutes", at="top", on=datetime.date(2021, 12, 31), case=["primary"])


def test_an_unknown_layer_is_named_with_the_nearest(small_pack: MakePack) -> None:
    with pytest.raises(UnknownLayer, match="没有名为“lo”的层；是否想写“low”？"):
        small_pack().value("lessons.minutes", at="lo", on=DAY, case=["primary"])


def test_a_drafts_figures_and_rules_bind_nobody(small_pack: MakePack) -> None:
    draft = SMALL["low/documents/local.yaml"].replace("in_force\n", "draft\n", 1)
    pack = small_pack({LOW: OVERRIDE, "low/documents/local.yaml": draft})
    assert pack.value("lessons.minutes", at="low", on=DAY, case=["primary"]).value == 60


def test_a_replaced_documents_figures_end_on_its_last_day(small_pack: MakePack) -> None:
    replaced = SMALL["low/documents/local.yaml"].replace("status: in_force", "status: replaced\nin_force_until: 2024-01-01")
    pack = small_pack({LOW: OVERRIDE, "low/documents/local.yaml": replaced})
    assert pack.value("lessons.minutes", at="low", on=datetime.date(2023, 12, 31), case=["primary"]).value == 50
    assert pack.value("lessons.minutes", at="low", on=datetime.date(2024, 1, 1), case=["primary"]).value == 60


def test_a_rule_that_is_switched_off_or_replaced_below_still_applies_above(small_pack: MakePack) -> None:
    off = "id: lessons.off\ntitle: 停用\ncites: [local.minutes]\nswitches_off: lessons.minutes\n"
    pack = small_pack({"low/lessons/off.yaml": off})
    rule = pack.rules["lessons.minutes"]
    assert pack.rule_is_on(rule, at="top", on=DAY)
    assert not pack.rule_is_on(rule, at="low", on=DAY)
    assert pack.rule_is_on(rule, at="low", on=datetime.date(2022, 12, 31))


def test_a_rule_cannot_change_one_that_is_not_above_it(small_pack: MakePack) -> None:
    off = "id: lessons.off\ntitle: 停用\ncites: [law.minutes]\nswitches_off: lessons.minutes\n"
    assert "不能由它改动" in problems(small_pack, {"top/lessons/off.yaml": off})[0]


def test_a_users_pack_lies_over_another_and_a_layer_folder_is_a_pack_too(small_pack: MakePack, tmp_path: Path) -> None:
    small_pack()
    own = tmp_path / "own"
    own.mkdir()
    (own / "layer.yaml").write_text("code: own\nname: 自家\nparent: low\nkind: district\n", encoding="utf-8")
    pack = Pack.load(tmp_path / "pack", own)
    assert pack.layers["own"].chain == ("own", "low", "top")


def test_the_small_packs_cases_pass_and_a_wrong_one_fails(small_pack: MakePack) -> None:
    assert all(result.passed for result in run_cases(small_pack()))
    wrong = SMALL[RULE].replace("minutes: 61}, verdict: breach", "minutes: 61}, verdict: compliant")
    assert [result.passed for result in run_cases(small_pack({RULE: wrong}))] == [True, False]


def test_a_layer_that_restates_a_rule_is_cited_first_from_its_own_day_on(small_pack: MakePack) -> None:
    pack = small_pack({"low/restated.yaml": "- {rule: lessons.minutes, cites: [local.minutes]}\n"})
    rule = pack.rules["lessons.minutes"]
    assert pack.cites_at(rule, at="low", on=DAY) == ["local.minutes", "law.minutes"]
    assert pack.cites_at(rule, at="low", on=datetime.date(2022, 12, 31)) == ["law.minutes"]
    assert pack.cites_at(rule, at="top", on=DAY) == ["law.minutes"]
    assert [each.id for each in pack.rules_by_clause["local.minutes"]] == ["lessons.minutes"]


def test_a_restatement_of_an_unknown_rule_is_an_error(small_pack: MakePack) -> None:
    told = problems(small_pack, {"low/restated.yaml": "- {rule: lessons.minuts, cites: [local.minutes]}\n"})
    assert "没有规则“lessons.minuts”；是否想写“lessons.minutes”？" in told[0]
