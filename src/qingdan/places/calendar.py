"""The calendar in force: what each day is for the schools of a region.

One source for the pages and for the law: the policy pack of the installation with what the bureaus say of their calendars.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from django.utils import timezone

from qingdan.places.enums import SchoolDayKind
from qingdan.places.models import Region
from qingdan.policy.calendars import FIRST_DAY, CalendarDay
from qingdan.policy.layers import CalendarFile
from qingdan.policy.pack import Pack
from qingdan.policy.packs import default_pack, with_calendars

_FORWARD_DAYS_MAX = 400


@dataclass(frozen=True)
class Calendars:
    """The pack of this installation with the bureaus' calendars in it."""

    #: Of what the bureaus say: as long as that is the same, so are the days.
    fingerprint: str
    pack: Pack


#: What the bureaus say of their calendars: layer code and calendar file, as JSON.
Words = tuple[tuple[str, str], ...]


@lru_cache(maxsize=8)
def _calendars(words: Words) -> Calendars:
    files = {code: CalendarFile.model_validate_json(said) for code, said in words}
    return Calendars(hashlib.sha256(repr(words).encode()).hexdigest(), with_calendars(default_pack(), files))


@lru_cache(maxsize=2)
def _words(state: tuple[tuple[int, int, str], ...]) -> Words:
    regions = Region.objects.filter(pk__in=[pk for pk, *_ in state]).order_by("layer_code")
    return tuple((region.layer_code, region.calendar_file().model_dump_json(by_alias=True)) for region in regions)


def current_calendars() -> Calendars:
    """The calendars now; one small query, and a reading only after a change."""
    return _calendars(_words(tuple(Region.objects.states())))


def current_pack() -> Pack:
    """The pack by which this installation judges today."""
    return current_calendars().pack


#: Where the day comes from; tests put another one in its place.
clock: Callable[[], datetime.date] = timezone.localdate


def today() -> datetime.date:
    """The day in China."""
    return clock()


class SchoolCalendar:
    """The days of one layer of the law, for its schools."""

    def __init__(self, layer_code: str, pack: Pack | None = None) -> None:
        """``pack`` saves the query when the caller has the current one already."""
        self.pack = pack or current_pack()
        self.layer = self.pack.layer(layer_code)
        self._days = self.pack.calendar(self.layer)
        self._files: list[CalendarFile] = [file for _, file in self.layer.calendars]

    def day(self, day: datetime.date) -> CalendarDay | None:
        """What the law's calendar says of a day; None beyond its ends."""
        index = (day - FIRST_DAY).days
        return self._days[index] if 0 <= index < len(self._days) else None

    def kind(self, day: datetime.date) -> SchoolDayKind:
        """What a day is for a school."""
        known = self.day(day)
        if known is None or known.day_kind is None:
            return SchoolDayKind.VACATION if known is not None and known.in_vacation else SchoolDayKind.UNKNOWN
        if known.in_vacation:
            return SchoolDayKind.VACATION
        if known.day_kind != "workday":
            return SchoolDayKind(known.day_kind)
        terms = next((file.terms for file in self._files if file.terms), [])
        if terms and not any(term.first <= day <= term.last for term in terms):
            return SchoolDayKind.OUTSIDE_TERM
        return SchoolDayKind.SCHOOL_DAY

    def is_school_day(self, day: datetime.date) -> bool:
        """Whether there is school on a day: a workday by the calendar (make-up ones too), in term."""
        return self.kind(day) == SchoolDayKind.SCHOOL_DAY

    def next_school_day(self, after: datetime.date) -> datetime.date | None:
        """The first school day after a day; None when the calendar knows of none within a year."""
        return next(self._walk(after, 1), None)

    def last_school_day(self, before: datetime.date) -> datetime.date | None:
        """The last school day before a day."""
        return next(self._walk(before, -1), None)

    def school_days(self, first: datetime.date, last: datetime.date) -> list[datetime.date]:
        """The school days of a span, both ends included."""
        span = (first + datetime.timedelta(days=number) for number in range((last - first).days + 1))
        return [day for day in span if self.is_school_day(day)]

    def after_working_days(self, start: datetime.date, count: int) -> datetime.date | None:
        """The working day that is ``count`` working days after a day; None where the calendar does not know the days between."""
        first = self.day(start)
        if first is None or first.working_day_number is None:
            return None
        for number in range(1, _FORWARD_DAYS_MAX):
            day = self.day(start + datetime.timedelta(days=number))
            if day is None or day.working_day_number is None:
                return None
            if day.working_day_number - first.working_day_number >= count:
                return day.day
        return None

    def _walk(self, start: datetime.date, step: int) -> Iterator[datetime.date]:
        for number in range(1, _FORWARD_DAYS_MAX):
            day = start + datetime.timedelta(days=step * number)
            if self.is_school_day(day):
                yield day


def monday_of(day: datetime.date) -> datetime.date:
    """The Monday of a day's week."""
    return day - datetime.timedelta(days=day.weekday())
