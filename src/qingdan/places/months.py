"""A school year as sheets of months: what each day is and who says so."""

from __future__ import annotations

import calendar
import datetime
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from django.template.loader import render_to_string

from qingdan.places.actions import is_make_up_day
from qingdan.places.calendar import SchoolCalendar, current_pack
from qingdan.places.enums import SchoolDayKind
from qingdan.places.models import OverriddenDay, Region, SchoolYear
from qingdan.policy.pack import Pack

MAKE_UP = "make_up"
#: Kind of day -> label of the legend and the mark in the day's cell, so that no colour speaks alone.
LEGEND: dict[str, tuple[str, str]] = {
    SchoolDayKind.SCHOOL_DAY: ("上学", ""),
    MAKE_UP: ("调休上班", "班"),
    SchoolDayKind.REST_DAY: ("休息日", ""),
    SchoolDayKind.HOLIDAY: ("法定节假日、放假", "休"),
    SchoolDayKind.VACATION: ("寒暑假", "假"),
    SchoolDayKind.OUTSIDE_TERM: ("不在学期内", "外"),
    SchoolDayKind.UNKNOWN: ("未定", "?"),
}


@dataclass(frozen=True)
class Day:
    """One cell."""

    number: int
    kind: str
    label: str
    mark: str
    is_today: bool
    #: Classes of the cell and its tooltip, put together here: a year has 365 of them.
    css: str
    #: The kind, and what the bureau said of the day where it did.
    title: str


@dataclass(frozen=True)
class Month:
    """One sheet: weeks from Monday to Sunday, None outside the month."""

    title: str
    weeks: list[list[Day | None]]
    school_days: int


def span_of(first_year: int, year: SchoolYear | None) -> tuple[datetime.date, datetime.date]:
    """The days of a school year, or of the usual one where the bureau has not said."""
    if year is not None:
        return year.starts_on, year.ends_on
    return datetime.date(first_year, 9, 1), datetime.date(first_year + 1, 8, 31)


def year_of(day: datetime.date) -> int:
    """The school year that a day usually lies in."""
    return day.year if day.month >= 9 else day.year - 1


#: A day of which the bureau has said something, and its words.
_Said = tuple[datetime.date, str]


@dataclass(frozen=True)
class Sheets:
    """The months of a span as HTML, and how many days there are of each kind."""

    html: str
    counts: Mapping[str, int]


def sheets_of(region: Region, first: datetime.date, last: datetime.date, *, today: datetime.date) -> Sheets:
    """The months of a span."""
    said = tuple((each.day, _words(each)) for each in region.overridden_days.filter(day__range=(first, last)))
    return _sheets(current_pack(), region.layer_code, first, last, today, said)


def _words(said: OverriddenDay) -> str:
    return f"；教育局：{said.get_kind_display()}{f'（{said.note}）' if said.note else ''}"


@lru_cache(maxsize=64)
def _sheets(
    pack: Pack, layer_code: str, first: datetime.date, last: datetime.date, today: datetime.date, said: tuple[_Said, ...]
) -> Sheets:
    """Written once a day and calendar: everybody of a region reads the same."""
    months, counts = _months(SchoolCalendar(layer_code, pack), first, last, today, dict(said))
    legend = [(kind, label, mark, counts[kind]) for kind, (label, mark) in LEGEND.items() if counts[kind]]
    return Sheets(render_to_string("places/includes/months.html", {"months": months, "legend": legend}), counts)


def _months(
    days: SchoolCalendar, first: datetime.date, last: datetime.date, today: datetime.date, said: Mapping[datetime.date, str]
) -> tuple[list[Month], Counter[str]]:
    counts: Counter[str] = Counter()
    months = []
    year, month = first.year, first.month
    while (year, month) <= (last.year, last.month):
        weeks = [
            [_day(day, days, said.get(day, ""), today) if day.month == month and first <= day <= last else None for day in week]
            for week in calendar.Calendar().monthdatescalendar(year, month)
        ]
        own = Counter(each.kind for week in weeks for each in week if each)
        counts += own
        months.append(Month(f"{year}年{month}月", weeks, own[SchoolDayKind.SCHOOL_DAY] + own[MAKE_UP]))
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return months, counts


def _day(day: datetime.date, days: SchoolCalendar, words: str, today: datetime.date) -> Day:
    known = days.kind(day)
    kind = MAKE_UP if is_make_up_day(day, known) else str(known)
    label, mark = LEGEND[kind]
    is_today = day == today
    css = f"places-{kind}{' is-today' if is_today else ''}{' is-said' if words else ''}"
    return Day(day.day, kind, label, mark, is_today, css, label + words)
