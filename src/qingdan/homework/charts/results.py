"""How schools stand over some time: what monthly reviews freeze and what the evaluation of schools and heads takes in later."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from qingdan.homework.charts.questions import DAYS, LIMITS, PLACES, WEEK, Scope, limit_arrays, monday_of_week, stages, weeks_published
from qingdan.homework.models import CheckedClass
from qingdan.homework.models.completion import SMALLEST_GROUP
from qingdan.places.calendar import current_pack
from qingdan.schools.models import School

_THURSDAY = datetime.timedelta(days=3)


@dataclass(frozen=True)
class SchoolResult:
    """One school's totals between two days."""

    school_id: int
    name: str
    #: Days on which any class had homework, and classes that had any.
    days: int = 0
    classes: int = 0
    #: Days of classes: three classes with homework on two days are six.
    class_days: int = 0
    #: Written homework at home, per stage: (class-days, minutes).
    by_stage: dict[str, tuple[int, int]] = field(default_factory=dict)
    #: Class-days beyond the limit of their place and day.
    over_limit_days: int = 0
    #: Weeks of grades that are published or should be, and those published in time.
    weeks: int = 0
    published_on_time: int = 0
    #: Answers of families, and their minutes in all.
    reports: int = 0
    reported_minutes: int = 0
    #: What teachers had estimated for the same days and classes.
    estimated_minutes: int = 0
    #: Completed spot checks, those that found something other than published, and faults found.
    checks: int = 0
    differing: int = 0
    faults: int = 0

    @property
    def average_minutes(self) -> float | None:
        """Written homework at home on a day of a class."""
        return _average(sum(minutes for _, minutes in self.by_stage.values()), self.class_days)

    @property
    def average_minutes_by_stage(self) -> dict[str, float]:
        """The same for each stage."""
        return {stage: round(minutes / days, 1) for stage, (days, minutes) in self.by_stage.items() if days}

    @property
    def average_reported_minutes(self) -> float | None:
        """What families say it took; nothing where a family could be recognised."""
        return _average(self.reported_minutes, self.reports) if self.reports >= SMALLEST_GROUP else None

    @property
    def average_estimated_minutes(self) -> float | None:
        """What teachers had estimated where families answered; nothing where a family could be recognised."""
        return _average(self.estimated_minutes, self.reports) if self.reports >= SMALLEST_GROUP else None

    @property
    def over_limit_percent(self) -> float | None:
        """The share of class-days beyond their limit."""
        return _average(100 * self.over_limit_days, self.class_days)

    @property
    def in_time_percent(self) -> float | None:
        """The share of weeks published in time."""
        return _average(100 * self.published_on_time, self.weeks)

    def as_json(self) -> dict[str, Any]:
        """As a monthly review keeps it."""
        names: tuple[str, ...] = ("days", "classes", "class_days", "average_minutes", "average_minutes_by_stage", "over_limit_days")
        names += ("published_on_time", "weeks", "reports", "average_reported_minutes", "checks", "differing", "faults")
        return {name: getattr(self, name) for name in names}


def _average(whole: float, count: int) -> float | None:
    return round(whole / count, 1) if count else None


_BY_WEEK = f"""
    SELECT c.school_id, c.grade, {WEEK}, array_agg(DISTINCT d.on_date), array_agg(DISTINCT d.school_class_id), count(*),
        CAST(sum(d.minutes) AS bigint), count(*) FILTER (WHERE d.minutes > l.minutes),
        CAST(COALESCE(sum(r.reports), 0) AS bigint), CAST(COALESCE(sum(r.reported), 0) AS bigint),
        CAST(COALESCE(sum(r.reports * d.minutes), 0) AS bigint)
    FROM ({DAYS}) AS d {PLACES} {LIMITS}
        LEFT JOIN (
            SELECT school_class_id, on_date, count(*) AS reports, sum(homework_minutes) AS reported
            FROM homework_familyreport
            WHERE answered_at IS NOT NULL AND on_date BETWEEN %s AND %s
            GROUP BY school_class_id, on_date
        ) AS r ON r.school_class_id = d.school_class_id AND r.on_date = d.on_date
    GROUP BY 1, 2, 3
"""  # noqa: S608 - texts of our own
_SUMMED = ("class_days", "minutes", "over_limit_days", "reports", "reported_minutes", "estimated_minutes")


def school_results(schools: Iterable[School], first: datetime.date, last: datetime.date) -> list[SchoolResult]:
    """The totals of schools between two days, both included, in the order given; the same few queries, however many schools.

    A week belongs to the span that its Thursday lies in, so that none counts in two months. A school with nothing recorded has zeros
    and no averages. Schools come with their ``organisation``.
    """
    listed = list(schools)
    scope = Scope(tuple((each.pk, each.organisation.layer_code) for each in listed), first, last)
    pack = current_pack()
    stage_of = stages(scope, pack)
    totals = {each.pk: _Totals() for each in listed}
    with connection.cursor() as cursor:
        cursor.execute(_BY_WEEK, [first, last, scope.school_ids, *limit_arrays(pack, scope), first, last])
        rows = cursor.fetchall()
    for school, grade, _, days, classes, *sums in rows:
        totals[school].add(stage_of.get((school, grade), ""), days, classes, dict(zip(_SUMMED, sums, strict=True)))
    with_homework = ((school, grade, monday_of_week(week)) for school, grade, week, *_ in rows)
    for week in weeks_published(scope, with_homework, pack=pack):
        if first <= week.week_from + _THURSDAY <= last:
            totals[week.school_id].sums.update(weeks=1, published_on_time=week.is_in_time)
    for school, differing, faults in _checks(scope):
        totals[school].sums.update(checks=1, differing=differing, faults=faults)
    return [totals[each.pk].result(each) for each in listed]


class _Totals:
    """What is summed up for one school."""

    def __init__(self) -> None:
        self.days: set[datetime.date] = set()
        self.classes: set[int] = set()
        self.by_stage: dict[str, tuple[int, int]] = {}
        self.sums: Counter[str] = Counter()

    def add(self, stage: str, days: Iterable[datetime.date], classes: Iterable[int], sums: dict[str, int]) -> None:
        """One grade's week."""
        self.days.update(days)
        self.classes.update(classes)
        had_days, had_minutes = self.by_stage.get(stage, (0, 0))
        self.by_stage[stage] = (had_days + sums["class_days"], had_minutes + sums.pop("minutes"))
        self.sums.update(sums)

    def result(self, school: School) -> SchoolResult:
        """The school's totals."""
        return SchoolResult(school.pk, school.name, days=len(self.days), classes=len(self.classes), by_stage=self.by_stage, **self.sums)


def _checks(scope: Scope) -> list[tuple[int, int, int]]:
    """Completed checks: school, 1 where something was not as published, faults found."""
    checked = CheckedClass.objects.signed().filter(
        checked_on__range=(scope.first, scope.last), school_class__school_id__in=scope.school_ids
    )
    rows = checked.order_by("pk").prefetch_related("items").select_related("school_class")
    return [
        (each.school_class.school_id, int(not each.is_as_published), sum(len(item.faults) for item in each.items.all())) for each in rows
    ]
