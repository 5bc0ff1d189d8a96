"""What waits for somebody in prepaid tuition, for the list of what to do today."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.urls import reverse

from qingdan.accounts.enums import Role
from qingdan.accounts.models import User
from qingdan.escrow.enums import ContractState, LineMatch, RefundState, RiskLevel, SupervisionMode
from qingdan.escrow.models import BankInstruction, BankLine, Complaint, Contract, Lesson, Refund, RiskScore, RiskStep

#: What is to be said, where it is done, and whether it is late or stops others.
Waiting = tuple[str, str, bool]
_IN_RESERVE = Q(contract__agreement__mode=SupervisionMode.RESERVE)


def waiting_for(user: User, day: datetime.date) -> Iterator[Waiting]:
    """What a family, an institution or an officer has to answer."""
    lessons, refunds = Lesson.objects.visible_to(user), Refund.objects.visible_to(user)
    url = reverse("escrow:refunds")
    if user.is_parent:
        contracts = Contract.objects.visible_to(user).filter(state__in=[ContractState.OFFERED, ContractState.SIGNED])
        by_state = _counted(contracts, offered=Q(state=ContractState.OFFERED), signed=Q(state=ContractState.SIGNED))
        if count := by_state["offered"]:
            yield f"{count} 份培训合同等您核对签署", f"{reverse('escrow:contracts')}?state=offered", True
        if count := by_state["signed"]:
            yield f"{count} 份已签的培训合同等您缴费", f"{reverse('escrow:contracts')}?state=signed", False
        if count := lessons.waiting().count():
            yield f"{count} 次培训课等您确认", reverse("escrow:lessons_waiting"), True
        if count := refunds.filter(state=RefundState.INSTRUCTED, told_on__isnull=False).count():
            yield f"{count} 笔退费机构称已付，等您确认收到", url, True
    elif user.role == Role.INSTITUTION:
        if count := lessons.disputed().filter(reply="").count():
            yield f"{count} 次课家长有异议，等本机构说明", reverse("escrow:lessons_disputed"), True
        own = _counted(refunds.open(), applied=Q(state=RefundState.APPLIED), to_pay=_IN_RESERVE & Q(state=RefundState.APPROVED))
        if count := own["applied"]:
            yield f"{count} 件退费申请等本机构答复", f"{url}?state=applied", True
        if count := own["to_pay"]:
            yield f"{count} 笔退费已通过，等本机构付款", f"{url}?state=approved", True
    elif user.is_officer:
        yield from _of_watching(user, day)
        yield from _at_the_bank(user)
        contested, astray = Q(state=RefundState.CONTESTED), ~_IN_RESERVE & Q(state=RefundState.APPROVED)
        known = _counted(refunds.open(), contested=contested, overdue=Q(due_on__lt=day), astray=astray)
        if count := known["contested"]:
            yield f"{count} 件退费等您核定", f"{url}?state=contested", True
        if count := lessons.disputed().count():
            yield f"{count} 次课有异议，等您核定", reverse("escrow:lessons_disputed"), False
        if count := known["overdue"]:
            yield f"{count} 笔退费已逾期", f"{url}?state=overdue", True
        if count := known["astray"]:
            yield f"{count} 笔退费银行没能原路退回，等您核实账户", f"{url}?state=approved", True


def _counted(found: QuerySet[Any], **conditions: Q) -> dict[str, int]:
    """How many fit each condition, in one query."""
    return found.order_by().aggregate(**{name: Count("pk", filter=condition) for name, condition in conditions.items()})


def _at_the_bank(user: User) -> Iterator[Waiting]:
    """What an officer has to clear up with a bank."""
    lines = _counted(
        BankLine.objects.visible_to(user), unknown=Q(match=LineMatch.UNKNOWN), to_circulate=Q(is_large=True, circulated_at=None)
    )
    if count := lines["to_circulate"]:
        yield f"{count} 笔大额流动待核实通报", reverse("escrow:flows"), True
    if count := lines["unknown"]:
        yield f"{count} 笔银行流水对不上账，等您查明", reverse("escrow:lines"), True
    if count := BankInstruction.objects.visible_to(user).unanswered().count():
        yield f"{count} 笔付款银行多次没有答复", reverse("escrow:instructions"), True


def _of_watching(user: User, day: datetime.date) -> Iterator[Waiting]:
    """What warnings ask of an officer."""
    if count := RiskScore.objects.visible_to(user).of_newest_day().filter(level=RiskLevel.ALARM).count():
        yield f"{count} 家机构风险为紧急，请先看", f"{reverse('escrow:risks')}?level={RiskLevel.ALARM}", True
    if count := Complaint.objects.visible_to(user).open().count():
        yield f"{count} 件家长投诉等您答复", reverse("escrow:complaints"), True
    if count := RiskStep.objects.visible_to(user).open().filter(due_on__lt=day).count():
        yield f"{count} 项风险处置已过期限", reverse("escrow:risks"), True
