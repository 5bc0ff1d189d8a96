"""A few families each day, drawn so that anybody can check it, answer in two taps."""

from __future__ import annotations

import datetime

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from qingdan.accounts.enums import Role
from qingdan.accounts.models import User
from qingdan.draws.models import Draw, lot
from qingdan.homework.actions.completion import tell_subjects
from qingdan.homework.actions.families import FAMILIES_PER_CLASS, draw_families
from qingdan.homework.models import FamilyReport, Homework, SubjectMinutes
from qingdan.judging.law import current_law
from qingdan.notices.models import Notice
from qingdan.places.calendar import SchoolCalendar
from qingdan.schools.models import Enrolment, Guardian, Pupil, SchoolClass
from tests.district import (
    MONDAY,
    SATURDAY,
    TUESDAY,
    WEDNESDAY,
    District,
    SmallSchool,
    homework,
    make_class,
    make_pupil,
    make_user,
    signed_in,
    subject,
)

HTMX = {"HX-Request": "true"}


def given(
    school: SmallSchool,
    day: datetime.date = MONDAY,
    *,
    school_class: SchoolClass | None = None,
    name: str = "数学",
    minutes: int = 30,
    **values: object,
) -> Homework:
    """Written homework at home that went out."""
    item = homework(
        school_class or school.class_32, school.teacher, name, minutes, on_date=day, status="out", sent_at=timezone.now(), **values
    )
    item.save()
    return item


def families(school_class: SchoolClass, count: int, prefix: str = "family") -> list[Pupil]:
    """Pupils with a guardian each."""
    pupils = [make_pupil(school_class) for _ in range(count)]
    for pupil in pupils:
        Guardian.objects.create(user=make_user(f"{prefix}{pupil.pk}", Role.PARENT), pupil=pupil)
    return pupils


def asked(school: SmallSchool, pupil: Pupil | None = None, day: datetime.date = MONDAY, **values: object) -> FamilyReport:
    """A family drawn on a day."""
    pupil = pupil or school.pupils[0]
    draw = Draw.hold("家庭反馈", [pupil.pk], 1)
    return FamilyReport.objects.create(draw=draw, pupil=pupil, school_class=school.class_32, on_date=day, **values)


def answered(school: SmallSchool, day: datetime.date, *minutes: int, late: int = 0) -> None:
    """Answers of as many new families."""
    for number, each in enumerate(minutes):
        sleep = "late" if number < late else "done_in_time"
        asked(school, make_pupil(school.class_32), day, homework_minutes=each, sleep=sleep, answered_at=timezone.now())


def test_the_draw_takes_five_families_of_each_class_with_homework_and_can_be_repeated(district: District) -> None:
    school = district.first
    given(school)
    families(school.class_32, 9)
    families(school.class_31, 9)
    assert draw_families(MONDAY) == FAMILIES_PER_CLASS
    draw = Draw.objects.get()
    assert draw.is_right()
    assert sorted(draw.entries, key=lambda pupil: lot(draw.seed, pupil))[:5] == draw.chosen
    reports = FamilyReport.objects.all()
    assert {report.pupil_id for report in reports} == set(draw.chosen)
    assert {report.school_class_id for report in reports} == {school.class_32.pk}
    told = Notice.objects.filter(occasion=f"family-report:{MONDAY}")
    assert {notice.user_id for notice in told} == set(Guardian.objects.filter(pupil__in=draw.chosen).values_list("user", flat=True))
    assert draw_families(MONDAY) == 0
    assert Draw.objects.count() == 1


def test_each_class_has_its_own_five(district: District) -> None:
    school = district.first
    for number in (1, 2):
        school_class = school.class_31 if number == 1 else school.class_32
        given(school, school_class=school_class)
        families(school_class, 8, f"class{number}_")
    assert draw_families(MONDAY) == 10
    counts = [FamilyReport.objects.filter(school_class=each).count() for each in (school.class_31, school.class_32)]
    assert counts == [5, 5]
    assert Draw.objects.get().is_right()


@pytest.mark.parametrize(
    "values", [{"form": "oral"}, {"done_at": "school"}, {"status": "held", "sent_at": None}, {"status": "withdrawn", "sent_at": None}]
)
def test_nobody_is_asked_without_written_homework_at_home(district: District, values: dict[str, object]) -> None:
    school = district.first
    item = given(school)
    Homework.objects.filter(pk=item.pk).update(**values)
    assert draw_families(MONDAY) == 0


