"""Books, accounts, postings and their entries.

An entry moves an amount into an account (positive) or out of it (negative); the entries of a posting sum to zero in every unit, so
nothing appears or vanishes. What comes from outside (a parent's bank card, say) comes out of an account that may be negative: its
balance tells how much has come in altogether.

Nothing here is saved by hand. ``ledger.posting`` writes; the guards of migration 0002 hold in the database whoever writes, and
decision 0015 says why they are what they are.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from qingdan.accounts.models import Organisation, User
from qingdan.ledger.enums import Unit

#: The most that one entry may move, in its unit: ten thousand million yuan. Far above any sum, far below where a sum overflows.
AMOUNT_MAX = 10**12
#: The digest before the first posting.
NO_DIGEST = "0" * 64


class BookQuerySet(models.QuerySet["Book"]):
    """Questions about books."""

    def visible_to(self, user: User) -> BookQuerySet:
        """The books of organisations that the user may see; a book of no organisation is the house's own."""
        return self.filter(organisation__in=Organisation.objects.visible_to(user))


class Book(models.Model):
    """One book: a chain of postings numbered without a gap. Also the lock under which they are written."""

    code = models.CharField("代码", max_length=80, unique=True, error_messages={"unique": "已有这个代码的账簿"})
    title = models.CharField("名称", max_length=100)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="books", verbose_name="单位"
    )
    created_at = models.DateTimeField("建立时间", auto_now_add=True)
    # The end of the chain, kept by the database.
    last_number = models.PositiveBigIntegerField("末笔编号", default=0, editable=False)
    last_digest = models.CharField("末笔摘要", max_length=64, default=NO_DIGEST, editable=False)
    last_recorded_at = models.DateTimeField("末笔记录时间", null=True, editable=False)

    objects = BookQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "账簿"
        ordering: ClassVar = ["code"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="ledger_book_has_code_and_title",
                condition=~Q(code="") & ~Q(title=""),
                violation_error_message="账簿要有代码和名称",
            )
        ]

    def __str__(self) -> str:
        return self.title


class AccountQuerySet(models.QuerySet["Account"]):
    """Questions about accounts."""

    def visible_to(self, user: User) -> AccountQuerySet:
        """Those of books that the user may see."""
        return self.filter(book__in=Book.objects.visible_to(user))


class Account(models.Model):
    """Where units lie, or where they come from and go to."""

    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="accounts", verbose_name="账簿", db_index=False)
    code = models.CharField("代码", max_length=80)
    title = models.CharField("名称", max_length=100)
    unit = models.CharField("单位", max_length=10, choices=Unit.choices)
    #: Only for what stands for the outside; nobody can take more out of any other account than there is.
    may_be_negative = models.BooleanField("可以为负", default=False)
    #: The sum of all entries, those effective in the future too; kept by the database.
    balance = models.BigIntegerField("余额", default=0, editable=False)

    objects = AccountQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "科目"
        ordering: ClassVar = ["book", "code"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="ledger_account_code_is_unique_in_book", fields=["book", "code"], violation_error_message="账簿里已有这个代码的科目"
            ),
            models.CheckConstraint(
                name="ledger_account_has_code_and_title",
                condition=~Q(code="") & ~Q(title=""),
                violation_error_message="科目要有代码和名称",
            ),
            models.CheckConstraint(
                name="ledger_account_unit_is_known",
                condition=Q(unit__in=Unit.values),
                violation_error_message="科目的单位只能是分、课时或分钟",
            ),
            models.CheckConstraint(
                name="ledger_account_is_not_overdrawn",
                condition=Q(may_be_negative=True) | Q(balance__gte=0),
                violation_error_message="科目余额不足，不能透支",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class PostingQuerySet(models.QuerySet["Posting"]):
    """Questions about postings."""

    def visible_to(self, user: User) -> PostingQuerySet:
        """Those of books that the user may see."""
        return self.filter(book__in=Book.objects.visible_to(user))


class Posting(models.Model):
    """One business act in the book. It stands for ever; a mistake is undone by another posting that reverses it."""

    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="postings", verbose_name="账簿", db_index=False)
    #: From 1, without a gap.
    number = models.PositiveBigIntegerField("编号")
    #: What sort of act, a word of the app that posts: ``payment``, ``release``.
    kind = models.CharField("种类", max_length=40)
    #: The day on which it counts.
    effective_on = models.DateField("记账日期")
    #: When the book came to know it; never before the posting with the number below.
    recorded_at = models.DateTimeField("记录时间")
    #: Names the act, so that trying again does nothing: ``release:4711:12``.
    key = models.CharField("唯一键", max_length=120)
    memo = models.CharField("摘要", max_length=300, blank=True)
    recorded_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="记账人", db_index=False
    )
    reverses = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="reversal",
        verbose_name="冲销",
        error_messages={"unique": "这笔账已经冲销过"},
    )
    #: SHA-256 as hexadecimal digits, of the posting before and of this one (``ledger.verify.canonical_text``).
    previous_digest = models.CharField("上一笔摘要", max_length=64)
    digest = models.CharField("本笔摘要", max_length=64)

    objects = PostingQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "记账凭证"
        ordering: ClassVar = ["book", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="ledger_posting_number_is_unique", fields=["book", "number"], violation_error_message="账簿里已有这个编号的凭证"
            ),
            models.UniqueConstraint(
                name="ledger_posting_key_is_unique", fields=["book", "key"], violation_error_message="账簿里已有这个唯一键的凭证"
            ),
            models.CheckConstraint(
                name="ledger_posting_has_kind_and_key",
                condition=~Q(kind="") & ~Q(key=""),
                violation_error_message="记账凭证要有种类和唯一键",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.book} 第 {self.number} 笔"


class Entry(models.Model):
    """One line of a posting. There is at most one for an account."""

    # Both references go by (book, id) in the database, so that an entry cannot join an account and a posting of different books.
    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="+", verbose_name="账簿", db_constraint=False, db_index=False)
    posting = models.ForeignKey(
        Posting, on_delete=models.PROTECT, related_name="entries", verbose_name="凭证", db_constraint=False, db_index=False
    )
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="entries", verbose_name="科目", db_constraint=False, db_index=False
    )
    #: In the account's unit: what goes in is positive, what goes out is negative.
    amount = models.BigIntegerField("数额")

    class Meta:
        verbose_name = verbose_name_plural = "分录"
        ordering: ClassVar = ["posting", "pk"]
        indexes: ClassVar = [models.Index(name="ledger_entry_of_account", fields=["account", "posting"])]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="ledger_entry_account_is_once", fields=["posting", "account"], violation_error_message="一笔凭证里每个科目只有一条分录"
            ),
            models.CheckConstraint(
                name="ledger_entry_amount_moves_something",
                condition=~Q(amount=0) & Q(amount__gte=-AMOUNT_MAX, amount__lte=AMOUNT_MAX),
                violation_error_message="分录的数额不能是零，也不能超过一百亿元",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.amount:+}"
