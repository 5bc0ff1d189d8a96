"""Two months of lessons around today. Whatever the law forbids is left out, except what was planted past the check."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from qingdan.demo.copying import Ids, copy_rows
from qingdan.demo.institutions.plan import Plant
from qingdan.demo.institutions.registry import Loaded
from qingdan.demo.plan import seeded
from qingdan.institutions.enums import CourseState, SessionState, TrainingCategory, TrainingMode
from qingdan.institutions.models import Course, Room, Session, Staff, WeeklyPlan
from qingdan.institutions.timetables.expanding import weekly_dates
from qingdan.places.calendar import SchoolCalendar, monday_of
from qingdan.places.models import Region

_WEEK = datetime.timedelta(weeks=1)
_DAY = datetime.timedelta(days=1)
BEFORE, AHEAD = 4 * _WEEK, 5 * _WEEK
_EVENINGS = tuple((weekday, start) for start in (16 * 60 + 40, 18 * 60 + 20) for weekday in range(1, 6))
_WEEKENDS = tuple((weekday, start) for start in (540, 640, 14 * 60, 15 * 60 + 40, 18 * 60) for weekday in (6, 7))
#: Planted: a lesson that ends at nine, and one on a Saturday morning; both for four weeks.
_TOO_LATE, _ON_SATURDAY = (4, 19 * 60 + 30, 21 * 60), (6, 540, 630)
_CANCELLED = 0.02
#: So many courses of an institution are taught twice a week, what comes after them once.
_TWICE_A_WEEK = 3


@dataclass
class _Taken:
    """Which times a room or a teacher has given away, by weekday."""

    spans: set[tuple[str, int, int, int, int]] = field(default_factory=set)

    def is_free(self, keys: Sequence[tuple[str, int]], weekday: int, start: int, end: int) -> bool:
        """Whether none of these has anything then."""
        return not any(
            (sort, key) in keys and on == weekday and begins < end and start < ends for sort, key, on, begins, ends in self.spans
        )

    def take(self, keys: Sequence[tuple[str, int]], weekday: int, start: int, end: int) -> None:
        """They have something now."""
        self.spans.update((sort, key, weekday, start, end) for sort, key in keys)


def session_minutes(course: Course) -> int:
    """Two lessons and the rest between them."""
    return 2 * course.lesson_minutes + (course.gap_minutes or 0)


def write_timetable(loaded: Sequence[Loaded], day: datetime.date) -> int:
    """Weekly plans and their sessions; the number of sessions."""
    first, last = monday_of(day) - BEFORE, monday_of(day) + AHEAD - _DAY
    planned: list[tuple[Loaded, WeeklyPlan]] = []
    for each in loaded:
        planned += [(each, plan) for plan in _plans(each, first, last, day)]
    WeeklyPlan.objects.bulk_create(plan for _, plan in planned)
    calendars = _calendars()
    rows = [
        row
        for each, plan in planned
        for row in _sessions(each.institution.pk, plan, calendars[each.plan.region_code], first, last, is_planted=_is_planted(plan))
    ]
    return _copy(rows)


def _calendars() -> dict[str, SchoolCalendar]:
    return {region.code: SchoolCalendar(region.layer_code) for region in Region.objects.filter(is_fictional=True)}


def _plans(each: Loaded, first: datetime.date, last: datetime.date, day: datetime.date) -> Iterator[WeeklyPlan]:
    taken, chance = _Taken(), seeded("timetable", each.plan.number)
    filed = [course for course in each.courses if course.state == CourseState.FILED]
    if filed and each.teachers:
        yield from _planted(each, filed[0], taken, day)
    for place, course in enumerate(filed):
        teacher = each.teachers[place % len(each.teachers)]
        room = _room(each, course, place)
        slots = _EVENINGS if course.category == TrainingCategory.ACADEMIC else (*_WEEKENDS, *_EVENINGS)
        span = max(first, course.starts_on), min(last, course.ends_on)
        if span[0] > span[1]:
            continue
        for _ in range(2 if place < _TWICE_A_WEEK else 1):
            for weekday, start in sorted(slots, key=lambda slot: chance.random()):
                end, keys = start + session_minutes(course), _keys(room, teacher)
                if taken.is_free(keys, weekday, start, end):
                    taken.take(keys, weekday, start, end)
                    yield _plan(course, weekday, start, end, span, room, teacher)
                    break


def _room(each: Loaded, course: Course, place: int) -> Room | None:
    """Of the premises that the course's permit is for; none online."""
    if course.mode == TrainingMode.ONLINE or course.permit is None:
        return None
    rooms = [room for room in each.rooms if room.premises_id == course.permit.premises_id]
    return rooms[place % len(rooms)]


