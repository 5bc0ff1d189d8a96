"""The numbers behind charts and results: a few aggregates over everything, from which every chart and filter is added up.

Each question is one SELECT for all schools asked about, grouped by school, grade and week, so that another filter asks the database
nothing new. They are kept in the cache under the state of the data (:func:`data_version`) until something is recorded.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from qingdan.homework.charts.limits import limit_spans
from qingdan.homework.models import Disclosure
from qingdan.homework.weeks import Deadlines
from qingdan.places.calendar import current_calendars, current_pack, monday_of, today
from qingdan.policy.pack import Pack
from qingdan.policy.packs import default_fingerprint

#: A bucket of reported minus estimated minutes is so wide.
BUCKET_MINUTES = 10
#: The outermost buckets: this far and further.
BUCKETS_EACH_WAY = 4
KEPT_SECONDS = 600


@dataclass(frozen=True)
class ClassDays:
    """Days of classes with homework, of one grade of a school in one week."""

    school_id: int
    grade: int
    #: The pack's code, empty where the grade is in no stage.
    stage: str
    week_from: datetime.date
    class_days: int
    #: Written homework at home, summed over the class-days.
    minutes: int
    #: Class-days beyond the limit of that place and day.
    over_limit_days: int


@dataclass(frozen=True)
class GradeWeekPublished:
    """A grade's week with homework that is published or should have been."""

    school_id: int
    grade: int
    stage: str
    week_from: datetime.date
    is_in_time: bool


@dataclass(frozen=True)
class Reports:
    """What families told of a grade, beside what the teachers had estimated for the same days."""

    school_id: int
    grade: int
    stage: str
    #: Lower end of the bucket of reported minus estimated minutes.
    bucket: int
    reports: int
    reported_minutes: int
    estimated_minutes: int


@dataclass(frozen=True)
class Scope:
    """Which schools (id -> layer of the law) and which days a question is about."""

    places: tuple[tuple[int, str], ...]
    first: datetime.date
    last: datetime.date

    @property
    def school_ids(self) -> list[int]:
        """The schools."""
        return [school for school, _ in self.places]

    def key(self, version: str, *more: object) -> str:
        """A name for the cache: of the scope, a state of the data, and whatever else the answer hangs on."""
        return "homework:" + hashlib.sha256(repr((self, version, more)).encode()).hexdigest()


def limit_arrays(pack: Pack, scope: Scope) -> list[list[object]]:
    """The limits of a scope as columns for ``unnest``: place, grade, since, until, stage, minutes."""
    spans = limit_spans(pack, {place for _, place in scope.places}, scope.first, scope.last)
    rows = [(each.place, each.grade, each.since, each.until, each.stage, each.minutes) for each in spans]
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(6)]


#: From a class-day ``d`` to its class and the layer of its school; then to the limit of that day.
PLACES = """
    JOIN schools_schoolclass AS c ON c.id = d.school_class_id JOIN accounts_organisation AS o ON o.id = c.school_id
"""
LIMITS = """
    LEFT JOIN unnest(%s::text[], %s::int[], %s::date[], %s::date[], %s::text[], %s::int[]) AS l(place, grade, since, until, stage, minutes)
        ON l.place = o.layer_code AND l.grade = c.grade AND d.on_date >= l.since AND d.on_date < l.until
"""
#: Written homework at home of each class and day on which there was any homework.
DAYS = """
    SELECT h.school_class_id, h.on_date,
        COALESCE(sum(h.homework_minutes) FILTER (WHERE h.form = 'written' AND h.done_at = 'home'), 0) AS minutes
    FROM homework_homework AS h
    WHERE h.status = 'out' AND h.on_date BETWEEN %s AND %s
        AND h.school_class_id IN (SELECT id FROM schools_schoolclass WHERE school_id = ANY(%s))
    GROUP BY h.school_class_id, h.on_date
"""
#: Weeks are counted from a Monday before everything: whole numbers group faster than days cut off.
_FIRST_MONDAY = datetime.date(2020, 1, 6)
WEEK = "(d.on_date - DATE '2020-01-06') / 7"
_CLASS_DAYS = f"""
    SELECT c.school_id, c.grade, {WEEK}, count(*), CAST(sum(d.minutes) AS bigint), count(*) FILTER (WHERE d.minutes > l.minutes)
    FROM ({DAYS}) AS d {PLACES} {LIMITS}
    GROUP BY 1, 2, 3
"""  # noqa: S608 - texts of our own
_REPORTS = f"""
    SELECT c.school_id, c.grade, width_bucket(r.homework_minutes - d.minutes, %s, %s, %s),
        count(*), sum(r.homework_minutes), CAST(sum(d.minutes) AS bigint)
    FROM homework_familyreport AS r
        JOIN ({DAYS}) AS d ON d.school_class_id = r.school_class_id AND d.on_date = r.on_date
        JOIN schools_schoolclass AS c ON c.id = r.school_class_id
    WHERE r.answered_at IS NOT NULL AND r.on_date BETWEEN %s AND %s
    GROUP BY 1, 2, 3
"""  # noqa: S608 - texts of our own


