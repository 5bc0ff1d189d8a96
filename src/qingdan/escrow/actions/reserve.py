"""Refunds where a risk reserve stands for the money: the institution has it, and pays back itself.

The institution says when and by which reference of its bank it has paid; the family says whether it has arrived. When the institution
does not pay, an officer lets the bank pay the family out of the reserve, which the institution then has to fill up again.
"""

from __future__ import annotations

import datetime
import logging

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Sum
from django.urls import reverse

from qingdan.accounts.models import User
from qingdan.escrow import books
from qingdan.escrow.actions.ending import clerks_of, lock, mark_paid
from qingdan.escrow.actions.instructing import write_refund
from qingdan.escrow.enums import InstructionPurpose, RefundState, SupervisionMode
from qingdan.escrow.models import BankInstruction, CustodyAgreement, Refund
from qingdan.escrow.wording import day_text, yuan
from qingdan.ledger.posting import hold
from qingdan.notices.models import Notice
from qingdan.places.calendar import today

log = logging.getLogger(__name__)


@transaction.atomic
def tell_paid(refund: Refund, *, on: datetime.date, reference: str, by: User) -> Refund:
    """The institution says that it has paid; it counts once the family says so too."""
    refund = _locked(refund)
    if on > today() or on < refund.applied_on:
        raise ValidationError(f"退款日期要在申请日 {day_text(refund.applied_on)}至今天之间")
    if not reference.strip():
        raise ValidationError("请填写银行转账的流水号，家长好核对")
    refund.state, refund.told_on, refund.told_reference = RefundState.INSTRUCTED, on, reference.strip()[:60]
    refund.save()
    _tell([refund.contract.guardian], refund, "told", f"机构称已于 {day_text(on)}退款 {yuan(refund.due_fen)}，收到了请点一下")
    log.info("escrow.refund.told_paid by=%s refund=%s", by.pk, refund.pk)
    return refund


@transaction.atomic
def received(refund: Refund, *, by: User) -> Refund:
    """The family has its money: the refund is done."""
    refund = _locked(refund, is_told=True)
    assert refund.told_on is not None
    books.post_paid_by_institution(refund, effective_on=refund.told_on, by=by)
    mark_paid(refund, on=refund.told_on)
    log.info("escrow.refund.received by=%s refund=%s", by.pk, refund.pk)
    return refund


@transaction.atomic
def not_received(refund: Refund, *, by: User) -> Refund:
    """The family has no money: the institution is told, and the reserve may be drawn on."""
    refund = _locked(refund, is_told=True)
    refund.state, refund.told_on, refund.told_reference = RefundState.APPROVED, None, ""
    refund.save()
    text = f"{refund.contract.learner_name}家长称没有收到 {yuan(refund.due_fen)}，请核对后重新登记"
    _tell(clerks_of(refund.contract.institution), refund, f"not-received-{refund.updated_at:%Y%m%d%H%M}", text)
    log.warning("escrow.refund.not_received by=%s refund=%s", by.pk, refund.pk)
    return refund


@transaction.atomic
def draw_on_reserve(refund: Refund, *, by: User, to_account: str = "", to_name: str = "") -> BankInstruction:
    """An officer lets the bank pay the family out of the reserve. Raises ValidationError when the reserve does not suffice."""
    refund = _locked(refund)
    agreement = refund.contract.agreement
    assert agreement is not None
    agreement = CustodyAgreement.objects.select_related("institution").select_for_update(no_key=True, of=("self",)).get(pk=agreement.pk)
    hold(books.book_of(agreement.institution))
    pending = agreement.instructions.pending().filter(purpose=InstructionPurpose.RESERVE).aggregate(fen=Sum("amount_fen"))["fen"] or 0
    there = books.balance_fen(agreement, "reserve") - pending
    if there < refund.due_fen:
        raise ValidationError(f"储备金可动用 {yuan(there)}，不够退 {yuan(refund.due_fen)}；请先责令机构补足储备金")
    return write_refund(refund, purpose=InstructionPurpose.RESERVE, to_account=to_account, to_name=to_name, by=by)


def _locked(refund: Refund, *, is_told: bool = False) -> Refund:
    contract = lock(refund.contract_id)
    found = contract.refunds.get(pk=refund.pk)
    found.contract = contract
    assert contract.agreement is not None
    wanted = RefundState.INSTRUCTED if is_told else RefundState.APPROVED
    if contract.agreement.mode != SupervisionMode.RESERVE or found.state != wanted or found.instruction_id is not None:
        raise ValidationError(f"这笔退费现在是“{found.get_state_display()}”，不能再这样办；请刷新页面")
    return found


def _tell(users: list[User], refund: Refund, what: str, text: str) -> None:
    Notice.objects.send(users, occasion=f"escrow-refund-{what}:{refund.pk}", text=text, url=reverse("escrow:refund", args=[refund.pk]))
