"""Which designs of the school's library fit a class today, and why."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from django.db.models import Avg, Count, F, FloatField, Max, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Coalesce

from qingdan.accounts.models import User
from qingdan.homework.enums import HomeworkForm, HomeworkPlace, HomeworkStatus
from qingdan.homework.models import Design, DesignRating, Homework
from qingdan.schools.models import SchoolClass, Subject

#: A design that the class had within these days comes after those it did not have.
LATELY_DAYS = 14
#: A few ratings say little: as many middling ones are counted in as if they had been given.
_DAMPING_RATINGS = 3
_MIDDLING_STARS = 3
_SUGGESTIONS_MAX = 5


@dataclass(frozen=True)
class Suggestion:
    """A design and why it is proposed."""

    design: Design
    reason: str


def suggestions(
    school_class: SchoolClass,
    subject: Subject,
    day: datetime.date,
    *,
    unit: str = "",
    tier: str = "",
    minutes_left: int | None = None,
    teacher: User | None = None,
    limit: int = _SUGGESTIONS_MAX,
) -> list[Suggestion]:
    """Published designs of the school for the class's grade and subject that fit what is left of the day, in one query.

    ``minutes_left`` None leaves the minutes open; only written homework at home counts against them. The same unit comes first, then
    the same tier, then what the class did not have lately, then the best rated. ``teacher`` leaves out what he himself gives the class
    on that day already.
    """
    found = list(_ranked(school_class, subject, day, unit.strip(), tier, minutes_left, teacher)[:limit])
    return [Suggestion(design, _reason(design, day, unit.strip(), tier, minutes_left)) for design in found]


def _ranked(
    school_class: SchoolClass,
    subject: Subject,
    day: datetime.date,
    unit: str,
    tier: str,
    minutes_left: int | None,
    teacher: User | None,
) -> QuerySet[Design]:
    found = Design.objects.published().filter(school_id=school_class.school_id, subject=subject, grade=school_class.grade)
    if minutes_left is not None:
        found = found.filter(~Q(form=HomeworkForm.WRITTEN, done_at=HomeworkPlace.HOME) | Q(homework_minutes__lte=max(minutes_left, 0)))
    given = Homework.objects.filter(school_class=school_class, design=OuterRef("pk"), status=HomeworkStatus.OUT).order_by()
    if teacher is not None:
        today = Homework.objects.filter(school_class=school_class, teacher=teacher, on_date=day, status=HomeworkStatus.OUT)
        found = found.exclude(pk__in=today.exclude(design=None).order_by().values("design"))
    rated = DesignRating.objects.filter(design=OuterRef("pk")).order_by().values("design")
    return (
        found.annotate(
            has_unit=Q(unit__iexact=unit) if unit else Value(False),
            has_tier=Q(tier=tier) if tier else Value(False),
            last_given_on=Subquery(given.filter(on_date__lt=day).values("design").annotate(last=Max("on_date")).values("last")),
            ratings_count=Coalesce(Subquery(rated.annotate(count=Count("pk")).values("count")), 0),
            stars=Subquery(rated.annotate(average=Avg("stars")).values("average")),
        )
        .alias(
            is_lately_given=Q(last_given_on__gte=day - datetime.timedelta(days=LATELY_DAYS)) & Q(last_given_on__isnull=False),
            damped=(Coalesce(F("stars"), 0.0) * Cast("ratings_count", FloatField()) + _DAMPING_RATINGS * _MIDDLING_STARS)
            / (Cast("ratings_count", FloatField()) + _DAMPING_RATINGS),
        )
        .order_by("-has_unit", "-has_tier", Coalesce("is_lately_given", Value(False)), "-damped", "-reviewed_at", "pk")
    )


def _reason(design: Design, day: datetime.date, unit: str, tier: str, minutes_left: int | None) -> str:
    """``适合剩余 10 分钟 · 本单元 · 4.6 分（5 人评）· 本班未用过``."""
    said: dict[str, object] = vars(design)
    parts = []
    if design.form == HomeworkForm.WRITTEN and design.done_at == HomeworkPlace.HOME:
        if minutes_left is not None:
            parts.append(f"适合剩余 {minutes_left} 分钟")
    else:
        parts.append("不占书面作业时间")
    if said["has_unit"]:
        parts.append("本单元")
    if said["has_tier"]:
        parts.append(f"{design.get_tier_display()}层次")
    parts.append(f"{said['stars']:.1f} 分（{said['ratings_count']} 人评）" if said["ratings_count"] else "还没有人评价")
    last = said["last_given_on"]
    parts.append(f"本班 {(day - last).days} 天前用过" if isinstance(last, datetime.date) else "本班未用过")
    return " · ".join(parts)
