"""Invented local policies, which differ from the real ones in more than numbers, need no code: the format carries them.

The pack under ``tests/packs/invented`` is a province, a city, two districts and a school below ``cn``, laid over the built-in pack.
"""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from qingdan.policy.cases import CaseResult, run_cases
from qingdan.policy.pack import OutsideDates, Pack

ROOT = Path(__file__).parents[2]
Results = dict[tuple[str, str], CaseResult]
NEW_YEARS_EVE, NEW_YEAR = datetime.date(2025, 12, 31), datetime.date(2026, 1, 1)
AUTUMN, AUTUMN_EVE = datetime.date(2026, 9, 1), datetime.date(2026, 8, 31)


@pytest.fixture(scope="module")
def pack() -> Pack:
    """The invented pack over the built-in one."""
    return Pack.load(ROOT / "policies", ROOT / "tests" / "packs" / "invented")


@pytest.fixture(scope="module")
def results(pack: Pack) -> Results:
    """Every case of the invented layers, judged, by file and by what it says."""
    found = run_cases(pack, lambda worked: worked.place.file.startswith("inv-"))
    return {(result.worked.place.file, result.worked.case.what): result for result in found}


def verdicts(results: Results, file: str, *whats: str) -> list[str]:
    """What the engine said to some cases of one file."""
    return [results[f"inv-{file}.yaml", what].verdict.value for what in whats]


def minutes(clock: str) -> int:
    """A clock as the pack keeps it."""
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)


def test_every_case_of_the_invented_policies_has_the_verdict_it_names(results: Results) -> None:
    wrong = [f"{each.worked.place} {each.worked.case.what}: {each.verdict.value}" for each in results.values() if not each.passed]
    assert wrong == []
    assert len(results) > 130


def test_the_invented_layers_are_marked_as_fictional(pack: Pack) -> None:
    codes = [code for code in pack.layers if code.startswith("inv-")]
    assert len(codes) == 5
    assert all(pack.layers[code].fictional and pack.layers[code].chain[-1] == "cn" for code in codes)
    assert all(document.fictional for document in pack.documents.values() if document.layer in codes)


def test_a_limit_may_differ_by_stage_and_each_place_has_its_own_grade_system(results: Results) -> None:
    whats = ("六年级在省里属小学", "六年级在双溪属初中")
    assert verdicts(results, "qinghe/invented/arrival", *whats) == ["breach", "compliant"]


def test_a_limit_may_differ_by_season_and_changes_on_its_first_day(pack: Pack, results: Results) -> None:
    def earliest(season: str) -> object:
        return pack.value("invented.arrives_from", at="inv-qinghe", on=AUTUMN, case=("primary_lower", season)).value

    assert (earliest("summer"), earliest("winter")) == (minutes("08:10"), minutes("08:30"))
    whats = ("二年级夏季正好", "次日入冬，同一时间就早了", "冬季跨年仍是冬季", "四月三十日仍是冬季", "五月一日入夏")
    assert verdicts(results, "qinghe/invented/arrival", *whats) == ["compliant", "breach", "breach", "breach", "compliant"]


def test_a_layer_may_change_one_cell_of_a_limit_by_stage_and_season_and_leaves_the_others(pack: Pack) -> None:
    def earliest(stage: str, season: str, on: datetime.date = AUTUMN) -> tuple[object, str]:
        limit = pack.value("invented.arrives_from", at="inv-dongwan", on=on, case=(stage, season))
        return limit.value, limit.statement.layer

    assert earliest("primary_lower", "winter") == (minutes("08:40"), "inv-dongwan")
    assert earliest("primary_lower", "winter", AUTUMN_EVE) == (minutes("08:30"), "inv-qinghe")
    assert earliest("primary_lower", "summer") == (minutes("08:10"), "inv-qinghe")
    assert earliest("junior", "winter") == (minutes("08:00"), "inv-qinghe")


def test_a_limit_may_differ_by_grade_with_one_figure_for_all_grades_not_named(pack: Pack) -> None:
    by_grade = [pack.value("invented.reading_minutes", at="inv-xiling", on=AUTUMN, case=(grade,)).value for grade in (1, 2, 3, 4, 9)]
    assert by_grade == [10, 10, 15, 30, 30]


