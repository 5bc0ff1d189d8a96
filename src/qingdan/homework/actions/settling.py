"""The year group settles what is too much: reduces, moves, brings into school, releases or returns.

Every act names the state of the homework that its author saw. Two heads who act at once therefore never undo one another's act:
the second is told what the first has done.
"""

from __future__ import annotations

import datetime
import logging
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from qingdan.accounts.models import User
from qingdan.homework.actions.register import bring_into_school, change, lock_days, return_to_teacher
from qingdan.homework.enums import HomeworkPlace, HomeworkStatus, Settling
from qingdan.homework.models import Homework
from qingdan.notices.models import Notice

log = logging.getLogger(__name__)


class Overtaken(Exception):
    """Somebody else has acted on it since it was looked at. Nothing has been changed."""

    def __init__(self, item: Homework) -> None:
        self.item = item
        super().__init__(_overtaken(item))


def _overtaken(item: Homework) -> str:
    state = f"现在是“{item.get_status_display()}”，{item.on_date.month}月{item.on_date.day}日，{item.homework_minutes} 分钟"
    if item.settled_by is not None and item.settled_at is not None:
        return f"这项作业刚刚由{item.settled_by}处理过（{timezone.localtime(item.settled_at):%H:%M}，{item.settlement}）；{state}"
    return f"这项作业刚刚由{item.teacher}改动过；{state}"


def locked(item: Homework, *, seen: str, days: list[datetime.date]) -> Homework:
    """The record as it is now, held with its days until the transaction ends; raise Overtaken when it is not what was seen."""
    lock_days((item.school_class_id, day) for day in {item.on_date, *days})
    related = ("school_class__school__organisation", "school_class__school_year", "subject", "teacher", "settled_by")
    fresh = Homework.objects.select_related(*related).get(pk=item.pk)
    if fresh.version != seen:
        raise Overtaken(fresh)
    return fresh


@dataclass(frozen=True)
class Settlement:
    """What a head decided."""

    act: Settling
    #: For REDUCE: what it is reduced to.
    homework_minutes: int | None = None
    #: For MOVE.
    on_date: datetime.date | None = None
    #: For RETURN the reason, else a remark.
    note: str = ""


@transaction.atomic
def settle(item: Homework, *, by: User, seen: str, settlement: Settlement) -> Homework:
    """Carry out what a head decided and tell the teacher.

    ``seen`` is the homework's ``version`` as it was shown. Raises Overtaken, Refused when the law still says no, ValidationError for
    what cannot be (a past day, no reason, more minutes than before).
    """
    to_day = settlement.on_date if settlement.act == Settling.MOVE else None
    fresh = locked(item, seen=seen, days=[to_day] if to_day else [])
    if fresh.status == HomeworkStatus.WITHDRAWN:
        raise ValidationError("教师已撤回这项作业，不必再统筹")
    done = _carry_out(fresh, by, settlement)
    text = f"{fresh.school_class}{fresh.subject.name}作业{done}"
    if fresh.teacher_id != by.pk:
        occasion = f"homework-settled:{fresh.pk}:{fresh.version}"
        Notice.objects.send([fresh.teacher], occasion=occasion, text=text[:300], url=reverse("homework:item", args=[fresh.pk]))
    log.info("homework.settled homework=%s by=%s act=%s", fresh.pk, by.pk, settlement.act)
    return fresh


def _carry_out(item: Homework, by: User, settlement: Settlement) -> str:
    """Do it; what was done, in words for the teacher."""
    remark = f"：{settlement.note.strip()}" if settlement.note.strip() else ""
    match settlement.act:
        case Settling.REDUCE:
            before, after = item.homework_minutes, settlement.homework_minutes
            if after is None or not 0 < after < before:
                raise ValidationError(f"减少后的时长要在 1 至 {before - 1} 分钟之间（现在是 {before} 分钟）；不布置了请用“退回”")
            change(item, by=by, note=f"由 {before} 分钟减到 {after} 分钟{remark}", homework_minutes=after)
        case Settling.MOVE:
            day, before_day = settlement.on_date, item.on_date
            if day is None or day == before_day:
                raise ValidationError("请选另一个上学日")
            change(item, by=by, note=f"由{_short(before_day)}改到{_short(day)}{remark}", on_date=day)
        case Settling.SCHOOL:
            if item.done_at == HomeworkPlace.SCHOOL:
                raise ValidationError("这项作业本来就在校内完成")
            bring_into_school(item, by=by, note=f"改在校内完成{remark}")
        case Settling.RELEASE:
            if item.status == HomeworkStatus.OUT:
                raise ValidationError("这项作业已经布置，不必放行")
            change(item, by=by, note=f"放行{remark}")
        case Settling.RETURN:
            return_to_teacher(item, by=by, reason=settlement.note)
            return f"被退回：{item.settlement}；请修改后重新布置"
    return f"经年级组统筹{item.settlement}，已布置在{_short(item.on_date)}"


def _short(day: datetime.date) -> str:
    return f"{day.month}月{day.day}日"
