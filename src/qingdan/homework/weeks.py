"""How the weeks of a school's grades stand with their disclosure."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Max, OuterRef, Q, Subquery
from django.db.models.functions import TruncWeek
from django.utils import timezone

from qingdan.homework.enums import DisclosureState, HomeworkStatus
from qingdan.homework.models import Disclosure, Homework
from qingdan.homework.models.disclosure import DisclosureQuerySet
from qingdan.homework.models.register import HomeworkQuerySet
from qingdan.places.calendar import SchoolCalendar, current_pack
from qingdan.policy.pack import Pack
from qingdan.policy.units import grade_name
from qingdan.schools.models import School

_FRIDAY, _SUNDAY = datetime.timedelta(days=4), datetime.timedelta(days=6)
_DAYS_AFTER_WEEK = "homework.disclosure_days_after_week"


@dataclass(frozen=True)
class Published:
    """The newest version of a grade's week."""

    version: int
    at: datetime.datetime
    #: The day in China on which the first version came out.
    first_day: datetime.date
    item_count: int


@dataclass(frozen=True)
class GradeWeek:
    """One grade's week in which there was homework."""

    school_id: int
    grade: int
    week_from: datetime.date
    state: DisclosureState
    #: The last day on which the law still takes it as published in time.
    deadline: datetime.date
    item_count: int
    held_count: int
    #: The newest version; None while nothing is published.
    published: Published | None = None

    @property
    def grade_name(self) -> str:
        """``三年级``."""
        return grade_name(self.grade)

    @property
    def week_until(self) -> datetime.date:
        """The Friday."""
        return self.week_from + _FRIDAY

    @property
    def is_published_late(self) -> bool:
        """Whether the first version came after the last day in time."""
        return self.published is not None and self.published.first_day > self.deadline

    @property
    def is_due(self) -> bool:
        """Whether it is time to publish it, or past time."""
        return self.state in (DisclosureState.DUE, DisclosureState.LATE)

    @property
    def is_late(self) -> bool:
        """Whether it should have been published by now."""
        return self.state == DisclosureState.LATE


class Deadlines:
    """When the weeks of one place are to be published."""

    def __init__(self, place: str, pack: Pack | None = None) -> None:
        self.place, self.pack = place, pack or current_pack()
        self._calendar = SchoolCalendar(place, self.pack)

    def last_day(self, week_from: datetime.date) -> datetime.date:
        """The last day in time; the Sunday where the law gives no number of days."""
        statement = self.pack.find(_DAYS_AFTER_WEEK, at=self.place, on=week_from)
        return week_from + (_SUNDAY if statement is None else _FRIDAY + datetime.timedelta(days=int(str(statement.value))))

    def first_day(self, week_from: datetime.date) -> datetime.date:
        """The day from which people are reminded: the Friday, or the last school day of a week that ends earlier."""
        days = self._calendar.school_days(week_from, week_from + _FRIDAY)
        return days[-1] if days else week_from + _FRIDAY

    def state(self, week_from: datetime.date, today: datetime.date) -> DisclosureState:
        """Of a week of which nothing is published."""
        if today > self.last_day(week_from):
            return DisclosureState.LATE
        return DisclosureState.DUE if today >= self.first_day(week_from) else DisclosureState.OPEN


def grade_weeks(
    school: School,
    *,
    first: datetime.date,
    last: datetime.date,
    today: datetime.date,
    grades: Collection[int] | None = None,
) -> list[GradeWeek]:
    """The weeks between two days in which a school's grades had homework, newest first; two queries, whatever the size."""
    homework = Homework.objects.filter(
        school_class__school=school, on_date__range=(first, last), status__in=[HomeworkStatus.OUT, HomeworkStatus.HELD]
    )
    versions = Disclosure.objects.filter(school=school, week_from__range=(first, last)).newest()
    if grades is not None:
        homework, versions = homework.filter(school_class__grade__in=grades), versions.filter(grade__in=grades)
    published = _published(versions)
    deadlines, weeks = Deadlines(school.organisation.layer_code), []
    for row in _counted(homework):
        version = published.pop((row["grade"], row["week_from"]), None)
        if version is None:
            state = deadlines.state(row["week_from"], today)
        else:
            is_changed = row["out"] != version.item_count or (row["last_sent"] or version.at) > version.at
            state = DisclosureState.CHANGED if is_changed else DisclosureState.PUBLISHED
        deadline = deadlines.last_day(row["week_from"])
        weeks.append(GradeWeek(school.pk, row["grade"], row["week_from"], state, deadline, row["out"], row["held"], version))
    # All that was published has been taken back since.
    for (grade, week_from), version in published.items():
        weeks.append(GradeWeek(school.pk, grade, week_from, DisclosureState.CHANGED, deadlines.last_day(week_from), 0, 0, version))
    return sorted(weeks, key=lambda week: (-week.week_from.toordinal(), week.grade))


def _counted(homework: HomeworkQuerySet) -> Iterable[Any]:
    """A row for each grade and week."""
    weeks = homework.order_by().annotate(week_from=TruncWeek("on_date"), grade=F("school_class__grade")).values("grade", "week_from")
    out, held = Q(status=HomeworkStatus.OUT), Q(status=HomeworkStatus.HELD)
    return weeks.annotate(out=Count("pk", filter=out), held=Count("pk", filter=held), last_sent=Max("sent_at"))


def _published(versions: DisclosureQuerySet) -> dict[tuple[int, datetime.date], Published]:
    """Grade and Monday -> the newest version."""
    firsts = Disclosure.objects.filter(school=OuterRef("school"), grade=OuterRef("grade"), week_from=OuterRef("week_from"), version=1)
    rows = versions.annotate(first_at=Subquery(firsts.values("published_at")[:1])).values_list(
        "grade", "week_from", "version", "published_at", "first_at", "item_count"
    )
    return {
        (grade, week_from): Published(version, at, timezone.localdate(first_at), items)
        for grade, week_from, version, at, first_at, items in rows
    }
