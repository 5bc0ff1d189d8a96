"""Under which mode and at which bank an institution's prepaid tuition lies, and what banks are told to pay."""

from __future__ import annotations

from typing import ClassVar

import pghistory
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import Q

from qingdan.accounts.enums import CompetentDepartment
from qingdan.accounts.models import Organisation, User
from qingdan.escrow.enums import OPEN_INSTRUCTIONS, BankChannel, InstructionPurpose, InstructionState, SupervisionMode
from qingdan.escrow.models.scope import supervised
from qingdan.places.models import OnePoint, days, refuse_reversed

#: Tries without an answer after which an officer is told.
TRIES_UNTIL_TOLD = 4


class CustodyAgreementQuerySet(models.QuerySet["CustodyAgreement"]):
    """Questions about agreements."""

    def visible_to(self, user: User) -> CustodyAgreementQuerySet:
        """Officers: those of their region and department; an institution: its own."""
        return self.filter(supervised(user))

    def in_force(self, day: object) -> CustodyAgreementQuerySet:
        """Those of a day."""
        return self.filter(Q(ends_on=None) | Q(ends_on__gte=day), starts_on__lte=day)


@pghistory.track(pghistory.UpdateEvent(row=pghistory.Old), pghistory.DeleteEvent())
class CustodyAgreement(models.Model):
    """An institution's prepaid tuition is watched over in one mode, at one bank, from a day on."""

    institution = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="custody_agreements", verbose_name="机构")
    #: Which department watches over it.
    department = models.CharField("主管部门", max_length=20, choices=CompetentDepartment.choices)
    mode = models.CharField("监管方式", max_length=20, choices=SupervisionMode.choices)
    bank_name = models.CharField("监管银行", max_length=60)
    channel = models.CharField("对接方式", max_length=10, choices=BankChannel.choices, default=BankChannel.HTTP)
    #: Custody and transfer: where families' money lies. Reserve: where the reserve lies.
    account_number = models.CharField("监管账号", max_length=34)
    #: Where released money goes: the institution's own account.
    settlement_account = models.CharField("结算账号", max_length=34)
    settlement_name = models.CharField("结算户名", max_length=100)
    #: Reserve only: never to fall below this.
    reserve_floor_fen = models.BigIntegerField("储备金下限（分）", default=0)
    starts_on = models.DateField("开始日期")
    ends_on = models.DateField("结束日期", null=True, blank=True)
    #: The bureau has stopped releases while a risk is looked into.
    is_release_paused = models.BooleanField("暂停划拨", default=False)
    entered_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="登记人")

    objects = CustodyAgreementQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "监管协议"
        ordering: ClassVar = ["institution__pinyin", "-starts_on"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="agreement_runs_forward",
                condition=Q(ends_on=None) | Q(ends_on__gte=models.F("starts_on")),
                violation_error_message="结束日期不能早于开始日期",
            ),
            models.CheckConstraint(
                name="agreement_has_its_accounts",
                condition=~Q(account_number="") & ~Q(settlement_account="") & ~Q(account_number=models.F("settlement_account")),
                violation_error_message="要有监管账号和结算账号，两个账号不能相同",
            ),
            models.CheckConstraint(
                name="agreement_reserve_has_a_floor",
                condition=(Q(mode=SupervisionMode.RESERVE) & Q(reserve_floor_fen__gt=0))
                | (~Q(mode=SupervisionMode.RESERVE) & Q(reserve_floor_fen=0)),
                violation_error_message="风险储备金要写明下限；其他方式没有下限",
            ),
            models.UniqueConstraint(
                name="agreement_account_once", fields=["account_number", "starts_on"], violation_error_message="这个监管账号已登记"
            ),
            ExclusionConstraint(
                name="agreements_do_not_overlap",
                expressions=[(OnePoint("institution_id"), RangeOperators.OVERLAPS), (days(), RangeOperators.OVERLAPS)],
                violation_error_message="这家机构同期已有监管协议，请先写明原协议的结束日期",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.institution} {self.get_mode_display()}"

    def clean(self) -> None:
        """Refuse an agreement that runs backward."""
        super().clean()
        refuse_reversed(self, "结束日期不能早于开始日期")

    @property
    def masked_account(self) -> str:
        """The account's last four digits, for those who need not know it."""
        return f"尾号 {self.account_number[-4:]}"


