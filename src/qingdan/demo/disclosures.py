"""Publishes the weeks that are over, with the snapshot of the product itself; one school is late or forgets."""

from __future__ import annotations

import datetime
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from qingdan.demo.calendar import at
from qingdan.demo.copying import copy_rows
from qingdan.demo.plan import FIRST_SCHOOL, ClassRoom, Trouble, seeded
from qingdan.homework.actions.disclosure import Week, told_by_items
from qingdan.homework.enums import HomeworkStatus
from qingdan.homework.models import Disclosure, Homework
from qingdan.homework.models.disclosure import snapshot_sha256
from qingdan.places.calendar import SchoolCalendar
from qingdan.schools.models import GradeLead, School, SchoolClass, Subject

_FIELDS = (
    "school_id", "school_year_id", "grade", "week_from", "version", "snapshot", "sha256", "correction", "published_by_id", "published_at",
)  # fmt: skip
#: What a snapshot looks at.
_SHOWN = (
    "school_class", "subject", "on_date", "tier", "form", "done_at", "homework_minutes", "content", "requirements", "intent",
    "is_optional", "status",
)  # fmt: skip
_SIX_DAYS = datetime.timedelta(days=6)
#: This grade of the first school corrected its last week but one.
_CORRECTED_GRADE = 4

Key = tuple[int, int]


class Publisher:
    """Publishes week by week."""

    def __init__(self, rooms: Sequence[ClassRoom], calendar: SchoolCalendar, *, moment: datetime.datetime) -> None:
        self.calendar, self.moment = calendar, moment
        self.plans = {room.school_id: room.plan for room in rooms}
        self.schools = {school.pk: school for school in School.objects.filter(pk__in=self.plans).select_related("organisation")}
        self.classes = {
            each.pk: each for each in SchoolClass.objects.filter(pk__in=[room.id for room in rooms]).select_related("school_year")
        }
        self.subjects = Subject.objects.in_bulk()
        self.grades: defaultdict[Key, list[SchoolClass]] = defaultdict(list)
        for each in sorted(self.classes.values(), key=lambda each: each.number):
            self.grades[each.school_id, each.grade].append(each)
        years = {each.school_year_id for each in self.classes.values()}
        leads = GradeLead.objects.filter(school__in=self.plans, school_year__in=years).order_by("-pk")
        self.heads = {(lead.school_id, lead.grade): lead.user_id for lead in leads}

    def publish(self, week_from: datetime.date, *, corrected: bool = False) -> int:
        """Publish a week's grades as far as they are published by now; how many versions were written."""
        weeks, rows = self._weeks(week_from), list[tuple[object, ...]]()
        done = set(Disclosure.objects.filter(week_from=week_from, school__in=self.plans).values_list("school_id", "grade"))
        for key, week in weeks.items():
            published_at = self.published_at(key, week_from)
            if key in done or not week.items or week.held or published_at is None or published_at > self.moment:
                continue
            is_corrected = corrected and key[1] == _CORRECTED_GRADE and self.plans[key[0]].name == FIRST_SCHOOL
            rows.extend(self._versions(key, week, published_at, is_corrected=is_corrected))
        return copy_rows(Disclosure, _FIELDS, rows)

    def published_at(self, key: Key, week_from: datetime.date) -> datetime.datetime | None:
        """When a grade publishes a week: on its last school day, unless the school is the one that does not."""
        plan, chance = self.plans[key[0]], seeded("disclosure", self.plans[key[0]].name, key[1], week_from)
        days = self.calendar.school_days(week_from, week_from + _SIX_DAYS)
        if not days:
            return None
        day = days[-1]
        if plan.trouble == Trouble.LATE_DISCLOSURE:
            draw = chance.random()
            if draw < 0.45:
                return None
            day = week_from + datetime.timedelta(days=7 + int(chance.random() * 3)) if draw < 0.8 else day
        return at(day, 15, int(chance.random() * 59))

    def _versions(self, key: Key, week: Week, published_at: datetime.datetime, *, is_corrected: bool) -> Iterable[tuple[object, ...]]:
        told = told_by_items(week.items)
        snapshot, before = week.snapshot(**told, pack=self.calendar.pack), ""
        versions = [(snapshot, "", published_at)]
        if is_corrected:
            first_try = snapshot | {"requirements": told["requirements"].partition("。")[0] + "。"}
            later = published_at + datetime.timedelta(hours=20)
            versions = [(first_try, "", published_at), (snapshot, "补上各学科的完成要求", later)]
        for number, (content, correction, moment) in enumerate(versions, start=1):
            sha256 = snapshot_sha256(content, before)
            text = json.dumps(content, ensure_ascii=False)
            year = self.grades[key][0].school_year_id
            yield (*key[:1], year, key[1], week.week_from, number, text, sha256, correction, self.heads[key], moment)
            before = sha256

    def _weeks(self, week_from: datetime.date) -> Mapping[Key, Week]:
        """Every grade's week, read with one SELECT for the whole district, in the order in which the product reads one."""
        weeks: dict[Key, Week] = {}
        found = (
            Homework.objects.filter(
                school_class__in=self.classes,
                on_date__range=(week_from, week_from + _SIX_DAYS),
                status__in=[HomeworkStatus.OUT, HomeworkStatus.HELD],
            )
            .only(*_SHOWN)
            .order_by("school_class__number", "on_date", "subject__position", "subject__name", "tier", "content", "pk")
        )
        for item in found:
            item.subject = self.subjects[item.subject_id]
            item.school_class = school_class = self.classes[item.school_class_id]
            key = school_class.school_id, school_class.grade
            if key not in weeks:
                year = school_class.school_year
                weeks[key] = Week(self.schools[key[0]], key[1], week_from, classes=self.grades[key], school_year=year)
            (weeks[key].items if item.status == HomeworkStatus.OUT else weeks[key].held).append(item)
        return weeks
