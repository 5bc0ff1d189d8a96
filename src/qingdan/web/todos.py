"""What somebody has to do today: one line each, asked of the apps' own questions, in a fixed number of queries."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import reverse

from qingdan.accounts.models import User
from qingdan.escrow.waiting import waiting_for
from qingdan.findings.enums import FindingStatus
from qingdan.findings.models import AuditRun, Finding
from qingdan.homework.actions.disclosure import due
from qingdan.homework.enums import HomeworkStatus
from qingdan.homework.models import CheckedClass, Design, FamilyReport, Homework, SchoolFinish
from qingdan.institutions.desks import EXPIRY_AHEAD_DAYS, OfficerDesk, officer_desk
from qingdan.institutions.enums import ApplicationKind, ApplicationState, CourseState
from qingdan.institutions.models import Application, Course, Inspection, Permit
from qingdan.notices.models import Notice
from qingdan.places.calendar import SchoolCalendar, today
from qingdan.schools.models import GradeLead, SchoolClass


@dataclass(frozen=True)
class Todo:
    """One thing to do."""

    text: str
    url: str
    #: Already late, or stopping others.
    is_urgent: bool = False


def todos_of(user: User, desk: OfficerDesk | None = None) -> list[Todo]:
    """What a user has to do today; empty when there is nothing. ``desk`` is an officer's, where it has been counted already."""
    day = today()
    found: list[Todo] = []
    if user.is_officer:
        found += _of_officer(desk or officer_desk(user, day))
    if user.is_bureau:
        found += _of_bureau(user)
    elif user.is_school_leader:
        found += [*_of_owner(user), *_of_publishing(user, day), *_held(user)]
    elif user.is_teacher:
        found += [*_of_teacher(user, day), *_of_publishing(user, day), *_held(user), *_of_class_teacher(user, day)]
    elif user.is_parent:
        found += _of_parent(user, day)
    elif not user.is_officer:
        found += [*_of_owner(user), *_of_institution(user, day)]
    found += [Todo(*each) for each in waiting_for(user, day)]
    unread = Notice.objects.visible_to(user).unread().count()
    if unread:
        found.append(Todo(f"{unread} 条未读通知", reverse("notices:list")))
    return found


def _of_bureau(user: User) -> Iterator[Todo]:
    if not AuditRun.objects.visible_to(user).exists():
        yield Todo("还没有做过全面体检：现在就对全区记录做一次", reverse("findings:runs"))
    counts = Finding.objects.visible_to(user).by_status()
    for status, said in ((FindingStatus.CORRECTED, "称已整改，等您确认"), (FindingStatus.DISPUTED, "有异议，等您裁定")):
        if counts.get(status, 0):
            yield Todo(f"{counts[status]} 个问题{said}", f"{reverse('findings:list')}?status={status}", is_urgent=True)
    if counts.get(FindingStatus.OPEN, 0):
        yield Todo(f"{counts[FindingStatus.OPEN]} 个问题等学校或机构答复", f"{reverse('findings:list')}?status={FindingStatus.OPEN}")
    unchecked = CheckedClass.objects.visible_to(user).filter(checked_at=None).count()
    if unchecked:
        yield Todo(f"{unchecked} 个抽中的班级还没有检查", reverse("homework:checks"))


def _of_officer(desk: OfficerDesk) -> Iterator[Todo]:
    if late := sum(each.late for each in desk.queue):
        yield Todo(f"{late} 件审批申请已超过期限", reverse("institutions:queue"), is_urgent=True)
    elif count := sum(each.whole for each in desk.queue):
        yield Todo(f"{count} 件审批申请在办", reverse("institutions:queue"))
    if desk.courses:
        yield Todo(f"{desk.courses} 门培训课程待审核", reverse("institutions:courses"))
    if desk.inspections_to_check:
        yield Todo(f"{desk.inspections_to_check} 家机构的年检待核查或复查", reverse("institutions:inspections"))


