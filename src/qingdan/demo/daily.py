"""One day's homework of one class: believable, different each day, and the same each time the district is loaded.

Only the troubled schools go over a limit; everybody else stays within what the pack says of that place and day.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qingdan.demo.plan import ClassRoom, Trouble, main_subjects, other_subjects, seeded
from qingdan.demo.wording import Wording, forms, unit_name, worded
from qingdan.homework.enums import HomeworkForm, HomeworkPlace, HomeworkTier, MarkedBy
from qingdan.homework.limits import DayLimit

_STEP = 5
_OVER_ON = 0.45
_PARENTS_MARK_ON = 0.3
_UNIT_DAYS = 14


@dataclass(frozen=True)
class Limits:
    """What the law says of a grade's day at a place, in minutes."""

    written: DayLimit
    electronic_minutes: int


@dataclass(frozen=True)
class Shelved:
    """A design of the school's library, as far as a piece of homework takes it over."""

    id: int
    form: str
    tier: str
    content: str
    requirements: str
    intent: str


@dataclass
class Given:
    """One piece of homework before it is written down."""

    subject: str
    minutes: int
    wording: Wording
    unit: str
    form: str = HomeworkForm.WRITTEN.value
    done_at: str = HomeworkPlace.HOME.value
    tier: str = HomeworkTier.BASIC.value
    marked_by: str = MarkedBy.TEACHER.value
    design_id: int | None = None

    @property
    def is_optional(self) -> bool:
        """Only the basic tier is for everybody."""
        return self.tier != HomeworkTier.BASIC

    @property
    def is_written_at_home(self) -> bool:
        """Whether it counts towards the day's limit."""
        return self.form == HomeworkForm.WRITTEN and self.done_at == HomeworkPlace.HOME


Library = Mapping[tuple[int, int, str], Sequence[Shelved]]


class Day:
    """A class on a day."""

    def __init__(self, room: ClassRoom, day: datetime.date, limits: Limits, first_day: datetime.date, library: Library) -> None:
        self.room, self.day, self.limits, self.library = room, day, limits, library
        self.chance = seeded("homework", room.plan.name, room.grade, room.number, day)
        self.unit = unit_name(room.grade, 1 + (day - first_day).days // _UNIT_DAYS)
        self.items: list[Given] = []

    def fill(self) -> list[Given]:
        """All of the day's homework."""
        if self.limits.written.minutes is None:
            self._without_writing_at_home()
        else:
            self._with_writing_at_home(self.limits.written.minutes)
        if self.chance.random() < 0.22:
            self._something_else()
        return self.items

    def _with_writing_at_home(self, limit_minutes: int) -> None:
        room, chance = self.room, self.chance
        if room.trouble == Trouble.OVER_LIMIT and 3 <= room.grade <= 6 and chance.random() < _OVER_ON:
            total = limit_minutes + _STEP * (1 + int(chance.random() * 5))
        else:
            # Each school has its own habit, so that schools differ in the charts.
            habit = 0.5 + 0.3 * seeded("habit", room.plan.name).random()
            total = int(limit_minutes * min(1.0, habit + 0.3 * chance.random()))
        subjects = list(main_subjects(room.grade))
        if chance.random() < 0.15:
            subjects.pop(int(chance.random() * len(subjects)))
        written = [name for name in other_subjects(room.grade) if HomeworkForm.WRITTEN in forms(room.grade, name)]
        if written and room.grade >= 7 and chance.random() < 0.55:
            subjects.append(chance.choice(written))
        for subject, minutes in zip(subjects, _split(total, len(subjects), chance), strict=True):
            self._write(subject, minutes)
        if chance.random() < 0.3:
            self._add(chance.choice(subjects), 10, HomeworkForm.WRITTEN, done_at=HomeworkPlace.SCHOOL)
        if chance.random() < 0.45:
            self._speak_or_read(subjects)

    def _write(self, subject: str, minutes: int) -> None:
        """A subject's written part at home: perhaps in tiers."""
        draw = self.chance.random()
        further = _STEP * (1 + int(self.chance.random() * 2)) if minutes >= 3 * _STEP and draw < 0.24 else 0
        tier = HomeworkTier.EXTENDED if draw < 0.18 else HomeworkTier.PERSONAL
        self._add(subject, minutes - further, HomeworkForm.WRITTEN)
        if further:
            self._add(subject, further, HomeworkForm.WRITTEN, tier=tier)

    def _speak_or_read(self, subjects: Sequence[str]) -> None:
        subject = self.chance.choice(subjects)
        others = [form for form in forms(self.room.grade, subject) if form != HomeworkForm.WRITTEN]
        if others:
            form = self.chance.choice(others)
            most = self.limits.electronic_minutes if form == HomeworkForm.ELECTRONIC else 15
            self._add(subject, min(most, _STEP * (1 + int(self.chance.random() * 3))), form)

    def _without_writing_at_home(self) -> None:
        room, chance = self.room, self.chance
        is_strict = room.trouble == Trouble.UNDERESTIMATED and (room.grade, room.number) == (2, 1)
        for subject in main_subjects(room.grade):
            if is_strict and subject == "语文" and chance.random() < 0.5:
                copied = Wording("written", "抄写本课生字每个两行，回家完成", "家长签字", "巩固生字")
                self.items.append(Given(subject, 15, copied, self.unit))
            elif chance.random() < 0.45:
                self._add(subject, 10 + _STEP * int(chance.random() * 2), HomeworkForm.WRITTEN, done_at=HomeworkPlace.SCHOOL)
            self._add(subject, _STEP * (1 + int(chance.random() * 2)), chance.choice(forms(room.grade, subject)))
        if is_strict and chance.random() < _PARENTS_MARK_ON:
            self.items[-1].marked_by = MarkedBy.PARENT.value

    def _something_else(self) -> None:
        subject = self.chance.choice(other_subjects(self.room.grade))
        others = [form for form in forms(self.room.grade, subject) if form != HomeworkForm.WRITTEN]
        if others:
            self._add(subject, 10 + _STEP * int(self.chance.random() * 2), self.chance.choice(others))

    def _add(self, subject: str, minutes: int, form: str, *, done_at: str = HomeworkPlace.HOME, tier: str = HomeworkTier.BASIC) -> None:
        wording, design_id = worded(self.room.grade, subject, form, self.chance), None
        shelf = self.library.get((self.room.school_id, self.room.grade, subject), ())
        if shelf and self.chance.random() < 0.2:
            design = self.chance.choice(shelf)
            if (design.form, design.tier) == (form, tier) and done_at == HomeworkPlace.HOME:
                wording, design_id = Wording(form, design.content, design.requirements, design.intent), design.id
        self.items.append(Given(subject, minutes, wording, self.unit, str(form), str(done_at), str(tier), design_id=design_id))


def _split(total: int, count: int, chance: random.Random) -> list[int]:
    """Minutes in steps of five for each of so many subjects, in all no more than the total."""
    steps = max(count, total // _STEP)
    parts = [max(1, steps // count - 1)] * count
    for _ in range(steps - sum(parts)):
        parts[int(chance.random() * count)] += 1
    return [part * _STEP for part in parts]


def written_minutes(items: Sequence[Given]) -> int:
    """What a class has to write at home."""
    return sum(item.minutes for item in items if item.is_written_at_home)
