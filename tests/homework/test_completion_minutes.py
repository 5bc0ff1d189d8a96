"""Estimated against reported minutes: never about so few families that one could be recognised."""

from __future__ import annotations

import datetime
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import given as for_all
from hypothesis import strategies as st

from qingdan.accounts.enums import Role
from qingdan.accounts.models import User
from qingdan.draws.models import Draw
from qingdan.homework.minutes import Tally, shown, week_by_class, week_by_school, whole
from qingdan.homework.models import FamilyReport, Homework, SubjectMinutes
from qingdan.homework.models.completion import SMALLEST_GROUP
from qingdan.schools.models import Enrolment, SchoolClass
from tests.district import MONDAY, SATURDAY, TUESDAY, WEDNESDAY, District, SmallSchool, homework, make_class, make_pupil, signed_in, subject

DAYS = [MONDAY + datetime.timedelta(days=number) for number in range(5)]


@pytest.fixture(autouse=True)
def _friday(monkeypatch: pytest.MonkeyPatch) -> None:
    """The week is over."""
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: DAYS[-1])


def gave(
    school: SmallSchool, day: datetime.date, minutes: int, name: str = "数学", *, school_class: SchoolClass | None = None, **values: object
) -> Homework:
    item = homework(
        school_class or school.class_32, school.teacher, name, minutes, on_date=day, status="out", sent_at=timezone.now(), **values
    )
    item.save()
    return item


def said(
    school: SmallSchool, day: datetime.date, *minutes: int, late: int = 0, school_class: SchoolClass | None = None
) -> list[FamilyReport]:
    school_class = school_class or school.class_32
    draw = Draw.hold("家庭反馈", [1], 1)
    return [
        FamilyReport.objects.create(
            draw=draw, pupil=make_pupil(school_class), school_class=school_class, on_date=day, homework_minutes=each,
            sleep="late" if number < late else "done_in_time", answered_at=timezone.now(),
        )
        for number, each in enumerate(minutes)
    ]  # fmt: skip


def test_estimate_and_report_of_a_day_and_a_week(district: District) -> None:
    school = district.first
    gave(school, MONDAY, 20)
    gave(school, MONDAY, 15, "语文")
    gave(school, MONDAY, 30, "英语", done_at="school")
    gave(school, MONDAY, 30, "英语", form="oral")
    gave(school, TUESDAY, 50)
    said(school, MONDAY, 40, 50, 60, late=1)
    said(school, TUESDAY, 60, 61, 61)
    week = week_by_class([school.class_32.pk], DAYS)[school.class_32.pk]
    monday = week.days[MONDAY]
    assert (monday.estimated_minutes, monday.reported_minutes, monday.answers, monday.in_time_percent) == (35, 50, 3, 67)
    assert monday.difference_minutes == 15
    assert week.days[TUESDAY].reported_minutes == 61
    assert (week.whole.estimated_minutes, week.whole.reported_minutes, week.whole.answers) == (43, 55, 6)
    assert week.days[WEDNESDAY].estimated_minutes is None


def figures(page: str) -> list[str]:
    """The figures a reader sees: tokens and addresses hold digits of their own, and so do the names of invented pupils."""
    return re.findall(r"(?<![\dA-Za-z生])\d+", re.sub(r"<[^>]*>", " ", page))


def test_a_group_too_small_stands_nowhere_in_the_page(district: District) -> None:
    school = district.first
    gave(school, MONDAY, 20)
    said(school, MONDAY, 347, 347)
    for user in (school.parent, school.teacher, school.leader, district.bureau):
        page = signed_in(user).get(reverse("homework:minutes"))
        assert "人少不显示" in page.text
        assert "347" not in figures(page.text)
    assert "347" not in figures(signed_in(school.parent).get(reverse("homework:family")).text)
    said(school, MONDAY, 347)
    assert "347" in figures(signed_in(school.parent).get(reverse("homework:minutes")).text)


def test_a_week_does_not_give_away_a_hidden_day() -> None:
    shown_day, hidden_day = Tally(60, 1, 150, 3, 0), Tally(60, 1, 300, 1, 1)
    week = whole([shown_day, hidden_day])
    assert (week.reported_minutes, week.answers, week.in_time_percent) == (50, 3, 100)
    assert whole([hidden_day]).is_hidden
    assert whole([hidden_day, hidden_day, hidden_day]).reported_minutes == 300