def _keys(room: Room | None, teacher: Staff) -> list[tuple[str, int]]:
    return [("teacher", teacher.pk), *([("room", room.pk)] if room is not None else [])]


def _planted(each: Loaded, course: Course, taken: _Taken, day: datetime.date) -> Iterator[WeeklyPlan]:
    """What no clerk could have entered."""
    span = monday_of(day) - 2 * _WEEK, monday_of(day) + 2 * _WEEK - _DAY
    for plant, (weekday, start, end) in ((Plant.LATE_CLASS, _TOO_LATE), (Plant.REST_DAY_CLASS, _ON_SATURDAY)):
        if each.plan.has(plant):
            teacher, room = each.teachers[0], _room(each, course, 0)
            taken.take(_keys(room, teacher), weekday, start, end)
            yield _plan(course, weekday, start, end, span, room, teacher)


def _plan(
    course: Course, weekday: int, start: int, end: int, span: tuple[datetime.date, datetime.date], room: Room | None, teacher: Staff
) -> WeeklyPlan:
    return WeeklyPlan(
        course=course, weekday=str(weekday), starts_at=start, ends_at=end, first_day=span[0], last_day=span[1], room=room, teacher=teacher
    )


def _is_planted(plan: WeeklyPlan) -> bool:
    return plan.course.category == TrainingCategory.ACADEMIC and (int(plan.weekday), plan.starts_at, plan.ends_at) in (
        _TOO_LATE,
        _ON_SATURDAY,
    )


def _sessions(
    institution_id: int, plan: WeeklyPlan, calendar: SchoolCalendar, first: datetime.date, last: datetime.date, *, is_planted: bool
) -> Iterator[tuple[object, ...]]:
    """The dates of a plan on which it may be taught; a few are called off."""
    chance = seeded("sessions", plan.course.name, plan.weekday, plan.starts_at, first)
    for on in weekly_dates(plan):
        if first <= on <= last and _may_be(plan.course, calendar, on, is_planted=is_planted):
            state = SessionState.CANCELLED if not is_planted and chance.random() < _CANCELLED else SessionState.PLANNED
            room, teacher = plan.room_id, plan.teacher_id
            yield institution_id, plan.course_id, plan.pk, on, plan.starts_at, plan.ends_at, room, teacher, state.value


def _may_be(course: Course, calendar: SchoolCalendar, on: datetime.date, *, is_planted: bool) -> bool:
    if course.category == TrainingCategory.ACADEMIC and not is_planted:
        return calendar.is_school_day(on)
    known = calendar.day(on)
    return known is not None and known.day_kind not in (None, "holiday")


_FIELDS = ("institution_id", "course_id", "plan_id", "on_date", "starts_at", "ends_at", "room_id", "teacher_id", "state")


def _copy(rows: Sequence[tuple[object, ...]]) -> int:
    ids = Ids(Session)
    # The keys first: nothing else can be asked of the database while rows are on their way.
    numbered = [(ids.take(), *row) for row in rows]
    return copy_rows(Session, ("id", *_FIELDS), numbered)


def extend_timetable(before: datetime.date, day: datetime.date) -> int:
    """Plans that went up to the end of what was loaded before go on as far ahead of today; the number of sessions added.

    What people entered in the meantime stays: a time that is taken is left to them.
    """
    was, last = monday_of(before) + AHEAD - _DAY, monday_of(day) + AHEAD - _DAY
    if last <= was:
        return 0
    still_planned = Session.objects.planned().filter(plan__last_day=was, on_date__gte=before).values("plan")
    going_on = WeeklyPlan.objects.filter(pk__in=still_planned, course__state=CourseState.FILED, course__ends_on__gt=was)
    plans = list(going_on.select_related("course__institution__region").order_by("pk"))
    calendars, new = _calendars(), []
    for plan in plans:
        plan.last_day = min(last, plan.course.ends_on)
        calendar = calendars[plan.course.institution.region.code]
        found = _sessions(plan.course.institution_id, plan, calendar, was + _DAY, last, is_planted=False)
        new += [Session(**dict(zip(_FIELDS, row, strict=True))) for row in found]
    WeeklyPlan.objects.bulk_update(plans, ["last_day"])
    return len(Session.objects.bulk_create(new, ignore_conflicts=True))
