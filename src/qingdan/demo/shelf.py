"""Designs of homework in the schools' libraries: most reviewed and rated, some waiting, returned or still drafts."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from qingdan.demo.calendar import at
from qingdan.demo.daily import Library, Shelved
from qingdan.demo.plan import FIRST_SCHOOL, MAIN, ClassRoom, main_subjects, seeded
from qingdan.demo.wording import forms, unit_name, worded
from qingdan.homework.enums import DesignAct, DesignOrigin, DesignStatus, HomeworkTier
from qingdan.homework.models import Design, DesignRating, DesignStep, Homework
from qingdan.schools.models import Subject, SubjectLead

COUNT = 60
_TITLES = (
    "分层练习",
    "单元整理单",
    "阅读小任务",
    "生活里的{subject}",
    "错题再出发",
    "一题多解",
    "观察与记录",
    "表达练习",
    "综合小检测",
    "小小讲解员",
)
_COMMENTS = ("学生愿意做，用时也准。", "层次清楚，学困生也能完成。", "要求可以再具体一点。", "很适合单元复习。", "")
_SOURCES = {DesignOrigin.CHOSEN.value: "校本练习集（虚构）", DesignOrigin.ADAPTED.value: "教研组往年作业，改写了情境和数据"}
_RETURNS = ("预计时长偏紧，请按中等学生重新估计", "完成要求请写得让学生自己看得懂")


@dataclass(frozen=True)
class _Shelf:
    """A grade's designs of one subject in a school, and the class whose teacher writes them."""

    room: ClassRoom
    subject: str


def write_designs(rooms: Sequence[ClassRoom], first_day: datetime.date) -> int:
    """Write the designs; two thirds of them in the first school."""
    subjects = dict(Subject.objects.values_list("name", "pk"))
    heads = {
        (lead.school_id, lead.subject_id): lead.user_id for lead in SubjectLead.objects.filter(school__in={r.school_id for r in rooms})
    }
    shelves = list(_shelves(rooms))
    if not shelves:
        return 0
    designs = []
    for number in range(COUNT):
        shelf = shelves[number % len(shelves)]
        head = heads.get((shelf.room.school_id, subjects[shelf.subject]))
        designs.append(_design(number, shelf, subjects[shelf.subject], head, first_day))
    Design.objects.bulk_create(designs)
    # The day of writing is the database's to say, except here.
    for design in designs:
        Design.objects.filter(pk=design.pk).update(created_at=(design.submitted_at or at(first_day, 9)) - datetime.timedelta(hours=20))
    steps = [step for design in designs for step in _steps(design)]
    times = [step.at for step in steps]
    DesignStep.objects.bulk_create(steps)
    for step, moment in zip(steps, times, strict=True):
        DesignStep.objects.filter(pk=step.pk).update(at=moment)
    return len(designs)


def _shelves(rooms: Sequence[ClassRoom]) -> Iterator[_Shelf]:
    """Where designs stand, in the order in which they are dealt out: two of the first school, one of another."""
    own = [room for room in rooms if room.plan.name == FIRST_SCHOOL and room.number == 2]
    others = [room for room in rooms if room.plan.name != FIRST_SCHOOL and room.number == 1 and room.grade >= 3]
    first = [_Shelf(room, subject) for room in own for subject in main_subjects(room.grade)]
    rest = [_Shelf(room, MAIN[number % 3]) for number, room in enumerate(others)]
    for number, shelf in enumerate(first):
        yield shelf
        if number % 2 and rest:
            yield rest[(number // 2 * 5) % len(rest)]


def _design(number: int, shelf: _Shelf, subject_id: int, head: int | None, first_day: datetime.date) -> Design:
    room, chance = shelf.room, seeded("design", number)
    author = room.teachers[shelf.subject]
    form = forms(room.grade, shelf.subject)[0]
    wording = worded(room.grade, shelf.subject, form, chance)
    tier = HomeworkTier.EXTENDED if chance.random() < 0.25 else HomeworkTier.PERSONAL if chance.random() < 0.1 else HomeworkTier.BASIC
    origin = (DesignOrigin.OWN, DesignOrigin.ADAPTED, DesignOrigin.CHOSEN)[min(2, int(chance.random() * 3))].value
    status = DesignStatus.PUBLISHED
    if number % 10 == 7:
        status = DesignStatus.SUBMITTED
    elif number % 20 in (4, 18):
        status = DesignStatus.RETURNED if number % 20 == 4 else DesignStatus.DRAFT
    is_reviewed = status in (DesignStatus.PUBLISHED, DesignStatus.RETURNED)
    if is_reviewed and head in (None, author):
        status, is_reviewed = DesignStatus.DRAFT, False
    written = at(first_day, 9) + datetime.timedelta(days=-10 + number // 6, minutes=number)
    title = _TITLES[number % len(_TITLES)].format(subject=shelf.subject)
    return Design(
        school_id=room.school_id,
        subject_id=subject_id,
        grade=room.grade,
        unit=unit_name(room.grade, 1 + number % 5),
        title=f"{shelf.subject}{title}" if shelf.subject not in title else title,
        content=wording.content,
        requirements=wording.requirements,
        intent=wording.intent,
        tier=tier.value,
        form=form,
        homework_minutes=5 * (1 + int(chance.random() * 4)),
        origin=origin,
        source=_SOURCES.get(origin, ""),
        author_id=author,
        status=status.value,
        submitted_at=written if status != DesignStatus.DRAFT else None,
        reviewed_by_id=head if is_reviewed else None,
        reviewed_at=written + datetime.timedelta(days=1, hours=2) if is_reviewed else None,
        review_note=_RETURNS[number % 2] if status == DesignStatus.RETURNED else "",
    )


def _steps(design: Design) -> Iterator[DesignStep]:
    if design.submitted_at is not None:
        yield DesignStep(design=design, act=DesignAct.SUBMITTED, by_id=design.author_id, at=design.submitted_at)
    if design.reviewed_by_id is not None and design.reviewed_at is not None:
        act = DesignAct.PUBLISHED if design.status == DesignStatus.PUBLISHED else DesignAct.RETURNED
        yield DesignStep(design=design, act=act, by_id=design.reviewed_by_id, at=design.reviewed_at, note=design.review_note)


def library(rooms: Sequence[ClassRoom]) -> Library:
    """What stands in the libraries: school, grade and subject -> designs."""
    shelves: defaultdict[tuple[int, int, str], list[Shelved]] = defaultdict(list)
    published: QuerySet[Design] = Design.objects.published().filter(school__in={room.school_id for room in rooms}).select_related("subject")
    for each in published.order_by("pk"):
        shelved = Shelved(each.pk, each.form, each.tier, each.content, each.requirements, each.intent)
        shelves[each.school_id, each.grade, each.subject.name].append(shelved)
    return dict(shelves)


def rate_designs() -> int:
    """Those who used a design say what they think of it."""
    used = Homework.objects.exclude(design=None).order_by("design", "teacher").values_list("design", "teacher").distinct()
    ratings = []
    for design, user in used:
        chance = seeded("rating", design, user)
        if chance.random() < 0.8:
            comment = _COMMENTS[int(chance.random() * len(_COMMENTS))]
            ratings.append(DesignRating(design_id=design, user_id=user, stars=min(5, 3 + int(chance.random() * 2.6)), comment=comment))
    return len(DesignRating.objects.bulk_create(ratings))