TALLIES = st.lists(st.builds(Tally, st.just(30), st.just(1), st.integers(0, 500), st.integers(0, 6), st.just(0)), max_size=7)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@for_all(TALLIES)
def test_what_can_be_worked_out_is_always_about_enough_families(days: list[Tally]) -> None:
    """The week's answers without those of the days shown: none, or a group large enough."""
    week = whole(days)
    rest = week.answers - sum(each.answers for each in map(shown, days))
    assert rest == 0 or rest >= SMALLEST_GROUP
    assert week.answers == 0 or week.answers >= SMALLEST_GROUP


def test_each_sees_the_classes_that_concern_him(district: District) -> None:
    school = district.first
    for each in (school.class_31, school.class_32, school.class_21):
        gave(school, MONDAY, 10, school_class=each)
    expected = {
        school.leader: {"三（1）班", "三（2）班", "二（1）班"},
        school.teacher: {"三（1）班", "三（2）班", "二（1）班"},
        school.other_teacher: {"三（2）班"},
        school.grade_head: {"三（1）班", "三（2）班"},
        school.parent: {"甲小学 三（2）班"},
        district.bureau: {"甲小学", "乙小学"},
    }
    for user, names in expected.items():
        assert {row["name"] for row in signed_in(user).get(reverse("homework:minutes")).context["rows"]} == names


def test_a_parent_sees_no_teacher_and_no_class_after_the_child_has_left(district: District) -> None:
    school = district.first
    User.objects.filter(pk=school.teacher.pk).update(display_name="王老师")
    gave(school, MONDAY, 20)
    for report in said(school, MONDAY, 40, 40, 40):
        SubjectMinutes.objects.create(report=report, subject=subject("数学"), homework_minutes=25)
    address = reverse("homework:minutes")
    page = signed_in(school.parent).get(address)
    assert "25 分钟" in page.text
    assert "王老师" not in page.text
    assert "王老师" in signed_in(school.leader).get(address).text
    bureau = signed_in(district.bureau).get(address)
    assert "王老师" not in bureau.text
    Enrolment.objects.filter(pupil=school.pupils[0]).update(ends_on=MONDAY - datetime.timedelta(days=3))
    assert signed_in(school.parent).get(address).context["rows"] == []
    assert len(signed_in(school.parent).get(address, {"week": "2026-11-09"}).context["rows"]) == 1


def test_a_school_is_the_average_of_its_classes(district: District) -> None:
    school = district.first
    gave(school, MONDAY, 20)
    gave(school, MONDAY, 40, school_class=school.class_31)
    said(school, MONDAY, 30, 40)
    said(school, MONDAY, 50, school_class=school.class_31)
    week = week_by_school([school.school.pk], DAYS)[school.school.pk]
    assert (week.days[MONDAY].estimated_minutes, week.days[MONDAY].reported_minutes) == (30, 40)
    page = signed_in(district.bureau).get(reverse("homework:minutes"), {"q": "jxx"})
    assert [row["name"] for row in page.context["rows"]] == ["甲小学"]


def test_reported_minutes_over_the_limit_stand_out(district: District) -> None:
    school = district.first
    gave(school, MONDAY, 55)
    said(school, MONDAY, 60, 60, 60)
    address = reverse("homework:minutes")
    page = signed_in(school.teacher).get(address)
    assert "上限 60 分钟" in page.text
    assert "is-over" not in page.text
    said(school, MONDAY, 64)
    assert "is-over" in signed_in(school.teacher).get(address).text


def test_weeks_are_turned_and_nonsense_is_this_week(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    school = district.first
    client, address = signed_in(school.leader), reverse("homework:minutes")
    for week in ("", "2099-01-01", "gestern", "0001-01-01"):
        answer = client.get(address, {"week": week, "grade": "77", "school_class": "x", "page": "-4"})
        assert answer.status_code == 200
        assert answer.context["after"] is None or week == "0001-01-01"
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: SATURDAY)
    gave(school, SATURDAY, 10)
    assert SATURDAY in client.get(address).context["days"]
    assert SATURDAY not in client.get(address, {"week": "2026-11-09"}).context["days"]


@pytest.mark.parametrize("role", ["leader", "teacher", "bureau"])
def test_queries_do_not_grow_with_classes(district: District, role: str) -> None:
    school = district.first
    client = signed_in(district.bureau if role == Role.BUREAU else getattr(school, role))

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse("homework:minutes")).status_code == 200
        return len(queries)

    gave(school, MONDAY, 20)
    count()
    few = count()
    for number in range(4, 10):
        school_class = make_class(school.school, 3, number, class_teacher=school.teacher)
        gave(school, TUESDAY, 20, school_class=school_class)
        said(school, TUESDAY, 20, 30, 40, school_class=school_class)
    assert count() == few
