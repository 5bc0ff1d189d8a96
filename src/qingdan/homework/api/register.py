"""The register for programs."""

from __future__ import annotations

import datetime
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Path, Query, Router

from qingdan.accounts.api.doors import caller, reads, writes
from qingdan.accounts.api.pages import Paging, page_of
from qingdan.accounts.api.problems import Detail, Refusal
from qingdan.accounts.enums import Scope
from qingdan.homework.actions import register
from qingdan.homework.api.shapes import (
    Change,
    ClassPage,
    ClassShape,
    DayTotalShape,
    Entered,
    Entry,
    HomeworkFilter,
    HomeworkPage,
    HomeworkShape,
    SubjectShape,
    TaughtClass,
    fresh_batches,
)
from qingdan.homework.enums import HomeworkStatus
from qingdan.homework.models import Homework
from qingdan.places.calendar import today
from qingdan.schools.models import SchoolClass, Subject, TeachingAssignment

router = Router(tags=["作业"])
_READ_WITH_IT = ("school_class__school__organisation", "school_class__school_year", "subject", "teacher")


@reads(router, "classes", scope=Scope.HOMEWORK_READ, answers=ClassPage, name="classes", summary="列出班级")
def classes(request: HttpRequest, paging: Query[Paging]) -> ClassPage:
    """列出本学年看得到的班，以及本账户今天在各班任教的学科。登记作业要用这里的班级编号和学科代码。"""
    user, day = caller(request), today()
    found = SchoolClass.objects.visible_to(user).current(day).select_related("school__organisation").order_by("school", "grade", "number")
    figures, page = page_of(found, paging)
    taught: dict[int, list[SubjectShape]] = {}
    for each in TeachingAssignment.objects.of_teacher(user, day).filter(school_class__in=page).select_related("subject"):
        taught.setdefault(each.school_class_id, []).append(SubjectShape.of(each.subject))
    items = [TaughtClass(**ClassShape.of(each).model_dump(), subjects_taught=taught.get(each.pk, [])) for each in page]
    return ClassPage(items=items, **figures)


@reads(
    router,
    "classes/{int:class_id}/days/{day}",
    scope=Scope.HOMEWORK_READ,
    answers=DayTotalShape,
    name="day_total",
    summary="查询一个班一天的总量",
)
def day_total(
    request: HttpRequest,
    class_id: Path[int],
    day: Path[datetime.date],
) -> DayTotalShape:
    """这一天已布置的家庭书面作业合计、当地当日的上限及其条款、还剩多少分钟。"""
    found = SchoolClass.objects.visible_to(caller(request)).select_related("school__organisation")
    return DayTotalShape.of(register.day_total(get_object_or_404(found, pk=class_id), day))


@reads(router, "homework", scope=Scope.HOMEWORK_READ, answers=HomeworkPage, name="homework", summary="列出作业")
def homework(request: HttpRequest, chosen: Query[HomeworkFilter]) -> HomeworkPage:
    """列出看得到的作业，日期新的在前。学校人员看到本校全部，教育局只看到辖区内已布置的。"""
    user = caller(request)
    wanted = {
        "school_class_id": chosen.class_id,
        "school_class__school_id": chosen.school_id,
        "school_class__grade": chosen.grade,
        "on_date__gte": chosen.since,
        "on_date__lte": chosen.until,
        "status": chosen.status,
    }
    found = Homework.objects.visible_to(user).filter(**{name: value for name, value in wanted.items() if value is not None})
    # Few classes, subjects and teachers stand behind many rows: each is read once, not once a row.
    read_with_it = ("school_class__school__organisation", "subject", "teacher")
    figures, page = page_of(found.prefetch_related(*read_with_it).order_by("-on_date", "-pk"), chosen)
    return HomeworkPage(items=[HomeworkShape.of(item, user) for item in page], **figures)


@reads(router, "homework/{int:homework_id}", scope=Scope.HOMEWORK_READ, answers=HomeworkShape, name="homework_one", summary="查看一项作业")
def homework_one(request: HttpRequest, homework_id: Path[int]) -> HomeworkShape:
    """一项作业的全部内容。"""
    user = caller(request)
    found = Homework.objects.visible_to(user).select_related(*_READ_WITH_IT)
    return HomeworkShape.of(get_object_or_404(found, pk=homework_id), user)


