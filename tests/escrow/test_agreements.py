"""Agreements are entered, changed from a day on, ended, paused; each side sees its own."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from qingdan.accounts.enums import OrganisationKind, Role
from qingdan.accounts.models import Organisation, User
from qingdan.escrow.actions import agreements as acts
from qingdan.escrow.actions import balancing, gaps, reconciling
from qingdan.escrow.models import CustodyAgreement, DayBalance, RiskStep
from qingdan.escrow.public import custody_marks
from qingdan.institutions.models import Institution
from qingdan.notices.models import Notice
from tests.district import MONDAY, District, make_user, signed_in
from tests.escrow.banking import make_instruction, make_line, make_statement
from tests.escrow.making import LONG_AGO, make_agreement, make_contract
from tests.institutions.making import make_institution

_DAY = datetime.timedelta(days=1)
FORM = {
    "mode": "custody", "bank_name": "示例银行", "channel": "http", "account_number": "6228480000000001",
    "settlement_name": "示例艺术培训中心", "settlement_account": "6228480000000002", "starts_on": "2026-11-16",
}  # fmt: skip


def form(of: Institution | None = None, /, **values: str) -> dict[str, str]:
    given = FORM | ({"institution": str(of.organisation.pk)} if of else {})
    return given | values


def test_a_bureau_enters_an_agreement_and_the_institution_is_told(institution: Institution, operator: User, district: District) -> None:
    officer = signed_in(district.bureau)
    assert institution.organisation.name in officer.get(reverse("escrow:agreement_new")).content.decode()
    answer = officer.post(reverse("escrow:agreement_new"), form(institution))
    made = CustodyAgreement.objects.get()
    assert answer.status_code == 302
    assert (made.department, made.mode, made.entered_by) == ("culture", "custody", district.bureau)
    assert "托管协议" in Notice.objects.get(user=operator).text
    page = signed_in(operator).get(reverse("escrow:agreement", args=[made.pk])).content.decode()
    assert "6228480000000001" in page


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"account_number": "1234"}, "账号是 8 至 34 位数字或字母"),
        ({"settlement_account": "6228480000000001"}, "结算账号不能与监管账号相同"),
        ({"mode": "reserve"}, "风险储备金要写明下限"),
        ({"mode": "reserve", "reserve_floor_fen": "-5"}, "金额要大于零"),
        ({"starts_on": "明天"}, "日期请写成"),
        ({"institution": "0"}, "请从列表里选一家机构"),
        ({"bank_name": ""}, "请填写监管银行"),
    ],
)
def test_what_is_not_whole_is_refused_in_words(institution: Institution, district: District, values: dict[str, str], said: str) -> None:
    answer = signed_in(district.bureau).post(reverse("escrow:agreement_new"), form(institution, **values))
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not CustodyAgreement.objects.exists()


def test_two_agreements_at_once_are_refused(agreement: CustodyAgreement, institution: Institution, district: District) -> None:
    answer = signed_in(district.bureau).post(reverse("escrow:agreement_new"), form(institution))
    assert answer.status_code == 422
    assert "同期已有监管协议" in answer.content.decode()


def test_the_mode_changes_from_a_day_on_and_old_contracts_stay(
    agreement: CustodyAgreement, operator: User, parent: User, district: District
) -> None:
    contract = make_contract(agreement, parent, operator)
    url = reverse("escrow:agreement_change", args=[agreement.pk])
    officer = signed_in(district.bureau)
    assert officer.get(url).status_code == 200
    values = form(mode="reserve", reserve_floor_fen="100000", starts_on="2026-12-01")
    assert officer.post(url, values).status_code == 302
    agreement.refresh_from_db()
    contract.refresh_from_db()
    successor = CustodyAgreement.objects.get(mode="reserve")
    assert agreement.ends_on == datetime.date(2026, 11, 30)
    assert (successor.reserve_floor_fen, successor.department) == (10_000_000, agreement.department)
    assert contract.agreement == agreement
    assert officer.post(url, form(starts_on="2025-09-01")).status_code == 422


def test_an_agreement_ends_but_not_in_the_past(agreement: CustodyAgreement, district: District) -> None:
    officer, url = signed_in(district.bureau), reverse("escrow:agreement_end", args=[agreement.pk])
    for day, said in (("2025-01-01", "不能早于开始日期"), ("2026-11-01", "不能早于昨天"), ("", "请填协议的最后一天")):
        answer = officer.post(url, {"on": day})
        assert answer.status_code == 422
        assert said in answer.content.decode()
    assert officer.post(url, {"on": "2026-11-15"}).status_code == 302
    with pytest.raises(ValidationError, match="已于"):
        acts.end(agreement, on=MONDAY, by=district.bureau)


def test_a_pause_needs_a_reason_and_stands_in_the_risk_file(agreement: CustodyAgreement, operator: User, district: District) -> None:
    officer, url = signed_in(district.bureau), reverse("escrow:agreement_pause", args=[agreement.pk])
    assert officer.post(url, {"reason": " "}).status_code == 422
    assert officer.post(url, {"reason": "核查"}).status_code == 302
    assert officer.post(url, {"reason": "再点一次"}).status_code == 302
    agreement.refresh_from_db()
    assert agreement.is_release_paused
    step = RiskStep.objects.get()
    assert (step.kind, step.text, step.made_by) == ("paused", "核查", district.bureau)
    assert "暂停划拨：核查" in Notice.objects.get(user=operator).text
    assert officer.post(url, {"reason": "查清", "verdict": "resume"}).status_code == 302
    assert RiskStep.objects.filter(kind="resumed").exists()
    assert signed_in(operator).post(url, {"reason": "我来"}).status_code == 404


def test_a_department_sees_its_own_only(agreement: CustodyAgreement, district: District) -> None:
    def officer_of(department: str) -> User:
        office = Organisation.objects.create(
            name=f"某{department}局", kind=OrganisationKind.BUREAU, department=department, layer_code="demo-district",
            region_code=district.region.code,
        )  # fmt: skip
        return make_user(f"officer-{department}", Role.DEPARTMENT, office)

    url = reverse("escrow:agreement", args=[agreement.pk])
    assert signed_in(officer_of("culture")).get(url).status_code == 200
    assert signed_in(officer_of("sports")).get(url).status_code == 404


def test_another_institution_sees_nothing_of_it(agreement: CustodyAgreement, district: District) -> None:
    statement = reconciling.take_in(make_statement(agreement, make_line("", 100)), agreements=[agreement]).statement
    [day] = balancing.balance(agreement, since=MONDAY, until=MONDAY)
    number = DayBalance.objects.get(on_date=day.on_date).pk
    other = make_user("stranger", Role.INSTITUTION, make_institution(district.region, "别家").organisation)
    client = signed_in(other)
    addresses = {"agreement": agreement.pk, "bank_statement": statement.pk, "line": statement.lines.get().pk, "day": number}
    for name, pk in addresses.items():
        assert client.get(reverse(f"escrow:{name}", args=[pk])).status_code == 404
    for name in ("agreements", "instructions", "statements", "lines", "days"):
        assert agreement.institution.name not in client.get(reverse(f"escrow:{name}")).content.decode()


def test_the_public_may_know_mode_and_bank(agreement: CustodyAgreement) -> None:
    (mark,) = custody_marks(agreement.institution_id, MONDAY)
    assert mark.text.startswith(f"第三方托管，{agreement.bank_name}")
    assert agreement.account_number not in mark.text
    (before,) = custody_marks(agreement.institution_id, LONG_AGO - _DAY)
    assert before.text == "没有监管协议，请不要预付学费。"


def test_who_has_no_agreement_is_named(institution: Institution, district: District) -> None:
    page = signed_in(district.bureau).get(reverse("escrow:agreements")).content.decode()
    assert "没有监管协议的机构" in page
    assert institution.organisation.name in page


@pytest.mark.parametrize("url", ["agreements", "instructions", "statements", "lines", "days", "gaps"])
def test_pages_ask_no_more_for_more_rows(institution: Institution, district: District, operator: User, url: str) -> None:
    officer = signed_in(district.bureau)

    def add(name: str) -> None:
        found = make_institution(district.region, name) if name else institution
        agreement = make_agreement(found.organisation, district.bureau)
        make_instruction(agreement)
        reconciling.take_in(make_statement(agreement, make_line("", 100)), agreements=[agreement])
        balancing.balance(agreement, since=MONDAY, until=MONDAY)
        gaps.reckon()

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert officer.get(reverse(f"escrow:{url}"), {"kind": "all"}).status_code == 200
        return len(captured)

    add("")
    queries()
    few = queries()
    for number in range(4):
        add(f"机构{number}")
    assert queries() == few


def test_filters_find_by_sound_mode_and_state(agreement: CustodyAgreement, district: District) -> None:
    officer, url = signed_in(district.bureau), reverse("escrow:agreements")
    name = agreement.institution.name

    def listed(**values: Any) -> bool:
        return name in officer.get(url, values, headers={"HX-Request": "true"}).content.decode()

    assert listed()
    assert listed(q="shili")
    assert listed(mode="custody")
    assert not listed(mode="reserve")
    assert not listed(state="paused")
    assert not listed(q="没有")
