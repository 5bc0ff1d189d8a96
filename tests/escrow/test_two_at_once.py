"""Many at once on one contract: real threads, real transactions, not a fen astray."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import ValidationError
from django.db import connections

from qingdan.accounts.models import User
from qingdan.escrow import books
from qingdan.escrow.actions import instructing, lessons, refunds
from qingdan.escrow.actions.lessons import Taught
from qingdan.escrow.enums import LessonState, RefundState
from qingdan.escrow.models import BankInstruction, CustodyAgreement, Lesson, Refund
from qingdan.escrow.standing import standing_of
from qingdan.ledger.verify import verify
from tests.district import MONDAY, TUESDAY, District, make_district
from tests.escrow.making import make_contract

pytestmark = pytest.mark.django_db(transaction=True)
_THREADS = 16


@pytest.fixture
def district(transactional_db: None) -> District:
    """The district, visible to every thread."""
    return make_district()


def all_at_once(acts: list[Callable[[], object]]) -> Counter[str]:
    """How often each act ended how: done, or refused in words."""

    def run(act: Callable[[], object]) -> str:
        try:
            act()
        except ValidationError as error:
            return str(error.messages[0])
        finally:
            connections.close_all()
        return "done"

    with ThreadPoolExecutor(_THREADS) as pool:
        return Counter(pool.map(run, acts))


def test_two_hundred_confirmations_and_refunds_on_one_contract(
    agreement: CustodyAgreement, parent: User, operator: User, district: District
) -> None:
    contract = make_contract(agreement, parent, operator, lessons=170, amount_fen=1_000_003)
    for number in range(120):
        taught = Taught(1, MONDAY - datetime.timedelta(days=number % 20), 60 + number * 8, 60 + number * 8 + 40)
        lessons.record([contract], taught=taught, lessons=1, by=operator)
    recorded = list(Lesson.objects.order_by("pk"))

    def confirm(lesson: Lesson) -> Callable[[], object]:
        return lambda: lessons.confirm([lesson], by=parent)

    def give_back(number: int) -> object:
        refund = refunds.apply(contract, lessons=1 + number % 3, reason="搬家", by=parent)
        refund = refunds.answer(refund, agrees=True, text="", by=operator)
        assert refund.instruction is not None
        return instructing.booked(refund.instruction, on=TUESDAY, bank_reference=f"B{number}")

    def transfer() -> object:
        return [instructing.booked(each, on=TUESDAY, bank_reference="R") for each in instructing.prepare_releases(MONDAY)]

    acts: list[Callable[[], object]] = []
    for number in range(200):
        if number % 5 < 3:
            acts.append(confirm(recorded[number * 3 // 5 % 120]))
        elif number % 5 == 3:
            acts.append(lambda number=number: give_back(number))  # type: ignore[misc]
        else:
            acts.append(transfer)
    ended = all_at_once(acts)
    assert not any("余额不足" in each for each in ended), ended
    standing = standing_of(contract)
    confirmed = Lesson.objects.filter(state=LessonState.CONFIRMED).count()
    assert confirmed == len({number * 3 // 5 % 120 for number in range(200) if number % 5 < 3})
    paid = sum(each.due_fen for each in Refund.objects.filter(state=RefundState.PAID))
    assert standing.given == confirmed
    assert standing.held_fen + standing.released_fen + standing.returned_fen == 1_000_003
    assert standing.refunded_fen == paid
    assert not Refund.objects.filter(state__in=[RefundState.APPROVED, RefundState.INSTRUCTED]).exists()
    transfer()
    released = sum(each.amount_fen for each in BankInstruction.objects.filter(purpose="release", state="booked"))
    assert (released, books.balance_fen(agreement, "transit"), books.balance_fen(agreement, "returning")) == (standing.released_fen, 0, 0)
    assert list(verify(books.book_of(agreement.institution))) == []


def test_a_lesson_and_a_refund_of_the_last_lesson_at_once(agreement: CustodyAgreement, parent: User, operator: User) -> None:
    for _ in range(5):
        contract = make_contract(agreement, parent, operator, lessons=1)
        taught = Taught(1, MONDAY, 600, 640)
        ended = all_at_once(
            [
                lambda: lessons.record([contract], taught=taught, lessons=1, by=operator),  # noqa: B023 - run before the next round
                lambda: refunds.apply(contract, lessons=1, reason="搬家", by=parent),  # noqa: B023
            ]
        )
        assert ended["done"] == 1, ended
        assert standing_of(contract).free == 0


def test_a_roll_sent_twice_at_once_counts_once(agreement: CustodyAgreement, parent: User, operator: User) -> None:
    contracts = [make_contract(agreement, parent, operator) for _ in range(5)]
    taught = Taught(1, MONDAY, 600, 640)
    ended = all_at_once([lambda: lessons.record(contracts, taught=taught, lessons=1, by=operator)] * 8)
    assert (ended, Lesson.objects.count()) == (Counter(done=8), 5)


def test_two_who_prepare_releases_at_once_write_one_instruction(agreement: CustodyAgreement, parent: User, operator: User) -> None:
    contract = make_contract(agreement, parent, operator)
    lessons.confirm(lessons.record([contract], taught=Taught(1, MONDAY, 600, 640), lessons=1, by=operator).new, by=parent)
    assert all_at_once([lambda: instructing.prepare_releases(MONDAY)] * 8) == Counter(done=8)
    assert BankInstruction.objects.get().amount_fen == 10_000
