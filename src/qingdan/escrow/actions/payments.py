"""A family's money has come in. The bank's word counts, never the browser's return."""

from __future__ import annotations

import datetime
import logging

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse

from qingdan.accounts.enums import Role
from qingdan.accounts.models import User
from qingdan.escrow import books
from qingdan.escrow.enums import ContractState, OrderState
from qingdan.escrow.models import Contract, PaymentOrder
from qingdan.escrow.wording import yuan
from qingdan.notices.models import Notice

log = logging.getLogger(__name__)


@transaction.atomic
def received(order: PaymentOrder, *, paid_on: datetime.date, payer_account: str, payer_name: str, bank_reference: str) -> PaymentOrder:
    """The whole amount of an order has come in: the contract is in force, and the book has the money and the lessons.

    Told the same payment again, nothing happens. Raises ValidationError when the order was cancelled, or when another payment (another
    bank reference) has already paid it: that money is nobody's yet, and reconciliation has to say so.
    """
    # The contract first, as every other act does.
    contract = Contract.objects.select_for_update(of=("self",)).select_related("institution", "guardian").get(pk=order.contract_id)
    held = PaymentOrder.objects.select_for_update().get(pk=order.pk)
    held.contract = contract
    if held.state == OrderState.PAID:
        if held.bank_reference == bank_reference:
            return held
        raise ValidationError(f"缴费单 {held.reference} 已由另一笔（{held.bank_reference}）缴清，这笔 {bank_reference} 要查明退回")
    if held.state != OrderState.WAITING or contract.state != ContractState.SIGNED:
        raise ValidationError(f"缴费单 {held.reference} 已取消，这笔 {bank_reference} 要查明退回")
    held.state, held.paid_on, held.bank_reference = OrderState.PAID, paid_on, bank_reference
    held.payer_account, held.payer_name = payer_account, payer_name
    held.save(update_fields=["state", "paid_on", "bank_reference", "payer_account", "payer_name"])
    contract.state, contract.paid_on = ContractState.ACTIVE, paid_on
    contract.save(update_fields=["state", "paid_on"])
    books.post_payment(held, effective_on=paid_on)
    clerks = User.objects.filter(organisation_id=contract.institution_id, role=Role.INSTITUTION, is_active=True)
    url = reverse("escrow:contract", args=[contract.pk])
    occasion, text = f"contract-paid:{contract.pk}", f"“{contract.course_name}”的合同 {contract.number} 已缴费 {yuan(held.amount_fen)}"
    Notice.objects.send([*clerks, contract.guardian], occasion=occasion, text=text, url=url)
    log.info("escrow.payment.received order=%s contract=%s fen=%s bank=%s", held.reference, contract.pk, held.amount_fen, bank_reference)
    return held
