"""Refunds: the family asks some or all of the lessons that are left back, the institution answers, the bureau decides a dispute.

While a refund is asked for, its lessons cannot be recorded as given; once it is approved, lessons and money leave the contract at once
and the bank is told to pay them back by the way they came. Every act locks the contract.
"""

from __future__ import annotations

import datetime
import logging
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse

from qingdan.accounts.models import Organisation, User
from qingdan.escrow import books
from qingdan.escrow.actions.ending import clerks_of, lock
from qingdan.escrow.actions.instructing import prepare_refund
from qingdan.escrow.deadlines import answer_until, refund_due_on
from qingdan.escrow.enums import ContractState, RefundBasis, RefundState
from qingdan.escrow.models import Contract, Refund
from qingdan.escrow.standing import ASKED, Standing, standing_of, standings
from qingdan.escrow.wording import yuan
from qingdan.notices.models import Notice
from qingdan.places.calendar import today
from qingdan.storage.refusals import in_words

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Computed:
    """What a family gets back for lessons, and how that comes about."""

    lessons: int
    due_fen: int
    #: ``{label, text, fen}``; fen is None where a step is no sum.
    steps: list[dict[str, Any]]


def compute(standing: Standing, lessons: int) -> Computed:
    """What lessons given back are worth, step by step. Nothing is written, nothing is asked of the database."""
    contract, due = standing.contract, standing.refund_fen(lessons)
    first, last = standing.refund_span(lessons)
    each, rest = divmod(contract.amount_fen, contract.lessons)
    price = f"{yuan(contract.amount_fen)} ÷ {contract.lessons} 课时"
    rounded = f"，约 {yuan(each)}，除不尽的分按课时顺序分摊，各课时合计正好是合同金额" if rest else f" = {yuan(each)}"
    steps: list[dict[str, Any]] = [
        {"label": "已缴", "text": f"合同共 {contract.lessons} 课时", "fen": contract.amount_fen},
        {"label": "每课时", "text": price + rounded, "fen": None},
        {"label": "已上", "text": f"{standing.given} 课时，已归机构", "fen": -standing.released_fen},
    ]
    if standing.returned:
        steps.append({"label": "以前已退", "text": f"{standing.returned} 课时", "fen": -standing.returned_fen})
    steps.append({"label": "剩余", "text": f"{standing.left} 课时还没有上", "fen": standing.held_fen})
    if standing.open:
        parts = [(standing.waiting, "等家长确认"), (standing.disputed, "有异议")]
        text = "，".join(f"{count} 课时{what}" for count, what in parts if count) + "；有结论前先不退，核定不计课时的以后可以再退"
        steps.append({"label": "未定", "text": text, "fen": None})
    terms = "；".join(filter(None, [contract.refund_conditions, contract.refund_procedure]))
    text = f"{terms}（{contract.refund_working_days} 个工作日内办结）" if terms else f"{contract.refund_working_days} 个工作日内办结"
    steps.append({"label": "合同约定", "text": text, "fen": None})
    steps.append({"label": "应退", "text": f"{lessons} 课时（合同第 {first} 至 {last} 课时）", "fen": due})
    return Computed(lessons, due, steps)


@transaction.atomic
def apply(contract: Contract, *, lessons: int, reason: str, by: User) -> Refund:
    """The family asks lessons back. The same application again gives back the one that stands.

    Raises ValidationError for a contract that is over, for more lessons than are free, or when another refund is open.
    """
    contract = lock(contract.pk)
    standing_refund = contract.refunds.open().first()
    if standing_refund is not None and (standing_refund.lessons, standing_refund.state) == (lessons, RefundState.APPLIED):
        return standing_refund
    if contract.state != ContractState.ACTIVE:
        raise ValidationError(f"这份合同{contract.get_state_display()}，没有可退的课时")
    if not reason.strip():
        raise ValidationError("请写一句退费原因")
    standing = standing_of(contract)
    if not 1 <= lessons <= standing.free:
        more = "；待确认、有异议的课有结论后再退" if standing.open else ""
        raise ValidationError(f"现在可退 1 至 {standing.free} 课时{more}" if standing.free > 0 else f"现在没有可退的课时{more}")
    computed = compute(standing, lessons)
    day, layer = today(), contract.institution.layer_code
    refund = Refund(
        contract=contract,
        applied_by=by,
        applied_on=day,
        reason=reason.strip()[:300],
        lessons=lessons,
        due_fen=computed.due_fen,
        steps=computed.steps,
        answer_until=answer_until(layer, day),
        due_on=refund_due_on(layer, day, contract.refund_working_days),
    )
    with in_words(Refund):
        refund.save()
    text = f"{contract.learner_name}家长申请退 {lessons} 课时，应退 {yuan(refund.due_fen)}"
    until = f"，请在 {refund.answer_until:%-m月%-d日} 前答复" if refund.answer_until else "，请尽快答复"
    _tell(clerks_of(contract.institution), refund, "applied", text + until)
    log.info("escrow.refund.applied by=%s contract=%s lessons=%s fen=%s", by.pk, contract.pk, lessons, refund.due_fen)
    return refund


