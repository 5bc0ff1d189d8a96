"""Approving: the decision, what it changes in the registry, and the permit that comes of it. And taking a permit away."""

from __future__ import annotations

import datetime
import logging
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from qingdan.accounts.enums import Role
from qingdan.accounts.models import Organisation, User
from qingdan.institutions.actions.applications import acting, complete, judge_as_if_approved
from qingdan.institutions.actions.registry import refuse_planned_sessions
from qingdan.institutions.enums import (
    ApplicationAct,
    ApplicationKind,
    ApplicationState,
    ApprovalBasis,
    CourseState,
    InstitutionState,
    RegistrationKind,
)
from qingdan.institutions.models import Application, Course, Institution, Permit, Premises
from qingdan.institutions.routing import acts_for, offices_over
from qingdan.notices.models import Notice
from qingdan.places.calendar import today
from qingdan.places.models import Region
from qingdan.storage.refusals import in_words

log = logging.getLogger(__name__)

#: Kinds whose approval is a permit.
WITH_PERMIT = (
    ApplicationKind.NEW,
    ApplicationKind.FILING_TO_APPROVAL,
    ApplicationKind.PREMISES,
    ApplicationKind.CONVERSION,
    ApplicationKind.RENEWAL,
)


@dataclass(frozen=True)
class Grant:
    """What an officer says of the permit: number, scope and term, both days included."""

    number: str
    scope: str
    starts_on: datetime.date
    ends_on: datetime.date


def approve(*, application: Application, by: User, reason: str, grant: Grant | None = None) -> Application:
    """Approve, change the registry and issue the permit, all of it or nothing; what the law objects to is not approved."""
    with in_words(Permit, Premises, Institution, Organisation), acting(application, ApplicationAct.APPROVE, by) as found:
        if not reason.strip():
            raise ValidationError("请写明批准的理由")
        if objections := judge_as_if_approved(found):
            raise ValidationError([_told(each["sentence"], each["cites"]) for each in objections])
        if found.kind in WITH_PERMIT and grant is None:
            raise ValidationError("这类申请批准时要发许可证，请填写许可证号、范围和有效期")
        premises = _apply(found, by)
        permit = _issue(found, premises, grant, by) if found.kind in WITH_PERMIT and grant is not None else None
        complete(
            found, ApplicationAct.APPROVE, ApplicationState.APPROVED, by=by, reason=reason,
            decided_on=today(), decision_reason=reason.strip(), permit=permit, premises=premises,
        )  # fmt: skip
    return application


def _told(sentence: str, cites: list[dict[str, str]]) -> str:
    return f"{sentence}（依据：{'；'.join(each['text'] for each in cites)}）"


def _apply(application: Application, by: User) -> Premises | None:
    """Change the registry as applied for; the premises that the permit is for."""
    kind, details = application.kind, application.details
    if kind == ApplicationKind.NEW:
        institution = _found_institution(application)
        return None if details.get("is_online") else _open_premises(application, institution)
    institution = _institution(application)
    premises = application.premises
    if kind == ApplicationKind.REREGISTRATION:
        institution.registration = RegistrationKind.NON_PROFIT
        institution.credit_code = details.get("credit_code") or institution.credit_code
    elif kind == ApplicationKind.FILING_TO_APPROVAL:
        institution.approval_basis, institution.runs_online = ApprovalBasis.APPROVAL, True
    elif kind == ApplicationKind.PREMISES:
        return _open_premises(application, institution)
    elif kind == ApplicationKind.CHANGE:
        _change(application, institution)
    elif kind == ApplicationKind.CONVERSION:
        institution.category, institution.field, institution.audience = application.category, application.field, application.audience
        institution.department, institution.registration = application.department, details["registration"]
        end_permits(institution, "转型换证")
    elif kind == ApplicationKind.CLOSURE:
        _close(institution, details.get("statement", ""))
    institution.full_clean(exclude=["organisation", "region"], validate_constraints=True)
    institution.save()
    log.info("institution.changed institution=%s kind=%s by=%s", institution.pk, kind, by.pk)
    return premises


def _institution(application: Application) -> Institution:
    found = Institution.objects.select_for_update(of=("self",)).filter(pk=application.applicant_id).first()
    if found is None:
        raise ValidationError("申请单位还没有登记为培训机构，先要办理设立许可")
    if found.state == InstitutionState.CLOSED:
        raise ValidationError("这家机构已注销，不能再办理这类申请")
    return found


