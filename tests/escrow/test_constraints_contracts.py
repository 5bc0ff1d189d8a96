"""What the database refuses of contracts, orders, prices, fees and codes, and what it says."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models, transaction
from django.db.utils import ProgrammingError

from qingdan.accounts.models import User
from qingdan.escrow.models import Contract, CustodyAgreement, FeeFiling, GuidedPrice, PaymentOrder, SigningCode
from qingdan.institutions.models import Course
from qingdan.storage.refusals import constraint_of
from tests.district import MONDAY, District
from tests.escrow.making import make_contract
from tests.escrow.offering import make_code, make_filing, make_price

YESTERDAY = MONDAY - datetime.timedelta(days=1)


def refuses(record: models.Model, name: str, message: str, **values: Any) -> None:
    """The database refuses the change by the constraint, which says why."""
    for field, value in values.items():
        setattr(record, field, value)
    with pytest.raises(ValidationError) as told:
        record.validate_constraints()
    assert message in "；".join(told.value.messages)
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        record.save()
    assert constraint_of(refused.value) == name


@pytest.mark.parametrize(
    ("state", "name", "message", "values"),
    [
        ("draft", "contract_runs_forward", "课程止、教学止不能早于起", {"teaching_until": datetime.date(2020, 1, 1)}),
        ("draft", "contract_counts_are_positive", "要大于零", {"lessons": 0}),
        ("draft", "contract_counts_are_positive", "要大于零", {"amount_fen": 0}),
        ("offered", "contract_offered_is_signed_by_institution", "要有机构的签署", {"offered_at": None}),
        ("offered", "contract_signed_by_both", "要有家长签署、文本摘要和监管协议", {"state": "signed"}),
        ("offered", "contract_signed_by_both", "要有家长签署、文本摘要和监管协议", {"signed_on": MONDAY}),
        ("signed", "contract_paid_has_a_day", "要有缴费日期", {"state": "active"}),
        ("draft", "contract_end_is_explained", "要写明原因", {"state": "cancelled"}),
    ],
)
def test_contracts(
    state: str, name: str, message: str, values: dict[str, Any], agreement: CustodyAgreement, parent: User, operator: User
) -> None:
    assert name in {"contract_runs_forward", "contract_counts_are_positive", "contract_offered_is_signed_by_institution"} | {
        "contract_signed_by_both", "contract_paid_has_a_day", "contract_end_is_explained",
    }  # fmt: skip
    refuses(make_contract(agreement, parent, operator, state=state), name, message, **values)


def test_a_contract_number_is_used_once(agreement: CustodyAgreement, parent: User, operator: User) -> None:
    first, second = (make_contract(agreement, parent, operator, state="draft") for _ in range(2))
    second.number = first.number
    with pytest.raises(ValidationError, match="这个合同编号已经用过"):
        second.full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        second.save()


@pytest.mark.parametrize("field", ["amount_fen = 1", "signed_text = ''", "learner_name = 'x'", "text_digest = 'x'", "youngest_age = 3"])
def test_what_both_have_signed_stays_even_by_hand(field: str, agreement: CustodyAgreement, parent: User, operator: User) -> None:
    contract = make_contract(agreement, parent, operator, state="signed", signed_text="全文")
    with pytest.raises(IntegrityError, match="合同双方已签，内容不能再改") as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE escrow_contract SET {field} WHERE id = %s", [contract.pk])
    assert constraint_of(refused.value) == "signed_text_stays"


def test_a_signed_contract_is_kept_even_by_hand(agreement: CustodyAgreement, parent: User, operator: User) -> None:
    contract = make_contract(agreement, parent, operator, state="signed")
    with pytest.raises(ProgrammingError, match="pgtrigger_signed_contract_is_kept"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM escrow_contract WHERE id = %s", [contract.pk])
    draft = make_contract(agreement, parent, operator, state="draft")
    draft.delete()


@pytest.mark.parametrize(
    ("name", "message", "values"),
    [
        ("order_amount_is_positive", "金额要大于零", {"amount_fen": 0}),
        ("order_paid_has_a_day", "已缴的要有到账日期", {"state": "paid"}),
        ("order_paid_has_a_day", "未缴的没有", {"paid_on": MONDAY}),
    ],
)
def test_payment_orders(name: str, message: str, values: dict[str, Any], agreement: CustodyAgreement, parent: User, operator: User) -> None:
    contract = make_contract(agreement, parent, operator, state="signed")
    refuses(PaymentOrder(contract=contract, reference="JF1", amount_fen=100), name, message, **values)


def test_a_contract_has_one_order_that_is_not_cancelled(agreement: CustodyAgreement, parent: User, operator: User) -> None:
    contract = make_contract(agreement, parent, operator, state="signed")
    PaymentOrder.objects.create(contract=contract, reference="JF0", amount_fen=100, state="cancelled")
    PaymentOrder.objects.create(contract=contract, reference="JF1", amount_fen=100)
    refuses(PaymentOrder(contract=contract, amount_fen=100), "order_open_once", "这份合同已有缴费单", reference="JF2")


@pytest.mark.parametrize(
    ("name", "message", "values"),
    [
        ("guided_price_is_positive", "指导价要大于零", {"price_fen": 0}),
        ("guided_price_bands_run_upward", "都从 1 起", {"class_size_from": 0}),
        ("guided_price_names_its_document", "请写明依据的文件", {"document": ""}),
        ("guided_prices_do_not_overlap", "重叠，请先废止原来的", {"starts_on": MONDAY, "ends_on": None}),
    ],
)
def test_guided_prices(name: str, message: str, values: dict[str, Any], district: District) -> None:
    make_price(district.region, district.bureau)
    price = make_price(district.region, district.bureau, starts_on=datetime.date(2024, 1, 1), ends_on=datetime.date(2024, 12, 31))
    refuses(price, name, message, **values)


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"ends_on": datetime.date(2024, 1, 1)}, ("guided_price_runs_forward",)),
        ({"class_size_until": 0}, ("guided_price_bands_run_upward",)),
    ],
)
def test_a_guided_price_that_runs_backward_is_refused(values: dict[str, Any], names: tuple[str, ...], district: District) -> None:
    price = make_price(district.region, district.bureau)
    for field, value in values.items():
        setattr(price, field, value)
    with pytest.raises(ValidationError):
        price.full_clean()
    declared = {each.name for each in GuidedPrice._meta.constraints}
    assert set(names) <= declared
    # PostgreSQL cannot even build the range, or refuses by the check, whichever it meets first.
    with pytest.raises(Exception, match="|".join((*names, "range lower bound"))), transaction.atomic():
        price.save()


@pytest.mark.parametrize(
    ("name", "message", "values"),
    [
        ("fee_is_not_negative", "不能小于零", {"standard_fen": -1}),
        ("fee_is_filed_before_published", "公示日期不能早于备案日期", {"filed_on": MONDAY, "published_on": YESTERDAY}),
        ("fee_of_course_once", "已有在用的收费备案", {"withdrawn_on": None}),
    ],
)
def test_filed_fees(name: str, message: str, values: dict[str, Any], course: Course, operator: User) -> None:
    if name == "fee_of_course_once":
        make_filing(course, operator)
    filing = make_filing(course, operator, withdrawn_on=MONDAY)
    refuses(filing, name, message, **values)
    assert FeeFiling.objects.exists()


def test_a_code_names_a_learner(parent: User) -> None:
    code = make_code(parent)
    refuses(code, "signing_code_names_a_learner", "签约码要写明学员姓名", learner_name="")
    assert SigningCode.objects.exclude(learner_name="").exists()
    assert not Contract.objects.exists()
