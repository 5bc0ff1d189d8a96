"""Who sees which contracts, how they are found, and what a page costs."""

from __future__ import annotations

import datetime
import html
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from qingdan.accounts.enums import OrganisationKind, Role
from qingdan.accounts.models import Organisation, User
from qingdan.escrow.models import CustodyAgreement
from qingdan.institutions.models import Course
from tests.district import District, make_user, signed_in
from tests.escrow.making import make_agreement, make_contract
from tests.institutions.making import make_institution

LIST = reverse("escrow:contracts")


def text_of(response: Any) -> str:
    """What a reader sees, entities read."""
    return html.unescape(response.content.decode())


def test_each_sees_his_own_and_officers_only_what_is_signed(
    agreement: CustodyAgreement, parent: User, operator: User, district: District
) -> None:
    states = ("draft", "offered", "signed", "active", "cancelled")
    made = {state: make_contract(agreement, parent, operator, state=state) for state in states}
    rival = make_institution(district.region, "另一家")
    rival_clerk = make_user("rival", Role.INSTITUTION, rival.organisation)
    office = Organisation.objects.create(
        name="体育局", kind=OrganisationKind.BUREAU, layer_code=district.region.layer_code, region_code=district.region.code,
        department="sports",
    )  # fmt: skip
    seen = {
        operator: set(states),
        parent: {"offered", "signed", "active", "cancelled"},
        district.bureau: {"signed", "active"},
        rival_clerk: set(),
        district.second.parent: set(),
        make_user("sports", Role.DEPARTMENT, office): set(),
    }
    for user, expected in seen.items():
        client = signed_in(user)
        shown = text_of(client.get(LIST))
        assert {state for state in states if f"/prepaid/contracts/{made[state].pk}/" in shown} == expected, user
        for state in states:
            status = client.get(reverse("escrow:contract", args=[made[state].pk])).status_code
            assert status == (200 if state in expected else 404), (user, state)


def test_an_officer_is_told_no_childs_name_and_cannot_try_one(
    agreement: CustodyAgreement, parent: User, operator: User, district: District
) -> None:
    contract = make_contract(agreement, parent, operator, learner_name="欧阳示例", signed_text="一、双方\n学员：欧阳示例\n")
    bureau = signed_in(district.bureau)
    pages = [LIST, f"{LIST}?q=儿童画", reverse("escrow:contract", args=[contract.pk])]
    for address in pages:
        shown = text_of(bureau.get(address))
        assert "欧*" in shown
        assert "欧阳" not in shown
    for tried in ("欧阳示例", "ouyang"):
        assert "没有符合筛选条件的合同" in text_of(bureau.get(LIST, {"q": tried}))
    assert bureau.get(reverse("escrow:contract_download", args=[contract.pk])).status_code == 404
    sheet = openpyxl.load_workbook(BytesIO(bureau.get(reverse("escrow:contracts_export")).content)).active
    assert [cell.value for cell in sheet[2]][2:4] == ["欧*", "儿童画"]
    assert [cell.value for cell in sheet[2]][6] == 1000


@pytest.mark.parametrize("asked", ["陈小雨", "chenxiaoyu", "chen xiao", "cxy", "国画", "guohua", "HT9"])
def test_contracts_are_found_by_name_sound_initials_and_number(
    asked: str, agreement: CustodyAgreement, parent: User, operator: User
) -> None:
    make_contract(agreement, parent, operator)
    make_contract(agreement, parent, operator, number="HT9", learner_name="陈小雨", course_name="国画")
    for user in (operator, parent):
        shown = text_of(signed_in(user).get(LIST, {"q": asked}, headers={"HX-Request": "true"}))
        assert "1 份符合筛选" in shown
        assert "陈小雨" in shown


