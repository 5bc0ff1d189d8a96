"""Closed sets of the ledger."""

from __future__ import annotations

from django.db.models import TextChoices


class Unit(TextChoices):
    """What an account counts, always in whole numbers; one posting may move several units, each of which sums to zero."""

    FEN = "fen", "分"
    LESSON = "lesson", "课时"
    MINUTE = "minute", "分钟"


class FaultKind(TextChoices):
    """What a verification can find wrong with a book."""

    NUMBER = "number", "编号有缺"
    CONTENT = "content", "内容与摘要不符"
    CHAIN = "chain", "与上一笔不相接"
    TIME = "time", "记录时间倒退"
    UNBALANCED = "unbalanced", "借贷不平"
    REVERSAL = "reversal", "冲销不符"
    STRAY = "stray", "分录没有凭证"
    FOREIGN = "foreign", "分录串账"
    BALANCE = "balance", "余额与分录不符"
    OVERDRAWN = "overdrawn", "透支"
    HEAD = "head", "账簿末笔不符"
