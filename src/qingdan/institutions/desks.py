"""What lies on the desk of those who run an institution and of those who oversee them: asked anew for each home page.

Every list is short and says how much more there is; how many questions are asked does not hang on how much there is.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Exists, F, Min, OuterRef, Q, Window
from django.utils import timezone

from qingdan.accounts.models import User
from qingdan.institutions.enums import (
    OPEN_STATES,
    ApplicationKind,
    ApplicationState,
    CompetentDepartment,
    CourseState,
    InstitutionState,
    TrainingCategory,
)
from qingdan.institutions.models import Activity, Advertisement, Application, Course, Inspection, Institution, Permit, Session
from qingdan.institutions.oversight import Map, finding_counts, findings_map
from qingdan.policy.packs import default_pack

#: How long before its end a permit is called to mind. No document names a number of days; a renewal may go through every step, and
#: the steps' first deadlines (``routing.FIRST_WORKING_DAYS``) add up to 58 working days, which are twelve weeks.
EXPIRY_AHEAD_DAYS = 90
#: As far as the queue looks ahead; its filter ``due=week`` means the same.
_WEEK = datetime.timedelta(days=7)
_SHOWN = 5
_APPLICATIONS_SHOWN = 6

#: State -> what happens next, for the applicant.
NEXT_STEP: dict[str, str] = {
    ApplicationState.DRAFT: "还是草稿：传齐材料后提交",
    ApplicationState.SUBMITTED: "主管部门核对材料，暂不用您做什么",
    ApplicationState.INCOMPLETE: "请按退回的说明补齐材料，再提交一次",
    ApplicationState.ACCEPTED: "主管部门审查，暂不用您做什么",
    ApplicationState.TO_VISIT: "主管部门要来现场核查，请备好场地、消防和人员的材料",
    ApplicationState.TO_NOTIFY: "等主管部门公示",
    ApplicationState.ON_NOTICE: "正在公示，期满后作决定",
    ApplicationState.TO_DECIDE: "等主管部门作决定",
    ApplicationState.APPROVED: "已经批准",
    ApplicationState.REFUSED: "没有批准，理由在申请里",
}
_OF_APPLICANT = (ApplicationState.DRAFT, ApplicationState.INCOMPLETE)


@dataclass(frozen=True)
class Step:
    """One application of one's own, with what happens next."""

    application: Application
    text: str
    #: Whether the applicant has to act.
    is_mine: bool


@dataclass(frozen=True)
class Expiring:
    """A permit that ends soon."""

    permit: Permit
    days_left: int
    #: Whether its renewal has been applied for.
    is_being_renewed: bool = False


@dataclass
class InstitutionDesk:
    """An institution's day."""

    #: False before its first permit: it stands in no register yet.
    is_registered: bool
    steps: list[Step]
    sessions: list[Session] = field(default_factory=list)
    returned: list[Course] = field(default_factory=list)
    expiring: list[Expiring] = field(default_factory=list)
    inspections: list[Inspection] = field(default_factory=list)


def institution_desk(user: User, day: datetime.date) -> InstitutionDesk:
    """What an institution's clerk sees first."""
    own = Application.objects.visible_to(user)
    unfinished = own.filter(state__in=[ApplicationState.DRAFT, *OPEN_STATES])
    applications = list(unfinished.order_by(F("due_on").asc(nulls_last=True), "-created_at")[:_APPLICATIONS_SHOWN])
    # Right after a decision, the decision is the news.
    applications += own.filter(
        state__in=[ApplicationState.APPROVED, ApplicationState.REFUSED], decided_on__gt=day - datetime.timedelta(days=30)
    ).order_by("-decided_on", "-pk")[:2]
    steps = [Step(each, NEXT_STEP.get(each.state, ""), each.state in _OF_APPLICANT) for each in applications]
    desk = InstitutionDesk(Institution.objects.visible_to(user).exists(), steps)
    if not desk.is_registered:
        return desk
    desk.sessions = list(Session.objects.visible_to(user).planned().filter(on_date=day).with_names().order_by("starts_at", "pk"))
    returned = Course.objects.visible_to(user).filter(state=CourseState.RETURNED).order_by("-reviewed_at", "pk")
    desk.returned = list(returned.defer("syllabus")[:_SHOWN])
    is_renewed = any(each.kind == ApplicationKind.RENEWAL and each.state in OPEN_STATES for each in applications)
    desk.expiring = _expiring(Permit.objects.visible_to(user).expiring(day, EXPIRY_AHEAD_DAYS), day, is_renewed=is_renewed)
    desk.inspections = list(
        Inspection.objects.visible_to(user).of_institution().select_related("campaign").order_by("campaign__report_until", "pk")
    )
    return desk


def _expiring(permits: Iterable[Permit], day: datetime.date, *, is_renewed: bool = False) -> list[Expiring]:
    return [Expiring(each, (each.ends_on - day).days, is_renewed) for each in sorted(permits, key=lambda one: (one.ends_on, one.pk))]


