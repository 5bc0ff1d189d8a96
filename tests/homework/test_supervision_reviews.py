"""Monthly reviews and results over a term: the totals of small data computed by hand."""

from __future__ import annotations

import datetime
import io
from typing import Any

import pytest
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from qingdan.accounts.models import User
from qingdan.draws.models import Draw
from qingdan.homework.actions.supervision import complete, draw_spot_check, review_month, save_item
from qingdan.homework.charts.results import SchoolResult, school_results
from qingdan.homework.models import Disclosure, FamilyReport, Homework, MonthlyReview
from qingdan.schools.models import School, SchoolClass
from tests.district import MONDAY, THURSDAY, TUESDAY, WEDNESDAY, District, homework, make_pupil, make_school, signed_in

OCTOBER = datetime.date(2026, 10, 1)
NOVEMBER = datetime.date(2026, 11, 1)
END_OF_NOVEMBER = datetime.date(2026, 11, 30)
DECEMBER = datetime.date(2026, 12, 1)


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    cache.clear()


def out(school_class: SchoolClass, teacher: User, minutes: int, on: datetime.date, **values: object) -> None:
    """Homework that went out, whatever the law says of it."""
    values = {"subject": "数学"} | values
    item = homework(school_class, teacher, str(values.pop("subject")), minutes, on_date=on, **values)
    item.status, item.sent_at = "out", timezone.now()
    item.save()


def disclosed(school: School, grade: int, week_from: datetime.date, on: datetime.date, by: User) -> None:
    """A published week."""
    at = timezone.make_aware(datetime.datetime.combine(on, datetime.time(10)))
    year = school.region.school_years.get()
    Disclosure.objects.create(
        school=school, school_year=year, grade=grade, week_from=week_from, snapshot={}, sha256="x", published_by=by, published_at=at
    )


def told(school_class: SchoolClass, on: datetime.date, *minutes: int) -> None:
    """Families' answers."""
    draw = Draw.hold("x", [1], 1)
    for each in minutes:
        FamilyReport.objects.create(
            draw=draw,
            pupil=make_pupil(school_class),
            school_class=school_class,
            on_date=on,
            homework_minutes=each,
            sleep="done_in_time",
            answered_at=timezone.now(),
        )


@pytest.fixture
def november(district: District) -> District:
    """A week that anybody can add up.

    三（2）班: Monday 40 + 30 = 70 written at home (over 60), Tuesday 20 written and 30 oral; 三（1）班: Tuesday 60 (at the limit);
    二（1）班: Tuesday 10 (none is allowed). Withdrawn and school-time homework does not count. 9 November's week is published late.
    """
    school = district.first
    out(school.class_32, school.teacher, 40, MONDAY)
    out(school.class_32, school.other_teacher, 30, MONDAY, subject="语文")
    out(school.class_32, school.teacher, 20, TUESDAY)
    out(school.class_32, school.teacher, 30, TUESDAY, form="oral", subject="英语")
    out(school.class_32, school.teacher, 25, TUESDAY, done_at="school", subject="语文")
    out(school.class_31, school.teacher, 60, TUESDAY)
    out(school.class_21, school.teacher, 10, TUESDAY)
    withdrawn = homework(school.class_31, school.teacher, minutes=90, on_date=WEDNESDAY)
    withdrawn.status = "withdrawn"
    withdrawn.save()
    earlier = MONDAY - datetime.timedelta(days=7)
    out(school.class_32, school.teacher, 30, earlier)
    disclosed(school.school, 3, earlier, MONDAY, school.leader)
    disclosed(school.school, 3, MONDAY, MONDAY + datetime.timedelta(days=6), school.leader)
    told(school.class_32, MONDAY, 80, 100, 60)
    return district


def result(district: District, first: datetime.date = NOVEMBER, last: datetime.date = END_OF_NOVEMBER) -> SchoolResult:
    found, other = school_results([district.first.school, district.second.school], first, last)
    assert other == SchoolResult(district.second.school.pk, "乙小学")
    return found


