"""How contracts stand: what was paid, given, given back and is left, in lessons and fen.

Lessons that are left may be claimed by two sides: by the institution, which has recorded some as given, and by the family, which asks
some back. Whatever is claimed cannot be claimed again before it is settled, so that every claim can be met.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Sum

from qingdan.escrow import books
from qingdan.escrow.enums import LessonState, RefundState
from qingdan.escrow.models import Contract, Lesson, Refund
from qingdan.ledger.models import Account

#: Asked for and not yet posted: the lessons still stand in the contract.
ASKED = (RefundState.APPLIED, RefundState.CONTESTED)
#: Posted: lessons and money have left the contract.
POSTED = (RefundState.APPROVED, RefundState.INSTRUCTED, RefundState.PAID)


@dataclass(frozen=True)
class Standing:
    """One contract, as its ledger and its records have it."""

    contract: Contract
    #: Paid for, neither given nor given back: the ledger's balances.
    left: int = 0
    held_fen: int = 0
    #: Of these: recorded and not answered, in dispute, asked back and not yet decided.
    waiting: int = 0
    disputed: int = 0
    asked: int = 0
    #: Given back, whether the money has arrived or not, and the money of it; then what has arrived.
    returned: int = 0
    returned_fen: int = 0
    refunded_fen: int = 0

    @property
    def is_paid(self) -> bool:
        """Whether the family has paid."""
        return self.contract.paid_on is not None

    @property
    def given(self) -> int:
        """Lessons that count as given."""
        return self.contract.lessons - self.left - self.returned if self.is_paid else 0

    @property
    def released_fen(self) -> int:
        """What has gone over to the institution."""
        return self.contract.amount_fen - self.held_fen - self.returned_fen if self.is_paid else 0

    @property
    def refund_under_way_fen(self) -> int:
        """What the family is to get and has not got."""
        return self.returned_fen - self.refunded_fen

    @property
    def open(self) -> int:
        """Lessons recorded as given about which the family has said nothing, or no."""
        return self.waiting + self.disputed

    @property
    def free(self) -> int:
        """Lessons that nobody claims: so many can still be given, or asked back."""
        return self.left - self.open - self.asked

    def release_fen(self, lessons: int) -> int:
        """What the next lessons are worth."""
        return self.contract.fen_of_lessons(self.given + 1, self.given + lessons)

    def refund_span(self, lessons: int) -> tuple[int, int]:
        """From and to which place in the contract lessons are given back: its last ones."""
        last = self.contract.lessons - self.returned
        return last - lessons + 1, last

    def refund_fen(self, lessons: int) -> int:
        """What lessons that are given back are worth. Giving lessons does not change it."""
        return self.contract.fen_of_lessons(*self.refund_span(lessons))


def standings(contracts: Iterable[Contract]) -> dict[int, Standing]:
    """Contract -> how it stands; three queries, however many there are."""
    contracts = list(contracts)
    codes = [code for each in contracts for code in (books.held_code(each), books.left_code(each))]
    in_books = {books.book_code(each.institution_id) for each in contracts}
    balances = dict(Account.objects.filter(code__in=codes, book__code__in=in_books).values_list("code", "balance"))
    lessons: defaultdict[tuple[int, str], int] = defaultdict(int)
    counted = Lesson.objects.filter(contract__in=contracts, state__in=[LessonState.RECORDED, LessonState.DISPUTED]).order_by()
    for row in counted.values("contract", "state").annotate(lessons=Sum("lessons")):
        lessons[row["contract"], row["state"]] = row["lessons"]
    refunds: defaultdict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0])
    asked = Refund.objects.filter(contract__in=contracts, state__in=[*ASKED, *POSTED]).order_by()
    for row in asked.values("contract", "state").annotate(lessons=Sum("lessons"), fen=Sum("due_fen")):
        refunds[row["contract"], row["state"]] = [row["lessons"], row["fen"]]
    return {
        each.pk: Standing(
            each,
            left=balances.get(books.left_code(each), 0),
            held_fen=balances.get(books.held_code(each), 0),
            waiting=lessons[each.pk, LessonState.RECORDED],
            disputed=lessons[each.pk, LessonState.DISPUTED],
            asked=sum(refunds[each.pk, state][0] for state in ASKED),
            returned=sum(refunds[each.pk, state][0] for state in POSTED),
            returned_fen=sum(refunds[each.pk, state][1] for state in POSTED),
            refunded_fen=refunds[each.pk, RefundState.PAID][1],
        )
        for each in contracts
    }


def standing_of(contract: Contract) -> Standing:
    """How one contract stands."""
    return standings([contract])[contract.pk]
