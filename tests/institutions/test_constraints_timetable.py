"""What the database itself refuses in the timetable, and what it says to a clerk."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models, transaction

from qingdan.institutions.actions import timetable as acts
from qingdan.institutions.models import Room, Session, WeeklyPlan
from qingdan.storage.refusals import constraint_of
from tests.district import MONDAY, TUESDAY, make_district
from tests.institutions.timetabling import EIGHT, EVENING, School, make_school


@pytest.fixture
def school(db: None) -> School:
    district = make_district()
    return make_school(district.region, district.bureau)


def plan(school: School, **values: Any) -> WeeklyPlan:
    given = {
        "course": school.course, "weekday": "2", "starts_at": EVENING, "ends_at": EIGHT, "first_day": MONDAY, "last_day": TUESDAY,
        "room": school.room, "teacher": school.teacher,
    }  # fmt: skip
    return WeeklyPlan(**(given | values))


def wrong_records(school: School) -> dict[str, models.Model]:
    """A record for each constraint that violates only that one; two sessions stand there already."""
    school.session(TUESDAY).save()
    return {
        "room_name_once": Room(premises=school.premises, name="101", seats=5),
        "plan_times_run_forward": plan(school, ends_at=EVENING),
        "plan_days_run_forward": plan(school, first_day=TUESDAY, last_day=MONDAY),
        "session_times_run_forward": school.session(MONDAY, ends_at=EVENING - 1),
        "sessions_do_not_share_a_room": school.session(TUESDAY, starts_at=EIGHT - 1, ends_at=EIGHT + 30, teacher=school.other_teacher),
        "sessions_do_not_share_a_teacher": school.session(TUESDAY, starts_at=EVENING - 30, ends_at=EVENING + 1, room=school.other_room),
    }


NAMES = (
    "room_name_once", "plan_times_run_forward", "plan_days_run_forward", "session_times_run_forward",
    "sessions_do_not_share_a_room", "sessions_do_not_share_a_teacher",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_the_database_refuses_what_violates_a_constraint_and_says_so_in_chinese(school: School, name: str) -> None:
    record = wrong_records(school)[name]
    (constraint,) = (each for each in record._meta.constraints if each.name == name)
    # An exclusion over raw columns cannot be asked before the row is written; the page says it from the other session.
    if not name.startswith("sessions_do_not"):
        with pytest.raises(ValidationError) as refused:
            record.validate_constraints()
        assert str(constraint.violation_error_message) in refused.value.messages
    with pytest.raises(IntegrityError) as broken, transaction.atomic():
        record.save()
    assert constraint_of(broken.value) == name


def test_every_constraint_of_the_timetable_is_tried() -> None:
    assert {each.name for model in (Room, WeeklyPlan, Session) for each in model._meta.constraints} == set(NAMES)


def test_one_session_may_begin_when_another_ends_and_where_one_is_cancelled(school: School) -> None:
    school.session(TUESDAY).save()
    school.session(TUESDAY, starts_at=EIGHT, ends_at=EIGHT + 30).save()
    school.session(TUESDAY, state="cancelled").save()
    assert Session.objects.count() == 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["act", "row"])
def test_of_two_who_want_one_room_at_once_only_one_gets_it(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: MONDAY)
    district = make_district()
    school = make_school(district.region, district.bureau)
    barrier, got = threading.Barrier(2), []

    def take(teacher: Any) -> None:
        session = school.session(TUESDAY, teacher=teacher)
        barrier.wait(10)
        try:
            if way == "row":
                session.save()
            else:
                acts.enter(sessions=[session], by=school.clerk)
            got.append("")
        except (IntegrityError, acts.Refused) as error:
            got.append(constraint_of(error) or str(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=(each,)) for each in (school.teacher, school.other_teacher)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert Session.objects.count() == 1
    said = "sessions_do_not_share_a_room" if way == "row" else "教室101在 11月17日 18:30–20:00 已有“数学提高”；请换时间、教室或教师"
    assert sorted(got) == ["", said]
