"""What the accounts of the demonstration find today: a class with ten minutes left, a week to publish, a family that is asked."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from qingdan.demo.daily import Given
from qingdan.demo.days import Recorder, Row
from qingdan.demo.families import seed_that_draws
from qingdan.demo.plan import STORY_GRADE, STORY_MINUTES_LEFT, ClassRoom, seeded
from qingdan.demo.wording import unit_name, worded
from qingdan.draws.models import Draw
from qingdan.homework.actions.families import FAMILIES_PER_CLASS
from qingdan.homework.enums import HomeworkForm
from qingdan.homework.models import FamilyReport, Homework
from qingdan.places.calendar import SchoolCalendar
from qingdan.schools.models import Guardian

_STEP = 5
_REST = datetime.timedelta(days=7)


def child_of_story() -> int:
    """The child of the demo parent."""
    return int(Guardian.objects.filter(user__username="demo-parent").order_by("pk").values_list("pupil_id", flat=True)[0])


def asked_on(calendar: SchoolCalendar, today: datetime.date) -> datetime.date | None:
    """The school day whose question can still be answered today: today's or yesterday's; None on the second day without school."""
    yesterday = today - datetime.timedelta(days=1)
    return next((day for day in (today, yesterday) if calendar.is_school_day(day)), None)


def give_next_day(rooms: Sequence[ClassRoom], recorder: Recorder, day: datetime.date) -> int:
    """The next school day of the story's grade as it stands before the demo teacher: 语文 and 英语, nothing of 数学."""
    grade = [room for room in rooms if room.plan.name == _school_of_story(rooms) and room.grade == STORY_GRADE]
    taken = set(Homework.objects.filter(on_date=day, school_class__in=[room.id for room in grade]).values_list("school_class", flat=True))
    rows: list[Row] = []
    for room in grade:
        limit = recorder.limits(room, day).written.minutes
        if room.id in taken or limit is None:
            continue
        standing = limit - STORY_MINUTES_LEFT if room.is_of_story else limit // 2
        first = -(-standing * 3 // 5) // _STEP * _STEP
        unit, items = unit_name(room.grade, 1 + (day - recorder.first_day).days // 14), []
        for subject, minutes in (("语文", first), ("英语", standing - first)):
            chance = seeded("story", room.name, day, subject)
            items.append(Given(subject, minutes, worded(room.grade, subject, HomeworkForm.WRITTEN, chance), unit))
        rows.extend(recorder.rows(room, day, items, entered=recorder.today))
    recorder.write_items(rows)
    return len(rows)


def _school_of_story(rooms: Sequence[ClassRoom]) -> str:
    return next(room.plan.name for room in rooms if room.is_of_story)


def ask_child(rooms: Sequence[ClassRoom], calendar: SchoolCalendar, today: datetime.date) -> bool:
    """See to it that the demo parent is asked today; whether something had to be done."""
    child = child_of_story()
    if FamilyReport.objects.open(today).filter(pupil=child).exists():
        return False
    day = asked_on(calendar, today) or today
    if FamilyReport.objects.filter(pupil=child, on_date=day).exists():
        # Answered already: yesterday's question, on a day without school.
        day = today
    if FamilyReport.objects.filter(pupil=child, on_date=day).exists():
        return False
    room = next(room for room in rooms if room.is_of_story)
    lately = set(FamilyReport.objects.filter(school_class=room.id, on_date__gte=day - _REST).values_list("pupil", flat=True))
    entries = [pupil for pupil in room.guardians if pupil == child or pupil not in lately]
    draw = Draw.hold(
        f"家庭反馈 {room.name} {day}（演示）",
        entries,
        FAMILIES_PER_CLASS,
        seed=seed_that_draws(child, entries, f"demo-story-{day}"),
        scope="演示：故事里的班级，不是上学日也抽一次",
    )
    asked = set(FamilyReport.objects.filter(on_date=day).values_list("pupil", flat=True))
    FamilyReport.objects.bulk_create(
        FamilyReport(draw=draw, pupil_id=pupil, school_class_id=room.id, on_date=day) for pupil in draw.chosen if pupil not in asked
    )
    return True
