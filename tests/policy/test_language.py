"""The rule language refuses whatever it cannot vouch for, at the place where it stands, with the reason."""

from __future__ import annotations

import pytest
from sqlglot import exp

from qingdan.policy.expressions import FUNCTIONS, parse
from qingdan.policy.sources import PackError
from tests.policy.conftest import SMALL, MakePack

RULE = "top/lessons/minutes.yaml"


def refusal(small_pack: MakePack, require: str, when: str | None = None) -> PackError:
    """What the pack says to a rule that requires this."""
    text = SMALL[RULE].replace(
        "rule: {require: minutes <= lessons.minutes}", f"rule:\n  require: {require}" + (f"\n  when: {when}" if when else "")
    )
    with pytest.raises(PackError) as caught:
        small_pack({RULE: text})
    return caught.value


@pytest.mark.parametrize(
    ("require", "reason"),
    [
        ("minuts <= lessons.minutes", "没有“minuts”这一列；是否想写“minutes”？"),
        ("minutes <= lessons.minuts", "没有名为“lessons.minuts”的参数；是否想写“lessons.minutes”？"),
        ("minutes <= 60", "数字限值请写成参数"),
        ("minutes <= fee_fen", "单位不同"),
        ("minutes + fee_fen <= lessons.minutes", "单位不同，不能加减"),
        ("minutes <= 'x'", "类型不同"),
        ("minutes", "应当是一个判断"),
        ("minutes AND is_free", "不是判断"),
        ("is_free < is_paid", "不分大小"),
        ("stage = 'primry'", "类别“stage”没有“primry”；是否想写“primary”？"),
        ("mode = stage", "不同的类别"),
        ("minutes = NULL", "请写 IS NULL"),
        ("minutes / 2 <= lessons.minutes", "没有“minutes / 2”这种写法"),
        ("minutes % 2 = 0", "没有"),
        ("CAST(name AS INTEGER) = 0", "没有"),
        ("EXTRACT(DOW FROM on_date) = 0", "没有"),
        ("minutes * 1.5 <= lessons.minutes", "只用整数"),
        ("name LIKE '甲%'", "没有"),
        ("random() = 0", "没有"),
        ("day_kinds(on_date) = 'workday'", "没有“day_kinds”这个函数；是否想写“day_kind”？"),
        ("months_covered(on_date) >= 0", "要 2 个参数，给了 1 个"),
        ("stage_of(grade) = 'primary'", "只用在事实种类的 compute 里"),
        ("working_days_between(on_date, until_date) >= 0", "只用在事实种类的 compute 里"),
        ("days_between(minutes, on_date) >= 0", "要的是 date"),
        ("on_date <= current_date", "没有"),
        ("minutes <= (SELECT 0)", "没有"),
        ("minutes IN (SELECT minutes FROM lesson)", "IN 后面要有括号里的一列值"),
        ("CASE minutes WHEN 0 THEN TRUE END", "请写 CASE WHEN 条件 THEN 值"),
        ("CASE WHEN is_free THEN minutes ELSE fee_fen END <= lessons.minutes", "类型或单位不一致"),
        ("place = 'low'", "各地不同的规定请写在各层"),
        ("ends_at * ends_at <= ends_at", "不能相乘"),
        ("minutes <= AND is_free", "读不下去"),
        ("minutes <= lessons.minutes; DROP TABLE lesson", "没有"),
        ("(minutes <= lessons.minutes", "没有配对"),
        ("'minutes", "没有配对"),
    ],
)
def test_a_rule_that_the_language_cannot_vouch_for_is_refused_with_the_reason(small_pack: MakePack, require: str, reason: str) -> None:
    quoted = '"' + require + '"'
    assert reason in str(refusal(small_pack, quoted))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_function_of_ours_has_a_name_that_the_parser_takes_for_one_of_its_own(name: str) -> None:
    arguments = ", ".join(f"c{index}" for index in range(len(FUNCTIONS[name].takes)))
    assert isinstance(parse(f"{name}({arguments})"), exp.Anonymous)


def test_the_refusal_names_file_line_and_column(small_pack: MakePack) -> None:
    problem = refusal(small_pack, "is_free OR minuts <= lessons.minutes").problems[0]
    assert (problem.place.file, problem.place.line, problem.place.column) == (RULE, 9, 23)


def test_the_refusal_of_a_later_line_of_a_block_names_that_line(small_pack: MakePack) -> None:
    problem = refusal(small_pack, "|\n    is_free OR\n    minuts <= lessons.minutes").problems[0]
    assert problem.place.line == 11


@pytest.mark.parametrize(
    "require",
    [
        "minutes <= lessons.minutes",
        "minutes > 0 AND NOT is_free OR gap IS NULL",
        "minutes BETWEEN 0 AND lessons.minutes",
        "mode IN ('offline', 'online')",
        "ends_at - ends_at <= lessons.minutes",
        "COALESCE(gap, 0) <= lessons.minutes",
        "CASE WHEN is_free THEN gap ELSE minutes END <= lessons.minutes",
        "2 * minutes <= lessons.minutes",
        "days_between(on_date, until_date) >= 0",
        "-minutes <= 0",
    ],
)
def test_what_the_language_offers_is_accepted(small_pack: MakePack, require: str) -> None:
    text = SMALL[RULE].replace("require: minutes <= lessons.minutes", f'require: "{require}"')
    assert small_pack({RULE: text}).rules["lessons.minutes"].require == require