def test_filters_and_export_go_together_and_nonsense_is_left_out(
    agreement: CustodyAgreement, parent: User, operator: User, course: Course, district: District
) -> None:
    make_contract(agreement, parent, operator, state="offered", course=course)
    make_contract(agreement, parent, operator, state="signed", learner_name="=HYPERLINK(1)")
    client = signed_in(operator)
    for asked, count in (("state=signed", 1), (f"course={course.pk}", 1), ("state=nonsense&course=abc", 2), ("page=99", 2)):
        assert f"{count} 份" in text_of(client.get(f"{LIST}?{asked}"))
    answer = client.get(f"{reverse('escrow:contracts_export')}?state=signed")
    sheet = openpyxl.load_workbook(BytesIO(answer.content)).active
    assert sheet["C2"].value == "'=HYPERLINK(1)"
    assert sheet["A3"].value is None
    bureau = signed_in(district.bureau)
    day = datetime.date(2026, 10, 26)
    assert "1 份符合筛选" in text_of(bureau.get(LIST, {"signed_from": str(day), "signed_until": str(day)}))
    assert "没有符合筛选条件的合同" in text_of(bureau.get(LIST, {"signed_from": str(day + datetime.timedelta(days=1))}))


def test_the_home_page_says_what_waits_for_a_signature_and_a_payment(agreement: CustodyAgreement, parent: User, operator: User) -> None:
    make_contract(agreement, parent, operator, state="offered")
    make_contract(agreement, parent, operator, state="signed")
    shown = text_of(signed_in(parent).get(reverse("home")))
    assert "1 份培训合同等您核对签署" in shown
    assert "1 份已签的培训合同等您缴费" in shown
    waiting = text_of(signed_in(parent).get(LIST))
    assert waiting.index("核对并签署") < waiting.index("去缴费")


def test_empty_lists_say_what_to_do_next(operator: User, parent: User, district: District) -> None:
    for user, words in ((operator, "起草第一份"), (parent, "生成签约码"), (district.bureau, "还没有已签的合同")):
        assert words in text_of(signed_in(user).get(LIST))


@pytest.mark.parametrize("who", ["operator", "parent", "bureau"])
def test_a_list_costs_the_same_for_few_and_many(
    who: str, agreement: CustodyAgreement, parent: User, operator: User, district: District
) -> None:
    client = signed_in({"operator": operator, "parent": parent, "bureau": district.bureau}[who])

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(LIST).status_code == 200
        return len(queries)

    make_contract(agreement, parent, operator, state="signed")
    client.get(LIST)
    few = cost()
    for _ in range(12):
        make_contract(agreement, parent, operator, state="signed")
    assert cost() == few
    assert few < 16


def test_the_page_of_a_paid_contract_shows_where_the_money_is(agreement: CustodyAgreement, parent: User, operator: User) -> None:
    contract = make_contract(agreement, parent, operator)
    for user in (parent, operator):
        shown = text_of(signed_in(user).get(reverse("escrow:contract", args=[contract.pk])))
        for words in ("未消课", "1,000.00 元（10 课时", "示例银行"):
            assert words in shown
        assert agreement.account_number not in shown


def test_a_text_that_was_tampered_with_is_shown_as_such(agreement: CustodyAgreement, parent: User, operator: User) -> None:
    contract = make_contract(agreement, parent, operator, signed_text="不是签的那份")
    assert "与签署时的摘要不符" in text_of(signed_in(parent).get(reverse("escrow:contract", args=[contract.pk])))


def test_an_agreement_of_another_bank_does_not_change_what_was_signed(
    agreement: CustodyAgreement, parent: User, operator: User, district: District
) -> None:
    contract = make_contract(agreement, parent, operator)
    CustodyAgreement.objects.filter(pk=agreement.pk).update(ends_on=datetime.date(2026, 11, 1))
    make_agreement(agreement.institution, district.bureau, starts_on=datetime.date(2026, 11, 2), bank_name="新银行")
    assert "新银行" not in text_of(signed_in(parent).get(reverse("escrow:contract", args=[contract.pk])))