def _of_institution(user: User, day: datetime.date) -> Iterator[Todo]:
    if count := Application.objects.visible_to(user).filter(state=ApplicationState.INCOMPLETE).count():
        yield Todo(f"{count} 件申请要补正材料", reverse("institutions:applications"), is_urgent=True)
    if count := Course.objects.visible_to(user).filter(state=CourseState.RETURNED).count():
        yield Todo(f"{count} 门课程被退回，请修改后重新提交", reverse("institutions:courses"), is_urgent=True)
    if count := Inspection.objects.visible_to(user).of_institution().count():
        yield Todo(f"{count} 次年检等本机构自查或整改", reverse("institutions:inspections"), is_urgent=True)
    if count := Permit.objects.visible_to(user).expiring(day, EXPIRY_AHEAD_DAYS).count():
        renewal = Application.objects.visible_to(user).open().filter(kind=ApplicationKind.RENEWAL)
        if not renewal.exists():
            yield Todo(f"{count} 件许可快到期，请申请延续", reverse("institutions:application_apply", args=[ApplicationKind.RENEWAL]))


def _of_owner(user: User) -> Iterator[Todo]:
    waiting = Finding.objects.visible_to(user).filter(status=FindingStatus.OPEN).count()
    if waiting:
        yield Todo(f"{waiting} 个问题等本单位答复", f"{reverse('findings:list')}?status={FindingStatus.OPEN}", is_urgent=True)


def _of_publishing(user: User, day: datetime.date) -> Iterator[Todo]:
    for week in due(user, day):
        text = f"{week.grade_name} {week.week_from:%-m月%-d日} 起一周的作业{'还没有公示，已逾期' if week.is_late else '待公示'}"
        yield Todo(text, reverse("homework:publish", args=[week.grade, week.week_from.isoformat()]), is_urgent=week.is_late)


def _held(user: User) -> Iterator[Todo]:
    held = Homework.objects.visible_to(user).held().filter(on_date__gte=today())
    if user.is_teacher:
        led = GradeLead.objects.filter(user=user).values("school_year", "grade")
        keys = {(each["school_year"], each["grade"]) for each in led}
    else:
        keys = None
    counts: dict[tuple[int, int], int] = {}
    for year, grade in held.values_list("school_class__school_year", "school_class__grade"):
        counts[year, grade] = counts.get((year, grade), 0) + 1
    for key, count in sorted(counts.items()):
        if keys is None or key in keys:
            yield Todo(f"{count} 项作业等年级组统筹", reverse("homework:board", args=[key[1]]), is_urgent=True)


def _of_teacher(user: User, day: datetime.date) -> Iterator[Todo]:
    returned = Homework.objects.filter(teacher=user, status=HomeworkStatus.RETURNED, on_date__gte=day).count()
    if returned:
        yield Todo(f"{returned} 项作业被退回，请修改后重新布置", reverse("homework:today"), is_urgent=True)
    reviews = Design.objects.filter(school_id=user.employer.pk).to_review(user).count()
    if reviews:
        yield Todo(f"{reviews} 份作业设计等您审核", f"{reverse('homework:designs')}?shelf=review")


def _of_class_teacher(user: User, day: datetime.date) -> Iterator[Todo]:
    led = list(SchoolClass.objects.filter(class_teacher=user).current(day).values_list("pk", flat=True))
    if not led or not SchoolCalendar(user.employer.layer_code).is_school_day(day):
        return
    told = SchoolFinish.objects.filter(school_class__in=led, on_date=day).count()
    if told < len(led):
        yield Todo("今天的校内完成情况还没有填", reverse("homework:finish"))


def _of_parent(user: User, day: datetime.date) -> Iterator[Todo]:
    asked = FamilyReport.objects.visible_to(user).open(day).count()
    if asked:
        yield Todo("今天抽到您家：请用两下告诉我们作业做了多久", reverse("homework:family"), is_urgent=True)