def test_totals_are_those_computed_by_hand(november: District, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: DECEMBER)
    found = result(november)
    # 三（2）班 9, 16, 17 November; 三（1）班 and 二（1）班 on the 17th.
    assert (found.days, found.classes, found.class_days) == (3, 3, 5)
    assert found.by_stage == {"primary_upper": (4, 30 + 70 + 20 + 60), "primary_lower": (1, 10)}
    assert found.average_minutes == 38.0
    assert found.average_minutes_by_stage == {"primary_upper": 45.0, "primary_lower": 10.0}
    assert found.over_limit_days == 2  # 70 in grade three, anything in grade two
    # Grade three: 9 November late, 16 November in time; grade two: 16 November never published.
    assert (found.weeks, found.published_on_time, found.in_time_percent) == (3, 1, 33.3)
    assert (found.reports, found.average_reported_minutes, found.average_estimated_minutes) == (3, 80.0, 70.0)


def test_checks_and_faults_count_once_signed(november: District) -> None:
    school = november.first
    check = draw_spot_check(by=november.bureau, title="x", week_from=MONDAY, classes=[school.class_21], count=1)
    checked, item = check.classes.get(), Homework.objects.get(school_class=school.class_21)
    values = {"is_as_published": False, "faults": ["mechanical", "too_hard"]}
    save_item(checked=checked, key=f"h{item.pk}", token="new", by=november.bureau, values=values)
    assert result(november).faults == 0
    complete(checked=checked, by=november.bureau)
    found = result(november)
    assert (found.checks, found.differing, found.faults) == (1, 1, 2)


def test_two_families_are_too_few_to_be_shown(district: District) -> None:
    school = district.first
    out(school.class_32, school.teacher, 40, MONDAY)
    told(school.class_32, MONDAY, 80, 100)
    found = result(district)
    assert found.reports == 2
    assert found.average_reported_minutes is None
    assert found.average_estimated_minutes is None


def test_a_week_belongs_to_the_month_of_its_thursday(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: DECEMBER)
    school = district.first
    out(school.class_32, school.teacher, 10, datetime.date(2026, 10, 26))  # its Thursday is 29 October
    out(school.class_32, school.teacher, 10, datetime.date(2026, 11, 30))  # its Thursday is 3 December
    assert result(district, OCTOBER, datetime.date(2026, 10, 31)).weeks == 1
    assert result(district).weeks == 0


def test_results_cost_the_same_for_many_schools(november: District) -> None:
    def cost() -> int:
        schools = list(School.objects.select_related("organisation"))
        with CaptureQueriesContext(connection) as captured:
            school_results(schools, NOVEMBER, END_OF_NOVEMBER)
        return len(captured)

    cost()  # the first one may read the calendar
    few = cost()
    for number in range(4):
        more = make_school(november.region, f"丙{number}", prefix=f"more{number}_")
        out(more.class_32, more.teacher, 10, TUESDAY)
        check = draw_spot_check(by=november.bureau, title="x", week_from=MONDAY, classes=[more.class_31], count=1)
        complete(checked=check.classes.get(), by=november.bureau)
    assert cost() <= few + 1  # the items of checks are read as soon as there is any check
    assert few <= 8


def post(district: District, month: datetime.date, **data: Any) -> Any:
    args = [district.first.school.pk, month.year, month.month]
    return signed_in(district.bureau).post(reverse("homework:review", args=args), data, follow=True)