def test_nobody_is_asked_on_a_day_without_school(district: District) -> None:
    given(district.first, SATURDAY)
    assert draw_families(SATURDAY) == 0


def test_only_families_with_an_account_are_drawn(district: District) -> None:
    school = district.first
    given(school)
    assert draw_families(MONDAY) == 1
    assert FamilyReport.objects.get().pupil == school.pupils[0]
    User.objects.filter(pk=school.parent.pk).update(is_active=False)
    given(school, TUESDAY)
    assert draw_families(TUESDAY) == 0


@pytest.mark.parametrize(("count", "rest"), [(9, 1), (11, 2), (29, 6)])
def test_a_family_rests_as_long_as_its_class_allows(district: District, count: int, rest: int) -> None:
    """With 10 families nobody is asked twice running; with 30 nobody within five school days. (One family is there already.)"""
    school = district.first
    families(school.class_32, count)
    days = SchoolCalendar("demo-district").school_days(MONDAY, MONDAY + datetime.timedelta(days=20))
    drawn: list[set[int]] = []
    for day in days:
        given(school, day)
        assert draw_families(day) == FAMILIES_PER_CLASS
        drawn.append(set(FamilyReport.objects.filter(on_date=day).values_list("pupil", flat=True)))
    for number in range(len(days)):
        for back in range(1, min(rest, number + 1)):
            assert drawn[number].isdisjoint(drawn[number - back]), (number, back)
    if count == 9:
        assert all(drawn[number].isdisjoint(drawn[number - 1]) for number in range(1, len(days)))


def test_a_small_class_is_asked_again_rather_than_not_at_all(district: District) -> None:
    school = district.first
    families(school.class_32, 2)
    for day in (MONDAY, TUESDAY):
        given(school, day)
        assert draw_families(day) == 3


def test_brothers_and_sisters_are_one_family(district: District) -> None:
    school = district.first
    mother = make_user("mother", Role.PARENT)
    children = [make_pupil(school.class_31), make_pupil(school.class_32)]
    for child in children:
        Guardian.objects.create(user=mother, pupil=child)
    families(school.class_31, 12, "other")
    for day in (MONDAY, TUESDAY, WEDNESDAY):
        given(school, day)
        given(school, day, school_class=school.class_31)
        draw_families(day)
        assert FamilyReport.objects.filter(pupil__in=children, on_date=day).count() <= 1
    asked_on = list(FamilyReport.objects.filter(pupil__in=children).values_list("on_date", flat=True))
    assert len(asked_on) == len(set(asked_on)) > 0


def test_a_transfer_in_mid_term_asks_about_the_class_of_that_day(district: District) -> None:
    school, pupil = district.first, district.first.pupils[0]
    Enrolment.objects.filter(pupil=pupil).update(ends_on=MONDAY)
    Enrolment.objects.create(pupil=pupil, school_class=school.class_31, starts_on=TUESDAY)
    for day in (MONDAY, TUESDAY):
        given(school, day)
        given(school, day, school_class=school.class_31)
        draw_families(day)
    found = FamilyReport.objects.order_by("on_date").values_list("on_date", "school_class")
    assert list(found) == [(MONDAY, school.class_32.pk), (TUESDAY, school.class_31.pk)]


