"""Homework goes out only when the class's whole day complies.

Every way in (page, board, API) comes through :func:`entering`. It takes a lock for each class and day, lets the caller write, judges
what was touched in PostgreSQL and takes all of it back when something breaks the law. Two teachers who save at once therefore wait
for one another, and the second is judged with the first one's homework in it.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Sum
from django.urls import reverse
from django.utils import timezone

from qingdan.accounts.enums import Role
from qingdan.accounts.models import User
from qingdan.homework.enums import HomeworkForm, HomeworkPlace, HomeworkStatus
from qingdan.homework.limits import DayLimit, day_limit
from qingdan.homework.models import Homework
from qingdan.judging.law import Judged, Law, current_law
from qingdan.notices.models import Notice
from qingdan.places.calendar import SchoolCalendar, current_pack, monday_of, today
from qingdan.places.enums import SchoolDayKind
from qingdan.policy.findings import Finding
from qingdan.policy.pack import Pack
from qingdan.schools.models import GradeLead, SchoolClass, TeachingAssignment

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Objection:
    """One breach as it is told to a teacher: which class, what, against which limit, by which clause."""

    school_class: SchoolClass
    rule: str
    title: str
    sentence: str
    remedy: str
    cites: tuple[tuple[str, str], ...]
    #: ``(label, text, name of the layer that sets it)``.
    limits: tuple[tuple[str, str, str], ...] = ()

    @classmethod
    def of(cls, school_class: SchoolClass, finding: Finding, pack: Pack) -> Objection:
        """A finding of the law in the words of that day and place."""
        ids = dict.fromkeys(
            [
                *(cite for limit in finding.limits for cite in limit.statement.cites),
                *pack.cites_at(finding.rule, at=finding.place, on=finding.date),
            ]
        )
        cites = tuple((clause, pack.cite(clause)) for clause in ids)
        limits = tuple((each.parameter.label, each.text, pack.layers[each.statement.layer].name) for each in finding.limits)
        return cls(school_class, finding.rule.id, finding.rule.title, finding.sentence, finding.rule.remedy, cites, limits)

    def as_json(self) -> dict[str, Any]:
        """As it is kept with homework that is held."""
        cites = [{"clause": clause, "text": text} for clause, text in self.cites]
        return {"rule": self.rule, "title": self.title, "sentence": self.sentence, "remedy": self.remedy, "cites": cites}


class Refused(Exception):
    """The law does not let this homework out. Nothing has been saved."""

    def __init__(self, objections: Sequence[Objection]) -> None:
        super().__init__("；".join(each.sentence for each in objections))
        self.objections = tuple(objections)


@dataclass(frozen=True)
class DayTotal:
    """A class's written homework at home on a day, against the limit of that place and day."""

    school_class: SchoolClass
    on_date: datetime.date
    minutes: int
    #: None where the law sets no figure; ``is_none_allowed`` then says whether there may be any.
    limit_minutes: int | None
    is_none_allowed: bool
    #: ``三年级…上限 60 分钟（示范区第一小学）``: where the limit comes from, and its clauses.
    limit_text: str = ""
    cites: tuple[tuple[str, str], ...] = field(default=())

    @property
    def minutes_left(self) -> int | None:
        """How many minutes may still be given; None without a figure."""
        if self.is_none_allowed:
            return 0
        return None if self.limit_minutes is None else self.limit_minutes - self.minutes

    @property
    def is_over(self) -> bool:
        """Whether the day is over its limit."""
        left = self.minutes_left
        return self.minutes > 0 if self.is_none_allowed else left is not None and left < 0


def lock_days(days: Iterable[tuple[int, datetime.date]]) -> None:
    """Hold class and day until the transaction ends, always in the same order, so that two who want the same never block each other."""
    with connection.cursor() as cursor:
        for class_id, day in sorted(set(days)):
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [class_id * 1_000_000 + day.toordinal()])


