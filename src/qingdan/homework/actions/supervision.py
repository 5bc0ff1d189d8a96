"""Spot checks and monthly reviews: draw classes, keep what was seen of each piece of homework, sign, review a month."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from qingdan.accounts.models import User
from qingdan.draws.models import Draw
from qingdan.homework.charts.results import school_results
from qingdan.homework.comparing import class_week, week_homework
from qingdan.homework.models import CheckedClass, CheckedHomework, Homework, MonthlyReview, SpotCheck
from qingdan.places.calendar import today
from qingdan.schools.models import School, SchoolClass

log = logging.getLogger(__name__)


class Overtaken(ValidationError):
    """Somebody else has saved the same item since it was shown; what stands there now has to be seen first."""


def most_classes(groups: Mapping[int, int], per_school: int | None) -> int:
    """How many classes (class -> school) a draw can give when no school gives more than ``per_school``."""
    if per_school is None:
        return len(groups)
    counts: dict[int, int] = {}
    for school in groups.values():
        counts[school] = counts.get(school, 0) + 1
    return sum(min(count, per_school) for count in counts.values())


@transaction.atomic
def draw_spot_check(
    *,
    by: User,
    title: str,
    week_from: datetime.date,
    classes: Sequence[SchoolClass],
    count: int,
    per_school: int | None = None,
    scope: str = "",
    seed: str = "",
) -> SpotCheck:
    """Draw ``count`` of the classes and open a round of checks; raise ValidationError when there are not so many.

    Everything by which the draw can be held again is kept. It cannot be held anew: whoever could, would choose.
    """
    groups = {each.pk: each.school_id for each in classes}
    most = most_classes(groups, per_school)
    if not 1 <= count <= most:
        raise ValidationError(
            f"符合条件的最多能抽 {most} 个班，请减少抽取数，或放宽范围、每校限额" if most else "没有符合条件的班级，请放宽范围"
        )
    draw = Draw.hold(f"作业抽查：{title}"[:100], list(groups), count, by=by, seed=seed, scope=scope, groups=groups, per_group=per_school)
    check = SpotCheck(bureau=by.employer, title=title, week_from=week_from, draw=draw, created_by=by)
    check.full_clean(exclude=["bureau", "draw", "created_by"])
    check.save()
    CheckedClass.objects.bulk_create(CheckedClass(spot_check=check, school_class_id=chosen) for chosen in draw.chosen)
    log.info("spot_check.drawn check=%s by=%s entries=%s chosen=%s", check.pk, by.pk, len(groups), len(draw.chosen))
    return check


@contextmanager
def _checking(checked: CheckedClass) -> Iterator[CheckedClass]:
    """Hold a class that is being checked; whoever comes after its completion is told so."""
    with transaction.atomic():
        held = (
            CheckedClass.objects.select_for_update(of=("self",))
            .select_related("checked_by", "school_class", "spot_check")
            .get(pk=checked.pk)
        )
        held.refuse_if_signed()
        yield held


def find_item(checked: CheckedClass, key: str) -> CheckedHomework:
    """What a key of the page names: ``h12`` homework of the class's week, ``i5`` something found besides, ``new`` another such.

    What has not been saved yet comes unsaved. Raises LookupError for what is not of this class and week.
    """
    kind, number = key[:1], key[1:]
    if key == "new":
        return CheckedHomework(checked_class=checked, is_as_published=False)
    if kind == "h" and number.isdecimal():
        saved = checked.items.filter(homework_id=int(number)).first()
        homework: Homework | None = week_homework(checked.school_class, checked.spot_check.week_from).filter(pk=int(number)).first()
        if saved is not None or homework is not None:
            return saved or CheckedHomework(checked_class=checked, homework=homework, content=homework.content if homework else "")
    if kind == "i" and number.isdecimal() and (extra := checked.items.filter(pk=int(number), homework=None).first()) is not None:
        return extra
    raise LookupError(key)


def save_item(*, checked: CheckedClass, key: str, token: str, by: User, values: Mapping[str, Any]) -> CheckedHomework:
    """Keep what was seen of one item.

    ``token`` is the state that the inspector had before his eyes: raises Overtaken when it has changed since and differs from what
    is to be saved; ValidationError when the check has been completed or a value cannot be; LookupError for a strange item.
    """
    with _checking(checked) as held:
        item = find_item(held, key)
        if key == "new" and (same := held.items.filter(homework=None, content=values.get("content", "")).first()) is not None:
            item = same  # the same once more: a retry after a lost answer
        before = item.token
        for name, value in values.items():
            setattr(item, name, value)
        if key != "new" and token != before != item.token:
            raise Overtaken("别的检查人刚刚改过这一项，下面是现在的内容；请看过再改")
        item.full_clean(exclude=["checked_class", "homework"])
        item.save()
    log.info("spot_check.item_saved class=%s item=%s by=%s faults=%s", checked.pk, item.pk, by.pk, item.faults)
    return item


def remove_extra(*, checked: CheckedClass, item_pk: int, by: User) -> None:
    """Take away an item that was added by mistake; those of the register stay."""
    with _checking(checked) as held:
        held.items.filter(pk=item_pk, homework=None).delete()
    log.info("spot_check.item_removed class=%s item=%s by=%s", checked.pk, item_pk, by.pk)


def mark_rest(*, checked: CheckedClass, by: User) -> int:
    """Note of everything not looked at yet that it is as published; gives how many.

    What the published list does not have, or has with other minutes, is left: that wants an answer of its own.
    """
    with _checking(checked) as held:
        seen = set(held.items.values_list("homework_id", flat=True))
        week = class_week(held.school_class, held.spot_check.week_from)
        rest = [line.homework for line in week.lines if line.homework.pk not in seen and (line.is_as_published or not week.disclosure)]
        CheckedHomework.objects.bulk_create(CheckedHomework(checked_class=held, homework=each, content=each.content) for each in rest)
    log.info("spot_check.rest_marked class=%s by=%s items=%s", checked.pk, by.pk, len(rest))
    return len(rest)


def complete(*, checked: CheckedClass, by: User, note: str = "") -> CheckedClass:
    """Sign the result; raise ValidationError while something has not been looked at, or when somebody was quicker."""
    with _checking(checked) as held:
        items = list(held.items.all())
        seen = {each.homework_id for each in items}
        missing = sum(each.pk not in seen for each in week_homework(held.school_class, held.spot_check.week_from))
        if missing:
            raise ValidationError(f"还有 {missing} 项没有看；请逐项点选，或点“其余都与公示一致”")
        held.sign(by=by, is_as_published=all(each.is_as_published for each in items), note=note)
    log.info("spot_check.completed class=%s by=%s as_published=%s", held.pk, by.pk, held.is_as_published)
    return held


@transaction.atomic
def take_back(*, checked: CheckedClass, by: User) -> None:
    """Open a completed check again on the same day; raise ValidationError when it may not be."""
    held = CheckedClass.objects.select_for_update(of=("self",)).get(pk=checked.pk)
    held.take_back(by=by)
    log.info("spot_check.taken_back class=%s by=%s", held.pk, by.pk)


@transaction.atomic
def review_month(*, school: School, month: datetime.date, by: User, opinion: str, counts_anew: bool = False) -> MonthlyReview:
    """Freeze a school's totals of a month with the bureau's opinion; later only the opinion changes, unless it counts anew.

    Raises ValidationError for a month that is not over: its totals would still grow.
    """
    last = last_of(month)
    if last >= today():
        raise ValidationError(f"{month:%Y年%m月}还没有结束，下月再评议")
    School.objects.select_for_update(of=("self",)).get(pk=school.pk)
    review = MonthlyReview.objects.filter(school=school, month=month).first()
    if review is None:
        review, counts_anew = MonthlyReview(school=school, month=month), True
    if counts_anew:
        (result,) = school_results([school], month, last)
        review.totals = result.as_json()
    review.opinion, review.reviewed_by = opinion.strip(), by
    review.full_clean(exclude=["school", "reviewed_by"])
    review.save()
    log.info("homework.month_reviewed school=%s month=%s by=%s", school.pk, month, by.pk)
    return review


def last_of(month: datetime.date) -> datetime.date:
    """The last day of a month."""
    return (month.replace(day=28) + datetime.timedelta(days=4)).replace(day=1) - datetime.timedelta(days=1)
