"""From a weekly plan, or another month, to dates; and what each date is in the calendar of the place."""

from __future__ import annotations

import calendar
import datetime
from collections.abc import Iterable, Iterator

from qingdan.institutions.enums import TrainingCategory
from qingdan.institutions.models import Session, WeeklyPlan
from qingdan.places.calendar import SchoolCalendar
from qingdan.places.enums import SchoolDayKind

_SATURDAY = 6
_OFF = {"rest_day": "休息日", "holiday": "法定节假日"}


def weekly_dates(plan: WeeklyPlan) -> list[datetime.date]:
    """Every date of the plan's weekday between its days, both ends included."""
    ahead = (int(plan.weekday) - plan.first_day.isoweekday()) % 7
    first = plan.first_day + datetime.timedelta(days=ahead)
    return [first + datetime.timedelta(weeks=number) for number in range((plan.last_day - first).days // 7 + 1)]


def sessions_of_plan(plan: WeeklyPlan) -> list[Session]:
    """A session, not saved, for every date of a plan. What the law says of a date is judged later, nothing is skipped here."""
    return [
        Session(
            institution_id=plan.course.institution_id,
            course=plan.course,
            plan=plan,
            on_date=day,
            starts_at=plan.starts_at,
            ends_at=plan.ends_at,
            room=plan.room,
            teacher=plan.teacher,
        )
        for day in weekly_dates(plan)
    ]


def make_up_workdays(plan: WeeklyPlan, places_calendar: SchoolCalendar) -> list[datetime.date]:
    """Saturdays and Sundays of a plan's span on which people work: an academic course may be taught there too."""
    if plan.course.category != TrainingCategory.ACADEMIC:
        return []
    span = ((plan.first_day + datetime.timedelta(days=number)) for number in range((plan.last_day - plan.first_day).days + 1))
    return [day for day in span if day.isoweekday() >= _SATURDAY and places_calendar.kind(day) == SchoolDayKind.SCHOOL_DAY]


def day_note(day: datetime.date, places_calendar: SchoolCalendar) -> str:
    """What is special about a date: ``调休上班``, ``法定节假日``, ``寒暑假``, ``休息日`` …; empty for an ordinary working day."""
    known = places_calendar.day(day)
    if known is None or known.day_kind is None:
        return "寒暑假" if known is not None and known.in_vacation else "放假安排未公布"
    if known.day_kind == "holiday":
        return _OFF["holiday"]
    if known.in_vacation:
        return "寒暑假"
    if known.day_kind != "workday":
        return _OFF[known.day_kind]
    return "调休上班" if day.isoweekday() >= _SATURDAY else ""


def month_bounds(month: datetime.date) -> tuple[datetime.date, datetime.date]:
    """The first and last day of a date's month."""
    return month.replace(day=1), month.replace(day=calendar.monthrange(month.year, month.month)[1])


def same_place_in_month(day: datetime.date, month: datetime.date) -> datetime.date | None:
    """The second Tuesday of one month is the second Tuesday of another; None where that month has no fifth."""
    first, last = month_bounds(month)
    found = first + datetime.timedelta(days=(day.isoweekday() - first.isoweekday()) % 7, weeks=(day.day - 1) // 7)
    return found if found <= last else None


def moved_to_month(sessions: Iterable[Session], month: datetime.date) -> Iterator[Session]:
    """Copies, not saved, of a month's sessions in another month; those on a fifth weekday that it lacks are left out."""
    for each in sessions:
        if day := same_place_in_month(each.on_date, month):
            yield Session(
                institution_id=each.institution_id,
                course=each.course,
                on_date=day,
                starts_at=each.starts_at,
                ends_at=each.ends_at,
                room=each.room,
                teacher=each.teacher,
            )
