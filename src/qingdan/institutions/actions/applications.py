"""An application's way from draft to decision. Each act checks the state under a lock, keeps who did it and tells the other side.

The law is asked twice: when an application is handed in (as if it were approved today) and when it is to be approved.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from qingdan.accounts.enums import OFFICERS, Role
from qingdan.accounts.models import User
from qingdan.institutions.actions.deadlines import start_step
from qingdan.institutions.enums import OPEN_STATES, ApplicationAct, ApplicationKind, ApplicationState
from qingdan.institutions.models import Application, ApplicationEvent, ApplicationFile
from qingdan.institutions.routing import acts_for, after_working_days, deadlines_of, office_of, offices_over
from qingdan.judging.trying import objections_to
from qingdan.notices.models import Notice
from qingdan.places.calendar import today
from qingdan.policy.telling import Told
from qingdan.storage.files import FILES_MAX, ReadFile
from qingdan.storage.refusals import in_words

log = logging.getLogger(__name__)

_S = ApplicationState
#: In which states each act may be done.
ALLOWED_IN: dict[ApplicationAct, tuple[ApplicationState, ...]] = {
    ApplicationAct.SUBMIT: (_S.DRAFT, _S.INCOMPLETE),
    ApplicationAct.RETURN: (_S.SUBMITTED,),
    ApplicationAct.ACCEPT: (_S.SUBMITTED,),
    ApplicationAct.CONSULT: (_S.ACCEPTED,),
    ApplicationAct.REVIEW: (_S.ACCEPTED,),
    ApplicationAct.VISIT: (_S.TO_VISIT,),
    ApplicationAct.NOTIFY: (_S.TO_NOTIFY,),
    ApplicationAct.OBJECT: (_S.ON_NOTICE,),
    ApplicationAct.END_NOTICE: (_S.ON_NOTICE,),
    ApplicationAct.APPROVE: (_S.TO_DECIDE,),
    ApplicationAct.REFUSE: (_S.ACCEPTED, _S.TO_VISIT, _S.TO_NOTIFY, _S.TO_DECIDE),
    ApplicationAct.WITHDRAW: OPEN_STATES,
}
#: Kinds that the public is asked about.
NEEDS_NOTICE = (
    ApplicationKind.NEW,
    ApplicationKind.REREGISTRATION,
    ApplicationKind.FILING_TO_APPROVAL,
    ApplicationKind.PREMISES,
    ApplicationKind.CONVERSION,
    ApplicationKind.CLOSURE,
)
#: Whoever closes down needs no fit premises for it.
WITHOUT_VISIT = (ApplicationKind.CLOSURE,)
#: Acts that the applicant does.
_BY_APPLICANT = (ApplicationAct.SUBMIT, ApplicationAct.WITHDRAW)


def state_after_review(kind: str) -> ApplicationState:
    """Where an application goes when its papers are in order."""
    return state_after_visit(kind) if kind in WITHOUT_VISIT else _S.TO_VISIT


def state_after_visit(kind: str) -> ApplicationState:
    """Where an application goes when its premises have been seen."""
    return _S.TO_NOTIFY if kind in NEEDS_NOTICE else _S.TO_DECIDE


@contextmanager
def acting(application: Application, act: ApplicationAct, by: User | None) -> Iterator[Application]:
    """The application, locked and fresh; raise ValidationError when somebody was faster or the user may not act."""
    with transaction.atomic():
        found = Application.objects.select_for_update(of=("self",)).select_related("applicant").get(pk=application.pk)
        if found.state not in ALLOWED_IN[act]:
            raise ValidationError(_overtaken(found, act))
        if by is not None and act in _BY_APPLICANT and by.organisation_id != found.applicant_id:
            raise ValidationError("只有申请单位可以这样做")
        if by is not None and act not in _BY_APPLICANT and not acts_for(by, department_for(found, act), offices_over(found.applicant)):
            raise ValidationError(f"这一步由{found.get_department_display()}办理，您的部门不能代办")
        yield found
    # What the page holds goes on with what is now kept.
    application.refresh_from_db()


def department_for(application: Application, act: str) -> str:
    """The department that an act belongs to."""
    return application.second_department if act == ApplicationAct.CONSULT else application.department


def _overtaken(application: Application, act: ApplicationAct) -> str:
    last = application.events.select_related("actor").last()
    told = f"申请现在是“{application.get_state_display()}”，不能再“{act.label}”"
    if last is None:
        return told
    who = str(last.actor) if last.actor else "系统"
    at = timezone.localtime(last.at)
    return f"{told}；最近一步是 {at:%m-%d %H:%M} {who}“{last.get_act_display()}”，请刷新后再看"


def _step(
    application: Application, act: ApplicationAct, state: ApplicationState, *, by: User | None, reason: str = "", **changes: Any
) -> ApplicationEvent:
    """Write the new state with its deadline and the event."""
    moved = application.state != state
    application.state = state
    for name, value in changes.items():
        setattr(application, name, value)
    if moved:
        start_step(application)
    department = "" if by is None or act in _BY_APPLICANT else department_for(application, act)
    event = ApplicationEvent(application=application, act=act, actor=by, department=department, reason=reason.strip())
    event.full_clean(exclude=["application", "actor"])
    application.save()
    event.save()
    log.info("application.%s application=%s state=%s by=%s", act.value, application.pk, state.value, by.pk if by else None)
    return event


def _tell_applicant(event: ApplicationEvent, text: str) -> None:
    application = event.application
    users = User.objects.filter(organisation_id=application.applicant_id, role=Role.INSTITUTION, is_active=True)
    _send(users, event, f"“{application.get_kind_display()}”申请：{text}")


def tell_department(event: ApplicationEvent, text: str, department: str = "") -> None:
    """Tell the officers of a department (the one in charge when none is named)."""
    application = event.application
    office = office_of(department or application.department, offices_over(application.applicant))
    if office is not None:
        users = User.objects.filter(organisation=office, role__in=OFFICERS, is_active=True)
        _send(users, event, f"{application.applicant}“{application.get_kind_display()}”申请：{text}")


def _send(users: Any, event: ApplicationEvent, text: str) -> None:
    url = reverse("institutions:application", args=[event.application_id])
    Notice.objects.send(users, occasion=f"application:{event.application_id}:{event.pk}", text=text[:300], url=url)


def judge_as_if_approved(application: Application) -> list[dict[str, Any]]:
    """What the law would object to if the application were approved today; nothing stays written.

    Only breaches object: what is not known yet (the visit has not been) is no objection.
    """
    approved = {
        "state": _S.APPROVED, "decided_on": today(), "decision_reason": "试判", "has_fit_premises": application.has_fit_premises,
        "has_fit_staff": application.has_fit_staff, "has_fit_teaching": application.has_fit_teaching,
    }  # fmt: skip
    write = Application.objects.filter(pk=application.pk)
    told = objections_to("institution_application", application.pk, lambda: write.update(**approved))
    return [_kept(each) for each in told]


def _kept(told: Told) -> dict[str, Any]:
    facts = asdict(told)
    return {"rule": facts["rule_id"]} | {name: facts[name] for name in ("title", "sentence", "remedy", "cites")}


def submit(*, application: Application, by: User) -> Application:
    """Hand it in. What the law never allows is refused at once, with the clause; anything else goes to the department in charge."""
    with in_words(Application), acting(application, ApplicationAct.SUBMIT, by) as found:
        if not found.files.filter(is_of_visit=False).exists():
            raise ValidationError("请先上传申请材料（如章程、场地证明、举办者资质），至少一份")
        was_returned = found.state == _S.INCOMPLETE
        event = _step(found, ApplicationAct.SUBMIT, _S.SUBMITTED, by=by, applied_on=found.applied_on or today())
        if objections := judge_as_if_approved(found):
            _refuse_by_law(found, objections)
        else:
            tell_department(event, "补正材料已交，请核对" if was_returned else "已提交，请核对材料")
    return application


def _refuse_by_law(application: Application, objections: Sequence[dict[str, Any]]) -> None:
    sentences = "；".join(each["title"] for each in objections)
    reason = f"政策不允许：{sentences}"[:1000]
    event = _step(
        application, ApplicationAct.REFUSE, _S.REFUSED, by=None, reason=reason,
        decided_on=today(), decision_reason=reason, objections=list(objections),
    )  # fmt: skip
    _tell_applicant(event, reason)


def return_incomplete(*, application: Application, by: User, reason: str) -> Application:
    """Give it back with the list of what is missing."""
    with acting(application, ApplicationAct.RETURN, by) as found:
        event = _step(found, ApplicationAct.RETURN, _S.INCOMPLETE, by=by, reason=reason)
        _tell_applicant(event, f"材料不齐，请补正：{event.reason}")
    return application


def accept(*, application: Application, by: User, reason: str = "") -> Application:
    """The papers are complete; the second department, where there is one, is asked."""
    with acting(application, ApplicationAct.ACCEPT, by) as found:
        event = _step(found, ApplicationAct.ACCEPT, _S.ACCEPTED, by=by, reason=reason, is_second_agreed=None)
        _tell_applicant(event, "已受理")
        if found.second_department:
            tell_department(event, "请会签", found.second_department)
    return application


def consult(*, application: Application, by: User, is_agreed: bool, reason: str = "") -> Application:
    """The second department agrees, or not, then with a reason."""
    with acting(application, ApplicationAct.CONSULT, by) as found:
        if found.is_second_agreed is not None:
            raise ValidationError(_overtaken(found, ApplicationAct.CONSULT))
        if not is_agreed and not reason.strip():
            raise ValidationError("不同意要写明理由，好让主管部门和申请单位知道")
        said = "同意" if is_agreed else "不同意"
        event = _step(
            found, ApplicationAct.CONSULT, _S.ACCEPTED, by=by, reason=f"{said}。{reason.strip()}".rstrip("。"), is_second_agreed=is_agreed
        )
        tell_department(event, f"{found.get_second_department_display()}会签{said}")
    return application


def review(*, application: Application, by: User, reason: str = "") -> Application:
    """The department in charge finds the papers in order; the second one must have agreed."""
    with acting(application, ApplicationAct.REVIEW, by) as found:
        if found.second_department and not found.is_second_agreed:
            second = found.get_second_department_display()
            raise ValidationError(
                f"{second}还没有会签，请等会签后再审查通过" if found.is_second_agreed is None else f"{second}不同意，只能作出不予批准的决定"
            )
        state = state_after_review(found.kind)
        event = _step(found, ApplicationAct.REVIEW, state, by=by, reason=reason)
        _tell_applicant(event, f"审查通过，下一步：{state.label}")
    return application


def visit(
    *, application: Application, by: User, has_fit_premises: bool, has_fit_staff: bool, has_fit_teaching: bool,
    note: str = "", photos: Sequence[ReadFile] = (),
) -> Application:  # fmt: skip
    """What was seen on site, with photos. Whatever is not fit is said in the note."""
    with acting(application, ApplicationAct.VISIT, by) as found:
        if not (has_fit_premises and has_fit_staff and has_fit_teaching) and not note.strip():
            raise ValidationError("有不合格的项目，请在说明里写清情况")
        add_files(application=found, by=by, label="现场照片", files=photos, is_of_visit=True)
        state = state_after_visit(found.kind)
        event = _step(
            found, ApplicationAct.VISIT, state, by=by, reason=note,
            has_fit_premises=has_fit_premises, has_fit_staff=has_fit_staff, has_fit_teaching=has_fit_teaching,
        )  # fmt: skip
        _tell_applicant(event, "已完成现场核查")
    return application


def start_notice(*, application: Application, by: User) -> Application:
    """Ask the public, for as many working days as the bureau has set."""
    with acting(application, ApplicationAct.NOTIFY, by) as found:
        office = office_of(found.department, offices_over(found.applicant))
        assert office is not None, "who acts has an office"
        until = after_working_days(found.applicant.layer_code, today(), deadlines_of(office)[_S.ON_NOTICE])
        if until is None:
            raise ValidationError("公示期内有的日子上不上班还没有定（国家尚未公布该年的放假安排）；请先在校历里填写")
        event = _step(found, ApplicationAct.NOTIFY, _S.ON_NOTICE, by=by, notice_from=today(), notice_until=until)
        _tell_applicant(event, f"开始公示，至 {until:%Y-%m-%d}")
    return application


def record_objection(*, application: Application, by: User, reason: str) -> Application:
    """Keep what somebody objected during the notice."""
    with acting(application, ApplicationAct.OBJECT, by) as found:
        event = _step(found, ApplicationAct.OBJECT, _S.ON_NOTICE, by=by, reason=reason)
        _tell_applicant(event, "公示期内收到异议，主管部门将在决定时一并考虑")
    return application


def end_notices() -> int:
    """Every notice whose last day is over goes on to the decision; how many did."""
    ended = 0
    for each in Application.objects.filter(state=_S.ON_NOTICE, notice_until__lt=today()):
        try:
            with acting(each, ApplicationAct.END_NOTICE, None) as found:
                event = _step(found, ApplicationAct.END_NOTICE, _S.TO_DECIDE, by=None)
                tell_department(event, "公示期满，请作出决定")
        except ValidationError:
            # Somebody was faster: withdrawn, or another run of this job.
            continue
        ended += 1
    return ended


def refuse(*, application: Application, by: User, reason: str) -> Application:
    """Decide against it, with a reason."""
    with acting(application, ApplicationAct.REFUSE, by) as found:
        if not reason.strip():
            raise ValidationError("请写明不予批准的理由")
        event = _step(found, ApplicationAct.REFUSE, _S.REFUSED, by=by, reason=reason, decided_on=today(), decision_reason=reason.strip())
        _tell_applicant(event, f"不予批准：{event.reason}")
    return application


def withdraw(*, application: Application, by: User, reason: str = "") -> Application:
    """The applicant takes it back."""
    with acting(application, ApplicationAct.WITHDRAW, by) as found:
        event = _step(found, ApplicationAct.WITHDRAW, _S.WITHDRAWN, by=by, reason=reason)
        tell_department(event, "申请单位已撤回")
    return application


def complete(application: Application, act: ApplicationAct, state: ApplicationState, *, by: User, reason: str, **changes: Any) -> None:
    """The last step of an approval, for ``actions.permits``; inside :func:`acting`."""
    event = _step(application, act, state, by=by, reason=reason, **changes)
    _tell_applicant(event, f"已批准：{event.reason}")


@transaction.atomic
def add_files(*, application: Application, by: User, label: str, files: Sequence[ReadFile], is_of_visit: bool = False) -> None:
    """Keep files with an application."""
    present = application.files.filter(is_of_visit=is_of_visit).count()
    if present + len(files) > FILES_MAX:
        raise ValidationError(f"一件申请最多 {FILES_MAX} 个文件，现有 {present} 个；请合并后再上传")
    for file in files:
        ApplicationFile.objects.create(
            application=application, is_of_visit=is_of_visit, label=label.strip() or "申请材料", name=file.name,
            content_type=file.kind.content_type, size_bytes=len(file.content), content=file.content, added_by=by,
        )  # fmt: skip
    log.info("application.files_added application=%s files=%s by=%s", application.pk, len(files), by.pk)


def remind() -> int:
    """Tell departments and applicants of steps that end tomorrow or are overdue, once for each step; how many notices were new."""
    told = 0
    horizon = today() + datetime.timedelta(days=1)
    late = Application.objects.filter(state__in=OPEN_STATES, due_on__lte=horizon).exclude(state=_S.ON_NOTICE).select_related("applicant")
    for each in late:
        office = office_of(each.department, offices_over(each.applicant))
        is_applicants = each.state == _S.INCOMPLETE
        users = User.objects.filter(organisation=each.applicant if is_applicants else office, is_active=True)
        assert each.due_on is not None
        when = "已超过期限" if each.due_on < today() else "即将到期"
        text = f"{each.applicant}“{each.get_kind_display()}”申请{when}（{each.get_state_display()}，应在 {each.due_on:%Y-%m-%d} 前办理）"
        occasion = f"application-due:{each.pk}:{each.state}:{each.due_on}:{'late' if each.due_on < today() else 'soon'}"
        told += Notice.objects.send(users, occasion=occasion, text=text[:300], url=reverse("institutions:application", args=[each.pk]))
    return told
