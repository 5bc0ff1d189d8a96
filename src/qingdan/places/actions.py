"""How a bureau makes its calendar: school years with terms and vacations, and single days.

Every act leaves through a journal, so that it can be taken back. Triggers count up the region's calendar version with each change:
the pages and the law read the new calendar with their next question.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.http import HttpRequest

from qingdan.accounts.models import Organisation, User
from qingdan.places.calendar import SchoolCalendar
from qingdan.places.enums import DayOverride, SchoolDayKind, VacationSeason
from qingdan.places.events import calendar_changed
from qingdan.places.journal import Journal, undo_remembered
from qingdan.places.models import FICTIONAL_PREFIX, OverriddenDay, Region, SchoolYear, Term, Vacation, national_name
from qingdan.policy.calendars import FIRST_DAY, LAST_YEAR

log = logging.getLogger(__name__)

#: Beyond it the law's calendar has no days yet; see ``policy.calendars.calendar_days``.
LAST_DAY = datetime.date(LAST_YEAR + 1, 12, 31)
FILL_DAYS_MAX = 400

Span = tuple[datetime.date, datetime.date]


@dataclass(frozen=True)
class YearDates:
    """All dates of a school year; a term or vacation that is not decided yet is None."""

    first_year: int
    whole: Span
    #: 1 and 2 -> first and last day.
    terms: Mapping[int, Span | None]
    #: Season -> first and last day.
    vacations: Mapping[str, Span | None]


def start_calendar(organisation: Organisation, *, by: User) -> Region:
    """The region of a bureau that has none yet, so that it can keep a calendar."""
    code = organisation.region_code
    region = Region(
        code=code,
        name=national_name(code) or organisation.name,
        layer_code=organisation.layer_code,
        is_fictional=code.startswith(FICTIONAL_PREFIX),
    )
    region.full_clean()
    region.save()
    log.info("calendar.started region=%s by=%s", code, by.pk)
    return region


def vacations_of(region: Region, first: datetime.date, last: datetime.date) -> dict[str, Vacation]:
    """Season -> the vacation that begins in a span of days (a school year)."""
    return {each.season: each for each in region.vacations.filter(starts_on__gte=first, starts_on__lte=last).order_by("-starts_on")}


def _write(journal: Journal, record: models.Model, **values: object) -> None:
    """Save a record with values, in words of the constraints when it cannot be."""
    if record.pk is None:
        for name, value in values.items():
            setattr(record, name, value)
        record.full_clean()
        journal.create(record)
        return
    changed = type(record)._base_manager.get(pk=record.pk)
    for name, value in values.items():
        setattr(changed, name, value)
    changed.full_clean()
    journal.change(record, **values)


def _tell(region: Region, journal: Journal) -> None:
    if journal.entries:
        calendar_changed.send(Region, region=region)


@transaction.atomic
def take_back(request: HttpRequest, region: Region, *, scope: str, by: User) -> str:
    """Take back the last act on the calendar and say what it was; raise ValidationError when there is none or it cannot be."""
    Region.objects.select_for_update().get(pk=region.pk)
    what = undo_remembered(request, scope)
    calendar_changed.send(Region, region=region)
    log.info("calendar.undone region=%s by=%s", region.code, by.pk)
    return what


@transaction.atomic
def save_year(region: Region, dates: YearDates, *, by: User) -> Journal:
    """Make or change a school year with its terms and vacations; raise ValidationError when dates are out of order or overlap."""
    Region.objects.select_for_update().get(pk=region.pk)
    journal = Journal()
    year = region.school_years.filter(first_year=dates.first_year).first()
    old: Span = (year.starts_on, year.ends_on) if year else dates.whole
    kept = vacations_of(region, min(old[0], dates.whole[0]), max(old[1], dates.whole[1]))
    year = year or SchoolYear(region=region, first_year=dates.first_year)
    _write(journal, year, starts_on=dates.whole[0], ends_on=dates.whole[1])
    terms = {each.ordinal: each for each in year.terms.all()}
    for ordinal in _order_of_terms(terms, dates.terms):
        _write_span(journal, terms.get(ordinal), Term(school_year=year, ordinal=ordinal), dates.terms[ordinal])
    for season in VacationSeason.values:
        _write_span(journal, kept.get(season), Vacation(region=region, season=season), dates.vacations[season])
    _tell(region, journal)
    log.info("calendar.year_saved region=%s year=%s by=%s changes=%s", region.code, dates.first_year, by.pk, len(journal.entries))
    return journal


def _order_of_terms(old: Mapping[int, Term], new: Mapping[int, Span | None]) -> tuple[int, int]:
    """The later term moves first where the earlier one grows into its old days: no moment may see them overlap."""
    first = new[1]
    return (2, 1) if first and 2 in old and first[1] >= old[2].starts_on else (1, 2)


def _write_span(journal: Journal, present: Term | Vacation | None, blank: Term | Vacation, span: Span | None) -> None:
    if span is not None:
        _write(journal, present or blank, starts_on=span[0], ends_on=span[1])
    elif present is not None:
        journal.delete(present)


@transaction.atomic
def override_days(region: Region, days: Iterable[datetime.date], kind: DayOverride, *, note: str, by: User) -> Journal:
    """Say what single days are; a day said before is said anew."""
    wanted = sorted(set(days))
    if not wanted:
        raise ValidationError("请至少写一个日期，例如 2027-02-15")
    for day in wanted:
        _refuse_beyond(day)
    Region.objects.select_for_update().get(pk=region.pk)
    present = {each.day: each for each in region.overridden_days.filter(day__in=wanted)}
    journal = Journal()
    for day in wanted:
        record = present.get(day) or OverriddenDay(region=region, day=day)
        _write(journal, record, kind=kind, note=note)
    _tell(region, journal)
    log.info("calendar.days_overridden region=%s kind=%s days=%s by=%s", region.code, kind, len(wanted), by.pk)
    return journal


def _refuse_beyond(day: datetime.date) -> None:
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValidationError(f"{day} 超出日历的范围（{FIRST_DAY} 至 {LAST_DAY}）；请检查年份")


@transaction.atomic
def fill_unknown_days(region: Region, first: datetime.date, last: datetime.date, *, by: User) -> Journal:
    """Where nobody has said what a day is (the nation has not published its year): weekdays are workdays, weekends days of rest."""
    if last < first or (last - first).days > FILL_DAYS_MAX:
        raise ValidationError(f"结束日期不能早于开始日期，一次最多填 {FILL_DAYS_MAX} 天")
    _refuse_beyond(first)
    _refuse_beyond(last)
    Region.objects.select_for_update().get(pk=region.pk)
    calendar = SchoolCalendar(region.layer_code)
    days = [first + datetime.timedelta(days=number) for number in range((last - first).days + 1)]
    # Asked of the calendar's own word, not of ``kind``: inside a vacation too a day's kind may be open.
    unknown = [day for day in days if (known := calendar.day(day)) is not None and known.day_kind is None]
    if not unknown:
        raise ValidationError("这一段里没有未定的日子，不必填写")
    journal = Journal()
    journal.create_all(
        [
            OverriddenDay(region=region, day=day, kind=DayOverride.WORKDAY if day.weekday() < 5 else DayOverride.REST_DAY, note="按周填写")
            for day in unknown
        ]
    )
    _tell(region, journal)
    log.info("calendar.days_filled region=%s days=%s by=%s", region.code, len(unknown), by.pk)
    return journal


@transaction.atomic
def take_back_days(region: Region, pks: Iterable[int], *, by: User) -> Journal:
    """Let single days again be what the nation says."""
    journal = Journal()
    for each in region.overridden_days.filter(pk__in=list(pks)):
        journal.delete(each)
    if not journal.entries:
        raise ValidationError("请先勾选要恢复的日子")
    _tell(region, journal)
    log.info("calendar.days_taken_back region=%s days=%s by=%s", region.code, len(journal.entries), by.pk)
    return journal


def is_make_up_day(day: datetime.date, kind: SchoolDayKind) -> bool:
    """Whether there is school on a day of a weekend (调休)."""
    return kind == SchoolDayKind.SCHOOL_DAY and day.weekday() >= 5