def _found_institution(application: Application) -> Institution:
    """The institution as of its first approval; one that stood in the registry without a permit is brought up to date."""
    details, owner = application.details, application.applicant
    region = Region.objects.filter(code=owner.region_code).first()
    if region is None:
        raise ValidationError("申请单位没有所在地区，请先在单位资料里补上行政区划代码")
    found = Institution.objects.filter(pk=owner.pk).first() or Institution(organisation=owner, registered_on=today())
    found.region, found.credit_code, found.legal_person = region, details["credit_code"], details["legal_person"]
    found.registration, found.category, found.field = details["registration"], application.category, application.field
    found.audience, found.department = application.audience, application.department
    found.approval_basis, found.runs_online = ApprovalBasis.APPROVAL, bool(details.get("is_online"))
    found.street = details.get("premises_street") or found.street
    found.full_clean(exclude=["organisation", "region"])
    found.save()
    return found


def _open_premises(application: Application, institution: Institution) -> Premises:
    details = application.details
    premises = Premises(
        institution=institution, name=details["premises_name"], address=details["premises_address"],
        street=details.get("premises_street", ""), area_m2=details["area_m2"], opened_on=today(),
    )  # fmt: skip
    premises.full_clean(exclude=["institution"])
    premises.save()
    return premises


def _change(application: Application, institution: Institution) -> None:
    details = application.details
    if name := details.get("new_name"):
        owner = application.applicant
        owner.name = name
        owner.full_clean()
        owner.save(update_fields=["name"])
    institution.legal_person = details.get("new_legal_person") or institution.legal_person
    if (address := details.get("new_address")) and application.premises is not None:
        application.premises.address = address
        application.premises.full_clean(exclude=["institution"])
        application.premises.save(update_fields=["address"])


def _close(institution: Institution, reason: str) -> None:
    going_on = Course.objects.filter(institution=institution, state__in=[CourseState.FILED, CourseState.SUBMITTED], ends_on__gte=today())
    if count := going_on.count():
        raise ValidationError(f"还有 {count} 门课程没有结束；请先停开或等结课，再批准终止办学")
    refuse_planned_sessions(institution)
    end_permits(institution, "终止办学")
    institution.premises.filter(Q(closed_on=None) | Q(closed_on__gt=today()), opened_on__lte=today()).update(closed_on=today())
    institution.state, institution.state_reason = InstitutionState.CLOSED, f"经批准终止办学。{reason}"[:300]


def end_permits(institution: Institution, reason: str) -> None:
    """End every permit that still holds, or will."""
    for permit in Permit.objects.select_for_update().filter(institution=institution, revoked_on=None, ends_on__gte=today()):
        permit.revoked_on, permit.revocation_reason = max(today(), permit.starts_on), reason
        permit.save(update_fields=["revoked_on", "revocation_reason"])


def _issue(application: Application, premises: Premises | None, grant: Grant, by: User) -> Permit:
    permit = Permit(
        institution_id=application.applicant_id, premises=premises, number=grant.number.strip(), department=application.department,
        category=application.category, field=application.field, audience=application.audience, scope=grant.scope.strip(),
        starts_on=grant.starts_on, ends_on=grant.ends_on, issued_by=by,
    )  # fmt: skip
    if permit.ends_on <= permit.starts_on:
        raise ValidationError({"ends_on": "有效期止要晚于有效期起"})
    permit.full_clean(exclude=["institution", "premises", "issued_by"], validate_constraints=False)
    permit.save()
    log.info("permit.issued permit=%s institution=%s by=%s", permit.pk, permit.institution_id, by.pk)
    return permit


@transaction.atomic
def revoke(*, permit: Permit, by: User, reason: str) -> Permit:
    """Take a permit away from today on, with a reason; the institution is told."""
    found = Permit.objects.select_for_update(of=("self",)).select_related("institution__organisation").get(pk=permit.pk)
    owner = found.institution.organisation
    if not acts_for(by, found.department, offices_over(owner)):
        raise ValidationError(f"这张许可证由{found.get_department_display()}发出，您的部门不能吊销")
    if found.revoked_on is not None:
        raise ValidationError(f"这张许可证已于 {found.revoked_on:%Y-%m-%d} 吊销或注销（{found.revocation_reason}），请刷新后再看")
    if not reason.strip():
        raise ValidationError({"reason": "请写明吊销的理由"})
    found.revoked_on, found.revocation_reason = max(today(), found.starts_on), reason.strip()[:300]
    found.save(update_fields=["revoked_on", "revocation_reason"])
    users = User.objects.filter(organisation=owner, role=Role.INSTITUTION, is_active=True)
    text = f"许可证 {found.number} 自 {found.revoked_on:%Y-%m-%d} 起吊销：{found.revocation_reason}"
    Notice.objects.send(users, occasion=f"permit-revoked:{found.pk}", text=text[:300])
    log.info("permit.revoked permit=%s by=%s", found.pk, by.pk)
    return found