@contextmanager
def entering(days: Iterable[tuple[SchoolClass, datetime.date]]) -> Iterator[Law]:
    """Write homework of some classes and days inside; on leaving, the law judges all of it or raises Refused."""
    touched = list({(each.pk, day): (each, day) for each, day in days}.values())
    law = current_law()
    with transaction.atomic():
        lock_days((each.pk, day) for each, day in touched)
        before = {(each.pk, day): _breached(law, each, day) for each, day in touched}
        yield law
        objections = []
        for school_class, day in touched:
            for finding in judged_day(law, school_class, day):
                # What stood in breach before (a law that came later, say) is not this save's doing unless it got worse.
                if _is_worse(before[school_class.pk, day].get(_identity(finding)), finding.observed):
                    objections.append(Objection.of(school_class, finding, law.pack))
        if objections:
            raise Refused(objections)


def judged_day(law: Law, school_class: SchoolClass, day: datetime.date) -> list[Finding]:
    """All breaches of a class's homework on a day, item by item and in sum."""
    kinds = [kind.name for kind in law.engine.compiler.kinds_to_judge(["homework_item"])]
    return [
        finding
        for kind in kinds
        for judged in law.judge_touched(kind, class_id=school_class.pk, on_date=day)
        for finding in judged.breaches
    ]


def _identity(finding: Finding) -> tuple[str, str]:
    return finding.rule.id, finding.subject + finding.sentence if finding.kind == "homework_item" else finding.subject


def _is_worse(before: Mapping[str, object] | None, now: Mapping[str, object]) -> bool:
    if before is None or before.keys() != now.keys():
        return True
    return any(
        value > before[name] if isinstance(value, int) and isinstance(before[name], int) else value != before[name]  # type: ignore[operator]
        for name, value in now.items()
    )


def _breached(law: Law, school_class: SchoolClass, day: datetime.date) -> dict[tuple[str, str], Mapping[str, object]]:
    return {_identity(finding): finding.observed for finding in judged_day(law, school_class, day)}


def _total(school_class: SchoolClass, day: datetime.date, minutes: int, limit: DayLimit) -> DayTotal:
    return DayTotal(school_class, day, minutes, limit.minutes, limit.is_none_allowed, limit.text, limit.cites)


def day_total(school_class: SchoolClass, day: datetime.date, *, law: Law | None = None) -> DayTotal:
    """The running total of a class's day and its limit, as the law has it."""
    law = law or current_law()
    found: list[Judged] = law.judge_touched("class_day", every_fact=True, class_id=school_class.pk, on_date=day)
    minutes = int(found[0].row.get("known_home_written_minutes") or 0) if found else 0
    limit = day_limit(law.pack, school_class.school.organisation.layer_code, school_class.grade, day)
    return _total(school_class, day, minutes, limit)


def day_totals(
    classes: Iterable[SchoolClass], days: Iterable[datetime.date], *, pack: Pack | None = None, without: Iterable[int] = ()
) -> dict[tuple[int, datetime.date], DayTotal]:
    """Running totals of many classes and days in one query, keyed by class and day; ``without`` leaves out records by number.

    Classes come with ``school__organisation``.
    """
    pack = pack or current_pack()
    classes, days = list(classes), list(days)
    summed = (
        Homework.objects.out()
        .filter(school_class__in=classes, on_date__in=days, form=HomeworkForm.WRITTEN, done_at=HomeworkPlace.HOME)
        .exclude(pk__in=list(without))
        .order_by()
        .values_list("school_class_id", "on_date")
        .annotate(minutes=Sum("homework_minutes"))
    )
    minutes = {(class_id, day): total for class_id, day, total in summed}
    limits: dict[tuple[str, int, datetime.date], DayLimit] = {}
    totals = {}
    for each in classes:
        for day in days:
            key = (each.school.organisation.layer_code, each.grade, day)
            if key not in limits:
                limits[key] = day_limit(pack, *key)
            totals[each.pk, day] = _total(each, day, minutes.get((each.pk, day), 0), limits[key])
    return totals


