"""Families drawn each school day, and what they say: most answer, and most are done in time."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence

from django.utils import timezone

from qingdan.demo.calendar import at
from qingdan.demo.copying import Ids, copy_rows
from qingdan.demo.daily import Given, Limits, written_minutes
from qingdan.demo.plan import FIRST_SCHOOL, ClassRoom, Trouble, seeded
from qingdan.draws.models import Draw, drawn
from qingdan.homework.actions.families import FAMILIES_PER_CLASS, RESTING_SCHOOL_DAYS
from qingdan.homework.enums import SleepAnswer
from qingdan.homework.models import FamilyReport, SubjectMinutes
from qingdan.schools.models import Subject

_ANSWERED, _BY_SUBJECT = 0.85, 0.3
_REPORT = ("id", "draw_id", "pupil_id", "school_class_id", "on_date", "homework_minutes", "sleep", "answered_by_id", "answered_at")


class Families:
    """Asks families day by day and remembers whom it asked."""

    def __init__(
        self, region_name: str, rooms: Sequence[ClassRoom], *, today: datetime.date, child_id: int, asked_on: datetime.date | None
    ) -> None:
        """``child_id`` is drawn on ``asked_on`` and has not answered yet; it is left alone on the days before."""
        self.region_name, self.rooms = region_name, {room.id: room for room in rooms}
        self.today, self.child_id, self.asked_on = today, child_id, asked_on
        self.subjects = dict(Subject.objects.values_list("name", "pk"))
        self._ids = Ids(FamilyReport)
        since = today - datetime.timedelta(days=30)
        before = FamilyReport.objects.filter(on_date__gte=since).order_by("on_date").values_list("on_date", "pupil_id")
        self._asked: dict[datetime.date, set[int]] = {}
        for day, pupil in before:
            self._asked.setdefault(day, set()).add(pupil)

    def ask(self, day: datetime.date, given: Mapping[int, Sequence[Given]], limits: Callable[[ClassRoom, datetime.date], Limits]) -> None:
        """Draw families of the classes with written homework at home on a day, and write what they say."""
        if day in self._asked or day > self.today or not given:
            return
        recent = set().union(*[self._asked[each] for each in sorted(self._asked)[-RESTING_SCHOOL_DAYS:]])
        groups = {}
        for class_id in given:
            everyone = [pupil for pupil in self.rooms[class_id].guardians if self._may_be_asked(pupil, day)]
            rested = [pupil for pupil in everyone if pupil not in recent]
            groups.update(dict.fromkeys(rested if len(rested) >= FAMILIES_PER_CLASS else everyone, class_id))
        draw = self._hold(day, groups)
        rows: list[tuple[object, ...]] = []
        subjects: list[tuple[object, ...]] = []
        chosen: dict[int, list[int]] = {}
        for pupil in draw.chosen:
            chosen.setdefault(groups[pupil], []).append(pupil)
        for class_id, pupils in chosen.items():
            room = self.rooms[class_id]
            self._answers(draw.pk, room, day, pupils, given[class_id], limits(room, day).written.minutes, rows, subjects)
        copy_rows(FamilyReport, _REPORT, rows)
        copy_rows(SubjectMinutes, ("report_id", "subject_id", "homework_minutes"), subjects)
        self._asked[day] = set(draw.chosen)

    def _may_be_asked(self, pupil: int, day: datetime.date) -> bool:
        if pupil != self.child_id or self.asked_on is None or day == self.asked_on:
            return True
        return day < self.asked_on - datetime.timedelta(days=2 * RESTING_SCHOOL_DAYS)

    def _hold(self, day: datetime.date, groups: Mapping[int, int]) -> Draw:
        seed = self._seed(day, groups)
        draw = Draw.hold(
            f"家庭反馈 {self.region_name} {day}",
            groups,
            len(groups),
            seed=seed,
            scope=f"当天有书面家庭作业的 {len(set(groups.values()))} 个班里有家长账户的家庭，近日问过的除外",
            groups=groups,
            per_group=FAMILIES_PER_CLASS,
        )
        held_at = at(day, 17, 30)
        if held_at < timezone.now():
            Draw.objects.filter(pk=draw.pk).update(drawn_at=held_at)
        return draw

    def _seed(self, day: datetime.date, groups: Mapping[int, int]) -> str:
        """The day's seed; on the day on which the child is to be asked, the first one that draws it."""
        if day != self.asked_on or self.child_id not in groups:
            return f"demo-{day}"
        classmates = [pupil for pupil, group in groups.items() if group == groups[self.child_id]]
        return seed_that_draws(self.child_id, classmates, f"demo-{day}")

    def _answers(
        self,
        draw_id: int,
        room: ClassRoom,
        day: datetime.date,
        pupils: Sequence[int],
        given: Sequence[Given],
        limit_minutes: int | None,
        rows: list[tuple[object, ...]],
        subjects: list[tuple[object, ...]],
    ) -> None:
        chance = seeded("families", room.plan.name, room.grade, room.number, day)
        silent = [pupil for pupil in pupils if day >= self.today or chance.random() > _ANSWERED or self._waits(pupil, day)]
        answering = [pupil for pupil in pupils if pupil not in silent]
        evening = at(day, 20)
        estimate, is_worse = written_minutes(given), room.trouble == Trouble.UNDERESTIMATED
        said = [
            int(estimate * ((1.3 + 0.8 * chance.random()) if is_worse else (0.55 + 0.55 * chance.random()))) // 5 * 5 for _ in answering
        ]
        if room.trouble is None and limit_minutes is not None:
            _keep_within(said, limit_minutes)
        for pupil, minutes in zip(answering, said, strict=True):
            key = self._ids.take()
            answered_at = evening + datetime.timedelta(seconds=int(chance.random() * 5_000))
            sleep = _sleep(chance.random(), room)
            rows.append((key, draw_id, pupil, room.id, day, minutes, sleep, room.guardians.get(pupil), answered_at))
            if room.plan.name == FIRST_SCHOOL and chance.random() < _BY_SUBJECT:
                subjects.extend(self._by_subject(key, given, minutes, estimate))
        for pupil in silent:
            rows.append((self._ids.take(), draw_id, pupil, room.id, day, None, "", None, None))

    def _waits(self, pupil: int, day: datetime.date) -> bool:
        return pupil == self.child_id and day == self.asked_on

    def _by_subject(self, report_id: int, given: Sequence[Given], minutes: int, estimate: int) -> list[tuple[object, ...]]:
        shares: dict[str, int] = {}
        for item in given:
            if item.is_written_at_home:
                shares[item.subject] = shares.get(item.subject, 0) + item.minutes
        return [(report_id, self.subjects[name], minutes * share // max(1, estimate)) for name, share in shares.items()]


def _keep_within(said: list[int], limit_minutes: int) -> None:
    """Where nothing is wrong, the mean of a class stays within the limit."""
    while said and sum(said) > limit_minutes * len(said):
        said[said.index(max(said))] -= 5


def _sleep(chance: float, room: ClassRoom) -> str:
    late = 0.2 if room.trouble == Trouble.UNDERESTIMATED else 0.0 if room.plan.name == FIRST_SCHOOL else 0.03
    if chance < late:
        return SleepAnswer.LATE.value
    return SleepAnswer.STOPPED_IN_TIME.value if chance < late + 0.07 else SleepAnswer.DONE_IN_TIME.value


def seed_that_draws(child_id: int, entries: Sequence[int], stem: str) -> str:
    """The first of ``<stem>-0``, ``<stem>-1`` … with which a child is among those drawn from its class."""
    number = 0
    while child_id not in drawn(f"{stem}-{number}", entries, FAMILIES_PER_CLASS):
        number += 1
    return f"{stem}-{number}"