def test_a_school_may_change_the_figure_of_one_grade(pack: Pack) -> None:
    def limit(grade: int, day: int) -> tuple[object, str]:
        found = pack.value("invented.reading_minutes", at="inv-xiling-school", on=datetime.date(2026, 10, day), case=(grade,))
        return found.value, found.statement.layer

    assert limit(7, 7) == (30, "inv-qinghe")
    assert limit(7, 8) == (25, "inv-xiling-school")
    assert limit(8, 8) == (30, "inv-qinghe")


def test_a_limit_may_differ_between_town_and_country_and_a_place_knows_which_it_is(results: Results) -> None:
    whats = ("省里没有说城乡，不能断定", "东湾是城区", "西岭是农村", "西岭的县城学校自己写明城镇")
    assert verdicts(results, "qinghe/invented/ride", *whats) == ["undetermined", "breach", "compliant", "breach"]


def test_a_limit_may_differ_between_public_and_private_schools(results: Results) -> None:
    whats = ("公办多 1 分", "民办 1500 元", "西岭寄宿学校是公办", "不知道公办民办")
    assert verdicts(results, "qinghe/invented/lodging", *whats) == ["breach", "compliant", "breach", "undetermined"]


def test_a_limit_may_differ_between_boarding_and_day_schools(pack: Pack, results: Results) -> None:
    latest = [pack.value("invented.evening_ends_at", at="inv-dongwan", on=AUTUMN, case=(boarding,)).text for boarding in (True, False)]
    assert latest == ["21:00", "18:30"]
    whats = ("寄宿 21 点", "走读 18 点 31 分", "不知道是否寄宿")
    assert verdicts(results, "qinghe/invented/evening", *whats) == ["compliant", "breach", "undetermined"]


@pytest.mark.parametrize(("size", "price"), [(1, 10000), (10, 10000), (11, 5000), (35, 5000), (36, 3000), (1000, 3000)])
def test_a_band_includes_the_edges_that_it_says_it_includes(pack: Pack, size: int, price: int) -> None:
    assert pack.value("invented.price_per_lesson", at="inv-qinghe", on=AUTUMN, case=(size,)).value == price


def test_a_number_outside_every_band_has_no_figure(pack: Pack, results: Results) -> None:
    with pytest.raises(OutsideDates):
        pack.value("invented.price_per_lesson", at="inv-qinghe", on=AUTUMN, case=(0,))
    whats = ("班额为零不在任何一档", "不知道班额")
    assert verdicts(results, "qinghe/invented/guided-price", *whats) == ["undetermined", "undetermined"]


def test_one_number_taken_out_of_a_band_by_a_lower_layer_leaves_the_rest_of_the_band_as_it_was(pack: Pack, results: Results) -> None:
    prices = [pack.value("invented.price_per_lesson", at="inv-dongwan", on=AUTUMN, case=(size,)).value for size in (1, 2, 10, 11)]
    assert prices == [18000, 10000, 10000, 5000]
    whats = ("一对一正好", "一对一多 1 分", "两人班随省")
    assert verdicts(results, "dongwan/invented/one-to-one", *whats) == ["compliant", "breach", "breach"]


@pytest.mark.parametrize("unit", ["按小时", "按月", "按学期", "按项"])
def test_a_fee_may_be_limited_per_hour_month_term_or_item(results: Results, unit: str) -> None:
    assert verdicts(results, "qinghe/invented/guided-price", f"{unit}正好", f"{unit}多 1 分") == ["compliant", "breach"]


def test_a_fee_may_be_limited_per_lesson_and_says_so(pack: Pack, results: Results) -> None:
    assert verdicts(results, "qinghe/invented/guided-price", "10 人班 20 课时正好", "10 人班多 1 分") == ["compliant", "breach"]
    assert pack.value("invented.price_per_lesson", at="inv-qinghe", on=AUTUMN, case=(10,)).text == "100.00 元／课时"


def test_several_caps_hold_at_once(results: Results) -> None:
    whats = ("材料费到顶", "材料费多 1 分", "学费多 1 分")
    assert verdicts(results, "qinghe/invented/caps", *whats) == ["compliant", "breach", "breach"]