class BankInstructionQuerySet(models.QuerySet["BankInstruction"]):
    """Questions about instructions."""

    def visible_to(self, user: User) -> BankInstructionQuerySet:
        """Those of the agreements that a user may see."""
        return self.filter(agreement__in=CustodyAgreement.objects.visible_to(user))

    def pending(self) -> BankInstructionQuerySet:
        """Those that the bank may still book."""
        return self.filter(state__in=OPEN_INSTRUCTIONS)

    def to_tell(self) -> BankInstructionQuerySet:
        """Those about which a bank is to be spoken to: releases of paused agreements that it has not heard of stay where they are."""
        release = Q(state=InstructionState.PREPARED, purpose=InstructionPurpose.RELEASE, agreement__is_release_paused=True)
        return self.pending().exclude(release)

    def unanswered(self) -> BankInstructionQuerySet:
        """Those of which nobody knows whether the bank has them, though it was asked several times."""
        return self.pending().exclude(state=InstructionState.ACCEPTED).filter(attempts__gte=TRIES_UNTIL_TOLD)


class BankInstruction(models.Model):
    """One payment a bank is told to make, kept before it is sent: whatever dies on the way, it is told again under the same reference."""

    agreement = models.ForeignKey(CustodyAgreement, on_delete=models.PROTECT, related_name="instructions", verbose_name="监管协议")
    #: Ours, once for all time; the bank's EndToEndId.
    reference = models.CharField("业务参考号", max_length=35, unique=True)
    purpose = models.CharField("用途", max_length=20, choices=InstructionPurpose.choices)
    contract = models.ForeignKey(
        "escrow.Contract", on_delete=models.PROTECT, null=True, blank=True, related_name="instructions", verbose_name="合同"
    )
    amount_fen = models.BigIntegerField("金额（分）")
    to_account = models.CharField("收款账号", max_length=34)
    to_name = models.CharField("收款户名", max_length=100)
    remittance = models.CharField("附言", max_length=140, blank=True)
    requested_on = models.DateField("要求日期")
    state = models.CharField("状态", max_length=20, choices=InstructionState.choices, default=InstructionState.PREPARED)
    reason = models.CharField("银行答复", max_length=300, blank=True)
    bank_reference = models.CharField("银行流水号", max_length=60, blank=True)
    attempts = models.PositiveIntegerField("发送次数", default=0)
    created_at = models.DateTimeField("建立时间", auto_now_add=True)
    sent_at = models.DateTimeField("最近发送时间", null=True, blank=True)
    booked_on = models.DateField("入账日期", null=True, blank=True)

    objects = BankInstructionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "付款指令"
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [
            models.Index(fields=["agreement", "state"], name="instruction_by_state"),
            models.Index(fields=["contract"], name="instruction_of_contract"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="instruction_amount_is_positive", condition=Q(amount_fen__gt=0), violation_error_message="付款金额要大于零"
            ),
            models.CheckConstraint(
                name="instruction_booked_has_a_day",
                condition=Q(state=InstructionState.BOOKED, booked_on__isnull=False)
                | (~Q(state=InstructionState.BOOKED) & Q(booked_on=None)),
                violation_error_message="已入账的指令要有入账日期，未入账的没有",
            ),
            models.CheckConstraint(
                name="instruction_rejection_has_a_reason",
                condition=~Q(state=InstructionState.REJECTED, reason=""),
                violation_error_message="银行拒绝的指令要写明原因",
            ),
        ]

    def __str__(self) -> str:
        return self.reference