@writes(router, "POST", "homework", scope=Scope.HOMEWORK_WRITE, answers=Entered, name="homework_enter", summary="登记作业", status=201)
def homework_enter(request: HttpRequest, body: Entry) -> Entered:
    """为任教的班登记作业，可以一次几个班、几个层次。政策按班级当天全部学科的作业判定：超过上限时一项也不布置，应答 422 并逐条列出超在
    哪里、依据哪一条。hold 为 true 时不直接布置，留给年级组统筹。"""
    user = caller(request)
    items = register.enter(_items(request, body), by=user, hold=body.hold)
    return Entered(items=[HomeworkShape.of(item, user) for item in items])


def _items(request: HttpRequest, body: Entry) -> list[Homework]:
    user = caller(request)
    visible = SchoolClass.objects.visible_to(user).select_related("school__organisation", "school_year")
    classes = visible.in_bulk({each.class_id for each in body.items})
    names = {each.subject for each in body.items}
    subjects: dict[str, Subject] = {}
    for subject in Subject.objects.filter(Q(code__in=names) | Q(name__in=names)):
        subjects |= {subject.code: subject, subject.name: subject}
    problems = []
    for number, each in enumerate(body.items):
        if each.class_id not in classes:
            problems.append(Detail(field=f"body.items.{number}.class_id", message="没有这个班，或不属于本账户的学校"))
        if each.subject not in subjects:
            problems.append(Detail(field=f"body.items.{number}.subject", message=f"没有名为“{each.subject}”的学科"))
    if problems:
        raise Refusal("invalid", "；".join(dict.fromkeys(each.message for each in problems)), details=problems)
    return fresh_batches(
        [
            Homework(
                school_class=classes[each.class_id],
                subject=subjects[each.subject],
                teacher=user,
                **each.model_dump(exclude={"class_id", "subject"}),
            )
            for each in body.items
        ]
    )


def _editable(request: HttpRequest, homework_id: int, *days: datetime.date) -> Homework:
    """A piece of homework to change, with its day (and further ones) held, so that nobody else changes it meanwhile."""
    user = caller(request)
    found = Homework.objects.visible_to(user).filter(pk__in=Homework.objects.editable_by(user).values("pk"))
    first = get_object_or_404(found, pk=homework_id)
    register.lock_days((first.school_class_id, day) for day in (first.on_date, *days))
    item = get_object_or_404(found.select_related(*_READ_WITH_IT), pk=homework_id)
    if item.status == HomeworkStatus.WITHDRAWN:
        raise Refusal("conflict", "这项作业已撤回；要用就重新登记一项")
    return item


@writes(
    router,
    "PATCH",
    "homework/{int:homework_id}",
    scope=Scope.HOMEWORK_WRITE,
    answers=HomeworkShape,
    name="homework_change",
    summary="修改作业",
)
def homework_change(request: HttpRequest, homework_id: Path[int], body: Change) -> HomeworkShape:
    """改时长、内容、日期或完成地点，并重新判定整天；合规的随即布置，不合规的应答 422，一处也不改。教师改自己的，年级组长改本年级的，学校
    管理者改全校的。"""
    user = caller(request)
    changes: dict[str, Any] = body.model_dump(exclude_none=True, exclude={"note"})
    if not changes:
        raise Refusal("invalid", "没有写要改什么：homework_minutes、content、on_date、done_at 至少写一项")
    item = _editable(request, homework_id, *([body.on_date] if body.on_date else []))
    return HomeworkShape.of(register.change(item, by=user, note=body.note, **changes), user)


@writes(
    router,
    "POST",
    "homework/{int:homework_id}/withdraw",
    scope=Scope.HOMEWORK_WRITE,
    answers=HomeworkShape,
    name="homework_withdraw",
    summary="撤回作业",
)
def homework_withdraw(request: HttpRequest, homework_id: Path[int]) -> HomeworkShape:
    """撤回一项作业，不再计入当天总量；记录仍保留。"""
    user = caller(request)
    item = _editable(request, homework_id)
    register.withdraw(item, by=user)
    return HomeworkShape.of(item, user)
