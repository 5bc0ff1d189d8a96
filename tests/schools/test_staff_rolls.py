"""A roll of staff: accounts that wait for their owners, what each teaches, and duties."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from qingdan.accounts.models import User
from qingdan.homework.actions.register import enter
from qingdan.schools.models import GradeLead, RollImport, SchoolClass, SubjectLead, TeachingAssignment
from tests.district import MONDAY, District, homework, signed_in
from tests.schools.workbooks import acts, cells, post, send, send_rows, xlsx


@pytest.fixture
def leader(district: District) -> Client:
    """The leader's browser."""
    return signed_in(district.first.leader)


def state() -> dict[str, Any]:
    """Everything that a roll of staff may change."""
    models = (TeachingAssignment, GradeLead, SubjectLead, SchoolClass)
    found = {model.__name__: sorted(model._base_manager.values_list(), key=str) for model in models}
    return found | {"users": sorted(User.objects.values_list("username", "display_name", "role", "organisation_id"))}


ROWS = [
    ["新老师", "xin", "语文、道法", "三（1）、（2）班", "三（1）班", "", "语文"],
    ["teacher", "teacher", "数学", "三（1）班、三（2）班、二（1）班", "", "二年级", ""],
]


def test_new_staff_get_an_account_without_a_password_and_everything_they_do(district: District, leader: Client) -> None:
    roll = send_rows(leader, ROWS, "staff")
    assert acts(roll) == ["add", "change"]
    what = roll.rows.all()[0].what
    assert "新教师账户" in what
    assert "任教三（2）班道德与法治" in what
    assert "任三（1）班班主任" in what
    post(leader, "apply_roll", roll)
    user = User.objects.get(username="xin")
    assert (user.role, user.organisation, user.has_usable_password()) == ("teacher", district.first.school.organisation, False)
    assert user.assignments.count() == 4
    assert SchoolClass.objects.get(pk=district.first.class_31.pk).class_teacher == user
    assert SubjectLead.objects.filter(user=user, subject__name="语文").exists()
    assert GradeLead.objects.filter(user=district.first.teacher, grade=2).exists()


def test_the_undo_of_a_staff_roll_puts_back_exactly_what_was(district: District, leader: Client) -> None:
    before = state()
    roll = send_rows(leader, [*ROWS, ["other_teacher", "other_teacher", "语文", "三（1）班", "三（2）班", "", ""]], "staff")
    assert "不再任教三（2）班语文" in roll.rows.all()[2].what
    assert "（原为teacher）" in roll.rows.all()[2].what
    post(leader, "apply_roll", roll)
    assert state() != before
    ended = TeachingAssignment.objects.get(teacher=district.first.other_teacher, school_class=district.first.class_32)
    assert ended.ends_on == MONDAY - datetime.timedelta(days=1)
    assert "已撤销导入" in post(leader, "undo_roll", roll)
    assert state() == before


def test_the_undo_is_refused_once_a_new_teacher_has_given_homework(district: District, leader: Client) -> None:
    school = district.first
    roll = send_rows(leader, [["other_teacher", "other_teacher", "科学、语文", "三（2）班", "", "", ""]], "staff")
    post(leader, "apply_roll", roll)
    enter([homework(school.class_32, school.other_teacher, "科学", 5)], by=school.other_teacher)
    assert "已在三（2）班布置了科学作业" in post(leader, "undo_roll", roll)


def test_exported_staff_imported_again_change_nothing(district: District, leader: Client) -> None:
    content = leader.get(reverse("schools:roll_export", args=["staff"])).content
    head = [row for row in cells(content) if row[1] == "grade_head"]
    assert head == [["grade_head", "grade_head", "英语", "三（1）班、三（2）班", None, "三年级", "数学"]]
    send(leader, content, "staff")
    assert set(acts(RollImport.objects.latest("pk"))) == {"same"}


def test_a_staff_number_stands_for_a_user_name_of_the_school(district: District, leader: Client) -> None:
    content = xlsx(("表", [["姓名", "工号", "任教学科", "任课班级"], ["钱老师", 17, "英语", "3.1班"]]))
    send(leader, content, "staff")
    roll = RollImport.objects.latest("pk")
    post(leader, "apply_roll", roll)
    assert User.objects.get(display_name="钱老师").username == f"{district.first.school.pk}-17"
    send(leader, content, "staff")
    assert acts(RollImport.objects.latest("pk")) == ["same"]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (["", "a", "语文", "三（1）班", "", "", ""], "缺姓名"),
        (["甲", "", "语文", "三（1）班", "", "", ""], "缺用户名，也缺工号"),
        (["甲", "王老师", "语文", "三（1）班", "", "", ""], ""),
        (["甲", "a b!", "语文", "三（1）班", "", "", ""], "只能用字母、数字"),
        (["甲", "a", "炼金", "三（1）班", "", "", ""], "没有“炼金”这门学科"),
        (["甲", "a", "语文", "九（1）班", "", "", ""], "不在本校的年级"),
        (["甲", "a", "语文", "三（7）班", "", "", ""], "没有三（7）班"),
        (["甲", "a", "语文", "向日葵", "", "", ""], "看不出“向日葵”是哪个班"),
        (["甲", "a", "", "三（1）班", "", "", ""], "没有写学科"),
        (["甲", "second_teacher", "语文", "三（1）班", "", "", ""], "已被别的单位使用"),
        (["甲", "a", "语文", "三（1）班、三（2）班", "是", "", ""], "看不出是哪个班"),
        (["甲", "a", "语文", "三（1）班", "", "很多", ""], "是哪个年级的组长"),
    ],
)
def test_a_row_that_cannot_be_is_refused_with_what_to_do(district: District, leader: Client, row: list[str], words: str) -> None:
    roll = send_rows(leader, [row], "staff")
    found = roll.rows.get()
    assert (found.act == "refuse") == bool(words)
    assert words in found.what


def test_one_user_name_with_two_names_and_two_class_teachers_are_told(district: District, leader: Client) -> None:
    first, second, third = (
        ["甲", "a", "", "", "三（1）班", "", ""],
        ["乙", "a", "", "", "", "", ""],
        ["丙", "c", "", "", "三（1）班", "", ""],
    )
    roll = send_rows(leader, [first, second, third], "staff")
    assert acts(roll) == ["refuse", "refuse", "add"]
    roll = send_rows(leader, [first, third], "staff")
    assert acts(roll) == ["add", "refuse"]
    assert "班主任在名册里写了两个人" in roll.rows.all()[1].what
