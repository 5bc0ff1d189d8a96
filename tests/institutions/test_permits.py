"""What an approval of each kind changes, and permits: never two of one scope at a time."""

from __future__ import annotations

import datetime
import threading
from dataclasses import replace
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, connections, transaction
from django.urls import reverse

from qingdan.accounts.models import User
from qingdan.institutions.actions.permits import approve, revoke
from qingdan.institutions.enums import ApplicationState
from qingdan.institutions.models import Application, Institution, Permit, Premises
from qingdan.notices.models import Notice
from tests.district import MONDAY, District, signed_in
from tests.institutions.applying import GRANT, details_of, lead_to, make_applicant, make_application, make_department
from tests.institutions.making import make_course, make_permit, make_premises

S = ApplicationState


def to_decide(operator: User, officer: User, kind: str, **values: Any) -> Application:
    """An application of a kind that is ready for its decision."""
    given: dict[str, Any] = {"details": details_of(kind)} | values
    application = make_application(operator, kind, **given)
    return lead_to(application, S.TO_DECIDE, by=operator, officer=officer)


def test_reregistration_makes_it_non_profit(district: District, institution: Institution, operator: User) -> None:
    Institution.objects.filter(pk=institution.pk).update(registration="company")
    approve(application=to_decide(operator, district.bureau, "reregistration"), by=district.bureau, reason="同意")
    institution.refresh_from_db()
    assert (institution.registration, institution.credit_code) == ("non_profit", details_of("reregistration")["credit_code"])


def test_a_filing_becomes_an_approval_with_an_online_permit(district: District, institution: Institution, operator: User) -> None:
    Institution.objects.filter(pk=institution.pk).update(approval_basis="filing")
    application = to_decide(operator, district.bureau, "filing_to_approval")
    with pytest.raises(ValidationError, match="要发许可证"):
        approve(application=application, by=district.bureau, reason="同意")
    approve(application=application, by=district.bureau, reason="同意", grant=GRANT)
    institution.refresh_from_db()
    assert (institution.approval_basis, institution.runs_online) == ("approval", True)
    assert Permit.objects.get().premises is None


def test_premises_are_added_with_a_permit_of_their_own(district: District, institution: Institution, operator: User) -> None:
    make_permit(institution, make_premises(institution), district.bureau)
    approve(application=to_decide(operator, district.bureau, "premises"), by=district.bureau, reason="同意", grant=GRANT)
    assert set(Permit.objects.in_force(datetime.date(2027, 1, 4)).values_list("premises__name", flat=True)) == {"本部", "分部"}


def test_a_change_takes_name_legal_person_and_address(district: District, institution: Institution, operator: User) -> None:
    premises = make_premises(institution)
    details = details_of("change") | {"new_address": "示范路9号"}
    approve(
        application=to_decide(operator, district.bureau, "change", details=details, premises=premises), by=district.bureau, reason="同意"
    )
    institution.refresh_from_db()
    premises.refresh_from_db()
    assert (institution.organisation.name, institution.legal_person, premises.address) == ("新名艺术中心", "李示例", "示范路9号")


def test_conversion_ends_the_old_permit_and_issues_a_new_one(district: District, institution: Institution, operator: User) -> None:
    Institution.objects.filter(pk=institution.pk).update(
        category="academic", field="academic", department="education", registration="company"
    )
    institution.refresh_from_db()
    premises = make_premises(institution)
    old = make_permit(institution, premises, district.bureau)
    approve(
        application=to_decide(operator, district.bureau, "conversion", premises=premises), by=district.bureau, reason="同意", grant=GRANT
    )
    institution.refresh_from_db()
    old.refresh_from_db()
    assert (institution.category, institution.field, institution.department, institution.registration) == (
        "non_academic", "culture", "culture", "non_profit",
    )  # fmt: skip
    assert (old.revoked_on, old.revocation_reason) == (MONDAY, "转型换证")
    assert Permit.objects.get(revoked_on=None).field == "culture"


def test_a_renewal_begins_after_the_old_permit(district: District, institution: Institution, operator: User) -> None:
    premises = make_premises(institution)
    old = make_permit(institution, premises, district.bureau, ends_on=datetime.date(2026, 12, 31))
    application = to_decide(operator, district.bureau, "renewal", premises=premises)
    with pytest.raises(ValidationError, match="在有效期上重叠"):
        approve(application=application, by=district.bureau, reason="同意", grant=GRANT)
    application.refresh_from_db()
    assert (application.state, Permit.objects.count()) == (S.TO_DECIDE, 1)
    grant = replace(GRANT, starts_on=datetime.date(2027, 1, 1))
    with pytest.raises(ValidationError, match="许可证号已经用过"):
        approve(application=application, by=district.bureau, reason="同意", grant=replace(grant, number=old.number))
    with pytest.raises(ValidationError, match="有效期止要晚于"):
        approve(application=application, by=district.bureau, reason="同意", grant=replace(grant, ends_on=datetime.date(2026, 1, 1)))
    approve(application=application, by=district.bureau, reason="同意", grant=grant)
    assert Permit.objects.filter(premises=premises, revoked_on=None).count() == 2


