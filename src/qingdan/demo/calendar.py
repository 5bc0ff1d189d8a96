"""The calendar of the demonstration: eight weeks of school before today, whatever day that is."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils import timezone

from qingdan.places.calendar import monday_of
from qingdan.places.enums import DayOverride, VacationSeason
from qingdan.places.models import OverriddenDay, Region, SchoolYear, Term, Vacation
from qingdan.policy.calendars import national_day_kind
from qingdan.policy.layers import Span

WEEKS = 8
_DAY, _WEEK = datetime.timedelta(days=1), datetime.timedelta(weeks=1)
#: A term that ends sooner leaves nothing to show.
_AHEAD = 2 * _WEEK
#: Holidays of fixed date, for years whose calendar is not out: (month, day).
_FIXED_HOLIDAYS = ((1, 1), (5, 1), (5, 2), (5, 3), (10, 1), (10, 2), (10, 3))

_CHINA = timezone.get_default_timezone()

Days = tuple[datetime.date, datetime.date]


@dataclass(frozen=True)
class YearPlan:
    """A school year as the demonstration will have it."""

    first_year: int
    days: Days
    #: Ordinal -> first and last day.
    terms: dict[int, Days]
    vacations: dict[str, Days]


def at(day: datetime.date, hour: int, minute: int = 0) -> datetime.datetime:
    """A time of a day in China."""
    return datetime.datetime.combine(day, datetime.time(hour, minute), tzinfo=_CHINA)


def first_monday(today: datetime.date, weeks: int = WEEKS) -> datetime.date:
    """The Monday on which the recorded homework begins."""
    return monday_of(today) - weeks * _WEEK


def plan_year(today: datetime.date, known_terms: Sequence[Span]) -> YearPlan:
    """The ordinary school year when today lies well inside one of its terms; otherwise one made up around today."""
    first_year = today.year if today.month >= 9 else today.year - 1
    whole = datetime.date(first_year, 9, 1), datetime.date(first_year + 1, 8, 31)
    terms = {
        1: _known(known_terms, datetime.date(first_year, 9, 1), datetime.date(first_year + 1, 1, 22)),
        2: _known(known_terms, datetime.date(first_year + 1, 2, 22), datetime.date(first_year + 1, 7, 2)),
    }
    if any(first <= first_monday(today) and today + _AHEAD <= last for first, last in terms.values()):
        vacations = {
            VacationSeason.WINTER.value: (terms[1][1] + _DAY, terms[2][0] - _DAY),
            VacationSeason.SUMMER.value: (terms[2][1] + _DAY, whole[1]),
        }
        return YearPlan(first_year, whole, terms, vacations)
    term = first_monday(today) - _WEEK, today + 12 * _WEEK
    ordinal = 2 if 2 <= today.month <= 8 else 1
    return YearPlan(first_year, (min(whole[0], term[0]), max(whole[1], term[1])), {ordinal: term}, {})


def _known(terms: Sequence[Span], first: datetime.date, last: datetime.date) -> Days:
    """The pack's own term of that time, or the given days."""
    return next(((term.first, term.last) for term in terms if term.first <= last and first <= term.last), (first, last))


def unknown_days(plan: YearPlan) -> Iterator[tuple[datetime.date, DayOverride]]:
    """The term days of years that the national calendar does not know yet, as an ordinary year would have them."""
    for first, last in plan.terms.values():
        for number in range((last - first).days + 1):
            day = first + number * _DAY
            if national_day_kind(day) is None:
                yield day, _ordinary(day)


def _ordinary(day: datetime.date) -> DayOverride:
    if (day.month, day.day) in _FIXED_HOLIDAYS:
        return DayOverride.HOLIDAY
    return DayOverride.REST_DAY if day.weekday() >= 5 else DayOverride.WORKDAY


def write_year(region: Region, plan: YearPlan) -> SchoolYear:
    """Give a region this school year."""
    year = SchoolYear.objects.create(region=region, first_year=plan.first_year, starts_on=plan.days[0], ends_on=plan.days[1])
    for ordinal, (first, last) in plan.terms.items():
        Term.objects.create(school_year=year, ordinal=ordinal, starts_on=first, ends_on=last)
    for season, (first, last) in plan.vacations.items():
        Vacation.objects.create(region=region, season=season, starts_on=first, ends_on=last)
    OverriddenDay.objects.bulk_create(
        OverriddenDay(region=region, day=day, kind=kind, note="演示：国家尚未公布该年安排") for day, kind in unknown_days(plan)
    )
    return year
