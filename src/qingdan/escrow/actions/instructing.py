"""What banks are told to pay, written down before anything is sent, and what becomes of it.

Whatever dies between two steps is found again: the instruction stands with its reference before it is sent, and each of these acts
may be done twice without doing anything twice.
"""

from __future__ import annotations

import datetime
import logging
import secrets

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Sum

from qingdan.accounts.models import User
from qingdan.escrow import books
from qingdan.escrow.actions.ending import lock, mark_paid
from qingdan.escrow.enums import InstructionPurpose, InstructionState, OrderState, RefundState, SupervisionMode
from qingdan.escrow.models import BankInstruction, CustodyAgreement, PaymentOrder, Refund
from qingdan.escrow.wording import yuan
from qingdan.ledger.models import Account
from qingdan.ledger.posting import hold
from qingdan.places.calendar import today

log = logging.getLogger(__name__)
_LETTERS: dict[str, str] = {InstructionPurpose.RELEASE: "R", InstructionPurpose.REFUND: "F", InstructionPurpose.RESERVE: "S"}


def new_reference(purpose: str, day: datetime.date) -> str:
    """A reference that no bank has seen before: ``QDR20261116-9f…``."""
    return f"QD{_LETTERS[purpose]}{day:%Y%m%d}-{secrets.token_hex(8)}"


def prepare_releases(day: datetime.date) -> list[BankInstruction]:
    """Write one instruction for each agreement that has money to be paid to its institution and is not paused.

    What an instruction that may still be booked will pay is left out, so that a second run writes nothing.
    """
    waiting = Account.objects.filter(code__startswith="g:", code__endswith=":transit", balance__gt=0).values_list("code", flat=True)
    numbers = [int(code.split(":")[1]) for code in waiting]
    agreements = CustodyAgreement.objects.filter(pk__in=numbers, is_release_paused=False).exclude(mode=SupervisionMode.RESERVE)
    return [found for pk in agreements.order_by("pk").values_list("pk", flat=True) if (found := _prepare_release(pk, day))]


@transaction.atomic
def _prepare_release(agreement_id: int, day: datetime.date) -> BankInstruction | None:
    agreement = CustodyAgreement.objects.select_related("institution").select_for_update(no_key=True, of=("self",)).get(pk=agreement_id)
    # A booking posts and closes its instruction under the book's lock: holding it, both figures are of one moment.
    hold(books.book_of(agreement.institution))
    pending = agreement.instructions.pending().filter(purpose=InstructionPurpose.RELEASE)
    fen = books.balance_fen(agreement, "transit") - (pending.aggregate(fen=Sum("amount_fen"))["fen"] or 0)
    if fen <= 0 or agreement.is_release_paused:
        return None
    instruction = BankInstruction.objects.create(
        agreement=agreement,
        reference=new_reference(InstructionPurpose.RELEASE, day),
        purpose=InstructionPurpose.RELEASE,
        amount_fen=fen,
        to_account=agreement.settlement_account,
        to_name=agreement.settlement_name,
        remittance=f"{day:%Y%m%d}划拨课时费",
        requested_on=day,
    )
    log.info("escrow.instruction.prepared reference=%s purpose=release fen=%s", instruction.reference, fen)
    return instruction


@transaction.atomic
def prepare_refund(refund: Refund, *, to_account: str = "", to_name: str = "", by: User | None = None) -> BankInstruction | None:
    """Write the instruction that pays a refund by the way the money came, or to another account that an officer gives.

    None when there is nothing to be paid by the bank: it is written already, the institution itself pays (reserve), or the amount is
    nothing, in which case the refund is done. Raises ValidationError when nobody knows where the money came from.
    """
    contract = lock(refund.contract_id)
    refund.refresh_from_db()
    refund.contract = contract
    agreement = contract.agreement
    assert agreement is not None
    if refund.state != RefundState.APPROVED:
        return None
    if not refund.due_fen:
        mark_paid(refund, on=today())
        return None
    if agreement.mode == SupervisionMode.RESERVE:
        return None
    return write_refund(refund, purpose=InstructionPurpose.REFUND, to_account=to_account, to_name=to_name, by=by)