def test_two_taps_save_and_can_be_taken_back(district: District) -> None:
    school = district.first
    given(school)
    report = asked(school)
    client = signed_in(school.parent)
    page = client.get(reverse("homework:family"))
    assert "今天抽到您家" in page.text
    assert "数学练习" in page.text
    assert str(school.teacher) not in page.text.replace(f"{school.parent}", "")
    address = reverse("homework:family_answer", args=[report.pk])
    answer = client.post(address, {"homework_minutes": "45", "sleep": "stopped_in_time"}, headers=HTMX)
    assert "45 分钟" in answer.text
    assert "没做完，也按时睡" in answer.text
    report.refresh_from_db()
    assert (report.homework_minutes, report.sleep, report.answered_by) == (45, "stopped_in_time", school.parent)
    client.post(address, {"homework_minutes": "more", "more_minutes": "150", "sleep": "late"})
    report.refresh_from_db()
    assert (report.homework_minutes, report.sleep) == (150, "late")
    assert "可以重新填" in client.post(reverse("homework:family_undo", args=[report.pk]), follow=True).text
    report.refresh_from_db()
    assert (report.homework_minutes, report.sleep, report.answered_at) == (None, "", None)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"sleep": "late"}, "先点一下用了多少分钟"),
        ({"homework_minutes": "30"}, "再点一下睡眠情况"),
        ({"homework_minutes": "31", "sleep": "late"}, "从上面选一个用时"),
        ({"homework_minutes": "30", "sleep": "never"}, "选一种睡眠情况"),
        ({"homework_minutes": "more", "sleep": "late"}, "请填写用了多少分钟"),
        ({"homework_minutes": "more", "more_minutes": "601", "sleep": "late"}, "0 至 600"),
        ({"homework_minutes": "more", "more_minutes": "-1", "sleep": "late"}, "0 至 600"),
    ],
)
def test_a_faulty_answer_is_refused_and_nothing_is_kept(district: District, data: dict[str, str], words: str) -> None:
    report = asked(district.first)
    answer = signed_in(district.first.parent).post(reverse("homework:family_answer", args=[report.pk]), data, headers=HTMX)
    assert words in answer.text
    assert not FamilyReport.objects.answered().exists()


def test_a_foreign_child_does_not_exist(district: District) -> None:
    report = asked(district.first, homework_minutes=30, sleep="late", answered_at=timezone.now())
    for user in (district.second.parent, district.first.teacher, district.bureau):
        for name in ("family_answer", "family_undo", "family_subjects"):
            assert signed_in(user).post(reverse(f"homework:{name}", args=[report.pk]), {}).status_code == 404
    assert district.first.pupils[0].name not in signed_in(district.second.parent).get(reverse("homework:family")).text


def test_the_answer_can_be_given_until_the_next_midnight(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    school = district.first
    report = asked(school)
    client = signed_in(school.parent)
    address = reverse("homework:family_answer", args=[report.pk])
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: WEDNESDAY)
    assert f"report{report.pk}" not in client.get(reverse("homework:family")).text
    late = client.post(address, {"homework_minutes": "30", "sleep": "late"}, follow=True)
    assert "已经不能再填或改了" in late.text
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: TUESDAY)
    assert f"report{report.pk}" in client.get(reverse("homework:family")).text
    client.post(address, {"homework_minutes": "30", "sleep": "late"})
    assert FamilyReport.objects.answered().exists()


def test_minutes_by_subject_are_optional_and_replace_each_other(district: District) -> None:
    school = district.first
    given(school)
    given(school, name="语文")
    report = asked(school)
    client, address = signed_in(school.parent), reverse("homework:family_subjects", args=[report.pk])
    maths, chinese = subject("数学"), subject("语文")
    assert "请先填总用时" in client.post(address, {f"subject_{maths.pk}": "20"}, headers=HTMX).text
    report.answer(by=school.parent, homework_minutes=45, sleep="late", day=MONDAY)
    assert "0 至 600" in client.post(address, {f"subject_{maths.pk}": "999"}, headers=HTMX).text
    assert "各学科用时已记录" in client.post(address, {f"subject_{maths.pk}": "20", f"subject_{chinese.pk}": "25"}, headers=HTMX).text
    client.post(address, {f"subject_{maths.pk}": "15", f"subject_{chinese.pk}": "", f"subject_{subject('英语').pk}": "9"})
    assert list(SubjectMinutes.objects.values_list("subject", "homework_minutes")) == [(maths.pk, 15)]
    report.take_back(by=school.parent, day=MONDAY)
    with pytest.raises(ValidationError, match="请先填总用时"):
        tell_subjects(report=report, by=school.parent, minutes={maths.pk: 5})


def test_a_family_not_drawn_may_look_but_is_not_asked(district: District) -> None:
    school = district.first
    given(school)
    page = signed_in(school.parent).get(reverse("homework:family"))
    assert "今天没有抽到您家" in page.text
    assert "30 分钟" in page.text
    assert "family/" not in page.text.split("<main")[1].replace('/homework/family/"', "")


def test_parents_without_children_or_class_are_told_what_to_do(district: District) -> None:
    lonely = signed_in(make_user("lonely", Role.PARENT))
    assert "加入码" in lonely.get(reverse("homework:family")).text
    Enrolment.objects.filter(pupil=district.first.pupils[0]).update(ends_on=MONDAY - datetime.timedelta(days=1))
    assert "联系学校" in signed_in(district.first.parent).get(reverse("homework:family")).text