@transaction.atomic
def answer(refund: Refund, *, agrees: bool, text: str, by: User) -> Refund:
    """The institution agrees, and the money goes back; or contests it with a reason, and the bureau decides."""
    refund = _locked(refund, RefundState.APPLIED)
    if not agrees and not text.strip():
        raise ValidationError("不同意请写明理由，主管部门据此核定")
    refund.answered_by, refund.answer = by, text.strip()[:300]
    if agrees:
        _approve(refund, basis=RefundBasis.AGREED, by=by)
    else:
        refund.state = RefundState.CONTESTED
        refund.save()
        _tell([refund.contract.guardian], refund, "contested", "机构对您的退费申请有不同意见，已转主管部门核定")
    log.info("escrow.refund.answered by=%s refund=%s agrees=%s", by.pk, refund.pk, agrees)
    return refund


@transaction.atomic
def decide(refund: Refund, *, is_approved: bool, reason: str, by: User, lessons: int | None = None) -> Refund:
    """The bureau decides a contested refund, or one that the institution leaves unanswered; it may set other lessons than were asked.

    Raises ValidationError without a reason, or for more lessons than are left free.
    """
    refund = _locked(refund, *ASKED)
    if not reason.strip():
        raise ValidationError("请写明核定理由，双方都会看到")
    refund.decided_by, refund.decision = by, reason.strip()[:300]
    if is_approved:
        _set_lessons(refund, refund.lessons if lessons is None else lessons)
        _approve(refund, basis=RefundBasis.DECIDED, by=by)
    else:
        refund.state = RefundState.REFUSED
        refund.save()
    said = f"主管部门已核定：退 {refund.lessons} 课时、{yuan(refund.due_fen)}" if is_approved else "主管部门已核定：不予退费"
    _tell([refund.contract.guardian, *clerks_of(refund.contract.institution)], refund, "decided", said)
    log.info("escrow.refund.decided by=%s refund=%s approved=%s lessons=%s", by.pk, refund.pk, is_approved, refund.lessons)
    return refund


@transaction.atomic
def withdraw(refund: Refund, *, by: User) -> Refund:
    """The family takes its application back while it is not approved."""
    refund = _locked(refund, *ASKED)
    refund.state = RefundState.WITHDRAWN
    refund.save()
    _tell(clerks_of(refund.contract.institution), refund, "withdrawn", f"{refund.contract.learner_name}家长撤回了退费申请，课时照常可以消")
    log.info("escrow.refund.withdrawn by=%s refund=%s", by.pk, refund.pk)
    return refund


def presume_silent(day: datetime.date) -> int:
    """Approve what institutions have not answered in time, one after the other, each committed at once; how many is returned."""
    count = 0
    silent = Refund.objects.filter(state=RefundState.APPLIED, answer_until__lt=day).order_by("pk")
    for pk in list(silent.values_list("pk", flat=True)):
        with transaction.atomic():
            try:
                refund = _locked(Refund.objects.get(pk=pk), RefundState.APPLIED)
            except ValidationError:
                continue
            _approve(refund, basis=RefundBasis.SILENCE, by=None)
            _tell([*clerks_of(refund.contract.institution)], refund, "silence", "退费申请逾期没有答复，已按规定视为同意")
            count += 1
    log.info("escrow.refunds.presumed day=%s count=%s", day, count)
    return count


@dataclass(frozen=True)
class Closing:
    """What an institution's families get back when it closes."""

    contract_count: int
    lessons: int
    fen: int
    #: Lessons about which the two sides have to agree first.
    open_lessons: int
    #: Closing refunds so far.
    done_count: int
    done_fen: int

    @property
    def total_count(self) -> int:
        """All closing refunds, done and to be done."""
        return self.contract_count + self.done_count