def test_a_review_freezes_the_totals(november: District, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: DECEMBER)
    assert "已评议甲小学2026年11月" in post(november, NOVEMBER, opinion="三年级周一偏多").content.decode()
    review = MonthlyReview.objects.get()
    assert review.totals["over_limit_days"] == 2
    assert review.totals["average_minutes_by_stage"] == {"primary_upper": 45.0, "primary_lower": 10.0}
    out(november.first.class_31, november.first.teacher, 90, THURSDAY)
    post(november, NOVEMBER, opinion="三年级偏多，请统筹")
    review.refresh_from_db()
    assert (review.opinion, review.totals["over_limit_days"]) == ("三年级偏多，请统筹", 2)
    post(november, NOVEMBER, opinion="重新统计", counts_anew="on")
    review.refresh_from_db()
    assert review.totals["over_limit_days"] == 3
    leader = signed_in(november.first.leader)
    assert "重新统计" in leader.get(reverse("homework:reviews")).content.decode()
    address = reverse("homework:review", args=[november.first.school.pk, 2026, 11])
    assert "重新统计" in leader.get(address).content.decode()
    assert leader.post(address, {"opinion": "很好"}).status_code == 404
    assert signed_in(november.second.leader).get(address).status_code == 404


def test_a_month_that_is_not_over_or_an_empty_opinion_is_refused(november: District) -> None:
    assert "还没有结束" in post(november, NOVEMBER, opinion="x").content.decode()
    assert "请写评议意见" in post(november, OCTOBER, opinion=" ").content.decode()
    assert "500" in post(november, OCTOBER, opinion="长" * 501).content.decode()
    assert post(november, datetime.date(2019, 1, 1), opinion="x").status_code == 404
    assert not MonthlyReview.objects.exists()
    with pytest.raises(ValidationError, match="还没有结束"):
        review_month(school=november.first.school, month=NOVEMBER, by=november.bureau, opinion="x")


def test_a_leader_sees_no_month_before_it_is_reviewed(november: District) -> None:
    leader = signed_in(november.first.leader)
    assert leader.get(reverse("homework:review", args=[november.first.school.pk, 2026, 10])).status_code == 404
    assert "还没有评议" in leader.get(reverse("homework:reviews")).content.decode()


def test_the_month_is_listed_and_exported(november: District, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: DECEMBER)
    client = signed_in(november.bureau)
    text = client.get(reverse("homework:reviews")).content.decode()
    assert "2026年11月作业总量评议" in text
    assert "已评议 0 / 2 所学校" in text
    post(november, NOVEMBER, opinion="=1+1")
    sheet = load_workbook(io.BytesIO(client.get(reverse("homework:reviews_export"), {"month": "2026-11"}).content)).active
    assert sheet is not None
    rows = {row[0]: row for row in sheet.iter_rows(values_only=True, max_row=3)}
    assert rows["甲小学"][4:6] == (38, 2)
    assert rows["甲小学"][13] == "=1+1"
    assert rows["乙小学"][3] == 0


def test_how_schools_stand_over_a_term(november: District, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: DECEMBER)
    client = signed_in(november.bureau)
    text = client.get(reverse("homework:standing"), {"sort": "over"}).content.decode()
    assert "2026学年第一学期" in text
    assert text.index("甲小学</a>") < text.index("乙小学</a>")
    assert text.count("40.0%") == 1  # two class-days of five
    response = client.get(reverse("homework:standing_export"), {"sort": "nonsense", "period": "nonsense"})
    sheet = load_workbook(io.BytesIO(response.content)).active
    assert sheet is not None
    assert [row[0] for row in sheet.iter_rows(values_only=True, min_row=2, max_row=3)] == ["甲小学", "乙小学"]


def test_lists_cost_the_same_for_many_schools(november: District) -> None:
    client = signed_in(november.bureau)

    def costs() -> list[int]:
        found = []
        for name in ("reviews", "standing", "reviews_export", "standing_export"):
            client.get(reverse(f"homework:{name}"))
            with CaptureQueriesContext(connection) as captured:
                client.get(reverse(f"homework:{name}"))
            found.append(len(captured))
        return found

    few = costs()
    for number in range(4):
        make_school(november.region, f"丙{number}", prefix=f"more{number}_")
    assert costs() == few
    assert max(few) <= 12
