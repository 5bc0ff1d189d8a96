"""What the database itself refuses of staff and courses, and in which words."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from qingdan.institutions.models import CourseFile, Institution
from qingdan.schools.models import StaffIdentity
from tests.district import District
from tests.institutions.making import make_course, make_staff


def refuses(record: Any, name: str, words: str) -> None:
    """The record is new or changed and breaks a constraint."""
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        record.save()
    with pytest.raises(ValidationError, match=words):
        record.validate_constraints()


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("staff_employment_runs_forward", {"employed_until": datetime.date(2020, 1, 1)}, "离职日期不能早于入职日期"),
        ("teaching_staff_say_what_they_teach", {"subject": ""}, "教学人员要写明任教类别和学科"),
    ],
)
def test_staff(institution: Institution, name: str, values: dict[str, Any], words: str) -> None:
    person = make_staff(institution)
    for each, value in values.items():
        setattr(person, each, value)
    refuses(person, name, words)


def test_nobody_is_employed_twice_at_once(institution: Institution) -> None:
    person = make_staff(institution)
    person.pk, person._state.adding = None, True
    refuses(person, "staff_once_while_employed", "已在本机构的在职名单里")


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("course_runs_forward", {"ends_on": datetime.date(2020, 1, 1)}, "结课日期不能早于开课日期"),
        ("course_counts_are_positive", {"lesson_minutes": 241}, "课时数、每课时分钟"),
        ("course_grades_run_upward", {"first_grade": 6, "last_grade": 5}, "年级要在一至十二之间"),
        ("course_grades_run_upward", {"first_grade": 3, "last_grade": None}, "年级要在一至十二之间"),
        ("course_grades_run_upward", {"first_grade": None, "last_grade": 3}, "年级要在一至十二之间"),
        ("course_return_has_a_reason", {"state": "returned"}, "退回课程要写明理由"),
    ],
)
def test_course(institution: Institution, name: str, values: dict[str, Any], words: str) -> None:
    course = make_course(institution)
    for each, value in values.items():
        setattr(course, each, value)
    refuses(course, name, words)


def test_a_course_of_one_name_starts_once_a_day(institution: Institution) -> None:
    course = make_course(institution)
    course.pk, course._state.adding = None, True
    refuses(course, "course_name_once", "本机构已有同名、同日开课的课程")


def test_materials(institution: Institution) -> None:
    course = make_course(institution)
    values = {"course": course, "label": "讲义", "name": "讲义.pdf", "content_type": "application/pdf", "content": b"1"}
    refuses(CourseFile(**values, size_bytes=0), "course_file_is_not_empty", "文件是空的")
    CourseFile.objects.create(**values, size_bytes=1)
    refuses(CourseFile(**values, size_bytes=1), "course_file_name_once", "已有同名的材料")


def test_an_identity_belongs_to_one_member_of_school_staff(district: District) -> None:
    StaffIdentity.objects.create(user=district.first.teacher, identity_digest="a" * 64, masked_identity="1")
    other = StaffIdentity(user=district.second.teacher, identity_digest="a" * 64, masked_identity="1")
    with pytest.raises(IntegrityError, match="staff_identity_once"), transaction.atomic():
        other.save()
    with pytest.raises(ValidationError, match="这个证件号已属于另一位教职工"):
        other.validate_constraints()
