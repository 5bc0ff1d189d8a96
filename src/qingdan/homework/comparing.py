"""What was published of a class's week beside what the register holds of it: the list an inspector goes through."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qingdan.homework.models import Disclosure, Homework
from qingdan.homework.models.register import HomeworkQuerySet
from qingdan.schools.models import SchoolClass


@dataclass(frozen=True)
class Line:
    """One piece of homework of the register, as it was published or not."""

    homework: Homework
    #: None where the published list does not have it.
    published_minutes: int | None

    @property
    def is_published(self) -> bool:
        """Whether the published list has it."""
        return self.published_minutes is not None

    @property
    def is_as_published(self) -> bool:
        """Whether the published list has it with the same minutes."""
        return self.published_minutes == self.homework.homework_minutes

    @property
    def is_changed(self) -> bool:
        """Whether it was published with other minutes."""
        return self.published_minutes is not None and self.published_minutes != self.homework.homework_minutes


@dataclass(frozen=True)
class PublishedOnly:
    """What was published and is no longer in the register: withdrawn or changed afterwards."""

    on_date: datetime.date
    subject: str
    content: str
    minutes: int


@dataclass(frozen=True)
class ClassWeek:
    """A class's week: the newest published version, the register's lines, and what only the published list has."""

    disclosure: Disclosure | None
    lines: tuple[Line, ...]
    published_only: tuple[PublishedOnly, ...]


def class_week(school_class: SchoolClass, week_from: datetime.date) -> ClassWeek:
    """Compare a class's published week with the register; three queries."""
    disclosure = (
        Disclosure.objects.filter(school_id=school_class.school_id, grade=school_class.grade, week_from=week_from)
        .newest()
        .select_related("published_by")
        .first()
    )
    published = _published(disclosure, school_class.name)
    items = week_homework(school_class, week_from).select_related("subject").order_by("on_date", "subject__position", "tier", "pk")
    lines = [Line(item, _take(published, item)) for item in items]
    left = [
        PublishedOnly(datetime.date.fromisoformat(day), subject, content, minutes)
        for (day, subject, content), minutes_of in published.items()
        for minutes in minutes_of
    ]
    return ClassWeek(disclosure, tuple(lines), tuple(sorted(left, key=lambda each: (each.on_date, each.subject, each.content))))


def week_homework(school_class: SchoolClass, week_from: datetime.date) -> HomeworkQuerySet:
    """What a class was given in a week, as far as it went out."""
    days = (week_from, week_from + datetime.timedelta(days=6))
    return Homework.objects.out().filter(school_class=school_class, on_date__range=days)


_Published = dict[tuple[str, str, str], list[int]]


def _published(disclosure: Disclosure | None, class_name: str) -> _Published:
    """(day, subject, content) -> the minutes published for it, one for each time it stands there."""
    found: _Published = defaultdict(list)
    snapshot: Mapping[str, Any] = disclosure.snapshot if disclosure is not None else {}
    for each in snapshot.get("classes", ()):
        if each.get("name") == class_name:
            for day in each.get("days", ()):
                for item in day.get("items", ()):
                    found[day["date"], item["subject"], item["content"]].append(int(item["minutes"]))
    return found


def _take(published: _Published, item: Homework) -> int | None:
    """The published minutes of an item, taken off the list; the same number first where it stands there more than once."""
    minutes_of = published.get((item.on_date.isoformat(), item.subject.name, item.content))
    if not minutes_of:
        return None
    return minutes_of.pop(minutes_of.index(item.homework_minutes) if item.homework_minutes in minutes_of else 0)
