"""Refunds: computed before they are asked for, answered, decided, paid; and what the book says at each step."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from qingdan.accounts.models import User
from qingdan.escrow import books
from qingdan.escrow.actions import instructing, lessons, refunds, reserve
from qingdan.escrow.actions.lessons import Taught
from qingdan.escrow.enums import ContractState, InstructionState, RefundBasis, RefundState
from qingdan.escrow.models import BankInstruction, Contract, CustodyAgreement, Lesson, PaymentOrder, Refund
from qingdan.escrow.standing import Standing, standing_of
from qingdan.institutions.models import Institution
from qingdan.notices.models import Notice
from tests.district import MONDAY, TUESDAY, District
from tests.escrow.making import make_agreement, make_contract

SATURDAY_BEFORE = MONDAY - datetime.timedelta(days=2)


@pytest.fixture
def contract(agreement: CustodyAgreement, parent: User, operator: User) -> Contract:
    return make_contract(agreement, parent, operator)


@pytest.fixture
def reserved(institution: Institution, district: District, parent: User, operator: User) -> Contract:
    """A contract whose money the institution has, with a reserve of 5,000 yuan."""
    agreement = make_agreement(institution.organisation, district.bureau, mode="reserve")
    books.post_reserve(agreement, fen=500_000, effective_on=MONDAY, key="reserve:1")
    return make_contract(agreement, parent, operator)


def give(contract: Contract, by: User, *, lessons_given: int = 1, confirmed: bool = True, number: int = 0) -> Lesson:
    starts_at = 8 * 60 + 100 * number
    taught = Taught(1, SATURDAY_BEFORE, starts_at, starts_at + 40 * lessons_given)
    lesson = lessons.record([contract], taught=taught, lessons=lessons_given, by=by).new[0]
    if confirmed:
        lessons.confirm([lesson], by=contract.guardian)
    return lesson


def test_the_computation_is_shown_step_by_step(contract: Contract) -> None:
    standing = Standing(contract, left=6, held_fen=60_000, waiting=1, disputed=1, returned=1, returned_fen=10_000)
    computed = refunds.compute(standing, 4)
    assert [(each["label"], each["fen"]) for each in computed.steps] == [
        ("已缴", 100_000), ("每课时", None), ("已上", -30_000), ("以前已退", -10_000), ("剩余", 60_000), ("未定", None), ("合同约定", None),
        ("应退", 40_000),
    ]  # fmt: skip
    assert computed.steps[-1]["text"] == "4 课时（合同第 6 至 9 课时）"
    assert "1,000.00 元 ÷ 10 课时 = 100.00 元" in computed.steps[1]["text"]
    assert "未上的课时按单价退还；在平台申请，机构答复后原路退回（5 个工作日内办结）" in computed.steps[-2]["text"]


def test_what_is_agreed_goes_back_the_way_it_came(contract: Contract, parent: User, operator: User) -> None:
    give(contract, operator, lessons_given=4)
    refund = refunds.apply(contract, lessons=6, reason="搬家", by=parent)
    assert (refund.due_fen, refund.due_on) == (60_000, datetime.date(2026, 11, 23)), "five working days after Monday"
    assert standing_of(contract).held_fen == 60_000
    refund = refunds.answer(refund, agrees=True, text="", by=operator)
    assert (refund.state, refund.basis) == (RefundState.INSTRUCTED, RefundBasis.AGREED)
    instruction = refund.instruction
    assert instruction is not None
    assert (instruction.amount_fen, instruction.to_account, instruction.purpose) == (60_000, "6217000000001234", "refund")
    assert (standing_of(contract).left, standing_of(contract).refund_under_way_fen) == (0, 60_000)
    for _ in range(2):
        instructing.booked(instruction, on=TUESDAY, bank_reference="B1")
    refund.refresh_from_db()
    contract.refresh_from_db()
    assert (refund.state, refund.refunded_on, refund.refunded_fen) == (RefundState.PAID, TUESDAY, 60_000)
    assert (contract.state, contract.ended_on) == (ContractState.REFUNDED, TUESDAY)
    assert contract.agreement is not None
    assert books.due_at_bank_fen(contract.agreement) == 40_000, "what was given waits for its transfer"


def test_after_a_partial_refund_the_rest_goes_on_to_the_fen(agreement: CustodyAgreement, parent: User, operator: User) -> None:
    contract = make_contract(agreement, parent, operator, lessons=7, amount_fen=100_000)
    give(contract, operator, lessons_given=1)
    refund = refunds.answer(refunds.apply(contract, lessons=3, reason="时间冲突", by=parent), agrees=True, text="", by=operator)
    assert refund.instruction is not None
    instructing.booked(refund.instruction, on=TUESDAY, bank_reference="B1")
    for number in range(1, 4):
        give(contract, operator, number=number)
    contract.refresh_from_db()
    standing = standing_of(contract)
    assert (contract.state, standing.held_fen) == (ContractState.COMPLETED, 0)
    assert standing.released_fen + standing.refunded_fen == 100_000


def test_an_application_is_refused_in_words(contract: Contract, parent: User, operator: User) -> None:
    give(contract, operator, lessons_given=2, confirmed=False)
    with pytest.raises(ValidationError, match="现在可退 1 至 8 课时；待确认、有异议的课有结论后再退"):
        refunds.apply(contract, lessons=9, reason="搬家", by=parent)
    with pytest.raises(ValidationError, match="写一句退费原因"):
        refunds.apply(contract, lessons=1, reason=" ", by=parent)
    first = refunds.apply(contract, lessons=8, reason="搬家", by=parent)
    assert refunds.apply(contract, lessons=8, reason="搬家", by=parent) == first, "sent twice it is one"
    with pytest.raises(ValidationError, match="现在没有可退的课时"):
        refunds.apply(contract, lessons=1, reason="再退", by=parent)
    refunds.withdraw(first, by=parent)
    refunds.apply(contract, lessons=2, reason="再退", by=parent)
    with pytest.raises(ValidationError, match="这份合同已有办理中的退费"):
        refunds.apply(contract, lessons=1, reason="再退", by=parent)


def test_the_bureau_decides_what_is_contested_and_may_set_the_lessons(
    contract: Contract, parent: User, operator: User, district: District
) -> None:
    refund = refunds.apply(contract, lessons=10, reason="搬家", by=parent)
    with pytest.raises(ValidationError, match="不同意请写明理由"):
        refunds.answer(refund, agrees=False, text="", by=operator)
    refund = refunds.answer(refund, agrees=False, text="上了两课时还没登记", by=operator)
    assert (refund.state, standing_of(contract).held_fen) == (RefundState.CONTESTED, 100_000)
    with pytest.raises(ValidationError, match="核定的课时要在 1 至 10 之间"):
        refunds.decide(refund, is_approved=True, lessons=11, reason="核实", by=district.bureau)
    refund = refunds.decide(refund, is_approved=True, lessons=8, reason="核实上过两课时", by=district.bureau)
    assert (refund.lessons, refund.due_fen, refund.basis) == (8, 80_000, RefundBasis.DECIDED)
    assert refund.steps[-1]["fen"] == 80_000
    give(contract, operator, lessons_given=2)
    assert (standing_of(contract).left, standing_of(contract).held_fen) == (0, 0)


def test_a_refused_or_withdrawn_refund_leaves_the_lessons(contract: Contract, parent: User, operator: User, district: District) -> None:
    refund = refunds.answer(refunds.apply(contract, lessons=10, reason="搬家", by=parent), agrees=False, text="不退", by=operator)
    assert refunds.decide(refund, is_approved=False, reason="合同另有约定", by=district.bureau).state == RefundState.REFUSED
    again = refunds.withdraw(refunds.apply(contract, lessons=10, reason="搬家", by=parent), by=parent)
    assert (again.state, standing_of(contract).free) == (RefundState.WITHDRAWN, 10)
    with pytest.raises(ValidationError, match="请刷新页面"):
        refunds.answer(again, agrees=True, text="", by=operator)


def test_silence_of_the_institution_counts_as_agreement_where_the_law_says_so(
    contract: Contract, agreement: CustodyAgreement, parent: User, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refunds, "answer_until", lambda layer, day: day + datetime.timedelta(days=3))
    refund = refunds.apply(contract, lessons=1, reason="搬家", by=parent)
    monkeypatch.setattr(refunds, "answer_until", lambda layer, day: None)
    other = refunds.apply(make_contract(agreement, parent, operator), lessons=1, reason="搬家", by=parent)
    assert refunds.presume_silent(MONDAY + datetime.timedelta(days=3)) == 0
    assert [refunds.presume_silent(MONDAY + datetime.timedelta(days=4)) for _ in range(2)] == [1, 0]
    refund.refresh_from_db()
    other.refresh_from_db()
    assert (refund.basis, refund.state, other.state) == (RefundBasis.SILENCE, RefundState.INSTRUCTED, RefundState.APPLIED)


def test_what_the_bank_rejects_waits_for_another_account(contract: Contract, parent: User, operator: User, district: District) -> None:
    refund = refunds.answer(refunds.apply(contract, lessons=10, reason="搬家", by=parent), agrees=True, text="", by=operator)
    assert refund.instruction is not None
    for _ in range(2):
        instructing.rejected(refund.instruction, reason="账户已销户")
    refund.refresh_from_db()
    assert (refund.state, refund.instruction_id) == (RefundState.APPROVED, None)
    assert standing_of(contract).refund_under_way_fen == 100_000, "the money is still the family's"
    second = instructing.prepare_refund(refund, to_account="62170000009999", to_name="家长示例", by=district.bureau)
    assert second is not None
    assert instructing.prepare_refund(refund) is None, "told twice it is one"
    assert second.to_account == "62170000009999"
    instructing.booked(second, on=TUESDAY, bank_reference="B2")
    with pytest.raises(ValidationError, match="不能再记为拒绝"):
        instructing.rejected(second, reason="晚到的拒绝")
    with pytest.raises(ValidationError, match="银行曾答复拒绝"):
        instructing.booked(BankInstruction.objects.get(state=InstructionState.REJECTED), on=TUESDAY, bank_reference="B3")
    refund.refresh_from_db()
    assert refund.state == RefundState.PAID


def test_without_a_known_account_the_refund_is_approved_and_waits(contract: Contract, parent: User, operator: User) -> None:
    PaymentOrder.objects.update(payer_account="", payer_name="")
    refund = refunds.answer(refunds.apply(contract, lessons=10, reason="搬家", by=parent), agrees=True, text="", by=operator)
    assert (refund.state, standing_of(contract).held_fen) == (RefundState.APPROVED, 0)
    with pytest.raises(ValidationError, match="核实家长账户"):
        instructing.prepare_refund(refund)


def test_with_a_reserve_the_institution_pays_and_the_family_says_so(reserved: Contract, parent: User, operator: User) -> None:
    refund = refunds.answer(refunds.apply(reserved, lessons=10, reason="搬家", by=parent), agrees=True, text="", by=operator)
    assert (refund.state, BankInstruction.objects.count()) == (RefundState.APPROVED, 0)
    with pytest.raises(ValidationError, match="至今天之间"):
        reserve.tell_paid(refund, on=TUESDAY, reference="ABC", by=operator)
    reserve.tell_paid(refund, on=MONDAY, reference="ABC", by=operator)
    refund = reserve.not_received(refund, by=parent)
    assert (refund.state, refund.told_reference) == (RefundState.APPROVED, "")
    assert Notice.objects.filter(user=operator, text__contains="没有收到").exists()
    refund = reserve.received(reserve.tell_paid(refund, on=MONDAY, reference="ABD", by=operator), by=parent)
    reserved.refresh_from_db()
    assert (refund.state, refund.refunded_fen, reserved.state) == (RefundState.PAID, 100_000, ContractState.REFUNDED)
    with pytest.raises(ValidationError, match="请刷新页面"):
        reserve.received(refund, by=parent)


def test_the_reserve_pays_what_the_institution_does_not(reserved: Contract, parent: User, operator: User, district: District) -> None:
    agreement = reserved.agreement
    assert agreement is not None
    refund = refunds.answer(refunds.apply(reserved, lessons=10, reason="搬家", by=parent), agrees=True, text="", by=operator)
    instruction = reserve.draw_on_reserve(refund, by=district.bureau)
    with pytest.raises(ValidationError, match="请刷新页面"):
        reserve.draw_on_reserve(refund, by=district.bureau)
    instructing.booked(instruction, on=TUESDAY, bank_reference="B1")
    refund.refresh_from_db()
    assert (refund.state, books.due_at_bank_fen(agreement), books.balance_fen(agreement, "returning")) == (RefundState.PAID, 400_000, 0)
    large = make_contract(agreement, parent, operator, amount_fen=900_000)
    refund = refunds.answer(refunds.apply(large, lessons=10, reason="搬家", by=parent), agrees=True, text="", by=operator)
    with pytest.raises(ValidationError, match=r"储备金可动用 4,000\.00 元，不够退 9,000\.00 元"):
        reserve.draw_on_reserve(refund, by=district.bureau)


def test_closing_gives_all_back_and_goes_on_after_a_stop(
    agreement: CustodyAgreement, parent: User, operator: User, district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    contracts = [make_contract(agreement, parent, operator) for _ in range(4)]
    give(contracts[0], operator, lessons_given=4)
    refunds.apply(contracts[1], lessons=3, reason="搬家", by=parent)
    open_lesson = give(contracts[2], operator, lessons_given=2, confirmed=False)
    before = refunds.closing_of(agreement.institution)
    assert (before.contract_count, before.lessons, before.fen, before.open_lessons) == (4, 6 + 10 + 8 + 10, 340_000, 2)
    real, calls = books.post_refund, 0

    def dies(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        posted = real(*args, **kwargs)
        if calls == 3:
            raise KeyboardInterrupt
        return posted

    monkeypatch.setattr(books, "post_refund", dies)
    with pytest.raises(KeyboardInterrupt):
        refunds.refund_all(agreement.institution, reason="机构停办", by=district.bureau)
    middle = refunds.closing_of(agreement.institution)
    assert (middle.done_count, middle.contract_count, middle.done_fen) == (2, 2, 160_000)
    assert [refunds.refund_all(agreement.institution, reason="机构停办", by=district.bureau) for _ in range(2)] == [2, 0]
    assert {each.basis for each in Refund.objects.all()} == {RefundBasis.CLOSING}
    lessons.dispute(open_lesson, by=parent, reason="没上")
    lessons.strike(open_lesson, by=operator)
    paid = Refund.objects.get(contract=contracts[2]).instruction
    assert paid is not None
    assert refunds.refund_all(agreement.institution, reason="机构停办", by=district.bureau) == 0, "the first refund has to arrive first"
    instructing.booked(paid, on=TUESDAY, bank_reference="B9")
    assert refunds.refund_all(agreement.institution, reason="机构停办", by=district.bureau) == 1
    assert sum(standing_of(each).held_fen for each in contracts) == 0
