"""Why the ledger does not post. Each is a ValidationError, so that a form shows its message to the clerk as it is."""

from __future__ import annotations

from django.core.exceptions import ValidationError

from qingdan.ledger.enums import Unit
from qingdan.ledger.models import Account, Posting


class Refused(ValidationError):
    """Nothing was posted; the message says in Chinese why and what to do."""


class Unbalanced(Refused):
    """The lines do not sum to zero in every unit, or move nothing."""


class WrongAccount(Refused):
    """An account of another book, or one that has another unit than asked for."""


class Overdrawn(Refused):
    """An account has less than is to be taken out of it."""

    def __init__(self, account: Account, *, balance: int, asked: int) -> None:
        """``balance`` is what there is and ``asked`` what was to be taken, both in the account's unit and not negative."""
        super().__init__(f"“{account.title}”余额不足：现有{amount_text(balance, account.unit)}，要转出{amount_text(asked, account.unit)}")
        self.account, self.balance, self.asked = account, balance, asked


class KeyReused(Refused):
    """The key names another act that stands already."""

    def __init__(self, posting: Posting) -> None:
        """``posting`` is the one that stands."""
        super().__init__(
            f"唯一键“{posting.key}”已用于第 {posting.number} 笔（{posting.effective_on}），内容与这次不同，没有记账；请核对那一笔"
        )
        self.posting = posting


class AlreadyReversed(Refused):
    """The posting has been reversed before."""

    def __init__(self, posting: Posting) -> None:
        """``posting`` is the one that reverses it."""
        super().__init__(f"这笔账已由第 {posting.number} 笔（{posting.effective_on}）冲销，不能再冲销一次")
        self.posting = posting


class NotReversible(Refused):
    """A reversal cannot be reversed, and nothing on a day before what it reverses."""


def amount_text(amount: int, unit: str) -> str:
    """An amount as people say it: ``1,250.00 元``, ``12 课时``."""
    if unit == Unit.FEN:
        sign, fen = "-" if amount < 0 else "", abs(amount)
        return f" {sign}{fen // 100:,}.{fen % 100:02} 元"
    return f" {amount:,} {Unit(unit).label if unit in Unit.values else unit}"