def test_on_a_weekend_the_last_school_days_homework_is_shown(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    school = district.first
    given(school, datetime.date(2026, 11, 20), content="周五的作业")
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: SATURDAY)
    assert "周五的作业" in signed_in(school.parent).get(reverse("homework:family")).text


@pytest.mark.parametrize(("minutes", "is_breach"), [((60, 60, 60), False), ((60, 61, 62), True), ((60, 60, 61), False), ((90, 90), None)])
def test_the_law_judges_the_average_that_enough_families_report(
    district: District, minutes: tuple[int, ...], is_breach: bool | None
) -> None:
    school = district.first
    given(school)
    answered(school, MONDAY, *minutes)
    judged = current_law().judge_touched("homework_completion", every_fact=True, class_id=school.class_32.pk, on_date=MONDAY)
    if is_breach is None:
        assert judged == []
        return
    (one,) = judged
    assert one.row["average_minutes"] == round(sum(minutes) / len(minutes))
    assert ("homework.actual-minutes" in {finding.rule.id for finding in one.breaches}) is is_breach


@pytest.mark.parametrize(("sleep", "is_breach"), [("done_in_time", False), ("stopped_in_time", False), ("late", True)])
def test_the_law_judges_the_evening_where_the_place_has_a_rule(district: District, sleep: str, is_breach: bool) -> None:
    school = district.first
    report = asked(school, homework_minutes=60, sleep=sleep, answered_at=timezone.now())
    asked(district.second, district.second.pupils[0], homework_minutes=60, sleep=sleep, answered_at=timezone.now())
    judged = current_law().judge_touched("sleep_record", every_fact=True, class_id=school.class_32.pk, on_date=MONDAY)
    assert [each.row_id for each in judged][:1] == [report.pk]
    assert ("wellbeing.bedtime-school" in {finding.rule.id for each in judged for finding in each.breaches}) is is_breach
    assert school.pupils[0].name not in str(judged)


def test_an_unanswered_report_is_no_fact(district: District) -> None:
    asked(district.first)
    assert list(current_law().judge_all("sleep_record")) == []


def test_queries_do_not_grow_with_children_and_homework(district: District) -> None:
    school = district.first
    client: Client = signed_in(school.parent)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse("homework:family")).status_code == 200
        return len(queries)

    given(school)
    asked(school)
    count()
    few = count()
    for number in range(4, 8):
        school_class = make_class(school.school, 3, number)
        child = make_pupil(school_class)
        Guardian.objects.create(user=school.parent, pupil=child)
        for name in ("数学", "语文"):
            given(school, school_class=school_class, name=name)
        report = asked(school, child, homework_minutes=30, sleep="late", answered_at=timezone.now())
        SubjectMinutes.objects.create(report=report, subject=subject("数学"), homework_minutes=10)
    assert count() <= few + 2  # answers by subject and their names, once there are any
    many = count()
    given(school, name="英语")
    assert count() == many


def test_constraints_of_reports_and_minutes_by_subject(district: District) -> None:
    school = district.first
    report = asked(school)
    SubjectMinutes.objects.create(report=report, subject=subject("数学"), homework_minutes=10)
    kept = {"draw": report.draw, "school_class": school.class_32, "on_date": TUESDAY, "pupil": school.pupils[1]}
    whole = {"sleep": "late", "answered_at": timezone.now()}
    cases = {
        "family_asked_once_a_day": FamilyReport(**(kept | {"on_date": MONDAY, "pupil": school.pupils[0]})),
        "family_answer_is_whole": FamilyReport(**kept, homework_minutes=10),
        "family_minutes_in_range": FamilyReport(**kept, **whole, homework_minutes=601),
        "subject_minutes_once": SubjectMinutes(report=report, subject=subject("数学"), homework_minutes=5),
        "subject_minutes_in_range": SubjectMinutes(report=report, subject=subject("语文"), homework_minutes=601),
    }
    for name, wrong in cases.items():
        message = next(each.violation_error_message for each in wrong._meta.constraints if each.name == name)
        with pytest.raises(ValidationError, match=str(message)):
            wrong.validate_constraints()
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            wrong.save()
