"""Loads the demonstration district once, and brings it up to today at every later start.

1. Nothing there: region, calendar, people, eight weeks up to today, all in one transaction; whatever interrupts it leaves nothing.
2. Loaded already: the school days since are added, the weeks that ended are published, and today's story is set. What people did in
   the meantime stays.
3. Loaded by another version, in a school year that is over, or so long ago that adding would take longer than beginning anew: the
   fictional district is cleared away and loaded afresh, unless the database holds anything that is not fictional.
"""

from __future__ import annotations

import datetime
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

import pghistory.models
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Q
from psycopg import sql

from qingdan.accounts.models import Organisation, User
from qingdan.demo.calendar import WEEKS, first_monday, plan_year, write_year
from qingdan.demo.days import Recorder
from qingdan.demo.disclosures import Publisher
from qingdan.demo.families import Families
from qingdan.demo.inspections import check_classes, review_past_month
from qingdan.demo.institutions.loading import load_institutions, make_small_regions
from qingdan.demo.institutions.timetable import extend_timetable
from qingdan.demo.models import Demonstration
from qingdan.demo.people import People, ensure_accounts, read_rooms
from qingdan.demo.plan import DISTRICT_LAYER, REGION_CODE, SCHOOLS, SMALL_REGIONS, VERSION, SchoolPlan
from qingdan.demo.prepaid.going_on import extend_prepaid
from qingdan.demo.prepaid.loading import load_prepaid
from qingdan.demo.shelf import library, rate_designs, write_designs
from qingdan.demo.story import ask_child, asked_on, child_of_story, give_next_day
from qingdan.ledger.emptying import guard_asleep
from qingdan.places.calendar import SchoolCalendar, current_pack, monday_of, today
from qingdan.places.models import Region
from qingdan.policy.packs import default_pack

log = logging.getLogger(__name__)

#: Any number that no other part of the house locks by.
_LOADING = 7_310_017
_WEEK = datetime.timedelta(weeks=1)
#: More than this to add, and it is quicker to begin anew.
_TOP_UP = 5 * _WEEK

#: Told what is being done, how much of it is done, and how much there is.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Scale:
    """How large a district: all of it, or the first few schools with fewer classes and weeks."""

    schools: int = len(SCHOOLS)
    weeks: int = WEEKS
    #: None for as many as each school has.
    classes_per_grade: int | None = None
    #: Whether there are training institutions, and prepaid tuition with them.
    has_institutions: bool = True

    def plans(self) -> tuple[SchoolPlan, ...]:
        """The schools of this scale."""
        most = self.classes_per_grade
        chosen = SCHOOLS[: self.schools]
        return tuple(replace(plan, classes_per_grade=min(most, plan.classes_per_grade)) for plan in chosen) if most else chosen


@dataclass(frozen=True)
class Outcome:
    """What a start did."""

    #: ``loaded``, ``topped_up`` or ``unchanged``.
    act: str
    homework: int = 0


def quiet(what: str, done: int, whole: int) -> None:
    """Tells nobody."""


def ensure_district(*, scale: Scale | None = None, fresh: bool = False, progress: Progress = quiet) -> Outcome:
    """See to it that the district stands and today's story with it. Raises ValidationError when it must not be touched."""
    day = today()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOADING])
        stamp = Demonstration.objects.select_related("region").first()
        if stamp is not None and not fresh and _can_go_on(stamp, day):
            outcome = _go_on(stamp, day, progress)
            _check_references()
            return outcome
        if stamp is not None or fresh:
            _clear()
        elif Region.objects.filter(Q(code__in=[REGION_CODE, *SMALL_REGIONS]) | Q(layer_code=DISTRICT_LAYER)).exists():
            raise ValidationError("这个数据库里已有示范区，却不是演示程序装入的；请换一个空的数据库，或用 --fresh 清空虚构数据后重装")
        count = _load(scale or Scale(), day, progress)
        _check_references()
    progress("演示区已就绪", 1, 1)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    log.info("demo.loaded day=%s homework=%s", day, count)
    return Outcome("loaded", count)


def _can_go_on(stamp: Demonstration, day: datetime.date) -> bool:
    if stamp.version != VERSION or not stamp.first_day <= day <= stamp.last_day + _TOP_UP:
        return False
    following = SchoolCalendar(stamp.region.layer_code).next_school_day(day)
    year = stamp.region.school_years.holding(day).first()
    return year is not None and following is not None and following <= min(year.ends_on, day + 2 * _WEEK)


def _clear() -> None:
    """Take away all that is recorded; the laws, the subjects and the accounts' table definitions stay."""
    if Organisation.objects.filter(is_fictional=False).exists() or Region.objects.filter(is_fictional=False).exists():
        raise ValidationError("这个数据库里有不是虚构的单位或地区，演示程序不会清空它；请为演示另用一个数据库")
    _check_references()  # a table with checks still to come cannot be emptied
    history = [model._meta.db_table for model in apps.get_models() if issubclass(model, pghistory.models.Event)]
    tables = [User._meta.db_table, Organisation._meta.db_table, Region._meta.db_table, "draws_draw", *history]
    with guard_asleep(), connection.cursor() as cursor:
        cursor.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.SQL(", ").join(map(sql.Identifier, tables))))