def monday_of_week(number: int) -> datetime.date:
    """The Monday of a week as the SELECTs above count it."""
    return _FIRST_MONDAY + datetime.timedelta(weeks=number)


def stages(scope: Scope, pack: Pack) -> dict[tuple[int, int], str]:
    """(school, grade) -> the pack's code of the stage, by each school's own grade system."""
    spans = limit_spans(pack, {place for _, place in scope.places}, scope.first, scope.last)
    of_place = {(each.place, each.grade): each.stage for each in spans}
    grades = {grade for _, grade in of_place}
    return {(school, grade): of_place[place, grade] for school, place in scope.places for grade in grades}


def class_days(scope: Scope) -> list[ClassDays]:
    """Class-days with their written homework at home, by school, grade and week."""
    pack = current_pack()
    stage_of = stages(scope, pack)
    with connection.cursor() as cursor:
        cursor.execute(_CLASS_DAYS, [scope.first, scope.last, scope.school_ids, *limit_arrays(pack, scope)])
        rows = sorted(cursor.fetchall())
    return [
        ClassDays(school, grade, stage_of.get((school, grade), ""), monday_of_week(week), *counts) for school, grade, week, *counts in rows
    ]


def weeks_published(scope: Scope, weeks: Iterable[tuple[int, int, datetime.date]], *, pack: Pack | None = None) -> list[GradeWeekPublished]:
    """Of weeks (school, grade, Monday) with homework those that are published, and those past the last day the law allows there."""
    pack = pack or current_pack()
    place_of, stage_of = dict(scope.places), stages(scope, pack)
    deadlines = {place: Deadlines(place, pack) for place in set(place_of.values())}
    first_versions = Disclosure.objects.filter(
        school_id__in=place_of, version=1, week_from__range=(monday_of(scope.first), scope.last)
    ).values_list("school_id", "grade", "week_from", "published_at")
    published = {(school, grade, week_from): timezone.localdate(at) for school, grade, week_from, at in first_versions}
    last_days: dict[tuple[str, datetime.date], datetime.date] = {}
    found = []
    for school, grade, week_from in weeks:
        place = place_of[school]
        if (place, week_from) not in last_days:
            last_days[place, week_from] = deadlines[place].last_day(week_from)
        last_day, published_on = last_days[place, week_from], published.get((school, grade, week_from))
        if published_on is not None or today() > last_day:
            is_in_time = published_on is not None and published_on <= last_day
            found.append(GradeWeekPublished(school, grade, stage_of.get((school, grade), ""), week_from, is_in_time))
    return found


def family_reports(scope: Scope) -> list[Reports]:
    """Answers of families, by school, grade and bucket of reported minus estimated minutes."""
    reach, stage_of = BUCKET_MINUTES * BUCKETS_EACH_WAY, stages(scope, current_pack())
    days = (scope.first, scope.last)
    with connection.cursor() as cursor:
        cursor.execute(_REPORTS, [-reach, reach, 2 * BUCKETS_EACH_WAY, *days, scope.school_ids, *days])
        rows = sorted(cursor.fetchall())
    return [
        Reports(school, grade, stage_of.get((school, grade), ""), (bucket - 1) * BUCKET_MINUTES - reach, *sums)
        for school, grade, bucket, *sums in rows
    ]


_STATE = """
    SELECT (SELECT max(id) FROM homework_homework), (SELECT max(pgh_id) FROM homework_homeworkevent),
        (SELECT max(id) FROM homework_disclosure), (SELECT max(answered_at) FROM homework_familyreport),
        (SELECT max(checked_at) FROM homework_checkedclass), (SELECT count(*) FROM homework_checkedclass WHERE checked_at IS NULL)
"""


def data_version() -> str:
    """Changes whenever homework, disclosures or reports do, and with the law and the day."""
    with connection.cursor() as cursor:
        cursor.execute(_STATE)
        state = cursor.fetchone()
    return hashlib.sha256(repr((state, default_fingerprint(), current_calendars().fingerprint, today())).encode()).hexdigest()[:32]


Answer = TypeVar("Answer")


def kept(question: Callable[[Scope], Answer], scope: Scope, version: str) -> Answer:
    """A question's answer, asked once for each state of the data; after ten minutes it is asked again in any case."""
    key = scope.key(version, question.__qualname__)
    found: Answer | None = cache.get(key)
    if found is None:
        found = question(scope)
        cache.set(key, found, KEPT_SECONDS)
    return found
