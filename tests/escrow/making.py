"""Builders of agreements and contracts in each state, for tests. Everything is fictional."""

from __future__ import annotations

import datetime
import hashlib
import itertools
from typing import Any

from django.utils import timezone

from qingdan.accounts.models import Organisation, User
from qingdan.escrow import books
from qingdan.escrow.models import Contract, CustodyAgreement, PaymentOrder
from qingdan.institutions.models import Course
from tests.district import MONDAY

#: Before all days of the tests.
LONG_AGO = datetime.date(2025, 9, 1)
#: The day on which contracts of the tests are signed and paid.
SIGNED_ON = MONDAY - datetime.timedelta(days=21)
_SIGNED = ("signed", "active", "completed", "refunded")
_PAID = ("active", "completed", "refunded")
_numbers = itertools.count(1)


def make_agreement(institution: Organisation, by: User, **values: Any) -> CustodyAgreement:
    """Third-party custody since long ago, unless told otherwise."""
    number = next(_numbers)
    given = {
        "department": "culture",
        "mode": "custody",
        "bank_name": "示例银行",
        "account_number": f"6228000000{number:06}",
        "settlement_account": f"6229000000{number:06}",
        "settlement_name": institution.name,
        "starts_on": LONG_AGO,
    }
    if values.get("mode") == "reserve":
        given["reserve_floor_fen"] = 100_000_00
    return CustodyAgreement.objects.create(institution=institution, entered_by=by, **(given | values))


def make_contract(
    agreement: CustodyAgreement, guardian: User, by: User, *, course: Course | None = None, state: str = "active", **values: Any
) -> Contract:
    """A contract of ten lessons for 1,000 yuan in a state; one that is active has been paid, and stands in the book.

    ``by`` acts for the institution. Nothing is judged.
    """
    number = next(_numbers)
    given: dict[str, Any] = {
        "number": f"HT{number:08}",
        "institution": agreement.institution,
        "agreement": agreement,
        "guardian": guardian,
        "learner_name": f"学员{number}",
        "learner_born_on": datetime.date(2017, 5, 1),
        "course_number": course.pk if course else 1,
        "course_name": course.name if course else "儿童画",
        "category": "non_academic",
        "class_size": 20,
        "lesson_minutes": 40,
        "lessons": 10,
        "amount_fen": 100_000,
        "course_from": SIGNED_ON,
        "course_until": SIGNED_ON + datetime.timedelta(days=80),
        "teaching_from": SIGNED_ON,
        "teaching_until": SIGNED_ON + datetime.timedelta(days=80),
        "refund_conditions": "未上的课时按单价退还",
        "refund_procedure": "在平台申请，机构答复后原路退回",
        "refund_working_days": 5,
        "form_version": "2021",
        "drafted_by": by,
        "state": state,
    }
    now = timezone.now()
    if state not in ("draft", "cancelled"):
        given |= {"offered_at": now, "offered_by": by}
    if state in _SIGNED:
        given |= {"signed_at": now, "signed_on": SIGNED_ON, "text_digest": hashlib.sha256(b"").hexdigest()}
    if state in _PAID:
        given["paid_on"] = SIGNED_ON
    if state in ("refunded", "cancelled"):
        given["end_reason"] = "测试"
    contract = Contract.objects.create(**(given | values))
    if state in _PAID:
        pay(contract)
    return contract


def pay(contract: Contract) -> PaymentOrder:
    """The order of a contract that has been paid, posted."""
    order = PaymentOrder.objects.create(
        contract=contract,
        reference=f"JF{contract.pk:08}",
        amount_fen=contract.amount_fen,
        state="paid",
        paid_on=SIGNED_ON,
        payer_account="6217000000001234",
        payer_name="家长示例",
        bank_reference=f"BANK{contract.pk}",
    )
    books.post_payment(order, effective_on=SIGNED_ON)
    return order
