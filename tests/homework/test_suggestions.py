"""The library suggests what fits the class today, and says why."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from qingdan.accounts.enums import Role
from qingdan.homework.enums import DesignStatus
from qingdan.homework.models import Design, DesignRating, Homework
from qingdan.homework.suggesting import suggestions
from tests.district import MONDAY, TUESDAY, District, SmallSchool, homework, make_user, signed_in, subject


@pytest.fixture
def school(district: District) -> SmallSchool:
    return district.first


def design(school: SmallSchool, title: str, *, stars: tuple[int, ...] = (), **values: object) -> Design:
    given: dict[str, object] = {
        "school": school.school,
        "subject": subject("数学"),
        "grade": 3,
        "unit": "除法",
        "title": title,
        "content": title,
        "intent": "巩固",
        "tier": "basic",
        "form": "written",
        "homework_minutes": 10,
        "origin": "own",
        "author": school.teacher,
        "status": DesignStatus.PUBLISHED,
        "reviewed_by": school.grade_head,
        "reviewed_at": timezone.now(),
    }
    made = Design.objects.create(**(given | values))
    for each in stars:
        rater = make_user(f"rater{DesignRating.objects.count()}", Role.TEACHER, school.teacher.organisation)
        DesignRating.objects.create(design=made, user=rater, stars=each)
    return made


def titles(school: SmallSchool, **asked: object) -> list[str]:
    found = suggestions(school.class_32, subject("数学"), TUESDAY, **asked)  # type: ignore[arg-type]
    return [each.design.title for each in found]


def given(school: SmallSchool, made: Design, day: datetime.date) -> None:
    Homework.objects.create(
        school_class=school.class_32, teacher=school.teacher, subject=made.subject, content=made.title, homework_minutes=10,
        on_date=day, design=made, status="out", sent_at=timezone.now(),
    )  # fmt: skip


def test_only_what_fits_the_minutes_left_and_oral_work_always(school: SmallSchool) -> None:
    design(school, "短", homework_minutes=10)
    design(school, "长", homework_minutes=11)
    design(school, "讲故事", homework_minutes=40, form="oral")
    design(school, "校内练", homework_minutes=40, done_at="school")
    assert set(titles(school, minutes_left=10)) == {"短", "讲故事", "校内练"}
    assert set(titles(school, minutes_left=-5)) == {"讲故事", "校内练"}
    assert len(titles(school)) == 4


def test_other_schools_grades_subjects_and_drafts_are_left_out(district: District, school: SmallSchool) -> None:
    design(district.second, "外校")
    design(school, "四年级", grade=4)
    design(school, "语文", subject=subject("语文"))
    design(school, "草稿", status=DesignStatus.DRAFT)
    assert titles(school) == []


def test_unit_then_tier_then_not_lately_used_then_rating(school: SmallSchool) -> None:
    used = design(school, "用过", stars=(5, 5, 5, 5))
    given(school, used, TUESDAY - datetime.timedelta(days=14))
    old = design(school, "早用过", stars=(5, 5, 5))
    given(school, old, TUESDAY - datetime.timedelta(days=15))
    design(school, "别单元", unit="乘法", tier="extended", stars=(5, 5, 5, 5, 5))
    design(school, "别层次", tier="personal")
    design(school, "普通", tier="extended")
    design(school, "很好", tier="extended", stars=(5, 5, 4, 5))
    asked = {"unit": "除法", "tier": "extended", "limit": 10}
    assert titles(school, **asked) == ["很好", "普通", "早用过", "别层次", "用过", "别单元"]


def test_one_enthusiast_does_not_beat_many_good_ratings(school: SmallSchool) -> None:
    design(school, "一人五星", stars=(5,))
    design(school, "多人四星半", stars=(4, 5, 4, 5, 5, 4))
    design(school, "差评", stars=(1, 1))
    design(school, "没人评")
    assert titles(school) == ["多人四星半", "一人五星", "没人评", "差评"]


def test_the_reason_has_the_numbers(school: SmallSchool) -> None:
    made = design(school, "分糖", stars=(5, 4, 5, 5, 4))
    (found,) = suggestions(school.class_32, subject("数学"), TUESDAY, unit="除法", tier="basic", minutes_left=10)
    assert found.reason == "适合剩余 10 分钟 · 本单元 · 基础层次 · 4.6 分（5 人评） · 本班未用过"
    given(school, made, MONDAY)
    (found,) = suggestions(school.class_32, subject("数学"), TUESDAY)
    assert found.reason == "4.6 分（5 人评） · 本班 1 天前用过"


def test_what_the_class_has_from_the_teacher_that_day_is_not_suggested_again(school: SmallSchool) -> None:
    given(school, design(school, "已布置"), TUESDAY)
    assert titles(school, teacher=school.teacher) == []


def test_the_form_shows_them_for_the_chosen_class(school: SmallSchool) -> None:
    design(school, "分糖")
    design(school, "太长", homework_minutes=50)
    homework(school.class_32, school.other_teacher, "语文", 45, status="out", sent_at=timezone.now()).save()
    client = signed_in(school.teacher)
    asked: dict[str, Any] = {"classes": [school.class_32.pk], "subject": subject("数学").pk, "on_date": str(TUESDAY), "unit": "除法"}
    page = client.get(reverse("homework:suggestions"), asked).content.decode()
    assert "适合剩余 15 分钟 · 本单元" in page
    assert "太长" not in page
    assert "先选班级" in client.get(reverse("homework:suggestions")).content.decode()
    asked["classes"] = [school.class_21.pk]
    assert "还没有适合二（1）班今天的设计" in client.get(reverse("homework:suggestions"), asked).content.decode()


def test_one_query_however_large_the_library(school: SmallSchool) -> None:
    for number in range(12):
        design(school, f"设计{number}")
    with CaptureQueriesContext(connection) as captured:
        assert len(suggestions(school.class_32, school_subject := subject("数学"), TUESDAY, minutes_left=30, teacher=school.teacher)) == 5
    assert school_subject.name == "数学"
    assert len([each for each in captured if "homework_design" in each["sql"]]) == 1