def test_closing_down_waits_for_the_courses(district: District, institution: Institution, operator: User) -> None:
    premises = make_premises(institution)
    permit = make_permit(institution, premises, district.bureau)
    course = make_course(institution, permit)
    application = to_decide(operator, district.bureau, "closure")
    with pytest.raises(ValidationError, match="还有 1 门课程没有结束"):
        approve(application=application, by=district.bureau, reason="同意")
    course.state = "ended"
    course.save()
    approve(application=application, by=district.bureau, reason="同意")
    for each in (institution, permit, premises):
        each.refresh_from_db()
    assert (institution.state, permit.revoked_on, premises.closed_on) == ("closed", MONDAY, MONDAY)


def test_a_permit_is_revoked_with_a_reason_by_its_own_department(district: District, institution: Institution, operator: User) -> None:
    permit = make_permit(institution, make_premises(institution), district.bureau)
    with pytest.raises(ValidationError, match="写明吊销的理由"):
        revoke(permit=permit, by=district.bureau, reason=" ")
    culture = make_department(district.region, "culture")
    with pytest.raises(ValidationError, match="您的部门不能吊销"):
        revoke(permit=permit, by=district.bureau, reason="超范围")
    revoke(permit=permit, by=culture, reason="超范围")
    with pytest.raises(ValidationError, match="请刷新"):
        revoke(permit=permit, by=culture, reason="再来一次")
    permit.refresh_from_db()
    assert not permit.is_in_force(MONDAY)
    assert Notice.objects.filter(user=operator, text__contains="超范围").exists()


@pytest.mark.parametrize("has_premises", [True, False])
def test_two_permits_of_one_scope_never_overlap(district: District, institution: Institution, has_premises: bool) -> None:
    premises = make_premises(institution) if has_premises else None
    make_permit(institution, premises, district.bureau)
    with pytest.raises(IntegrityError, match="permits_of_one_scope_do_not_overlap"), transaction.atomic():
        make_permit(institution, premises, district.bureau)
    make_permit(institution, premises, district.bureau, field="sports")
    make_permit(institution, make_premises(institution, "分部"), district.bureau)


@pytest.mark.django_db(transaction=True)
def test_two_officers_at_once_issue_one_permit(district: District) -> None:
    by = make_applicant(district.region)
    application = lead_to(make_application(by), S.TO_DECIDE, by=by, officer=district.bureau)
    ready, told = threading.Barrier(2), []

    def decide(number: str) -> None:
        try:
            found = Application.objects.get(pk=application.pk)
            officer = User.objects.get(pk=district.bureau.pk)
            ready.wait(timeout=20)
            approve(application=found, by=officer, reason="同意", grant=replace(GRANT, number=number))
        except ValidationError as error:
            told.append(error.messages[0])
        finally:
            connections.close_all()

    threads = [threading.Thread(target=decide, args=[f"教民{number}"]) for number in (1, 2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=60)
    assert (Permit.objects.count(), Premises.objects.count()) == (1, 1)
    assert len(told) == 1
    assert "申请现在是“已批准”" in told[0]
    assert "bureau" in told[0]


@pytest.mark.django_db(transaction=True)
def test_two_threads_that_issue_one_scope_leave_one_permit(district: District, institution: Institution) -> None:
    premises, ready, refused = make_premises(institution), threading.Barrier(2), []

    def issue() -> None:
        try:
            ready.wait(timeout=20)
            make_permit(institution, premises, district.bureau)
        except (IntegrityError, OperationalError):
            # Two that check the same exclusion at once may also wait for each other: then one is refused as a deadlock.
            refused.append(1)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=issue) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=60)
    assert (Permit.objects.count(), len(refused)) == (1, 1)


def test_a_permit_tells_who_changed_what(district: District, institution: Institution, operator: User) -> None:
    permit = make_permit(institution, make_premises(institution), district.bureau)
    mine = signed_in(operator)
    assert "改动记录" not in mine.get(reverse("institutions:permit", args=[permit.pk])).content.decode()
    officer = signed_in(make_department(district.region, "culture"))
    officer.post(reverse("institutions:permit_revoke", args=[permit.pk]), {"reason": "超出许可范围"})
    Permit.objects.filter(pk=permit.pk).update(scope="书画")
    page = mine.get(reverse("institutions:permit", args=[permit.pk])).content.decode()
    for told in (
        "吊销或注销日期：（空） → 2026-11-16",
        "吊销或注销理由：（空） → 超出许可范围",
        "许可范围：义务教育阶段非学科类培训 → 书画",
    ):
        assert told in page
    assert "officer_culture</small>" in page
