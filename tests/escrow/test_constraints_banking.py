"""What the database refuses of agreements, instructions, statements, lines and days, and what it says."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from qingdan.escrow.models import BankLine, BankStatement, CustodyAgreement, DayBalance, MoneyGap
from qingdan.storage.refusals import constraint_of
from tests.district import MONDAY, District
from tests.escrow.banking import make_instruction
from tests.escrow.making import LONG_AGO, make_agreement
from tests.escrow.test_constraints_contracts import refuses
from tests.institutions.making import make_institution

YESTERDAY = MONDAY - datetime.timedelta(days=1)


@pytest.mark.parametrize(
    ("name", "message", "values"),
    [
        ("agreement_has_its_accounts", "要有监管账号和结算账号", {"settlement_account": ""}),
        ("agreement_reserve_has_a_floor", "风险储备金要写明下限", {"mode": "reserve"}),
        ("agreement_reserve_has_a_floor", "其他方式没有下限", {"reserve_floor_fen": 5}),
    ],
)
def test_agreements(agreement: CustodyAgreement, name: str, message: str, values: dict[str, Any]) -> None:
    refuses(agreement, name, message, **values)


def test_an_agreement_that_runs_backward(agreement: CustodyAgreement) -> None:
    agreement.ends_on = LONG_AGO - datetime.timedelta(days=1)
    with pytest.raises(ValidationError, match="结束日期不能早于开始日期"):
        agreement.clean()
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        agreement.save()
    assert constraint_of(refused.value) == "agreement_runs_forward"


def test_an_account_begins_once_on_a_day(agreement: CustodyAgreement, district: District) -> None:
    other = make_agreement(make_institution(district.region, "别家").organisation, district.bureau)
    refuses(other, "agreement_account_once", "这个监管账号已登记", account_number=agreement.account_number)


def test_agreements_of_an_institution_do_not_overlap(agreement: CustodyAgreement, district: District) -> None:
    agreement.ends_on = YESTERDAY
    agreement.save()
    other = make_agreement(agreement.institution, district.bureau, starts_on=MONDAY)
    refuses(other, "agreements_do_not_overlap", "同期已有监管协议", starts_on=YESTERDAY)


@pytest.mark.parametrize(
    ("name", "message", "values"),
    [
        ("instruction_amount_is_positive", "要大于零", {"amount_fen": 0}),
        ("instruction_booked_has_a_day", "要有入账日期", {"state": "booked"}),
        ("instruction_booked_has_a_day", "未入账的没有", {"booked_on": MONDAY}),
        ("instruction_rejection_has_a_reason", "要写明原因", {"state": "rejected"}),
    ],
)
def test_instructions(agreement: CustodyAgreement, name: str, message: str, values: dict[str, Any]) -> None:
    refuses(make_instruction(agreement), name, message, **values)


def make_statement(agreement: CustodyAgreement, number: int = 1) -> BankStatement:
    return BankStatement.objects.create(
        agreement=agreement, identification=f"S{number}", sequence_number=number, from_on=MONDAY, until_on=MONDAY, opening_fen=0,
        closing_fen=0, digest="0" * 64,
    )  # fmt: skip


def test_statements(agreement: CustodyAgreement) -> None:
    first, second = make_statement(agreement), make_statement(agreement, 2)
    refuses(first, "statement_runs_forward", "止不能早于起", until_on=YESTERDAY)
    refuses(second, "statement_once", "已经收过", identification="S1")
    refuses(make_statement(agreement, 3), "statement_sequence_once", "请向银行核实", sequence_number=1)


def test_lines(agreement: CustodyAgreement) -> None:
    statement = make_statement(agreement)

    def line(number: int) -> BankLine:
        return BankLine.objects.create(
            statement=statement, agreement=agreement, bank_reference=f"YH{number}", amount_fen=5, booked_on=MONDAY
        )

    line(1)
    refuses(line(2), "bank_line_once", "已经收过", bank_reference="YH1")
    refuses(line(3), "bank_line_moves_something", "不能为零", amount_fen=0)
    refuses(line(4), "bank_line_settled_is_explained", "要写明情况", match="settled")


def test_days(agreement: CustodyAgreement) -> None:
    first, second = (DayBalance.objects.create(agreement=agreement, on_date=day, book_fen=0, owed_fen=0) for day in (MONDAY, YESTERDAY))
    assert first.on_date == MONDAY
    refuses(second, "day_balance_once", "已经对过账", on_date=MONDAY)


def test_gaps(agreement: CustodyAgreement) -> None:
    first, second = (
        MoneyGap.objects.create(institution=agreement.institution, on_date=day, expected_fen=0, received_fen=0, evidence=[])
        for day in (MONDAY, YESTERDAY)
    )
    refuses(first, "money_gap_sums_are_not_negative", "不能小于零", expected_fen=-1)
    refuses(second, "money_gap_once_a_day", "已经算过", on_date=MONDAY)