@dataclass(frozen=True)
class DepartmentQueue:
    """The open applications of one department."""

    code: str
    label: str
    whole: int
    late: int
    #: Due within a week, today included.
    this_week: int
    #: Waiting for the applicant.
    incomplete: int
    next_due: datetime.date | None


@dataclass(frozen=True)
class Figures:
    """The registry in numbers."""

    active: int
    academic: int
    non_academic: int
    suspended: int
    without_permit: int


@dataclass(frozen=True)
class OfficerDesk:
    """What those who oversee institutions see first."""

    queue: list[DepartmentQueue]
    urgent: list[Application]
    figures: Figures
    expiring: list[Expiring]
    expiring_count: int
    courses: int
    #: For how many days the oldest of them has waited.
    courses_waited_days: int
    inspections_to_check: int
    inspections_late: int
    inspections_to_correct: int
    #: Seen this year, and how many of them broke the law of their day.
    advertisements: tuple[int, int]
    activities: tuple[int, int]
    map: Map
    year_from: datetime.date
    expiry_ahead_days: int = EXPIRY_AHEAD_DAYS


def officer_desk(user: User, day: datetime.date) -> OfficerDesk:
    """What a bureau's or department's officer sees first; a department its own institutions only."""
    waiting = Application.objects.visible_to(user).open()
    with_officers = waiting.exclude(state=ApplicationState.INCOMPLETE).select_related("applicant")
    expiring = Permit.objects.visible_to(user).expiring(day, EXPIRY_AHEAD_DAYS).select_related("institution__organisation")
    soonest: list[Any] = list(expiring.annotate(whole=Window(Count("pk"))).order_by("ends_on", "pk")[:_SHOWN])
    courses = (
        Course.objects.visible_to(user).filter(state=CourseState.SUBMITTED).order_by().aggregate(n=Count("pk"), first=Min("submitted_at"))
    )
    inspections = Inspection.objects.visible_to(user).tallied(day)
    year_from = day.replace(month=1, day=1)
    kinds = {kind.name: kind.label for kind in default_pack().vocabulary.kinds.values()}
    return OfficerDesk(
        queue=_queue(user, day),
        urgent=list(with_officers.order_by(F("due_on").asc(nulls_last=True), "applied_on", "pk")[:_SHOWN]),
        figures=_figures(user, day),
        expiring=_expiring(soonest, day),
        expiring_count=soonest[0].whole if soonest else 0,
        courses=courses["n"],
        courses_waited_days=(timezone.now() - courses["first"]).days if courses["first"] else 0,
        inspections_to_check=inspections["to_check"],
        inspections_late=inspections["late"],
        inspections_to_correct=inspections["to_correct"],
        advertisements=_seen(Advertisement, "found_on", user, year_from),
        activities=_seen(Activity, "held_on", user, year_from),
        map=findings_map(finding_counts(user), kinds),
        year_from=year_from,
    )


def _queue(user: User, day: datetime.date) -> list[DepartmentQueue]:
    """Each department with open applications, the one with the most overdue first."""
    rows = (
        Application.objects.visible_to(user)
        .open()
        .order_by()
        .values(code=F("department"))
        .annotate(
            whole=Count("pk"),
            late=Count("pk", filter=Q(due_on__lt=day)),
            this_week=Count("pk", filter=Q(due_on__range=(day, day + _WEEK))),
            incomplete=Count("pk", filter=Q(state=ApplicationState.INCOMPLETE)),
            next_due=Min("due_on", filter=Q(due_on__gte=day)),
        )
    )
    labels = dict(CompetentDepartment.choices)
    found = [DepartmentQueue(label=str(labels.get(row["code"], row["code"])), **row) for row in rows]
    return sorted(found, key=lambda each: (-each.late, each.next_due or datetime.date.max, each.code))


def _figures(user: User, day: datetime.date) -> Figures:
    held = Permit.objects.in_force(day).filter(institution=OuterRef("pk"))
    active = Q(state=InstitutionState.ACTIVE)
    counts = (
        Institution.objects.visible_to(user)
        .alias(holds=Exists(held))
        .order_by()
        .aggregate(
            active=Count("pk", filter=active),
            academic=Count("pk", filter=active & Q(category=TrainingCategory.ACADEMIC)),
            non_academic=Count("pk", filter=active & Q(category=TrainingCategory.NON_ACADEMIC)),
            suspended=Count("pk", filter=Q(state=InstitutionState.SUSPENDED)),
            without_permit=Count("pk", filter=active & Q(holds=False)),
        )
    )
    return Figures(**counts)


def _seen(model: type[Advertisement | Activity], day_field: str, user: User, since: datetime.date) -> tuple[int, int]:
    """How much was seen since a day, and how much of it broke the law."""
    found = model.objects.visible_to(user).standing().filter(**{f"{day_field}__gte": since})
    counts = found.order_by().aggregate(whole=Count("pk"), breaches=Count("pk", filter=~Q(objections=[])))
    return counts["whole"], counts["breaches"]