def refuse_day(school_class: SchoolClass, day: datetime.date, *, calendar: SchoolCalendar | None = None) -> None:
    """Raise ValidationError when homework cannot be given on a day: past, or no school."""
    calendar = calendar or SchoolCalendar(school_class.school.organisation.layer_code)
    if day < today():
        raise ValidationError(f"{day:%Y-%m-%d} 已经过去，不能再布置作业；请选今天或以后的上学日")
    kind = calendar.kind(day)
    if kind == SchoolDayKind.UNKNOWN:
        raise ValidationError(f"{day:%Y-%m-%d} 上不上学还没有定（国家尚未公布该年的放假安排）；请教育局先在校历里填写这一天")
    if kind != SchoolDayKind.SCHOOL_DAY:
        following = calendar.next_school_day(max(day, today()))
        hint = f"；最近的上学日是 {following:%Y-%m-%d}" if following else "；请教育局先排好校历"
        raise ValidationError(f"{day:%Y-%m-%d} 是{kind.label}，不上学，不能布置作业{hint}")
    if not school_class.school_year.starts_on <= day <= school_class.school_year.ends_on:
        raise ValidationError(f"{school_class}属于{school_class.school_year}，{day:%Y-%m-%d} 不在这个学年；请到新学年的班级里布置")


def refuse_teacher(teacher: User, school_class: SchoolClass, subject_id: int, day: datetime.date) -> None:
    """Raise ValidationError when a teacher does not teach the subject in the class on the day."""
    if school_class.school_id != teacher.organisation_id:
        raise ValidationError("这个班不在您的学校")
    mine = TeachingAssignment.objects.of_teacher(teacher, day).filter(school_class=school_class, subject_id=subject_id)
    if not mine.exists():
        raise ValidationError(f"您在{school_class}没有这门学科的任课；任课有变请联系学校教务更新任课表")


@transaction.atomic
def enter(items: Sequence[Homework], *, by: User, hold: bool = False) -> list[Homework]:
    """Give homework out, all of it or none; with ``hold`` the classes that it would be too much for wait for the year group, with what
    the law objects to, and the others get it.

    Raises ValidationError for a day or class that cannot be, Refused when the law says no. The same batch again gives back what
    was saved at the first time.
    """
    if not items:
        raise ValidationError("请至少填写一项作业")
    lock_days((item.school_class_id, item.on_date) for item in items)
    if done := list(
        Homework.objects.filter(batch=items[0].batch, teacher=items[0].teacher).select_related("school_class__school__organisation")
    ):
        return done
    calendars: dict[str, SchoolCalendar] = {}
    for item in items:
        place = item.school_class.school.organisation.layer_code
        calendar = calendars.setdefault(place, SchoolCalendar(place))
        refuse_day(item.school_class, item.on_date, calendar=calendar)
        refuse_teacher(item.teacher, item.school_class, item.subject_id, item.on_date)
        item.full_clean(exclude=["school_class", "subject", "teacher", "design"])
    held: list[Homework] = []
    if hold:
        held = _hold(items)
    else:
        try:
            with entering((item.school_class, item.on_date) for item in items):
                for item in items:
                    _put_out(item)
        except Refused:
            _forget(items)
            raise
    log.info("homework.entered by=%s batch=%s items=%s held=%s", by.pk, items[0].batch, len(items), len(held))
    return list(items)


def _put_out(item: Homework) -> None:
    item.status, item.sent_at, item.objections = HomeworkStatus.OUT, timezone.now(), []
    item.save()


def _forget(items: Sequence[Homework]) -> None:
    """What was written has been taken back: these are new again."""
    for item in items:
        item.pk, item._state.adding = None, True


def _hold(items: Sequence[Homework]) -> list[Homework]:
    """Keep homework with what the law would say of it; nobody outside the school sees it. What complies goes out; the held are returned."""
    objections = judge_draft(items)
    held = []
    for item in items:
        item.objections = [each.as_json() for each in objections if each.school_class.pk == item.school_class_id]
        if item.objections:
            item.status, item.sent_at = HomeworkStatus.HELD, None
            item.save()
            held.append(item)
        else:
            _put_out(item)
    tell_heads(held)
    return held


class _TakeBack(Exception):
    """Ends a trial that nothing was said against."""


def judge_draft(items: Sequence[Homework]) -> list[Objection]:
    """What the law would object to if these went out now; nothing stays written. For the form while it is being filled in."""
    try:
        with transaction.atomic():
            with entering((item.school_class, item.on_date) for item in items):
                for item in items:
                    _put_out(item)
            raise _TakeBack
    except _TakeBack:
        return []
    except Refused as refused:
        return list(refused.objections)
    finally:
        _forget(items)


