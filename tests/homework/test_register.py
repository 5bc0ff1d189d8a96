"""Homework goes out only when the class's whole day complies."""

from __future__ import annotations

import datetime

import pytest
from django.core.exceptions import ValidationError

from qingdan.homework.actions.register import Refused, change, day_total, enter, judge_draft, return_to_teacher
from qingdan.homework.enums import HomeworkStatus
from qingdan.homework.models import Homework
from tests.district import SATURDAY, TUESDAY, WEDNESDAY, District, homework


def test_a_day_at_its_limit_goes_out_and_one_minute_more_does_not(district: District) -> None:
    school = district.first
    enter([homework(school.class_32, school.teacher, minutes=30)], by=school.teacher)
    enter([homework(school.class_32, school.other_teacher, "语文", 30)], by=school.other_teacher)
    assert day_total(school.class_32, TUESDAY).minutes == 60
    with pytest.raises(Refused) as refused:
        enter([homework(school.class_32, school.grade_head, "英语", 1)], by=school.grade_head)
    (objection,) = refused.value.objections
    assert objection.rule == "homework.daily-total"
    assert "61 分钟" in objection.sentence
    assert objection.cites
    assert Homework.objects.count() == 2


def test_what_is_over_the_limit_can_be_held_and_settled(district: District) -> None:
    school = district.first
    enter([homework(school.class_32, school.teacher, minutes=50)], by=school.teacher)
    (held,) = enter([homework(school.class_32, school.other_teacher, "语文", 20)], by=school.other_teacher, hold=True)
    assert held.status == HomeworkStatus.HELD
    assert held.objections[0]["rule"] == "homework.daily-total"
    assert day_total(school.class_32, TUESDAY).minutes == 50
    with pytest.raises(Refused):
        change(Homework.objects.get(pk=held.pk), by=school.grade_head)
    change(Homework.objects.get(pk=held.pk), by=school.grade_head, homework_minutes=10, note="减去抄写")
    held.refresh_from_db()
    assert held.status == HomeworkStatus.OUT
    assert held.settled_by == school.grade_head
    assert day_total(school.class_32, TUESDAY).minutes_left == 0


def test_a_homework_moves_to_another_day(district: District) -> None:
    school = district.first
    (item,) = enter([homework(school.class_32, school.teacher, minutes=50)], by=school.teacher)
    change(item, by=school.grade_head, on_date=WEDNESDAY)
    assert day_total(school.class_32, TUESDAY).minutes == 0
    assert day_total(school.class_32, WEDNESDAY).minutes == 50


def test_a_second_grade_has_no_written_homework_at_home(district: District) -> None:
    school = district.first
    with pytest.raises(Refused) as refused:
        enter([homework(school.class_21, school.teacher, minutes=5)], by=school.teacher)
    assert [each.rule for each in refused.value.objections] == ["homework.no-written-at-home"]
    total = day_total(school.class_21, TUESDAY)
    assert total.is_none_allowed
    assert total.minutes_left == 0
    assert enter([homework(school.class_21, school.teacher, minutes=15, form="oral")], by=school.teacher)[0].status == "out"


def test_a_draft_is_judged_and_nothing_stays(district: District) -> None:
    school = district.first
    assert judge_draft([homework(school.class_32, school.teacher, minutes=60)]) == []
    assert len(judge_draft([homework(school.class_32, school.teacher, minutes=61)])) == 1
    assert not Homework.objects.exists()


def test_pressing_twice_saves_once(district: District) -> None:
    school = district.first
    item = homework(school.class_32, school.teacher)
    again = homework(school.class_32, school.teacher, batch=item.batch)
    assert enter([item], by=school.teacher)[0].pk == enter([again], by=school.teacher)[0].pk


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (datetime.date(2026, 11, 13), "已经过去"),
        (SATURDAY, "休息日"),
        (datetime.date(2027, 2, 1), "寒暑假"),
        (datetime.date(2026, 10, 1), "已经过去"),
        (datetime.date(2027, 1, 1), "还没有定"),
    ],
)
def test_a_day_without_school_is_refused(district: District, day: datetime.date, words: str) -> None:
    school = district.first
    with pytest.raises(ValidationError, match=words):
        enter([homework(school.class_32, school.teacher, on_date=day)], by=school.teacher)


def test_a_class_of_somebody_else_is_refused(district: District) -> None:
    school = district.first
    with pytest.raises(ValidationError, match="没有这门学科的任课"):
        enter([homework(school.class_31, school.other_teacher, "语文")], by=school.other_teacher)
    with pytest.raises(ValidationError, match="不在您的学校"):
        enter([homework(district.second.class_32, school.teacher)], by=school.teacher)


@pytest.mark.parametrize("minutes", [-1, 601])
def test_impossible_minutes_are_refused(district: District, minutes: int) -> None:
    school = district.first
    with pytest.raises(ValidationError):
        enter([homework(school.class_32, school.teacher, minutes=minutes)], by=school.teacher)


def test_a_return_needs_a_reason(district: District) -> None:
    school = district.first
    (item,) = enter([homework(school.class_32, school.teacher)], by=school.teacher)
    with pytest.raises(ValidationError, match="理由"):
        return_to_teacher(item, by=school.grade_head, reason=" ")
    return_to_teacher(item, by=school.grade_head, reason="与昨日重复")
    assert day_total(school.class_32, TUESDAY).minutes == 0
