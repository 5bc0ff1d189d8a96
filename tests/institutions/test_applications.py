"""Applications from draft to decision: who may do what in which state, and what the law says."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from qingdan.accounts.models import User
from qingdan.institutions.actions import applications as acts
from qingdan.institutions.actions.permits import approve
from qingdan.institutions.enums import ApplicationAct, ApplicationState
from qingdan.institutions.models import Application, Institution, Permit
from qingdan.institutions.tasks import end_finished_notices, remind_of_deadlines
from qingdan.notices.models import Notice
from tests.district import MONDAY, District
from tests.institutions.applying import GRANT, PAPER, lead_to, make_applicant, make_application, make_department
from tests.institutions.making import credit_code

S, A = ApplicationState, ApplicationAct
Act = Callable[[Application, User, User], Any]

ACTS: dict[ApplicationAct, Act] = {
    A.SUBMIT: lambda each, by, officer: acts.submit(application=each, by=by),
    A.RETURN: lambda each, by, officer: acts.return_incomplete(application=each, by=officer, reason="缺场地证明"),
    A.ACCEPT: lambda each, by, officer: acts.accept(application=each, by=officer),
    A.CONSULT: lambda each, by, officer: acts.consult(application=each, by=officer, is_agreed=True),
    A.REVIEW: lambda each, by, officer: acts.review(application=each, by=officer),
    A.VISIT: lambda each, by, officer: acts.visit(
        application=each, by=officer, has_fit_premises=True, has_fit_staff=True, has_fit_teaching=True
    ),
    A.NOTIFY: lambda each, by, officer: acts.start_notice(application=each, by=officer),
    A.OBJECT: lambda each, by, officer: acts.record_objection(application=each, by=officer, reason="楼上居民有意见"),
    A.APPROVE: lambda each, by, officer: approve(application=each, by=officer, reason="符合条件", grant=GRANT),
    A.REFUSE: lambda each, by, officer: acts.refuse(application=each, by=officer, reason="场地不合规划"),
    A.WITHDRAW: lambda each, by, officer: acts.withdraw(application=each, by=by),
}
#: Act -> state before -> state after; whatever is not here is refused.
TABLE: dict[ApplicationAct, dict[ApplicationState, ApplicationState]] = {
    A.SUBMIT: {S.DRAFT: S.SUBMITTED, S.INCOMPLETE: S.SUBMITTED},
    A.RETURN: {S.SUBMITTED: S.INCOMPLETE},
    A.ACCEPT: {S.SUBMITTED: S.ACCEPTED},
    A.CONSULT: {S.ACCEPTED: S.ACCEPTED},
    A.REVIEW: {S.ACCEPTED: S.TO_VISIT},
    A.VISIT: {S.TO_VISIT: S.TO_NOTIFY},
    A.NOTIFY: {S.TO_NOTIFY: S.ON_NOTICE},
    A.OBJECT: {S.ON_NOTICE: S.ON_NOTICE},
    A.APPROVE: {S.TO_DECIDE: S.APPROVED},
    A.REFUSE: dict.fromkeys((S.ACCEPTED, S.TO_VISIT, S.TO_NOTIFY, S.TO_DECIDE), S.REFUSED),
    A.WITHDRAW: dict.fromkeys((S.SUBMITTED, S.INCOMPLETE, S.ACCEPTED, S.TO_VISIT, S.TO_NOTIFY, S.ON_NOTICE, S.TO_DECIDE), S.WITHDRAWN),
}


def put_in(application: Application, state: ApplicationState, act: ApplicationAct) -> None:
    """As if it had come there by the ordinary way."""
    decided = {"decided_on": MONDAY, "decision_reason": "已定"} if state in (S.APPROVED, S.REFUSED) else {}
    fit = dict.fromkeys(("has_fit_premises", "has_fit_staff", "has_fit_teaching"), True)
    agreed = None if act == A.CONSULT else True
    Application.objects.filter(pk=application.pk).update(state=state, is_second_agreed=agreed, **fit, **decided)


def test_every_act_is_allowed_in_its_states_only(district: District) -> None:
    by = make_applicant(district.region)
    application = make_application(by)
    for act, do in ACTS.items():
        for state in S:
            put_in(application, state, act)
            wanted = TABLE[act].get(state)
            if wanted is None:
                with pytest.raises(ValidationError, match="不能再"):
                    do(application, by, district.bureau)
                application.refresh_from_db()
                assert application.state == state
            else:
                do(application, by, district.bureau)
                assert application.state == wanted, (act, state)


def test_a_new_institution_comes_to_its_permit_through_two_departments(district: District) -> None:
    culture, market = make_department(district.region, "culture"), make_department(district.region, "market")
    by = make_applicant(district.region)
    application = lead_to(make_application(by), S.TO_DECIDE, by=by, officer=culture, second=market)
    approve(application=application, by=culture, reason="符合条件", grant=GRANT)
    founded = Institution.objects.get(organisation=by.organisation)
    permit = Permit.objects.get(institution=founded)
    assert (application.state, application.permit) == (S.APPROVED, permit)
    assert (permit.number, permit.premises.name, permit.department) == (GRANT.number, "本部", "culture")  # type: ignore[union-attr]
    assert (founded.approval_basis, founded.department) == ("approval", "culture")
    departments: list[tuple[Any, ...]] = list(application.events.values_list("act", "department", "actor"))
    assert ("consult", "market", market.pk) in departments
    assert ("end_notice", "", None) in departments
    assert Notice.objects.filter(user=by, text__contains="已批准").exists()


def test_a_department_cannot_act_for_another(district: District) -> None:
    culture, market = make_department(district.region, "culture"), make_department(district.region, "market")
    by = make_applicant(district.region)
    application = lead_to(make_application(by), S.SUBMITTED, by=by, officer=culture)
    for stranger in (market, district.bureau, by):
        with pytest.raises(ValidationError, match="由文化和旅游部门办理"):
            acts.accept(application=application, by=stranger)
    acts.accept(application=application, by=culture)
    with pytest.raises(ValidationError):
        acts.consult(application=application, by=culture, is_agreed=True)


def test_the_second_department_decides_whether_it_goes_on(district: District) -> None:
    by = make_applicant(district.region)
    application = lead_to(make_application(by), S.ACCEPTED, by=by, officer=district.bureau)
    with pytest.raises(ValidationError, match="还没有会签"):
        acts.review(application=application, by=district.bureau)
    with pytest.raises(ValidationError, match="写明理由"):
        acts.consult(application=application, by=district.bureau, is_agreed=False)
    acts.consult(application=application, by=district.bureau, is_agreed=False, reason="名称已被占用")
    with pytest.raises(ValidationError, match="只能作出不予批准"):
        acts.review(application=application, by=district.bureau)


@pytest.mark.parametrize(
    ("layer", "clause"), [("cn-shanghai", "s0.institutions.no-new-academic"), ("cn-xinjiang", "s1.approval.no-new-academic")]
)
def test_a_new_academic_institution_is_refused_at_once_with_the_clause(district: District, layer: str, clause: str) -> None:
    by = make_applicant(district.region, layer_code=layer)
    application = make_application(by, category="academic", field="academic")
    acts.submit(application=application, by=by)
    assert application.state == S.REFUSED
    assert application.objections[0]["rule"].startswith("institutions.no-new-academic")
    assert clause in [cite["clause"] for cite in application.objections[0]["cites"]]
    last = application.events.last()
    assert last is not None
    assert (last.act, last.actor, last.department) == ("refuse", None, "")
    assert "政策不允许" in last.reason
    assert Notice.objects.filter(user=by, text__contains="政策不允许").exists()


@pytest.mark.parametrize("layer", ["cn-shanghai", "cn-xinjiang", "demo-district"])
def test_a_non_academic_one_goes_its_way_everywhere(district: District, layer: str) -> None:
    by = make_applicant(district.region, layer_code=layer)
    assert acts.submit(application=make_application(by), by=by).state == S.SUBMITTED


def test_nothing_unfit_is_approved(district: District) -> None:
    by = make_applicant(district.region)
    application = lead_to(make_application(by), S.TO_VISIT, by=by, officer=district.bureau)
    with pytest.raises(ValidationError, match="写清情况"):
        acts.visit(application=application, by=district.bureau, has_fit_premises=False, has_fit_staff=True, has_fit_teaching=True)
    acts.visit(
        application=application, by=district.bureau, has_fit_premises=False, has_fit_staff=True, has_fit_teaching=True, note="消防不合格"
    )
    lead_to(application, S.TO_DECIDE, by=by, officer=district.bureau)
    with pytest.raises(ValidationError, match="三项都合格才可批准"):
        approve(application=application, by=district.bureau, reason="通融", grant=GRANT)
    application.refresh_from_db()
    assert (application.state, Permit.objects.count(), Institution.objects.count()) == (S.TO_DECIDE, 0, 0)


def test_an_application_without_papers_is_not_handed_in(district: District) -> None:
    by = make_applicant(district.region)
    application = make_application(by, papers=False)
    with pytest.raises(ValidationError, match="请先上传申请材料"):
        acts.submit(application=application, by=by)
    with pytest.raises(ValidationError, match="最多"):
        acts.add_files(application=application, by=by, label="章程", files=[PAPER] * 11)
    assert not application.files.exists()


def test_one_open_application_of_a_kind_at_a_time(district: District) -> None:
    by = make_applicant(district.region)
    acts.submit(application=make_application(by), by=by)
    second = make_application(by)
    with pytest.raises(ValidationError, match="已有一件申请在办"):
        acts.submit(application=second, by=by)
    second.refresh_from_db()
    assert (second.state, second.events.count()) == (S.DRAFT, 0)


def test_deadlines_are_counted_in_working_days(district: District) -> None:
    by = make_applicant(district.region)
    application = acts.submit(application=make_application(by), by=by)
    # Five working days after a Monday.
    assert application.due_on == MONDAY + datetime.timedelta(days=7)
    lead_to(application, S.ON_NOTICE, by=by, officer=district.bureau)
    assert (application.notice_from, application.notice_until) == (MONDAY, MONDAY + datetime.timedelta(days=7))


def test_a_notice_ends_by_the_calendar_and_only_then(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    by = make_applicant(district.region)
    application = lead_to(make_application(by), S.ON_NOTICE, by=by, officer=district.bureau)
    last = MONDAY + datetime.timedelta(days=7)
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: last)
    assert acts.end_notices() == 0
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: last + datetime.timedelta(days=1))
    assert acts.end_notices() == 1
    assert acts.end_notices() == 0
    application.refresh_from_db()
    assert application.state == S.TO_DECIDE


def test_reminders_are_sent_once(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.db.connections.close_all", lambda: None)
    by = make_applicant(district.region)
    acts.submit(application=make_application(by), by=by)
    assert acts.remind() == 0
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: MONDAY + datetime.timedelta(days=8))
    remind_of_deadlines(0)
    remind_of_deadlines(0)
    end_finished_notices(0)
    told = Notice.objects.filter(user=district.bureau, occasion__startswith="application-due:")
    assert [each.text for each in told] == ["拟设艺术中心“设立许可”申请已超过期限（待核对材料，应在 2026-11-23 前办理）"]


def test_a_credit_code_of_somebody_else_is_refused_at_approval(district: District, institution: Institution) -> None:
    by = make_applicant(district.region)
    Institution.objects.filter(pk=institution.pk).update(credit_code=credit_code(77))
    application = make_application(by)
    Application.objects.filter(pk=application.pk).update(details=application.details | {"credit_code": credit_code(77)})
    application.refresh_from_db()
    lead_to(application, S.TO_DECIDE, by=by, officer=district.bureau)
    with pytest.raises(ValidationError, match="已有机构用这个统一社会信用代码"):
        approve(application=application, by=district.bureau, reason="符合", grant=GRANT)
