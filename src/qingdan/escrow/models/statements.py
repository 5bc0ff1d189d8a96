"""What banks say happened, day by day, and how it agrees with the book."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from qingdan.accounts.models import Organisation, User
from qingdan.escrow.enums import LineMatch
from qingdan.escrow.models.contracts import PaymentOrder
from qingdan.escrow.models.custody import BankInstruction, CustodyAgreement
from qingdan.escrow.models.scope import supervised


class BankStatementQuerySet(models.QuerySet["BankStatement"]):
    """Questions about statements."""

    def visible_to(self, user: User) -> BankStatementQuerySet:
        """Those of the agreements that a user may see."""
        return self.filter(agreement__in=CustodyAgreement.objects.visible_to(user))


class BankStatement(models.Model):
    """One statement of an account; the same one twice is kept once."""

    agreement = models.ForeignKey(CustodyAgreement, on_delete=models.PROTECT, related_name="statements", verbose_name="监管协议")
    identification = models.CharField("对账单号", max_length=60)
    sequence_number = models.BigIntegerField("序号")
    from_on = models.DateField("起")
    until_on = models.DateField("止")
    opening_fen = models.BigIntegerField("期初余额（分）")
    closing_fen = models.BigIntegerField("期末余额（分）")
    #: SHA-256 of what it says, in hexadecimal digits: the same number with other content is refused.
    digest = models.CharField("摘要", max_length=64)
    received_at = models.DateTimeField("收到时间", auto_now_add=True)
    received_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="导入人")

    objects = BankStatementQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "对账单"
        ordering: ClassVar = ["-until_on", "-sequence_number"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="statement_once", fields=["agreement", "identification"], violation_error_message="这份对账单已经收过"
            ),
            models.UniqueConstraint(
                name="statement_sequence_once",
                fields=["agreement", "sequence_number"],
                violation_error_message="这个序号的对账单已经收过，内容不同，请向银行核实",
            ),
            models.CheckConstraint(
                name="statement_runs_forward", condition=Q(until_on__gte=F("from_on")), violation_error_message="对账单的止不能早于起"
            ),
        ]

    def __str__(self) -> str:
        return self.identification


class BankLineQuerySet(models.QuerySet["BankLine"]):
    """Questions about lines."""

    def visible_to(self, user: User) -> BankLineQuerySet:
        """Those of the agreements that a user may see."""
        return self.filter(agreement__in=CustodyAgreement.objects.visible_to(user))

    def open(self) -> BankLineQuerySet:
        """Those that nobody can explain yet."""
        return self.filter(match=LineMatch.UNKNOWN)


class BankLine(models.Model):
    """One movement on a statement: into the account above zero, out of it below."""

    statement = models.ForeignKey(BankStatement, on_delete=models.PROTECT, related_name="lines", verbose_name="对账单")
    agreement = models.ForeignKey(CustodyAgreement, on_delete=models.PROTECT, related_name="lines", verbose_name="监管协议")
    bank_reference = models.CharField("银行流水号", max_length=60)
    reference = models.CharField("业务参考号", max_length=35, blank=True)
    amount_fen = models.BigIntegerField("金额（分）")
    booked_on = models.DateField("记账日期")
    counterparty_name = models.CharField("对方户名", max_length=140, blank=True)
    counterparty_account = models.CharField("对方账号", max_length=34, blank=True)
    remittance = models.CharField("附言", max_length=140, blank=True)
    is_reversal = models.BooleanField("冲正", default=False)
    match = models.CharField("核对结果", max_length=20, choices=LineMatch.choices, default=LineMatch.UNKNOWN)
    order = models.ForeignKey(PaymentOrder, on_delete=models.PROTECT, null=True, blank=True, related_name="lines", verbose_name="缴费单")
    instruction = models.ForeignKey(
        BankInstruction, on_delete=models.PROTECT, null=True, blank=True, related_name="lines", verbose_name="付款指令"
    )
    #: How an unknown line was cleared up, and by whom.
    note = models.CharField("查明说明", max_length=300, blank=True)
    settled_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="查明人")
    #: A large or unusual flow (S0.9③): told to whom it concerns.
    is_large = models.BooleanField("大额", default=False)
    warned_at = models.DateTimeField("预警时间", null=True, blank=True)
    circulated_at = models.DateTimeField("通报时间", null=True, blank=True)

    objects = BankLineQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "银行流水"
        ordering: ClassVar = ["-booked_on", "-pk"]
        indexes: ClassVar = [models.Index(fields=["agreement", "match", "booked_on"], name="line_to_match")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="bank_line_once", fields=["agreement", "bank_reference"], violation_error_message="这笔银行流水已经收过"
            ),
            models.CheckConstraint(name="bank_line_moves_something", condition=~Q(amount_fen=0), violation_error_message="金额不能为零"),
            models.CheckConstraint(
                name="bank_line_settled_is_explained",
                condition=~Q(match=LineMatch.SETTLED) | (~Q(note="") & Q(settled_by__isnull=False)),
                violation_error_message="查明一笔流水要写明情况",
            ),
        ]

    def __str__(self) -> str:
        return self.bank_reference


class DayBalanceQuerySet(models.QuerySet["DayBalance"]):
    """Questions about reconciled days."""

    def visible_to(self, user: User) -> DayBalanceQuerySet:
        """Those of the agreements that a user may see."""
        return self.filter(agreement__in=CustodyAgreement.objects.visible_to(user))


class DayBalance(models.Model):
    """One account on one day: what the bank says lies there against what the book says should, and what is still open."""

    agreement = models.ForeignKey(CustodyAgreement, on_delete=models.PROTECT, related_name="day_balances", verbose_name="监管协议")
    on_date = models.DateField("日期")
    #: None while no statement of the day has come.
    bank_fen = models.BigIntegerField("银行余额（分）", null=True, blank=True)
    book_fen = models.BigIntegerField("账面余额（分）")
    #: What families have paid for lessons not yet given.
    owed_fen = models.BigIntegerField("未消课预收费（分）")
    matched_count = models.PositiveIntegerField("相符笔数", default=0)
    late_count = models.PositiveIntegerField("跨日笔数", default=0)
    unknown_count = models.PositiveIntegerField("不明笔数", default=0)
    #: In the book, not on any statement.
    missing_count = models.PositiveIntegerField("缺失笔数", default=0)
    computed_at = models.DateTimeField("核对时间", auto_now=True)

    objects = DayBalanceQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "每日对账"
        ordering: ClassVar = ["-on_date", "agreement"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="day_balance_once", fields=["agreement", "on_date"], violation_error_message="这一天已经对过账"),
        ]

    def __str__(self) -> str:
        return f"{self.agreement} {self.on_date}"

    @property
    def gap_fen(self) -> int | None:
        """How much more the bank has than the book; None while the bank has said nothing."""
        return None if self.bank_fen is None else self.bank_fen - self.book_fen


class MoneyGap(models.Model):
    """Money that should have come into custody against what did (E7), with how that was found out."""

    institution = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="money_gaps", verbose_name="机构")
    on_date = models.DateField("日期")
    expected_fen = models.BigIntegerField("应缴入（分）")
    received_fen = models.BigIntegerField("已缴入（分）")
    #: ``[{kind, label, expected_fen, received_fen, text}]``: contracts, attendance, seats times prices.
    evidence = models.JSONField("依据")

    class Meta:
        verbose_name = verbose_name_plural = "未入监管资金"
        ordering: ClassVar = ["-on_date", "institution"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="money_gap_once_a_day", fields=["institution", "on_date"], violation_error_message="这一天已经算过"
            ),
            models.CheckConstraint(
                name="money_gap_sums_are_not_negative",
                condition=Q(expected_fen__gte=0, received_fen__gte=0),
                violation_error_message="金额不能小于零",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.institution} {self.on_date}"

    @classmethod
    def visible_to(cls, user: User) -> models.QuerySet[MoneyGap]:
        """Those of the institutions that a user watches over."""
        return cls.objects.filter(supervised(user))

    @property
    def gap_fen(self) -> int:
        """What did not come."""
        return max(0, self.expected_fen - self.received_fen)