def test_two_items_that_keep_their_own_caps_may_break_their_joint_cap(results: Results) -> None:
    whats = ("学费到顶、材料费 200 元，合计正好", "各自未超，合计多 1 分")
    assert verdicts(results, "qinghe/invented/caps", *whats) == ["compliant", "breach"]


def test_a_cap_that_is_surely_broken_is_a_breach_even_when_the_other_item_is_unknown(results: Results) -> None:
    whats = ("不知道材料费", "不知道材料费而学费已超")
    assert verdicts(results, "qinghe/invented/caps", *whats) == ["undetermined", "breach"]


def test_working_days_skip_the_national_day_holiday_and_count_the_make_up_saturday(results: Results) -> None:
    whats = ("跨国庆的第 10 个工作日", "其后的周末不算工作日", "第 11 个工作日")
    assert verdicts(results, "qinghe/invented/refund-days", *whats) == ["compliant", "compliant", "breach"]


def test_working_days_of_a_year_whose_holidays_are_not_published_are_not_guessed(results: Results) -> None:
    assert verdicts(results, "qinghe/invented/refund-days", "次年的放假安排尚未公布") == ["undetermined"]


def test_a_district_may_have_days_off_and_days_on_of_its_own(results: Results) -> None:
    whats = ("第 8 个工作日", "东湾停工一日，顺延", "东湾再过一日", "东湾周日补班算工作日", "西岭那个周日不上班")
    assert verdicts(results, "shuangxi/invented/refund-days", *whats) == ["breach", "compliant", "breach", "breach", "compliant"]


def test_a_draft_binds_nobody_neither_by_its_rule_nor_by_its_figure(pack: Pack) -> None:
    assert "invented.trial-lesson" not in pack.rules
    price = pack.value("invented.price_per_lesson", at="inv-qinghe", on=AUTUMN, case=(5,))
    assert (price.value, price.statement.cites) == (10000, ("inv-p2.guided-price",))
    assert not pack.documents["inv-p4"].binds


def test_a_text_on_trial_binds_until_its_trial_ends_and_then_the_layer_above_speaks_again(pack: Pack) -> None:
    days = [
        pack.value("invented.refund_days", at="inv-shuangxi", on=datetime.date(*day)).value
        for day in ((2026, 6, 30), (2026, 7, 1), (2027, 6, 30), (2027, 7, 1))
    ]
    assert days == [10, 7, 7, 10]


def test_a_replaced_text_ends_with_its_rules_on_the_day_its_successor_begins(pack: Pack) -> None:
    receipt = pack.rules["invented.receipt"]
    assert pack.rule_is_on(receipt, at="inv-xiling-school", on=NEW_YEARS_EVE)
    assert not pack.rule_is_on(receipt, at="inv-xiling-school", on=NEW_YEAR)


def test_a_figure_changes_on_the_day_the_successor_is_in_force_and_not_the_day_before(pack: Pack, results: Results) -> None:
    def price(on: datetime.date) -> tuple[object, tuple[str, ...]]:
        limit = pack.value("invented.price_per_lesson", at="inv-shuangxi", on=on, case=(10,))
        return limit.value, limit.statement.cites

    assert price(NEW_YEARS_EVE) == (12000, ("inv-p1.guided-price",))
    assert price(NEW_YEAR) == (10000, ("inv-p2.guided-price",))
    whats = ("旧办法最后一日的数值", "新办法第一日的数值")
    assert verdicts(results, "qinghe/invented/guided-price", *whats) == ["compliant", "breach"]
    with pytest.raises(OutsideDates):
        pack.value("invented.price_per_lesson", at="inv-shuangxi", on=datetime.date(2021, 12, 31), case=(10,))


def test_a_layer_may_tighten_a_figure_of_the_built_in_pack_twice_and_only_for_itself(pack: Pack) -> None:
    days = (AUTUMN_EVE, AUTUMN, datetime.date(2026, 12, 31), datetime.date(2027, 1, 1))
    assert [pack.value("prepaid.months", at="inv-dongwan", on=day).value for day in days] == [3, 2, 2, 1]
    assert [pack.value("prepaid.months", at="inv-xiling", on=day).value for day in days] == [3, 3, 3, 3]


