"""A family pays a contract at the bank: the order is handed to the bank, and the bank is asked what became of it."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.core.exceptions import ValidationError

from qingdan.banking import Bank, BankDown, BankRefused, InstructionFault, Order, OrderStatus, Receipt
from qingdan.escrow.actions import payments
from qingdan.escrow.banks import SECONDS_FOR_A_PAGE, bank_of
from qingdan.escrow.enums import ContractState, OrderState, SupervisionMode
from qingdan.escrow.models import PaymentOrder
from qingdan.escrow.wording import yuan

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """What the bank said about an order. ``problem`` says in words why nothing is known, or what has to be cleared up."""

    is_paid: bool = False
    #: The bank has the order; here is where the family pays.
    pay_address: str = ""
    problem: str = ""


def account_of(order: PaymentOrder) -> str:
    """Where the money goes: into custody; where a risk reserve stands for it, to the institution's own account."""
    agreement = order.contract.agreement
    assert agreement is not None
    return agreement.settlement_account if agreement.mode == SupervisionMode.RESERVE else agreement.account_number


def start(order: PaymentOrder, *, return_address: str) -> Asked:
    """Hand the order to the bank and learn where to pay; done again, the same order stands. Nothing is debited by this."""
    contract = order.contract
    if order.state == OrderState.PAID:
        return Asked(is_paid=True)
    if order.state != OrderState.WAITING or contract.state != ContractState.SIGNED:
        return Asked(problem="这张缴费单已取消，请不要付款；有疑问请联系机构")
    assert contract.agreement is not None
    try:
        bank = bank_of(contract.agreement, seconds=SECONDS_FOR_A_PAGE)
        receipt = _known(bank, order.reference) or bank.collect(
            Order(
                number=order.reference,
                amount_fen=order.amount_fen,
                account=account_of(order),
                payer_name=contract.guardian.display_name or contract.guardian.username,
                remittance=f"{contract.number} 培训费"[:140],
                return_address=return_address,
            )
        )
        return _take(order, receipt)
    except (BankRefused, InstructionFault, ValueError) as refusal:
        log.warning("escrow.order.refused order=%s %s", order.reference, refusal)
        return Asked(problem=str(refusal))
    except BankDown as fault:
        log.warning("escrow.order.unanswered order=%s %s", order.reference, fault)
        return Asked(problem="银行没有答复，没有扣款。过几分钟再点一次，重复点不会多付。")


def check(order: PaymentOrder, *, seconds: float = SECONDS_FOR_A_PAGE) -> Asked:
    """Ask the bank whether an order has been paid, and keep what it says."""
    if order.state != OrderState.WAITING:
        return Asked(is_paid=order.state == OrderState.PAID)
    assert order.contract.agreement is not None
    try:
        bank = bank_of(order.contract.agreement, seconds=seconds)
        receipt = _known(bank, order.reference)
        return Asked() if receipt is None else _take(order, receipt)
    except (BankRefused, ValueError) as refusal:
        return Asked(problem=str(refusal))
    except BankDown as fault:
        log.warning("escrow.order.unanswered order=%s %s", order.reference, fault)
        return Asked(problem="银行没有答复。如果已经付了，钱不会丢：系统会继续向银行查询，也可以过几分钟再查。")


def _known(bank: Bank, number: str) -> Receipt | None:
    """The bank's receipt for an order, None when it has never seen it. Raises BankDown."""
    try:
        return bank.collected(number)
    except BankRefused:
        return None


def _take(order: PaymentOrder, receipt: Receipt) -> Asked:
    if receipt.status is not OrderStatus.PAID:
        return Asked(pay_address=receipt.pay_address)
    if receipt.amount_fen != order.amount_fen:
        log.error("escrow.order.amount_differs order=%s asked=%s paid=%s", order.reference, order.amount_fen, receipt.amount_fen)
        return Asked(problem=f"银行说付了 {yuan(receipt.amount_fen)}，应付 {yuan(order.amount_fen)}；已记下，主管部门会与银行核实")
    assert receipt.paid_on is not None
    try:
        payments.received(
            order,
            paid_on=receipt.paid_on,
            payer_account=receipt.payer_account[:34],
            payer_name=receipt.payer_name[:100],
            bank_reference=receipt.bank_reference or "",
        )
    except ValidationError as problem:
        return Asked(problem="；".join(problem.messages))
    return Asked(is_paid=True)
