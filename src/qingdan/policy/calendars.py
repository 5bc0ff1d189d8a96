"""Which kind of day a day is, at one place: statutory calendar, make-up workdays, school vacations, seasons.

The national calendar (with 调休) is the package ``chinesecalendar``, which knows a year once the State Council has
published it. A day it does not know has no kind, and what depends on it stays undetermined: nothing guesses.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import chinese_calendar
from chinese_calendar.constants import holidays as _known_holidays

from qingdan.policy.layers import CalendarFile

FIRST_DAY = datetime.date(2021, 1, 1)
#: The last year that the national calendar in use knows.
LAST_YEAR: int = max(day.year for day in _known_holidays)
_YEARS_AHEAD_MAX = 10


@dataclass(frozen=True)
class CalendarDay:
    """One day at one place. ``None`` is not known."""

    day: datetime.date
    day_kind: str | None
    in_vacation: bool | None
    season: str | None
    #: Running count of working days since FIRST_DAY; the difference of two is the working days between them.
    working_day_number: int | None


@lru_cache(maxsize=8192)
def national_day_kind(day: datetime.date) -> str | None:
    """``workday`` (make-up workdays too), ``rest_day``, ``holiday`` (statutory, days off in lieu too) or None for an unpublished year."""
    if day.year > LAST_YEAR:
        return None
    try:
        is_off, name = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        return None
    if not is_off:
        return "workday"
    return "holiday" if name and name not in ("Saturday", "Sunday") else "rest_day"


def _within(day: datetime.date, calendar: CalendarFile, field: str) -> bool:
    return any(span.first <= day <= span.last for span in getattr(calendar, field))


def _day_kind(day: datetime.date, calendars: Sequence[CalendarFile]) -> str | None:
    for calendar in calendars:
        if _within(day, calendar, "days_on"):
            return "workday"
        if _within(day, calendar, "days_off"):
            return "holiday"
        if _within(day, calendar, "days_of_rest"):
            return "rest_day"
    return national_day_kind(day)


def _in_vacation(day: datetime.date, calendars: Sequence[CalendarFile]) -> bool | None:
    for calendar in calendars:
        if _within(day, calendar, "vacations"):
            return True
        if _within(day, calendar, "terms"):
            return False
    windows = next((calendar.vacation_windows for calendar in calendars if calendar.vacation_windows), [])
    if windows and not any(window.holds(day) for window in windows):
        return False
    return None


def _season(day: datetime.date, calendars: Sequence[CalendarFile]) -> str | None:
    for calendar in calendars:
        for name, spans in calendar.seasons.items():
            if any(span.holds(day) for span in spans):
                return name
    return None


def _last_year(calendars: Sequence[CalendarFile]) -> int:
    """A year more than the nation's calendar knows, or the last in which one of these speaks of a term or a day of its own."""
    # A slip of the pen (2207 for 2027) must not fill the database with centuries.
    spans = [span for each in calendars for span in (*each.terms, *each.days_on, *each.days_off, *each.days_of_rest)]
    return min(max([LAST_YEAR + 1, *(span.last.year for span in spans)]), LAST_YEAR + _YEARS_AHEAD_MAX)


def calendar_days(calendars: Sequence[CalendarFile], *, last_year: int | None = None) -> Iterator[CalendarDay]:
    """Every day from FIRST_DAY to the end of ``last_year`` under a chain of calendars, the nearest first."""
    last_year = last_year or _last_year(calendars)
    day, number, is_known = FIRST_DAY, 0, True
    while day.year <= last_year:
        kind = _day_kind(day, calendars)
        is_known = is_known and kind is not None
        number += kind == "workday"
        yield CalendarDay(day, kind, _in_vacation(day, calendars), _season(day, calendars), number if is_known else None)
        day += datetime.timedelta(days=1)
