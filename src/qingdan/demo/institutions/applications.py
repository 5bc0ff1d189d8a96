"""Applications: of old ones the decision, of those under way every act, done as the product does it and dated back afterwards."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Max
from django.utils import timezone

from qingdan.accounts.enums import OrganisationKind, Role
from qingdan.accounts.models import Organisation, User
from qingdan.demo.calendar import at
from qingdan.demo.institutions.registry import Loaded, Officers, credit_code
from qingdan.demo.plan import REGION_CODE
from qingdan.institutions.actions import applications as acts
from qingdan.institutions.actions.permits import Grant, approve
from qingdan.institutions.enums import (
    ApplicationAct,
    ApplicationKind,
    ApplicationState,
    CompetentDepartment,
    TrainingAudience,
    TrainingCategory,
    TrainingField,
)
from qingdan.institutions.forms.applications import FORMS
from qingdan.institutions.models import Application, ApplicationEvent, ApplicationFile
from qingdan.notices.models import Notice
from qingdan.storage.files import PDF, ReadFile

_DAY = datetime.timedelta(days=1)
_PAPER = ReadFile("申请书.pdf", PDF, b"%PDF-1.4\n% fictional\n%%EOF\n")
_K, _S, _A = ApplicationKind, ApplicationState, ApplicationAct
#: Acts of an old application, in order.
_OLD_ACTS = (_A.SUBMIT, _A.ACCEPT, _A.REVIEW, _A.NOTIFY, _A.END_NOTICE, _A.APPROVE)
#: So many days lie between two acts that are dated back.
_BETWEEN = 4


@dataclass(frozen=True)
class Wanted:
    """An application under way, or decided lately."""

    kind: ApplicationKind
    state: ApplicationState
    #: Number of an institution's plan, or nothing for somebody who founds one.
    number: int = 0
    #: Of one that is to be founded or to change over.
    field: TrainingField = TrainingField.CULTURE
    details: Mapping[str, Any] | None = None
    #: For so many days nobody has done anything.
    idle_days: int = 0


_NEW_PREMISES = {"premises_name": "新教学点", "premises_address": "东湖街道示例路88号", "premises_street": "东湖街道", "area_m2": 260}
_FOUNDERS = ("梅岭书画社", "竹马足球场", "星图天文社", "木槿手作坊", "鹿鸣琴房")
WANTED = (
    Wanted(_K.NEW, _S.SUBMITTED, idle_days=2),
    Wanted(_K.NEW, _S.TO_VISIT, field=TrainingField.SPORTS, idle_days=6),
    Wanted(_K.NEW, _S.ON_NOTICE, field=TrainingField.SCIENCE),
    Wanted(_K.NEW, _S.REFUSED, field=TrainingField.OTHER, idle_days=20),
    Wanted(_K.NEW, _S.APPROVED, idle_days=0),
    Wanted(_K.NEW, _S.INCOMPLETE, 15, TrainingField.SPORTS, idle_days=5),
    Wanted(_K.RENEWAL, _S.TO_DECIDE, 3, idle_days=1),
    Wanted(_K.RENEWAL, _S.SUBMITTED, 2, idle_days=12),
    Wanted(_K.PREMISES, _S.TO_NOTIFY, 19, details=_NEW_PREMISES, idle_days=1),
    Wanted(_K.PREMISES, _S.DRAFT, 1, details=_NEW_PREMISES),
    Wanted(_K.CHANGE, _S.ACCEPTED, 4, details={"new_legal_person": "示例负责人904"}, idle_days=3),
    Wanted(_K.CHANGE, _S.WITHDRAWN, 13, details={"new_name": "小脚丫美育馆（虚构）"}, idle_days=15),
    Wanted(_K.REREGISTRATION, _S.TO_VISIT, 7, idle_days=3),
    Wanted(_K.FILING_TO_APPROVAL, _S.ACCEPTED, 5, idle_days=14),
    Wanted(_K.CONVERSION, _S.ON_NOTICE, 6, TrainingField.CULTURE, {"registration": "non_profit"}),
    Wanted(_K.CLOSURE, _S.TO_DECIDE, 8, details={"statement": "举办者决定不再办学，学员已全部结课退费"}, idle_days=8),
)


def write_past_applications(loaded: Sequence[Loaded]) -> None:
    """What was decided when an institution closed or changed over: the figures of the reduction rest on it."""
    found: list[tuple[Loaded, Application, datetime.date]] = []
    for each in loaded:
        plan, institution = each.plan, each.institution
        day = plan.closed_on or plan.converted_on
        if day is None:
            continue
        kind = _K.CLOSURE if plan.closed_on else _K.CONVERSION
        application = Application(
            applicant_id=institution.pk, kind=kind, category=plan.category, field=plan.field, audience=plan.audience,
            department=plan.department,
            details={"contact": institution.legal_person, "phone": "000-0000000"}, state=_S.APPROVED, applied_on=day - 40 * _DAY,
            notice_from=day - 12 * _DAY, notice_until=day - 5 * _DAY, decided_on=day, decision_reason="符合条件，学员已妥善安置",
            created_by=each.clerk,
        )  # fmt: skip
        if kind == _K.CONVERSION:
            application.has_fit_premises = application.has_fit_staff = application.has_fit_teaching = True
            application.details |= {"registration": plan.registration.value}
            application.permit = each.permits[0]
        found.append((each, application, day))
    Application.objects.bulk_create(application for _, application, _ in found)
    for _, application, day in found:
        application.created_at = at(day - 42 * _DAY, 9)
    Application.objects.bulk_update([application for _, application, _ in found], ["created_at"])
    events = [event for each, application, day in found for event in _old_events(each, application, day)]
    times = [event.at for event in events]
    ApplicationEvent.objects.bulk_create(events)
    for event, moment in zip(events, times, strict=True):
        event.at = moment
    ApplicationEvent.objects.bulk_update(events, ["at"])
    ApplicationFile.objects.bulk_create(
        ApplicationFile(
            application=application, label="申请材料", name=_PAPER.name, content_type=_PAPER.kind.content_type,
            size_bytes=len(_PAPER.content),
            content=_PAPER.content, added_by=each.clerk,
        )
        for each, application, _ in found
    )  # fmt: skip


def _old_events(each: Loaded, application: Application, day: datetime.date) -> Iterator[ApplicationEvent]:
    for act, before in zip(_OLD_ACTS, (40, 36, 26, 12, 4, 0), strict=True):
        by = each.clerk if act == _A.SUBMIT else None if act == _A.END_NOTICE else each.officer
        department = "" if by in (None, each.clerk) else each.plan.department
        reason = application.decision_reason if act == _A.APPROVE else ""
        moment = at(day - before * _DAY, 10)
        yield ApplicationEvent(application=application, act=act, actor=by, department=department, reason=reason, at=moment)


def write_applications(loaded: Sequence[Loaded], officers: Officers, day: datetime.date) -> None:
    """One application of each kind and in each state, on its way through the departments of the district."""
    by_number = {each.plan.number: each for each in loaded}
    founders = itertools.count()
    education = officers[REGION_CODE, CompetentDepartment.EDUCATION]
    made = []
    for wanted in WANTED:
        known = by_number.get(wanted.number)
        clerk = known.clerk if known else _founder(next(founders), education)
        application = _draft(wanted, known, clerk)
        officer = officers.get((REGION_CODE, application.department), education)
        second = officers.get((REGION_CODE, application.second_department), education)
        _lead(application, wanted.state, clerk=clerk, officer=officer, second=second, day=day)
        _date_back(application, wanted.idle_days, day)
        made.append(application)
    _read_what_is_done(made)


def _founder(place: int, education: User) -> User:
    name = f"{_FOUNDERS[place]}（拟设，虚构）"
    owner = Organisation.objects.create(
        name=name, kind=OrganisationKind.INSTITUTION, is_fictional=True, region_code=REGION_CODE, layer_code=education.employer.layer_code
    )
    user = User(username=f"demo-f{place + 1:02}", display_name=f"示范举办者{place + 1:02}", role=Role.INSTITUTION, organisation=owner)
    user.set_unusable_password()
    user.save()
    return user


def _draft(wanted: Wanted, known: Loaded | None, clerk: User) -> Application:
    """Filled in as the clerk would, with a paper."""
    given: dict[str, Any] = {"contact": f"示例联系人{clerk.pk % 1000:03}", "phone": "000-0000000"} | dict(wanted.details or {})
    if wanted.kind in (_K.NEW, _K.CONVERSION):
        audience = known.plan.audience if known else TrainingAudience.COMPULSORY
        given |= {"category": TrainingCategory.NON_ACADEMIC, "field": wanted.field, "audience": audience}
    if wanted.kind == _K.NEW:
        code = known.institution.credit_code if known else credit_code(700 + clerk.pk % 100_000_000, "company")
        given |= _NEW_PREMISES | {"credit_code": code, "registration": "company", "legal_person": f"示例负责人{clerk.pk % 1000:03}"}
    elif known is not None and wanted.kind == _K.REREGISTRATION:
        given["credit_code"] = credit_code(known.plan.number, "non_profit")
    elif known is not None and wanted.kind == _K.CONVERSION:
        given["premises"] = known.premises[0].pk
    elif known is not None and wanted.kind == _K.RENEWAL:
        given["permit"] = known.permits[0].pk
    form = FORMS[wanted.kind](given, applicant=clerk.employer)
    if not form.is_valid():
        raise ValueError(f"{wanted}: {form.errors.as_text()}")
    application = form.save(clerk)
    acts.add_files(application=application, by=clerk, label="申请书", files=[_PAPER])
    return application


def _lead(application: Application, state: ApplicationState, *, clerk: User, officer: User, second: User, day: datetime.date) -> None:
    """Take the ordinary way until a state is reached, or where the calendar does not go on."""
    if state == _S.DRAFT:
        return
    acts.submit(application=application, by=clerk)
    if state == _S.INCOMPLETE:
        acts.return_incomplete(application=application, by=officer, reason="缺场地租赁合同和消防验收材料，请补齐")
        return
    if state == _S.WITHDRAWN:
        acts.withdraw(application=application, by=clerk, reason="名称另行商定")
        return
    goal = _S.TO_VISIT if state == _S.REFUSED else state
    for act in _steps(application, officer=officer, second=second, day=day):
        if application.state == goal:
            break
        try:
            act()
        except ValidationError:
            # The notice's last day lies where nobody knows yet which days are worked.
            return
    if state == _S.REFUSED:
        acts.visit(
            application=application, by=officer, has_fit_premises=False, has_fit_staff=True, has_fit_teaching=True, note="场地无消防验收"
        )
        acts.refuse(application=application, by=officer, reason="场地不合格：没有通过消防验收")


def _steps(application: Application, *, officer: User, second: User, day: datetime.date) -> Iterator[Callable[[], object]]:
    """What is done next, as long as something is to be done; the state is looked at again before each act."""
    of_state: dict[str, Callable[[], object]] = {
        _S.SUBMITTED: lambda: acts.accept(application=application, by=officer),
        _S.ACCEPTED: lambda: _agree(application, officer, second),
        _S.TO_VISIT: lambda: _visit(application, officer),
        _S.TO_NOTIFY: lambda: acts.start_notice(application=application, by=officer),
        _S.ON_NOTICE: lambda: _end_notice(application, day),
        _S.TO_DECIDE: lambda: _approve(application, officer, day),
    }
    while application.state in of_state:
        yield of_state[application.state]


def _agree(application: Application, officer: User, second: User) -> None:
    if application.second_department:
        acts.consult(application=application, by=second, is_agreed=True)
    acts.review(application=application, by=officer, reason="材料齐全，内容属实")


def _visit(application: Application, officer: User) -> None:
    acts.visit(
        application=application, by=officer, has_fit_premises=True, has_fit_staff=True, has_fit_teaching=True, note="三项都合格"
    )  # fmt: skip


def _end_notice(application: Application, day: datetime.date) -> None:
    """The notice was over yesterday."""
    Application.objects.filter(pk=application.pk).update(notice_from=day - 9 * _DAY, notice_until=day - _DAY)
    acts.end_notices()
    application.refresh_from_db()


def _approve(application: Application, officer: User, day: datetime.date) -> None:
    number = f"虚教许{REGION_CODE}第新{application.pk:03}号"
    grant = Grant(number, "书画、陶艺", day, day + datetime.timedelta(days=3 * 365))
    approve(application=application, by=officer, reason="公示无异议，条件齐备", grant=grant)


def _date_back(application: Application, idle_days: int, day: datetime.date) -> None:
    """Spread the acts over the weeks before; what nobody has touched for long is overdue."""
    events = list(application.events.order_by("pk"))
    for back, event in enumerate(reversed(events)):
        event.at = at(day - (idle_days + back * _BETWEEN) * _DAY, 10) if idle_days or back else timezone.now()
    ApplicationEvent.objects.bulk_update(events, ["at"])
    applied_on, last = (timezone.localdate(events[0].at), timezone.localdate(events[-1].at)) if events else (None, None)
    Application.objects.filter(pk=application.pk).update(
        applied_on=applied_on, step_began_on=last, created_at=at((applied_on or day) - 3 * _DAY, 9),
        decided_on=day - idle_days * _DAY if application.decided_on else None,
        due_on=application.due_on - idle_days * _DAY if application.due_on and idle_days else application.due_on,
    )  # fmt: skip


def _read_what_is_done(made: Sequence[Application]) -> None:
    """Of each application the newest notice is unread, and only while somebody has to act."""
    latest = Application.objects.filter(pk__in=[each.pk for each in made]).annotate(event=Max("events")).values_list("pk", "event", "state")
    keep = [f"application:{pk}:{event}" for pk, event, state in latest if state not in (_S.APPROVED, _S.REFUSED, _S.WITHDRAWN)]
    Notice.objects.filter(occasion__startswith="application:").exclude(occasion__in=keep).update(read_at=timezone.now())
