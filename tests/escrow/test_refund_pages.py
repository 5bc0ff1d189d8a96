"""Refunds through the doors users use."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from qingdan.accounts.enums import Role
from qingdan.accounts.models import Organisation, User
from qingdan.escrow import tasks
from qingdan.escrow.actions import instructing, refunds
from qingdan.escrow.enums import RefundState
from qingdan.escrow.models import BankInstruction, Contract, CustodyAgreement, PaymentOrder, Refund
from qingdan.institutions.models import Institution
from qingdan.web.todos import todos_of
from tests.district import MONDAY, District, make_user, signed_in
from tests.escrow.making import make_agreement, make_contract


@pytest.fixture
def contract(agreement: CustodyAgreement, parent: User, operator: User) -> Contract:
    return make_contract(agreement, parent, operator)


def said(response: Any) -> str:
    return " ".join(str(each) for each in get_messages(response.wsgi_request))


def applied(contract: Contract, lessons: int = 10) -> Refund:
    return refunds.apply(contract, lessons=lessons, reason="搬家", by=contract.guardian)


def test_a_family_sees_the_sum_before_it_applies(contract: Contract, parent: User, operator: User) -> None:
    client, address = signed_in(parent), reverse("escrow:refund_apply", args=[contract.pk])
    assert "10 课时（合同第 1 至 10 课时）" in client.get(address).content.decode()
    part = client.get(address, {"lessons": "3"}, headers={"HX-Request": "true"}).content.decode()
    assert "300.00 元" in part
    assert "<html" not in part
    response = client.post(address, {"lessons": "11", "reason": "搬家"})
    assert response.status_code == 422
    assert "现在可退 1 至 10 课时" in response.content.decode()
    assert "写一句退费原因" in client.post(address, {"lessons": "3", "reason": ""}).content.decode()
    assert not Refund.objects.exists()
    for _ in range(2):
        response = client.post(address, {"lessons": "3", "reason": "搬家"})
        assert response.headers["Location"] == reverse("escrow:refund", args=[Refund.objects.get().pk])
    assert client.get(address).status_code == 302, "the open one is shown instead"
    assert "撤回申请" in client.get(response.headers["Location"]).content.decode()
    assert "已撤回退费申请" in said(client.post(reverse("escrow:refund_withdraw", args=[Refund.objects.get().pk])))


def test_an_institution_agrees_and_a_second_answer_is_told_off(contract: Contract, operator: User) -> None:
    refund, client = applied(contract), signed_in(operator)
    assert "同意，退 1,000.00 元" in client.get(reverse("escrow:refund", args=[refund.pk])).content.decode()
    address = reverse("escrow:refund_answer", args=[refund.pk])
    assert client.post(address, {}).status_code == 422
    response = client.post(address, {"verdict": "contest", "text": ""})
    assert "不同意请写明理由" in response.content.decode()
    assert "已答复" in said(client.post(address, {"verdict": "agree"}))
    assert "请刷新页面" in client.post(address, {"verdict": "agree"}).content.decode()
    assert BankInstruction.objects.get().amount_fen == 100_000


def test_a_bureau_decides_overdue_ones_first_and_sees_no_names(
    contract: Contract, agreement: CustodyAgreement, parent: User, operator: User, district: District
) -> None:
    late = applied(make_contract(agreement, parent, operator, course_name="围棋"))
    refund = refunds.answer(applied(contract), agrees=False, text="已上两课时", by=operator)
    Refund.objects.filter(pk=late.pk).update(due_on=MONDAY - datetime.timedelta(days=1))
    client = signed_in(district.bureau)
    page = client.get(reverse("escrow:refunds")).content.decode()
    assert page.index("围棋") < page.index("儿童画")
    assert "已逾期" in page
    assert "儿童画" not in client.get(reverse("escrow:refunds"), {"state": "overdue"}).content.decode()
    assert contract.learner_name not in page
    address = reverse("escrow:refund_decide", args=[refund.pk])
    assert (
        "核定理由" in client.post(address, {"verdict": "approve"}).content.decode() or "理由" in client.post(address, {}).content.decode()
    )
    assert "1 至 10 之间" in client.post(address, {"verdict": "approve", "lessons": 11, "reason": "核实"}).content.decode()
    assert "已核定" in said(client.post(address, {"verdict": "approve", "lessons": 8, "reason": "核实"}))
    refund.refresh_from_db()
    assert (refund.lessons, refund.due_fen) == (8, 80_000)


def test_what_came_back_from_the_bank_is_paid_to_another_account(contract: Contract, operator: User, district: District) -> None:
    refund = refunds.answer(applied(contract), agrees=True, text="", by=operator)
    assert refund.instruction is not None
    instructing.rejected(refund.instruction, reason="账户已销户")
    client, address = signed_in(district.bureau), reverse("escrow:refund_pay", args=[refund.pk])
    assert "重新退款" in client.get(reverse("escrow:refund", args=[refund.pk])).content.decode()
    assert "账号是 8 至 34 位" in client.post(address, {"to_account": "12 34", "to_name": "家长"}).content.decode()
    assert "已重新生成" in said(client.post(address, {"to_account": "62170000005678", "to_name": "家长示例"}))
    refund.refresh_from_db()
    assert refund.instruction is not None
    assert refund.instruction.to_account == "62170000005678"


def test_with_a_reserve_institution_family_and_bureau_each_say_their_part(
    institution: Institution, district: District, parent: User, operator: User
) -> None:
    agreement = make_agreement(institution.organisation, district.bureau, mode="reserve")
    refund = refunds.answer(applied(make_contract(agreement, parent, operator)), agrees=True, text="", by=operator)
    clerk, family, officer = signed_in(operator), signed_in(parent), signed_in(district.bureau)
    told, arrived = reverse("escrow:refund_tell", args=[refund.pk]), reverse("escrow:refund_receive", args=[refund.pk])
    assert "银行转账的流水号" in clerk.post(told, {"on": "2026-11-16"}).content.decode()
    assert "等家长确认" in said(clerk.post(told, {"on": "2026-11-16", "reference": "ICBC1"}))
    assert "收到了吗" in family.get(reverse("escrow:refund", args=[refund.pk])).content.decode()
    assert any("等您确认" in each.text for each in todos_of(parent))
    assert "没有收到" in said(family.post(arrived, {"arrived": "no"}))
    draw = reverse("escrow:refund_draw", args=[refund.pk])
    assert "储备金可动用 0.00 元" in officer.post(draw).content.decode()
    clerk.post(told, {"on": "2026-11-16", "reference": "ICBC2"})
    assert "这笔退费办完了" in said(family.post(arrived, {"arrived": "yes"}))
    refund.refresh_from_db()
    assert refund.state == RefundState.PAID


def test_a_bureau_closes_an_institution_after_looking_at_count_and_sum(
    contract: Contract, agreement: CustodyAgreement, parent: User, operator: User, district: District
) -> None:
    make_contract(agreement, parent, operator)
    client, address = signed_in(district.bureau), reverse("escrow:closing", args=[agreement.institution_id])
    page = client.get(address).content.decode()
    assert "2,000.00 元" in page
    assert "2 份合同" in page
    assert contract.learner_name not in page
    assert "先核对" in client.post(address, {"reason": "停办"}).content.decode()
    assert "停办或退费的原因" in client.post(address, {"is_sure": "on"}).content.decode()
    assert "已开始退还" in said(client.post(address, {"reason": "停办", "is_sure": "on"}))
    job = ProcrastinateJob.objects.get(task_name="escrow.refund_all")
    refunds.refund_all(agreement.institution, reason=job.args["reason"], by=district.bureau)
    assert "都退完或上完" not in client.get(address).content.decode(), "contracts stay until the money has arrived"
    for instruction in BankInstruction.objects.all():
        instructing.booked(instruction, on=MONDAY, bank_reference=f"B{instruction.pk}")
    assert "都退完或上完" in client.get(address).content.decode()
    assert {task.name for task in (tasks.refund_all, tasks.prepare_releases_of_the_day)} == {"escrow.refund_all", "escrow.prepare_releases"}


def test_an_institution_sees_what_is_coming(contract: Contract, operator: User) -> None:
    applied(contract)
    page = signed_in(operator).get(reverse("escrow:coming")).content.decode()
    assert "1,000.00 元" in page
    assert "还没有划拨" in page
    assert "1 件" in page
    CustodyAgreement.objects.update(is_release_paused=True)
    assert "已暂停" in signed_in(operator).get(reverse("escrow:coming")).content.decode()


def test_only_the_department_of_the_agreement_decides(contract: Contract, operator: User, district: District) -> None:
    refund = refunds.answer(applied(contract), agrees=False, text="不同意", by=operator)
    for department, status in (("culture", 302), ("sports", 404)):
        office = Organisation.objects.create(
            name=f"某区{department}局", kind="bureau", layer_code="demo-district", region_code=district.region.code, department=department
        )
        client = signed_in(make_user(department, Role.DEPARTMENT, office))
        assert client.get(reverse("escrow:closing", args=[contract.institution_id])).status_code == (200 if status == 302 else 404)
        decision = {"verdict": "refuse", "reason": "合同另有约定"}
        assert client.post(reverse("escrow:refund_decide", args=[refund.pk]), decision).status_code == status


def test_everybody_is_told_what_to_do_today(contract: Contract, parent: User, operator: User, district: District) -> None:
    refund = applied(contract)
    assert any("退费申请等本机构答复" in each.text for each in todos_of(operator))
    refunds.answer(refund, agrees=False, text="不同意", by=operator)
    assert any("退费等您核定" in each.text and each.is_urgent for each in todos_of(district.bureau))
    assert PaymentOrder.objects.count() == 1
