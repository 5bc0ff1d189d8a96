"""Entering the timetable: what the law and the house refuse, date by date, and what is saved."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from qingdan.institutions.actions import timetable as acts
from qingdan.institutions.models import Session, WeeklyPlan
from qingdan.places.models import OverriddenDay
from tests.district import MONDAY, NEXT_MONDAY, SATURDAY, TUESDAY, District, signed_in
from tests.institutions.timetabling import EIGHT, EVENING, School, make_school, make_school_in

NEW, TRIAL = reverse("institutions:timetable_new"), reverse("institutions:timetable_trial")
HALF_PAST_EIGHT = 20 * 60 + 30


@pytest.fixture
def school(district: District) -> School:
    return make_school(district.region, district.bureau)


def sentences(session: Session) -> str:
    (outlook,) = acts.look_at([session])
    return "；".join(reason.sentence for reason in outlook.reasons)


def test_a_weekly_plan_becomes_a_session_on_each_of_its_dates(school: School) -> None:
    answer = school.client.post(NEW, school.form(), follow=True)
    assert "已排 3 次课" in answer.content.decode()
    days = list(Session.objects.values_list("on_date", flat=True))
    assert days == [TUESDAY, TUESDAY + datetime.timedelta(weeks=1), TUESDAY + datetime.timedelta(weeks=2)]
    assert WeeklyPlan.objects.get().sessions.count() == 3


def test_a_holiday_among_the_dates_saves_nothing_until_it_is_left_out(school: School) -> None:
    OverriddenDay.objects.create(region=school.institution.region, day=TUESDAY + datetime.timedelta(weeks=1), kind="holiday")
    answer = school.client.post(NEW, school.form())
    text = answer.content.decode()
    assert answer.status_code == 400
    assert "1 次课不能排，其余 2 次可以" in text
    assert "学科类培训不得占用法定节假日" in text
    assert not Session.objects.exists()
    assert not WeeklyPlan.objects.exists()
    left_out = [each.key for each in answer.context["batch"]["refused"]]
    saved = school.client.post(NEW, school.form(leave_out="1", left_out=left_out), follow=True)
    assert "已排 2 次课，1 个日期按您的选择没有排" in saved.content.decode()
    assert Session.objects.count() == 2


def test_what_is_left_out_does_not_smuggle_in_another_refused_date(school: School) -> None:
    OverriddenDay.objects.create(region=school.institution.region, day=TUESDAY, kind="holiday")
    answer = school.client.post(NEW, school.form(leave_out="1", left_out=["nothing-of-this"]))
    assert answer.status_code == 400
    assert not Session.objects.exists()


def test_the_form_says_while_it_is_filled_in_what_each_date_becomes_and_writes_nothing(school: School) -> None:
    text = school.client.post(TRIAL, school.form(weekday="6"), headers={"HX-Request": "true"}).content.decode()
    assert "3 次课不能排" in text
    assert "没有一次可以排" in text
    assert "休息日" in text
    assert not Session.objects.exists()
    assert not WeeklyPlan.objects.exists()


def test_without_a_script_a_button_shows_the_same(school: School) -> None:
    text = school.client.post(NEW, school.form(look="1")).content.decode()
    assert "3 次课，都没有不合规定的地方" in text
    assert not Session.objects.exists()


def test_an_academic_session_on_saturday_is_refused_and_a_make_up_saturday_is_not(school: School) -> None:
    assert "休息日" in sentences(school.session(SATURDAY))
    OverriddenDay.objects.create(region=school.institution.region, day=SATURDAY, kind="workday")
    assert sentences(school.session(SATURDAY)) == ""
    text = school.client.post(TRIAL, school.form()).content.decode()
    assert "调休上班的 11月21日" in text


def test_an_academic_session_in_the_vacation_is_refused(school: School) -> None:
    assert "寒暑假" in sentences(school.session(datetime.date(2027, 1, 26)))


def test_a_session_may_end_at_half_past_eight_and_not_a_minute_later(school: School) -> None:
    assert sentences(school.session(ends_at=HALF_PAST_EIGHT)) == ""
    assert "20:31 才结束，晚于本地上限 20:30" in sentences(school.session(ends_at=HALF_PAST_EIGHT + 1))


def test_half_past_nine_online_is_too_late_in_shanghai_and_not_in_xinjiang(db: None) -> None:
    online: dict[str, Any] = {"mode": "online", "lesson_minutes": 30, "gap_minutes": 10}
    late: dict[str, Any] = {"starts_at": 20 * 60 + 50, "ends_at": 21 * 60 + 30, "room": None}
    assert "晚于本地上限 21:00" in sentences(make_school_in("cn-shanghai", **online).session(**late))
    assert sentences(make_school_in("cn-xinjiang", **online).session(**late)) == ""


@pytest.mark.parametrize(
    ("course", "said"),
    [
        ({"mode": "online", "lesson_minutes": 31, "gap_minutes": 10}, "每课时 31 分钟"),
        ({"mode": "online", "lesson_minutes": 30, "gap_minutes": 9}, "课间只有 9 分钟"),
        ({"mode": "online", "lesson_minutes": 20, "gap_minutes": 10, "youngest_age": 5, "audience": "preschool"}, "学龄前"),
        ({"is_collective_preschool": True, "audience": "preschool", "youngest_age": 5}, "学龄前"),
    ],
)
def test_lessons_that_are_too_long_too_dense_or_for_too_young_children_are_refused(course: dict[str, object], said: str, db: None) -> None:
    school = make_school_in("cn-shanghai", **course)
    assert said in sentences(school.session(room=None if school.course.mode == "online" else school.room))


def test_a_non_academic_course_may_be_taught_on_saturday_evening(district: District) -> None:
    arts = make_school(district.region, district.bureau, category="non_academic")
    assert sentences(arts.session(SATURDAY, ends_at=21 * 60)) == ""


def test_what_the_house_knows_is_refused_in_one_sentence(school: School) -> None:
    school.premises.closed_on = MONDAY
    school.premises.save()
    room = school.room.__class__.objects.select_related("premises").get(pk=school.room.pk)
    assert "教学点“总部”在 2026-11-17 没有启用或已停用" in sentences(school.session(room=room))
    school.premises.closed_on = None
    school.premises.save()
    school.room.refresh_from_db()
    school.teacher.employed_until = MONDAY
    assert "王一在 2026-11-17 不在职" in sentences(school.session())
    school.teacher.employed_until = None
    school.course.state = "submitted"
    assert "备案通过后才能排课" in sentences(school.session())
    school.course.state = "filed"
    assert "开课期" in sentences(school.session(datetime.date(2027, 9, 7)))
    school.permit.ends_on = MONDAY
    assert "不在许可" in sentences(school.session())
    school.permit.ends_on = datetime.date(2028, 8, 31)
    assert "已经过去" in sentences(school.session(MONDAY - datetime.timedelta(days=4)))
    assert "线下课要选教室" in sentences(school.session(room=None))
    assert "结束时间要晚于开始时间" in sentences(school.session(starts_at=EIGHT, ends_at=EVENING))
    school.institution.state = "suspended"
    school.course.institution = school.institution
    assert "停业整顿" in sentences(school.session())


def test_a_taken_room_or_teacher_is_named_with_course_and_time(school: School) -> None:
    acts.enter(sessions=[school.session()], by=school.clerk)
    assert "教室101在 11月17日 18:30–20:00 已有“数学提高”" in sentences(school.session(teacher=school.other_teacher))
    assert "教师王一在 11月17日" in sentences(school.session(room=school.other_room))
    assert sentences(school.session(room=school.other_room, teacher=school.other_teacher)) == ""
    assert sentences(school.session(starts_at=EIGHT, ends_at=HALF_PAST_EIGHT)) == ""


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"starts_at": "20:00", "ends_at": "18:00"}, "结束时间要晚于开始时间"),
        ({"starts_at": "25:99"}, "要写成 18:30 的样子"),
        ({"last_day": "2026-11-01"}, "截止日期不能早于起始日期"),
        ({"last_day": "2030-11-01"}, "一次最多排一年"),
        ({"first_day": "2026-11-18", "last_day": "2026-11-20"}, "没有可排的日期"),
        ({"course": "999999"}, "没有这个课程"),
        ({"teacher": ""}, "请选教师"),
        ({"weekday": "9"}, "9"),
    ],
)
def test_nonsense_is_refused_with_what_to_do(school: School, wrong: dict[str, str], said: str) -> None:
    answer = school.client.post(NEW, school.form(**wrong))
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not Session.objects.exists()
    assert school.client.post(TRIAL, school.form(**wrong)).status_code == 200


def test_one_session_is_moved_and_moved_back(school: School) -> None:
    (session,) = acts.enter(sessions=[school.session()], by=school.clerk)
    address = reverse("institutions:session", args=[session.pk])
    moved = {"on_date": "2026-11-18", "starts_at": "17:00", "ends_at": "18:00", "room": school.other_room.pk, "teacher": school.teacher.pk}
    client = school.client
    text = client.post(address, moved, follow=True).content.decode()
    assert "已改到 11月18日 17:00–18:00" in text
    assert "撤销" in text
    client.post(reverse("institutions:timetable_undo"))
    session.refresh_from_db()
    assert (session.on_date, session.starts_at, session.room_id) == (TUESDAY, EVENING, school.room.pk)


def test_a_move_that_the_law_refuses_changes_nothing(school: School) -> None:
    (session,) = acts.enter(sessions=[school.session()], by=school.clerk)
    moved = {"on_date": str(SATURDAY), "starts_at": "17:00", "ends_at": "18:00", "room": school.room.pk, "teacher": school.teacher.pk}
    answer = school.client.post(reverse("institutions:session", args=[session.pk]), moved)
    assert answer.status_code == 400
    assert "休息日" in answer.content.decode()
    session.refresh_from_db()
    assert session.on_date == TUESDAY


def test_a_cancelled_session_frees_its_room_and_comes_back_only_while_that_is_free(school: School) -> None:
    (session,) = acts.enter(sessions=[school.session()], by=school.clerk)
    client = school.client
    text = client.post(reverse("institutions:session_cancel", args=[session.pk]), follow=True).content.decode()
    assert "刚取消了" in text
    (other,) = acts.enter(sessions=[school.session()], by=school.clerk)
    text = client.post(reverse("institutions:timetable_undo"), follow=True).content.decode()
    assert "不能恢复" in text
    acts.cancel(session=other, by=school.clerk)
    client.post(reverse("institutions:session_restore", args=[session.pk]))
    session.refresh_from_db()
    assert session.state == "planned"


def test_a_month_is_copied_weekday_by_weekday_and_what_cannot_be_is_left_out(school: School) -> None:
    acts.enter(sessions=[school.session(TUESDAY), school.session(NEXT_MONDAY)], by=school.clerk)
    OverriddenDay.objects.create(region=school.institution.region, day=datetime.date(2026, 12, 28), kind="holiday")
    address = reverse("institutions:timetable_copy") + "?month=2026-12"
    client = school.client
    answer = client.get(address)
    keys = [each.key for each in answer.context["batch"]["refused"]]
    assert len(keys) == 1
    assert client.post(address).status_code == 400
    client.post(address, {"leave_out": "1", "left_out": keys})
    # 17 November is the third Tuesday, as is 15 December; the fourth Monday is a holiday.
    assert list(Session.objects.filter(on_date__month=12).values_list("on_date", flat=True)) == [datetime.date(2026, 12, 15)]


def test_days_of_the_month_that_are_over_are_not_copied_to(school: School) -> None:
    for day in (datetime.date(2026, 10, 6), datetime.date(2026, 10, 20)):  # the first and the third Tuesday
        school.session(day).save()
    client, address = school.client, reverse("institutions:timetable_copy") + "?month=2026-11"
    page = client.get(address).content.decode()
    assert "11月已经过去的日子不排（1 次）" in page
    assert "1 次课，都没有不合规定的地方" in page
    client.post(address)
    assert list(Session.objects.filter(on_date__month=11).values_list("on_date", flat=True)) == [TUESDAY]


def test_a_plan_is_stopped_from_today_on(school: School) -> None:
    school.client.post(NEW, school.form())
    plan = WeeklyPlan.objects.get()
    assert "数学提高" in school.client.get(reverse("institutions:timetable_plans")).content.decode()
    school.client.post(reverse("institutions:timetable_plan_end", args=[plan.pk]))
    assert not Session.objects.planned().exists()


def test_a_stranger_finds_neither_sessions_nor_rooms_nor_plans(school: School, district: District) -> None:
    (session,) = acts.enter(sessions=[school.session()], by=school.clerk)
    stranger = make_school(district.region, district.bureau, prefix="b").client
    for name, pk in (("session", session.pk), ("room", school.room.pk), ("timetable_export", school.institution.pk)):
        assert stranger.get(reverse(f"institutions:{name}", args=[pk])).status_code == 404
    answer = stranger.post(NEW, school.form())
    assert answer.status_code == 400
    assert Session.objects.count() == 1
    assert signed_in(district.first.leader).get(reverse("institutions:timetable")).status_code == 404
    assert Client().get(reverse("institutions:timetable")).status_code == 302
