"""Writes what happened on a school day: homework given, families asked, what was finished at school, what was marked."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator, Sequence
from functools import lru_cache

from django.utils import timezone

from qingdan.demo.calendar import at
from qingdan.demo.copying import Ids, copy_rows
from qingdan.demo.daily import Day, Given, Library, Limits, written_minutes
from qingdan.demo.families import Families
from qingdan.demo.plan import ClassRoom, Trouble, seeded
from qingdan.homework.enums import DoneBy, HomeworkForm, HomeworkStatus
from qingdan.homework.limits import day_limit
from qingdan.homework.models import Homework, Marking, SchoolFinish
from qingdan.places.calendar import SchoolCalendar
from qingdan.policy.pack import Pack
from qingdan.schools.models import Subject

_HOMEWORK = (
    "id", "school_class_id", "on_date", "subject_id", "teacher_id", "tier", "unit", "content", "requirements", "intent", "form",
    "done_at", "homework_minutes", "marked_by", "done_by", "needs_parent", "is_optional", "is_assigned_in_class", "design_id",
    "status", "batch", "objections", "settlement", "created_at", "sent_at",
)  # fmt: skip
_MARKING = (
    "homework_id", "marked_on", "is_marked_in_full", "face_to_face_count", "is_discussed_in_class", "feedback",
    "recorded_by_id", "recorded_at",
)  # fmt: skip
_FINISH = ("school_class_id", "on_date", "finished_percent", "reported_by_id", "reported_at")
_MARKED, _REPORTED = 0.85, 0.94

Row = tuple[object, ...]
_FEEDBACK = ("大部分同学掌握较好，个别字词再巩固。", "计算准确率提高，注意书写格式。", "思路清楚，错题已面批。")


class Recorder:
    """Writes school days of the given classes, one after the other."""

    def __init__(
        self, rooms: Sequence[ClassRoom], calendar: SchoolCalendar, *, first_day: datetime.date, today: datetime.date, library: Library
    ) -> None:
        self.rooms, self.calendar, self.pack = rooms, calendar, calendar.pack
        self.first_day, self.today, self.library = first_day, today, library
        #: Nothing is written as if it came from the future.
        self.moment = timezone.now() if timezone.localdate() == today else at(today, 12)
        self.subjects = dict(Subject.objects.values_list("name", "pk"))
        self._ids = Ids(Homework)

    def write(self, day: datetime.date, families: Families) -> int:
        """All of a day for every class that has nothing of it yet; the number of pieces of homework."""
        taken = set(Homework.objects.filter(on_date=day).values_list("school_class_id", flat=True))
        rows: list[Row] = []
        markings: list[Row] = []
        estimated: dict[int, list[Given]] = {}
        entered, marked_on = self.calendar.last_school_day(day), self.calendar.next_school_day(day)
        for room in self.rooms:
            if room.id in taken:
                continue
            items = Day(room, day, self.limits(room, day), self.first_day, self.library).fill()
            estimated[room.id] = items
            given = self.rows(room, day, items, entered=entered)
            rows.extend(given)
            if marked_on is not None and marked_on <= self.today:
                markings.extend(self._markings(room, given, items, marked_on))
        copy_rows(Homework, _HOMEWORK, rows)
        copy_rows(Marking, _MARKING, markings)
        if day < self.today:
            self._finishes(day)
        families.ask(day, {key: items for key, items in estimated.items() if written_minutes(items)}, self.limits)
        return len(rows)

    def limits(self, room: ClassRoom, day: datetime.date) -> Limits:
        """The law's figures for a class on a day."""
        return _limits(self.pack, room.plan.layer_code, room.grade, day)

    def rows(self, room: ClassRoom, day: datetime.date, items: Sequence[Given], *, entered: datetime.date | None) -> list[Row]:
        """A day's homework of a class as it went out, entered on the afternoon of the school day before."""
        chance = seeded("sent", room.plan.name, room.grade, room.number, day)
        afternoon = at(entered or day - datetime.timedelta(days=1), 15, 30)
        found: list[Row] = []
        for item in items:
            sent = min(afternoon + datetime.timedelta(seconds=int(chance.random() * 7_000)), self.moment)
            batch = uuid.UUID(int=chance.getrandbits(128), version=4)
            found.append((
                self._ids.take(), room.id, day, self.subjects[item.subject], room.teachers[item.subject], item.tier, item.unit,
                item.wording.content, item.wording.requirements, item.wording.intent, item.form, item.done_at, item.minutes,
                item.marked_by, DoneBy.PUPIL.value, False, item.is_optional, True, item.design_id, HomeworkStatus.OUT.value, batch,
                "[]", "", sent, sent,
            ))  # fmt: skip
        return found

    def write_items(self, rows: Sequence[Row]) -> None:
        """What :meth:`rows` gave."""
        copy_rows(Homework, _HOMEWORK, rows)

    def _markings(self, room: ClassRoom, rows: Sequence[Row], items: Sequence[Given], marked_on: datetime.date) -> Iterator[Row]:
        """What the teachers say of marking the written pieces."""
        chance, at_noon = seeded("marking", room.plan.name, room.grade, room.number, marked_on), min(at(marked_on, 12, 30), self.moment)
        for row, item in zip(rows, items, strict=True):
            if item.form != HomeworkForm.WRITTEN or chance.random() > _MARKED:
                continue
            face_to_face = int(chance.random() * 8) if chance.random() < 0.5 else 0
            feedback = _FEEDBACK[int(chance.random() * len(_FEEDBACK))] if chance.random() < 0.3 else ""
            is_full, is_discussed = chance.random() < 0.95, chance.random() < 0.4
            yield row[0], marked_on, is_full, face_to_face, is_discussed, feedback, room.teachers[item.subject], at_noon

    def _finishes(self, day: datetime.date) -> None:
        told = set(SchoolFinish.objects.filter(on_date=day).values_list("school_class_id", flat=True))
        rows = []
        for room in self.rooms:
            chance = seeded("finish", room.plan.name, room.grade, room.number, day)
            if room.id in told or chance.random() > _REPORTED:
                continue
            least = _least_finished(self.pack, room.plan.layer_code, room.grade, day)
            percent = min(100, least + 5 * int(chance.random() * ((100 - least) // 5 + 1)))
            if room.trouble == Trouble.OVER_LIMIT and room.grade >= 3 and chance.random() < 0.3:
                percent = max(0, least - 5 * (1 + int(chance.random() * 3)))
            rows.append((room.id, day, percent, room.class_teacher_id, at(day, 17, 20)))
        copy_rows(SchoolFinish, _FINISH, rows)


@lru_cache(maxsize=4096)
def _limits(pack: Pack, place: str, grade: int, day: datetime.date) -> Limits:
    stage = _stage(pack, place, grade)
    electronic = pack.find("homework.electronic_minutes", at=place, on=day, case=(stage,))
    return Limits(day_limit(pack, place, grade, day), int(str(electronic.value)) if electronic else 10)


@lru_cache(maxsize=4096)
def _least_finished(pack: Pack, place: str, grade: int, day: datetime.date) -> int:
    found = pack.find("homework.done_at_school_percent", at=place, on=day, case=(_stage(pack, place, grade),))
    return int(str(found.value)) if found else 50


def _stage(pack: Pack, place: str, grade: int) -> str | None:
    return next((name for name, grades in pack.layer(place).grades.stages.items() if grade in grades), None)