def write_refund(refund: Refund, *, purpose: str, to_account: str = "", to_name: str = "", by: User | None = None) -> BankInstruction:
    """The instruction for a refund that has been approved; the contract is locked. Raises ValidationError without an account."""
    contract = refund.contract
    assert contract.agreement is not None
    order = PaymentOrder.objects.filter(contract=contract, state=OrderState.PAID).first()
    account, name = to_account or (order.payer_account if order else ""), to_name or (order.payer_name if order else "")
    if not account or not name:
        raise ValidationError("银行没有告诉付款账户，请主管部门核实家长账户后填写收款账号和户名再办理")
    instruction = BankInstruction.objects.create(
        agreement=contract.agreement,
        reference=new_reference(purpose, today()),
        purpose=purpose,
        contract=contract,
        amount_fen=refund.due_fen,
        to_account=account,
        to_name=name,
        remittance=f"退费 {contract.number}",
        requested_on=today(),
    )
    refund.instruction, refund.state = instruction, RefundState.INSTRUCTED
    refund.save()
    log.info(
        "escrow.instruction.prepared reference=%s purpose=%s refund=%s fen=%s by=%s",
        instruction.reference, purpose, refund.pk, refund.due_fen, by and by.pk,
    )  # fmt: skip
    return instruction


def _locked_refund(instruction: BankInstruction) -> Refund | None:
    """The refund that an instruction pays, under the lock of its contract: that comes first, as in every act on a contract."""
    contract_id = Refund.objects.filter(instruction=instruction).values_list("contract", flat=True).first()
    if contract_id is None:
        return None
    contract = lock(contract_id)
    refund = Refund.objects.filter(instruction=instruction).first()
    if refund is not None:
        refund.contract = contract
    return refund


def booked(instruction: BankInstruction, *, on: datetime.date, bank_reference: str) -> BankInstruction:
    """The bank has paid. Told twice, it counts once.

    Raises ValidationError when the instruction had been rejected: then the bank contradicts itself, and somebody has to look.
    """
    with transaction.atomic():
        refund = _locked_refund(instruction)
        found = _locked(instruction)
        if found.state == InstructionState.BOOKED:
            return found
        if found.state == InstructionState.REJECTED:
            raise ValidationError(f"{found.reference} 银行曾答复拒绝，现在又说已入账 {yuan(found.amount_fen)}，请与银行核实")
        found.state, found.booked_on, found.bank_reference, found.reason = InstructionState.BOOKED, on, bank_reference[:60], ""
        found.save()
        books.post_booked(found, effective_on=on, is_refund=refund is not None)
        if refund is not None:
            mark_paid(refund, on=on)
    log.info("escrow.instruction.booked reference=%s on=%s fen=%s", found.reference, on, found.amount_fen)
    return found


def rejected(instruction: BankInstruction, *, reason: str) -> BankInstruction:
    """The bank does not pay. A release is written anew at the next run; a refund waits for somebody to say where to pay it instead.

    Told twice, it counts once; what has been booked stays booked, which raises ValidationError.
    """
    with transaction.atomic():
        refund = _locked_refund(instruction)
        found = _locked(instruction)
        if found.state == InstructionState.REJECTED:
            return found
        if found.state == InstructionState.BOOKED:
            raise ValidationError(f"{found.reference} 已于 {found.booked_on} 入账，不能再记为拒绝，请与银行核实")
        found.state, found.reason = InstructionState.REJECTED, (reason.strip() or "银行没有说明原因")[:300]
        found.save()
        if refund is not None:
            refund.instruction, refund.state = None, RefundState.APPROVED
            refund.save()
    log.warning("escrow.instruction.rejected reference=%s reason=%s", found.reference, found.reason)
    return found


def _locked(instruction: BankInstruction) -> BankInstruction:
    found = BankInstruction.objects.select_related("agreement__institution").select_for_update(no_key=True, of=("self",))
    return found.get(pk=instruction.pk)
