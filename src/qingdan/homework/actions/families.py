"""The daily draw: some families of each class with written homework at home are asked how long it really took.

Nobody chooses. Who stood in the lottery, by which seed and who was drawn is kept (see :mod:`qingdan.draws.models`). Brothers and sisters
are one family: who was asked about one child lately is not asked about another either, and never about two on one day.
"""

from __future__ import annotations

import datetime
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.db import connection, transaction
from django.urls import reverse

from qingdan.accounts.models import User
from qingdan.draws.models import Draw, lot
from qingdan.homework.enums import HomeworkForm, HomeworkPlace
from qingdan.homework.models import FamilyReport, Homework
from qingdan.notices.models import Notice
from qingdan.places.calendar import SchoolCalendar, current_pack
from qingdan.places.models import Region
from qingdan.schools.models import Enrolment

log = logging.getLogger(__name__)
FAMILIES_PER_CLASS = 5
#: For so many school days a family is left in peace, where its class has enough others.
RESTING_SCHOOL_DAYS = 5
#: Any number that no other part of the house locks by.
_DRAWING = 7_310_002
#: Pupil -> the accounts of the guardians.
Families = Mapping[int, frozenset[int]]


@transaction.atomic
def draw_families(day: datetime.date) -> int:
    """Draw the families of a day in every region that has school; how many were drawn. Classes drawn already stay as they are."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_DRAWING])
    pack = current_pack()
    count = 0
    for region in Region.objects.all():
        calendar = SchoolCalendar(region.layer_code, pack)
        if calendar.is_school_day(day):
            count += _draw_in(region, day, _resting_since(calendar, day))
    return count


def _resting_since(calendar: SchoolCalendar, day: datetime.date) -> datetime.date:
    since = day
    for _ in range(RESTING_SCHOOL_DAYS):
        since = calendar.last_school_day(since) or since
    return since


def _draw_in(region: Region, day: datetime.date, since: datetime.date) -> int:
    class_of, families = _candidates(region, day)
    asked = _last_asked(since, day)
    entries = {
        pupil: school_class
        for school_class, pupils in _by_class(class_of, _one_of_each_family(families, day)).items()
        for pupil in _rested(pupils, families, asked, day)
    }
    if not entries:
        return 0
    draw = Draw.hold(
        f"家庭反馈 {region.name} {day}",
        entries,
        len(entries),
        groups=entries,
        per_group=FAMILIES_PER_CLASS,
        scope=f"当天有书面家庭作业的 {len(set(entries.values()))} 个班里有家长账户的家庭，近日问过的除外",
    )
    reports = [FamilyReport(draw=draw, pupil_id=pupil, school_class_id=entries[pupil], on_date=day) for pupil in draw.chosen]
    FamilyReport.objects.bulk_create(reports, ignore_conflicts=True)
    guardians = {user for pupil in draw.chosen for user in families[pupil]}
    Notice.objects.send(
        User.objects.filter(pk__in=guardians),
        occasion=f"family-report:{day}",
        text="今天抽到您家反馈：孩子做书面家庭作业实际用了多久、有没有按时睡。点两下就好，明天 24 点前都可以填。",
        url=reverse("homework:family"),
    )
    log.info("families.drawn region=%s day=%s families=%s draw=%s", region.pk, day, len(reports), draw.pk)
    return len(reports)


def _candidates(region: Region, day: datetime.date) -> tuple[dict[int, int], Families]:
    """Pupil -> class, and pupil -> guardians: of classes with written homework at home that day which have not been drawn yet."""
    classes = (
        Homework.objects.out()
        .filter(on_date=day, form=HomeworkForm.WRITTEN, done_at=HomeworkPlace.HOME, school_class__school__region=region)
        .exclude(school_class__in=FamilyReport.objects.filter(on_date=day).values("school_class"))
        .order_by()
        .values("school_class")
    )
    enrolled = Enrolment.objects.in_force(day).filter(school_class__in=classes, pupil__guardians__user__is_active=True)
    class_of: dict[int, int] = {}
    guardians: defaultdict[int, set[int]] = defaultdict(set)
    for pupil, school_class, guardian in enrolled.values_list("pupil", "school_class", "pupil__guardians__user"):
        class_of[pupil] = school_class
        guardians[pupil].add(guardian)
    return class_of, {pupil: frozenset(users) for pupil, users in guardians.items()}


def _last_asked(since: datetime.date, day: datetime.date) -> dict[int, datetime.date]:
    """Guardian -> when asked last, about any child, in the days given."""
    reports = FamilyReport.objects.filter(on_date__range=(since, day), pupil__guardians__isnull=False).order_by("on_date")
    return dict(reports.values_list("pupil__guardians__user", "on_date"))


def _one_of_each_family(families: Families, day: datetime.date) -> list[int]:
    """Of brothers and sisters one, by lot of the day."""
    seen: set[int] = set()
    kept = []
    for pupil in sorted(families, key=lambda each: lot(str(day), each)):
        if seen.isdisjoint(families[pupil]):
            kept.append(pupil)
        seen |= families[pupil]
    return kept


def _by_class(class_of: Mapping[int, int], pupils: Iterable[int]) -> dict[int, list[int]]:
    found: defaultdict[int, list[int]] = defaultdict(list)
    for pupil in pupils:
        found[class_of[pupil]].append(pupil)
    return dict(found)


def _rested(pupils: Iterable[int], families: Families, asked: Mapping[int, datetime.date], day: datetime.date) -> list[int]:
    """Those not asked lately; where they are too few, those asked the longest ago besides, day by day. Nobody asked this very day."""
    by_last: defaultdict[datetime.date, list[int]] = defaultdict(list)
    for pupil in pupils:
        by_last[max((asked[user] for user in families[pupil] if user in asked), default=datetime.date.min)].append(pupil)
    by_last.pop(day, None)
    kept: list[int] = by_last.pop(datetime.date.min, [])
    for last in sorted(by_last):
        if len(kept) >= FAMILIES_PER_CLASS:
            break
        kept += by_last[last]
    return kept