def _load(scale: Scale, day: datetime.date, progress: Progress) -> int:
    plans, first_day = scale.plans(), first_monday(day, scale.weeks)
    progress("学校、班级和师生", 0, scale.weeks * 6)
    # A calendar goes by its version: one that is loaded anew must not bear the number of one that a running process remembers.
    version = secrets.randbelow(2**30)
    region = Region.objects.create(code=REGION_CODE, name="示范区", layer_code=DISTRICT_LAYER, is_fictional=True, calendar_version=version)
    own = default_pack().layer(DISTRICT_LAYER).calendars
    year_plan = plan_year(day, own[0][1].terms if own else [])
    year = write_year(region, year_plan)
    make_small_regions(year_plan, version)
    accounts = ensure_accounts()
    People(region, year, accounts).write(plans)
    rooms = read_rooms(region, plans, day)
    write_designs(rooms, first_day)
    calendar = SchoolCalendar(region.layer_code, current_pack())
    recorder = Recorder(rooms, calendar, first_day=first_day, today=day, library=library(rooms))
    families = Families(region.name, rooms, today=day, child_id=child_of_story(), asked_on=asked_on(calendar, day))
    days, count = calendar.school_days(first_day, day), 0
    for number, each in enumerate(days):
        progress(f"{each:%m月%d日}的作业", number + 1, len(days) + scale.weeks + 1)
        count += recorder.write(each, families)
    publisher = Publisher(rooms, calendar, moment=recorder.moment)
    for number in range(scale.weeks + 1):
        progress("每周公示", len(days) + min(number + 1, scale.weeks), len(days) + scale.weeks + 1)
        publisher.publish(first_day + number * _WEEK, corrected=number == scale.weeks - 2)
    rate_designs()
    checked_week = monday_of(day) - 2 * _WEEK
    checked_on = calendar.next_school_day(checked_week + _WEEK)
    if scale.weeks >= 2 and checked_on is not None and checked_on <= day:
        check_classes(rooms, checked_week, checked_on, by=accounts["demo-bureau"])
    review_past_month(rooms, day, by=accounts["demo-bureau"])
    following = calendar.next_school_day(day)
    if following is not None:
        count += give_next_day(rooms, recorder, following)
    ask_child(rooms, calendar, day)
    if scale.has_institutions:
        progress("培训机构", len(days) + scale.weeks, len(days) + scale.weeks + 1)
        load_institutions(accounts, scale.schools, day)
        progress("预收费", len(days) + scale.weeks, len(days) + scale.weeks + 1)
        load_prepaid(accounts, day, is_whole=scale.schools >= len(SCHOOLS))
    last_day = days[-1] if days else first_day
    Demonstration.objects.create(
        region=region, version=VERSION, school_count=len(plans), first_day=first_day, last_day=last_day, arranged_for=day
    )
    progress("核对", len(days) + scale.weeks, len(days) + scale.weeks + 1)
    return count


def _check_references() -> None:
    """Let the database check all foreign keys now instead of at the end: that is a fifth of the work, and the bar still stands."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def _go_on(stamp: Demonstration, day: datetime.date, progress: Progress) -> Outcome:
    """Add what has happened since; on the same day there is nothing to do."""
    if stamp.arranged_for >= day:
        return Outcome("unchanged")
    ensure_accounts()
    calendar = SchoolCalendar(stamp.region.layer_code)
    rooms = read_rooms(stamp.region, SCHOOLS, day)
    recorder = Recorder(rooms, calendar, first_day=stamp.first_day, today=day, library=library(rooms))
    families = Families(stamp.region.name, rooms, today=day, child_id=child_of_story(), asked_on=asked_on(calendar, day))
    days = calendar.school_days(stamp.last_day + datetime.timedelta(days=1), day)
    count = 0
    for number, each in enumerate(days):
        progress(f"{each:%m月%d日}的作业", number, len(days) + 1)
        count += recorder.write(each, families)
    publisher, week = Publisher(rooms, calendar, moment=recorder.moment), monday_of(stamp.last_day)
    while week <= monday_of(day):
        publisher.publish(week)
        week += _WEEK
    following = calendar.next_school_day(day)
    if following is not None:
        count += give_next_day(rooms, recorder, following)
    ask_child(rooms, calendar, day)
    extend_timetable(stamp.arranged_for, day)
    extend_prepaid(stamp.arranged_for, day)
    stamp.last_day = days[-1] if days else stamp.last_day
    stamp.arranged_for = day
    stamp.save()
    log.info("demo.topped_up day=%s days=%s homework=%s", day, len(days), count)
    return Outcome("topped_up", count)
