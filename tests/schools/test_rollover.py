"""The turn of the year: classes go up, the last grade leaves, and last year stays what it was."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from qingdan.homework.actions.register import enter
from qingdan.homework.models import Homework
from qingdan.places.models import SchoolYear
from qingdan.schools.models import Enrolment, GradeLead, SchoolClass, TeachingAssignment, YearRollover
from tests.district import District, assign, homework, make_class, make_pupil, signed_in

OLD_END, NEW_START = datetime.date(2027, 8, 31), datetime.date(2027, 9, 1)
FORM = {"first_classes": "2", "keeps_class_teachers": "on", "keeps_assignments": "on", "keeps_grade_leads": "on"}


@pytest.fixture
def leader(district: District) -> Client:
    """The leader's browser."""
    return signed_in(district.first.leader)


@pytest.fixture
def next_year(district: District) -> SchoolYear:
    """The school year 2027."""
    return SchoolYear.objects.create(region=district.region, first_year=2027, starts_on=NEW_START, ends_on=datetime.date(2028, 8, 31))


def state() -> dict[str, Any]:
    models = (SchoolClass, Enrolment, TeachingAssignment, GradeLead)
    return {model.__name__: sorted(model._base_manager.values_list(), key=str) for model in models}


def turn(client: Client, **changes: str) -> str:
    return client.post(reverse("schools:rollover"), FORM | changes, follow=True).content.decode()


def test_without_a_next_year_the_leader_is_sent_to_the_bureau(district: District, leader: Client) -> None:
    page = leader.get(reverse("schools:rollover")).content.decode()
    assert "校历里还没有2027学年；请教育局先在校历里填写" in page


def test_every_class_goes_up_and_the_last_grade_leaves(district: District, leader: Client, next_year: SchoolYear) -> None:
    school = district.first
    last = make_class(school.school, 6, 1)
    graduate = make_pupil(last)
    assign(school.other_teacher, last, "语文")
    page = leader.get(reverse("schools:rollover")).content.decode()
    assert "→ 四（2）班" in page
    assert "毕业" in page
    assert "已升到2027学年" in turn(leader)
    new = SchoolClass.objects.get(school=school.school, school_year=next_year, name="四（2）班")
    assert (new.continues, new.class_teacher) == (school.class_32, school.teacher)
    old, now = school.pupils[0].enrolments.order_by("starts_on")
    assert (old.school_class, old.ends_on) == (school.class_32, OLD_END)
    assert (now.school_class, now.starts_on, now.ends_on) == (new, NEW_START, None)
    assert [each.ends_on for each in graduate.enrolments.all()] == [OLD_END]
    assert new.assignments.count() == school.class_32.assignments.count() == 3
    assert not TeachingAssignment.objects.filter(school_class=last, ends_on=None).exists()
    first_grade = SchoolClass.objects.filter(school=school.school, school_year=next_year, grade=1)
    assert sorted(each.number for each in first_grade) == [1, 2]
    assert GradeLead.objects.filter(school_year=next_year, grade=4, user=school.grade_head).exists()
    assert not SchoolClass.objects.filter(school=district.second.school, school_year=next_year).exists()


def test_turning_twice_turns_once(district: District, leader: Client, next_year: SchoolYear) -> None:
    turn(leader)
    after = state()
    turn(leader)
    assert state() == after
    assert YearRollover.objects.count() == 1


def test_records_of_last_year_still_name_the_old_class(district: District, leader: Client, next_year: SchoolYear) -> None:
    school = district.first
    enter([homework(school.class_32, school.teacher)], by=school.teacher)
    turn(leader)
    assert Homework.objects.get().school_class.name == "三（2）班"
    page = leader.get(reverse("schools:school", args=[school.school.pk]), {"year": 2026}).content.decode()
    assert "三（2）班" in page
    page = leader.get(reverse("schools:school", args=[school.school.pk]), {"year": 2027}).content.decode()
    assert "四（2）班" in page
    assert "三（2）班" not in page


def test_the_undo_puts_back_exactly_what_was_and_it_can_be_done_again(district: District, leader: Client, next_year: SchoolYear) -> None:
    before = state()
    turn(leader, first_classes="3")
    rollover = YearRollover.objects.get()
    page = leader.post(reverse("schools:undo_rollover", args=[rollover.pk]), follow=True).content.decode()
    assert "已撤销升级" in page
    assert state() == before
    assert "已升到2027学年" in turn(leader)
    assert YearRollover.objects.count() == 2


def test_the_undo_is_refused_once_homework_was_given_in_the_new_year(district: District, leader: Client, next_year: SchoolYear) -> None:
    turn(leader)
    new = SchoolClass.objects.get(school=district.first.school, school_year=next_year, grade=4, number=2)
    item = homework(new, district.first.teacher, on_date=NEW_START)
    item.status, item.sent_at = "out", timezone.now()
    item.save()
    page = leader.post(reverse("schools:undo_rollover", args=[YearRollover.objects.get().pk]), follow=True).content.decode()
    assert "不能撤销：班级“四（2）班”后来有了" in page
    assert YearRollover.objects.get().undone_at is None


def test_what_is_not_ticked_does_not_come_along(district: District, leader: Client, next_year: SchoolYear) -> None:
    leader.post(reverse("schools:rollover"), {"first_classes": "0"})
    found = SchoolClass.objects.filter(school=district.first.school, school_year=next_year)
    assert {each.class_teacher for each in found} == {None}
    assert found.count() == 3
    assert not TeachingAssignment.objects.filter(school_class__in=found).exists()
    assert not GradeLead.objects.filter(school_year=next_year).exists()


@pytest.mark.parametrize("number", ["-1", "61", "", "多"])
def test_an_impossible_number_of_new_classes_is_refused(district: District, leader: Client, next_year: SchoolYear, number: str) -> None:
    assert leader.post(reverse("schools:rollover"), FORM | {"first_classes": number}).status_code == 400
    assert not YearRollover.objects.exists()