def closing_of(institution: Organisation) -> Closing:
    """What refunding all would do now, and what it has done."""
    found = [each for each in standings(Contract.objects.live().filter(institution=institution)).values() if each.left]
    due = [(each, each.free + each.asked) for each in found]
    done = Refund.objects.filter(contract__institution=institution, basis=RefundBasis.CLOSING).values_list("due_fen", flat=True)
    to_refund = [(each, lessons) for each, lessons in due if lessons]
    return Closing(
        contract_count=len(to_refund),
        lessons=sum(lessons for _, lessons in to_refund),
        fen=sum(each.refund_fen(lessons) for each, lessons in to_refund),
        open_lessons=sum(each.open for each in found),
        done_count=len(done),
        done_fen=sum(done),
    )


def refund_all(institution: Organisation, *, reason: str, by: User) -> int:
    """Give all lessons that are left and free back to the families of an institution that closes; how many contracts is returned.

    One contract after the other is committed: stopped in the middle and begun again it goes on where it was. Lessons in question wait
    until they are settled; run again, it gives back those too.
    """
    if not reason.strip():
        raise ValidationError("请写明停办或退费的原因，家长会看到")
    count = 0
    for pk in list(Contract.objects.live().filter(institution=institution).order_by("pk").values_list("pk", flat=True)):
        count += _refund_rest(pk, reason.strip()[:300], by)
    log.info("escrow.refund.all by=%s institution=%s contracts=%s", by.pk, institution.pk, count)
    return count


@transaction.atomic
def _refund_rest(contract_id: int, reason: str, by: User) -> bool:
    contract = lock(contract_id)
    standing, refund = standing_of(contract), contract.refunds.open().first()
    lessons = standing.free + standing.asked
    # One that the bank is paying has to arrive first; the next run finds what is left.
    if contract.state != ContractState.ACTIVE or lessons < 1 or (refund is not None and refund.state not in ASKED):
        return False
    if refund is None:
        day = today()
        due_on = refund_due_on(contract.institution.layer_code, day, contract.refund_working_days)
        refund = Refund(applied_by=by, applied_on=day, reason=reason, due_on=due_on)
    refund.contract, refund.decided_by, refund.decision = contract, by, reason
    computed = compute(standing, lessons)
    refund.lessons, refund.due_fen, refund.steps = lessons, computed.due_fen, computed.steps
    _approve(refund, basis=RefundBasis.CLOSING, by=by)
    text = f"{contract.course_name}：机构停办，剩余 {lessons} 课时的 {yuan(refund.due_fen)} 退还给您"
    _tell([contract.guardian], refund, "closing", text)
    return True


def _set_lessons(refund: Refund, lessons: int) -> None:
    """Let another number of lessons be given back than was asked for."""
    standing = standing_of(refund.contract)
    most = standing.free + standing.asked
    if not 1 <= lessons <= most:
        raise ValidationError(f"核定的课时要在 1 至 {most} 之间；不予退费请选“不予退费”")
    if lessons != refund.lessons:
        computed = compute(standing, lessons)
        refund.lessons, refund.due_fen, refund.steps = lessons, computed.due_fen, computed.steps


def _approve(refund: Refund, *, basis: RefundBasis, by: User | None) -> None:
    """Let lessons and money leave the contract, and tell the bank. The contract is locked.

    Where nobody knows to which account, the refund stays approved and the bureau is shown that an account is missing.
    """
    refund.state, refund.basis = RefundState.APPROVED, basis
    refund.save()
    books.post_refund(refund, effective_on=today(), by=by)
    try:
        prepare_refund(refund, by=by)
    except ValidationError as error:
        log.warning("escrow.refund.without_account refund=%s reason=%s", refund.pk, error.messages[0])
    refund.refresh_from_db(fields=["state", "instruction", "refunded_on", "refunded_fen"])
    if basis != RefundBasis.CLOSING:
        text = f"退费已通过（{basis.label}）：{refund.lessons} 课时、{yuan(refund.due_fen)}，请留意到账"
        _tell([refund.contract.guardian], refund, "approved", text)


def _locked(refund: Refund, *states: RefundState) -> Refund:
    """The refund as it is now, under its contract's lock; ValidationError when it is past what is asked."""
    contract = lock(refund.contract_id)
    found = contract.refunds.get(pk=refund.pk)
    found.contract = contract
    if found.state not in states:
        raise ValidationError(f"这笔退费现在是“{found.get_state_display()}”，不能再这样办；请刷新页面")
    return found


def _tell(users: list[User], refund: Refund, what: str, text: str) -> None:
    url = reverse("escrow:refund", args=[refund.pk])
    Notice.objects.send(users, occasion=f"escrow-refund-{what}:{refund.pk}", text=text[:300], url=url)