@transaction.atomic
def change(item: Homework, *, by: User, note: str = "", hold: bool = False, **changes: Any) -> Homework:
    """Change homework (``homework_minutes``, ``on_date``, ``done_at``, ``content`` …) and let it out; raises as :func:`enter` does.

    This is how the year group settles: reduces, moves to another day or into school, or simply releases what now fits. With ``hold``
    what the law objects to waits for the year group as it was changed; if it was out, it no longer is.
    """
    days = [(item.school_class, item.on_date)]
    for name, value in changes.items():
        setattr(item, name, value)
    if (item.school_class, item.on_date) not in days:
        days.append((item.school_class, item.on_date))
    lock_days((each.pk, day) for each, day in days)
    refuse_day(item.school_class, item.on_date)
    item.full_clean(exclude=["school_class", "subject", "teacher", "design", "settled_by"])
    if by.pk != item.teacher_id:
        item.settled_by, item.settled_at, item.settlement = by, timezone.now(), note[:200]
    try:
        with entering(days):
            _put_out(item)
    except Refused as refused:
        if not hold:
            raise
        item.status, item.sent_at = HomeworkStatus.HELD, None
        item.objections = [each.as_json() for each in refused.objections]
        item.save()
        tell_heads([item])
    log.info("homework.changed homework=%s by=%s status=%s changes=%s", item.pk, by.pk, item.status, sorted(changes))
    return item


def judge_change(item: Homework, *, days: Iterable[datetime.date]) -> list[Objection]:
    """What the law would object to if a saved piece of homework went out as it is in memory now; nothing is written.

    ``days`` are those it touches: the one it stands on in the database and the one in memory.
    """
    try:
        with transaction.atomic():
            with entering((item.school_class, day) for day in days):
                _put_out(item)
            raise _TakeBack
    except _TakeBack:
        return []
    except Refused as refused:
        return list(refused.objections)


def bring_into_school(item: Homework, *, by: User, note: str = "") -> Homework:
    """Let it be done at school instead of at home."""
    return change(item, by=by, note=note or "改在校内完成", done_at=HomeworkPlace.SCHOOL)


@transaction.atomic
def return_to_teacher(item: Homework, *, by: User, reason: str) -> None:
    """Send homework back with a reason; it is not, or no longer, out."""
    if not reason.strip():
        raise ValidationError("退回要写明理由，让教师知道怎么改")
    lock_days([(item.school_class_id, item.on_date)])
    item.status, item.sent_at = HomeworkStatus.RETURNED, None
    item.settled_by, item.settled_at, item.settlement = by, timezone.now(), reason.strip()[:200]
    item.save()
    log.info("homework.returned homework=%s by=%s", item.pk, by.pk)


def heads_of(school_class: SchoolClass) -> list[User]:
    """Who settles for a class: the heads of its year group; the school's leaders where there is none."""
    led = GradeLead.objects.filter(school_id=school_class.school_id, school_year_id=school_class.school_year_id, grade=school_class.grade)
    heads = [each.user for each in led.select_related("user") if each.user.is_active]
    return heads or list(User.objects.filter(organisation_id=school_class.school_id, role=Role.SCHOOL_LEADER, is_active=True))


def tell_heads(items: Sequence[Homework]) -> None:
    """Tell the heads of the year groups what waits for them, once for each grade and day."""
    groups: dict[tuple[int, datetime.date], list[Homework]] = {}
    for item in items:
        groups.setdefault((item.school_class.grade, item.on_date), []).append(item)
    for (grade, day), group in groups.items():
        names = "、".join(dict.fromkeys(each.school_class.name for each in group))
        Notice.objects.send(
            heads_of(group[0].school_class),
            occasion=f"homework-held:{group[0].pk}:{group[0].version}",
            text=f"{names}{day.month}月{day.day}日的{group[0].subject.name}作业超出规定，等您统筹"[:300],
            url=f"{reverse('homework:board', args=[grade])}?week={monday_of(day)}&day={day}",
        )


@transaction.atomic
def withdraw(item: Homework, *, by: User) -> None:
    """Take homework back, on the teacher's own word; it can be entered again."""
    lock_days([(item.school_class_id, item.on_date)])
    item.status, item.sent_at = HomeworkStatus.WITHDRAWN, None
    item.save()
    log.info("homework.withdrawn homework=%s by=%s", item.pk, by.pk)
