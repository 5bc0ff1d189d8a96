"""What the database itself refuses of lessons and refunds, each violated by a raw save; and what it says to a clerk."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from qingdan.accounts.models import User
from qingdan.escrow import books
from qingdan.escrow.models import Contract, CustodyAgreement, Lesson, Refund
from qingdan.ledger.models import Posting
from tests.district import MONDAY, District
from tests.escrow.making import make_contract


@pytest.fixture
def contract(agreement: CustodyAgreement, parent: User, operator: User) -> Contract:
    return make_contract(agreement, parent, operator)


def lesson_of(contract: Contract, **values: Any) -> Lesson:
    given = {"on_date": MONDAY, "starts_at": 600, "recorded_by": contract.drafted_by}
    return Lesson(contract=contract, **(given | values))


def refund_of(contract: Contract, **values: Any) -> Refund:
    given = {
        "applied_by": contract.guardian, "applied_on": MONDAY, "reason": "搬家", "lessons": 1, "due_fen": 10_000, "steps": [],
        "due_on": MONDAY + datetime.timedelta(days=7),
    }  # fmt: skip
    return Refund(contract=contract, **(given | values))


def refused(record: models.Model, constraint: str, message: str) -> None:
    """The database refuses the record by the constraint, and Django says so before, in the constraint's words."""
    with pytest.raises(ValidationError) as said:
        record.validate_constraints()
    assert message in str(said.value)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        record.save()


@pytest.mark.parametrize("values", [{"lessons": 0}, {"starts_at": 1440}])
def test_a_lesson_counts_and_has_a_time(contract: Contract, values: dict[str, Any]) -> None:
    refused(lesson_of(contract, **values), "lesson_counts_are_positive", "课时要大于零，时间要在一天之内")


def test_a_lesson_stands_once_unless_void(contract: Contract) -> None:
    first = lesson_of(contract)
    first.save()
    refused(lesson_of(contract), "lesson_once_at_a_time", "这次课已经登记过")
    Lesson.objects.update(state="void")
    lesson_of(contract).save()


def test_a_lesson_is_released_exactly_when_it_has_a_posting(contract: Contract, parent: User) -> None:
    refused(lesson_of(contract, state="confirmed"), "lesson_released_has_a_posting", "已确认的课要有记账，未确认的没有")
    posting = Posting.objects.get()
    refused(lesson_of(contract, posting=posting), "lesson_released_has_a_posting", "已确认的课要有记账，未确认的没有")


def test_a_dispute_says_why(contract: Contract) -> None:
    refused(lesson_of(contract, state="disputed"), "lesson_dispute_has_a_reason", "提出异议请写明原因")


def test_an_upheld_lesson_says_who_and_why(contract: Contract, district: District) -> None:
    posting = Posting.objects.get()
    for values in ({}, {"settled_by": district.bureau}, {"settlement": "核实", "settled_at": timezone.now()}):
        refused(lesson_of(contract, state="upheld", posting=posting, **values), "lesson_settlement_is_explained", "核定异议要写明理由")


@pytest.mark.parametrize("values", [{"lessons": 0}, {"due_fen": -1}, {"refunded_fen": -1}])
def test_a_refund_counts(contract: Contract, values: dict[str, Any]) -> None:
    refused(refund_of(contract, **values), "refund_counts_are_positive", "退课时数要大于零，金额不能小于零")


def test_a_contract_has_one_open_refund(contract: Contract) -> None:
    refund_of(contract).save()
    refused(refund_of(contract), "refund_open_once", "这份合同已有办理中的退费")
    refund_of(contract, state="withdrawn").save()


def test_a_paid_refund_has_its_day_and_an_unpaid_one_none(contract: Contract) -> None:
    message = "已退的要有到账日期，未退的没有"
    refused(refund_of(contract, state="paid", basis="agreed"), "refund_paid_has_a_day", message)
    refused(refund_of(contract, refunded_on=MONDAY), "refund_paid_has_a_day", message)


@pytest.mark.parametrize("values", [{"state": "approved"}, {"state": "instructed"}, {"state": "paid", "refunded_on": MONDAY}])
def test_a_refund_goes_through_on_a_basis(contract: Contract, values: dict[str, Any]) -> None:
    refused(refund_of(contract, **values), "refund_goes_through_on_a_basis", "办理退费要有依据")


@pytest.mark.parametrize("values", [{"state": "refused"}, {"state": "approved", "basis": "decided"}])
def test_a_decision_says_why(contract: Contract, values: dict[str, Any]) -> None:
    refused(refund_of(contract, **values), "refund_decision_is_explained", "核定退费要写明理由")


@pytest.mark.parametrize("values", [{"told_on": MONDAY}, {"told_reference": "ICBC1"}])
def test_what_an_institution_says_it_paid_is_whole(contract: Contract, values: dict[str, Any]) -> None:
    refused(refund_of(contract, **values), "refund_told_is_whole", "机构自行退款要同时写明退款日期和银行流水号")


def test_the_books_accounts_of_a_contract_cannot_be_overdrawn(contract: Contract) -> None:
    book = books.book_of(contract.institution)
    lesson = lesson_of(contract, lessons=11)
    lesson.save()
    with pytest.raises(ValidationError, match="余额不足"):
        books.post_release(lesson, fen=1, effective_on=MONDAY)
    assert book.postings.count() == 1