def test_a_layer_may_loosen_a_figure_and_changes_only_the_cell_that_it_names(results: Results) -> None:
    whats = ("山区 75 分钟", "山区 76 分钟", "施行前一日仍是 60 分钟", "县城学校仍随省")
    assert verdicts(results, "xiling/invented/ride", *whats) == ["compliant", "breach", "breach", "breach"]


def test_a_layer_may_add_a_rule_which_applies_there_alone_with_its_own_citation(pack: Pack) -> None:
    nurse = pack.rules["invented.night-nurse"]
    assert nurse.cites == ("inv-d1.nurse",)
    assert [pack.rule_is_on(nurse, at=place, on=AUTUMN) for place in ("inv-dongwan", "inv-xiling", "inv-shuangxi")] == [True, False, False]
    assert not pack.rule_is_on(nurse, at="inv-dongwan", on=AUTUMN_EVE)


def test_a_layer_may_replace_a_rule_from_a_day_on_with_its_own_citation(pack: Pack) -> None:
    above, own = pack.rules["invented.ride"], pack.rules["invented.ride-by-stage"]
    assert own.cites == ("inv-d1.ride",)
    for day, whose in ((AUTUMN_EVE, [True, False]), (AUTUMN, [False, True])):
        assert [pack.rule_is_on(rule, at="inv-dongwan", on=day) for rule in (above, own)] == whose
    assert pack.rule_is_on(above, at="inv-xiling", on=AUTUMN)


def test_a_layer_may_replace_a_rule_of_the_built_in_pack_by_one_with_other_distinctions(pack: Pack, results: Results) -> None:
    built_in, own = pack.rules["homework.daily-total"], pack.rules["invented.homework-by-grade"]
    assert [pack.rule_is_on(rule, at="inv-dongwan", on=AUTUMN) for rule in (built_in, own)] == [False, True]
    assert [pack.rule_is_on(rule, at="inv-xiling", on=AUTUMN) for rule in (built_in, own)] == [True, False]
    whats = ("三年级 31 分钟", "四年级 31 分钟", "施行前一日随全国")
    assert verdicts(results, "dongwan/invented/homework-by-grade", *whats) == ["breach", "compliant", "compliant"]


def test_a_layer_may_switch_a_rule_off_for_itself_and_below_with_its_own_citation(pack: Pack, results: Results) -> None:
    off = {each.rule: each for each in pack.switch_offs if each.layer == "inv-xiling"}
    assert off["invented.evening"].cites == ("inv-x1.evening",)
    evening = pack.rules["invented.evening"]
    places = ("inv-xiling", "inv-xiling-school", "inv-dongwan", "inv-shuangxi")
    assert [pack.rule_is_on(evening, at=place, on=AUTUMN) for place in places] == [False, False, True, True]
    assert pack.rule_is_on(evening, at="inv-xiling", on=AUTUMN_EVE)
    assert verdicts(results, "qinghe/invented/evening", "西岭停用前一日", "西岭停用当日") == ["breach", "compliant"]


def test_a_layer_may_switch_off_a_rule_of_the_built_in_pack(pack: Pack) -> None:
    split = pack.rules["prepaid.three-months-split"]
    assert not pack.rule_is_on(split, at="inv-xiling", on=AUTUMN)
    assert pack.rule_is_on(split, at="inv-dongwan", on=AUTUMN)


def test_the_sentence_of_a_breach_shows_the_figure_of_the_place_and_day(results: Results) -> None:
    sentence = results["inv-xiling/invented/ride.yaml", "山区 76 分钟"].sentence
    assert "76 分钟" in sentence
    assert sentence.endswith("75 分钟")
    winter = results["inv-qinghe/invented/arrival.yaml", "次日入冬，同一时间就早了"].sentence
    assert "10月1日" in winter
    assert "08:30" in winter


def test_what_the_invented_pack_says_is_no_part_of_the_built_in_one() -> None:
    alone = Pack.load(ROOT / "policies")
    assert not [code for code in alone.layers if code.startswith("inv-")]
    assert not [rule for rule in alone.rules if rule.startswith("invented.")]
