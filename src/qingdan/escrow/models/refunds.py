"""Refunds: what a family asks back, computed step by step, and complaints."""

from __future__ import annotations

import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q

from qingdan.accounts.models import User
from qingdan.escrow.enums import OPEN_REFUNDS, RefundBasis, RefundState
from qingdan.escrow.models.contracts import Contract
from qingdan.escrow.models.custody import BankInstruction


class RefundQuerySet(models.QuerySet["Refund"]):
    """Questions about refunds."""

    def visible_to(self, user: User) -> RefundQuerySet:
        """Those of the contracts that a user may see."""
        return self.filter(contract__in=Contract.objects.visible_to(user))

    def open(self) -> RefundQuerySet:
        """Those that are not over."""
        return self.filter(state__in=OPEN_REFUNDS)

    def overdue(self, day: datetime.date) -> RefundQuerySet:
        """Open ones whose promised day has passed."""
        return self.open().filter(due_on__lt=day)


class Refund(models.Model):
    """Some or all of the lessons that are left are given back for money, by the way it came."""

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="refunds", verbose_name="合同")
    applied_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="申请人")
    applied_on = models.DateField("申请日期")
    reason = models.CharField("退费原因", max_length=300)
    #: How many of the lessons that are left; the rest goes on.
    lessons = models.PositiveSmallIntegerField("退课时数")
    due_fen = models.BigIntegerField("应退金额（分）")
    #: ``[{label, text, fen}]``: how the amount comes about, as it was shown.
    steps = models.JSONField("计算步骤")
    state = models.CharField("状态", max_length=20, choices=RefundState.choices, default=RefundState.APPLIED)
    basis = models.CharField("办理依据", max_length=20, choices=RefundBasis.choices, blank=True)
    #: Silence of the institution counts as agreement after this day; empty where it counts for nothing.
    answer_until = models.DateField("答复期限", null=True, blank=True)
    #: The day by which the contract promises the money.
    due_on = models.DateField("应退日期")
    answered_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="答复人")
    answer = models.CharField("机构答复", max_length=300, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="核定人")
    decision = models.CharField("核定理由", max_length=300, blank=True)
    instruction = models.OneToOneField(
        BankInstruction, on_delete=models.PROTECT, null=True, blank=True, related_name="refund", verbose_name="付款指令"
    )
    #: Reserve mode, where the institution has the money: when and by which reference of its bank it says that it has paid.
    told_on = models.DateField("机构退款日期", null=True, blank=True)
    told_reference = models.CharField("机构退款流水号", max_length=60, blank=True)
    refunded_on = models.DateField("到账日期", null=True, blank=True)
    refunded_fen = models.BigIntegerField("实退金额（分）", default=0)
    updated_at = models.DateTimeField("更新时间", auto_now=True)

    objects = RefundQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "退费"
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [models.Index(fields=["state", "answer_until"], name="refund_waiting")]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="refund_counts_are_positive",
                condition=Q(lessons__gte=1, due_fen__gte=0, refunded_fen__gte=0),
                violation_error_message="退课时数要大于零，金额不能小于零",
            ),
            models.UniqueConstraint(
                name="refund_open_once",
                fields=["contract"],
                condition=Q(state__in=OPEN_REFUNDS),
                violation_error_message="这份合同已有办理中的退费",
            ),
            models.CheckConstraint(
                name="refund_paid_has_a_day",
                condition=Q(state=RefundState.PAID, refunded_on__isnull=False) | (~Q(state=RefundState.PAID) & Q(refunded_on=None)),
                violation_error_message="已退的要有到账日期，未退的没有",
            ),
            models.CheckConstraint(
                name="refund_goes_through_on_a_basis",
                condition=~Q(state__in=[RefundState.APPROVED, RefundState.INSTRUCTED, RefundState.PAID]) | ~Q(basis=""),
                violation_error_message="办理退费要有依据",
            ),
            models.CheckConstraint(
                name="refund_decision_is_explained",
                condition=~Q(basis=RefundBasis.DECIDED, decision="") & ~Q(state=RefundState.REFUSED, decision=""),
                violation_error_message="核定退费要写明理由",
            ),
            models.CheckConstraint(
                name="refund_told_is_whole",
                condition=Q(told_on=None, told_reference="") | (Q(told_on__isnull=False) & ~Q(told_reference="")),
                violation_error_message="机构自行退款要同时写明退款日期和银行流水号",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contract} {self.applied_on}"


class ComplaintQuerySet(models.QuerySet["Complaint"]):
    """Questions about complaints."""

    def visible_to(self, user: User) -> ComplaintQuerySet:
        """A guardian's own, and officers' of their institutions. Never the institution: whoever complains is protected (S2)."""
        if user.is_parent:
            return self.filter(made_by=user)
        return self.filter(contract__in=Contract.objects.visible_to(user)) if user.is_officer else self.none()

    def open(self) -> ComplaintQuerySet:
        """Those that wait for an answer."""
        return self.filter(answered_at=None)


class Complaint(models.Model):
    """What a family says of an institution, besides single lessons and refunds."""

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="complaints", verbose_name="合同")
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="投诉人")
    made_at = models.DateTimeField("投诉时间", auto_now_add=True)
    text = models.CharField("内容", max_length=500)
    answered_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="答复人")
    answered_at = models.DateTimeField("答复时间", null=True, blank=True)
    answer = models.CharField("答复", max_length=500, blank=True)

    objects = ComplaintQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "投诉"
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(name="complaint_has_a_text", condition=~Q(text=""), violation_error_message="请写明投诉内容"),
            models.CheckConstraint(
                name="complaint_answer_is_signed",
                condition=Q(answered_at=None, answer="") | Q(~Q(answer=""), answered_at__isnull=False, answered_by__isnull=False),
                violation_error_message="答复要有内容、答复人和时间",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contract} {self.made_at:%Y-%m-%d}"
