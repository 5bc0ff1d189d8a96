"""Estimated against reported: how long teachers thought homework would take, and how long families say it took.

What is shown is always about a group of at least SMALLEST_GROUP answers. A week's figure is no way round that: where it would let
a reader work out a day that is hidden, it is made of the days shown only.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.contrib.postgres.aggregates import StringAgg
from django.db.models import Count, Q, Sum, Value

from qingdan.homework.enums import HomeworkForm, HomeworkPlace, SleepAnswer
from qingdan.homework.models import FamilyReport, Homework, SubjectMinutes
from qingdan.homework.models.completion import SMALLEST_GROUP
from qingdan.homework.models.register import HomeworkQuerySet


@dataclass(frozen=True)
class Tally:
    """Plain sums of one group; never shown as they are."""

    #: Minutes of written homework at home that went out, and for how many classes and days.
    given_minutes: int = 0
    class_days: int = 0
    #: Minutes that families reported, how many families, and how many of these children went to bed late.
    reported_minutes: int = 0
    answers: int = 0
    late: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.given_minutes + other.given_minutes,
            self.class_days + other.class_days,
            self.reported_minutes + other.reported_minutes,
            self.answers + other.answers,
            self.late + other.late,
        )


@dataclass(frozen=True)
class Shown:
    """What may be shown of a group."""

    #: Average estimate of a class's day; None without written homework at home.
    estimated_minutes: int | None
    #: Average of what families reported; None without answers and for a group too small.
    reported_minutes: int | None
    #: Share of children who went to bed in time.
    in_time_percent: int | None
    #: How many answers the averages are made of; 0 where none are shown.
    answers: int
    is_hidden: bool

    @property
    def difference_minutes(self) -> int | None:
        """How much longer it really took; negative where it took less."""
        if self.estimated_minutes is None or self.reported_minutes is None:
            return None
        return self.reported_minutes - self.estimated_minutes


@dataclass(frozen=True)
class Week:
    """One class or school over the days of a week, and the week as a whole."""

    days: Mapping[datetime.date, Shown]
    whole: Shown


def _round(total: int, count: int) -> int:
    """Half a minute goes up, as in the facts."""
    return (2 * total + count) // (2 * count)


def shown(tally: Tally) -> Shown:
    """A group's averages, or that it is too small."""
    estimated = _round(tally.given_minutes, tally.class_days) if tally.class_days else None
    if tally.answers < SMALLEST_GROUP:
        return Shown(estimated, None, None, 0, tally.answers > 0)
    in_time = _round(100 * (tally.answers - tally.late), tally.answers)
    return Shown(estimated, _round(tally.reported_minutes, tally.answers), in_time, tally.answers, False)


def whole(days: Iterable[Tally]) -> Shown:
    """Several groups together, so that none of them that is hidden can be worked out."""
    tallies = list(days)
    hidden = [each for each in tallies if each.answers < SMALLEST_GROUP]
    if 0 < sum(each.answers for each in hidden) < SMALLEST_GROUP:
        without = [Tally(each.given_minutes, each.class_days) if each in hidden else each for each in tallies]
        figures = shown(sum(without, Tally()))
        return figures if figures.answers else Shown(figures.estimated_minutes, None, None, 0, True)
    return shown(sum(tallies, Tally()))


def week_by_class(class_ids: Collection[int], days: Sequence[datetime.date]) -> dict[int, Week]:
    """Class -> its week. Two queries, however many classes."""
    return _weeks("school_class", {"school_class__in": class_ids}, class_ids, days)


def week_by_school(school_ids: Collection[int], days: Sequence[datetime.date]) -> dict[int, Week]:
    """School -> its week, all classes together. Two queries, however many schools."""
    return _weeks("school_class__school", {"school_class__school__in": school_ids}, school_ids, days)


def _weeks(key: str, scope: dict[str, Collection[int]], keys: Collection[int], days: Sequence[datetime.date]) -> dict[int, Week]:
    if not days:
        return {each: Week({}, shown(Tally())) for each in keys}
    tallies: defaultdict[tuple[int, datetime.date], Tally] = defaultdict(Tally)
    given = _written_at_home().filter(on_date__in=days, **scope).order_by().values(key, "on_date")
    for row in given.annotate(minutes=Sum("homework_minutes"), classes=Count("school_class", distinct=True)):
        tallies[row[key], row["on_date"]] += Tally(row["minutes"], row["classes"])
    answered = FamilyReport.objects.answered().filter(on_date__in=days, **scope).order_by().values(key, "on_date")
    late = Count("pk", filter=Q(sleep=SleepAnswer.LATE))
    for row in answered.annotate(minutes=Sum("homework_minutes"), answers=Count("pk"), late=late):
        tallies[row[key], row["on_date"]] += Tally(0, 0, row["minutes"], row["answers"], row["late"])
    weeks = {}
    for each in keys:
        of_days = {day: tallies[each, day] for day in days}
        weeks[each] = Week({day: shown(tally) for day, tally in of_days.items()}, whole(of_days.values()))
    return weeks


@dataclass(frozen=True)
class SubjectRow:
    """One subject of a class over some days."""

    class_id: int
    subject: str
    #: For the school itself; empty where it is nobody's business.
    teachers: str
    figures: Shown


def subjects_of_classes(class_ids: Collection[int], days: Sequence[datetime.date], *, with_teachers: bool) -> list[SubjectRow]:
    """Per class and subject, on days on which the subject gave written homework at home. Two queries, however many classes."""
    if not days:
        return []
    of_classes = {"on_date__in": days, "school_class__in": class_ids}
    given = _written_at_home().filter(**of_classes).order_by("school_class", "subject__position", "subject")
    rows = given.values("school_class", "subject", "subject__position", "subject__name").annotate(
        minutes=Sum("homework_minutes"),
        days=Count("on_date", distinct=True),
        teachers=StringAgg("teacher__display_name", "、", distinct=True) if with_teachers else Value(""),
    )
    told = (
        SubjectMinutes.objects.filter(report__answered_at__isnull=False, report__on_date__in=days, report__school_class__in=class_ids)
        .order_by()
        .values("report__school_class", "subject")
        .annotate(minutes=Sum("homework_minutes"), answers=Count("pk"))
    )
    answers = {(each["report__school_class"], each["subject"]): each for each in told}
    found = []
    for row in rows:
        answer = answers.get((row["school_class"], row["subject"]), {"minutes": 0, "answers": 0})
        figures = shown(Tally(row["minutes"], row["days"], answer["minutes"], answer["answers"]))
        found.append(SubjectRow(row["school_class"], row["subject__name"], row["teachers"], figures))
    return found


def _written_at_home() -> HomeworkQuerySet:
    return Homework.objects.out().filter(form=HomeworkForm.WRITTEN, done_at=HomeworkPlace.HOME)
