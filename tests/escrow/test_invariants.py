"""Whatever happens in whichever order: paid = held + released + refunded, to the fen and to the lesson, and the book says the same."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from qingdan.accounts.models import User
from qingdan.escrow import books
from qingdan.escrow.actions import instructing, lessons, refunds
from qingdan.escrow.actions.lessons import Taught
from qingdan.escrow.enums import OPEN_INSTRUCTIONS, RELEASED_STATES, ContractState, LessonState, RefundState
from qingdan.escrow.models import BankInstruction, Contract, CustodyAgreement, Lesson, Refund
from qingdan.escrow.standing import POSTED, Standing, standing_of
from qingdan.ledger.models import Account
from qingdan.ledger.verify import verify
from tests.district import MONDAY, TUESDAY, District
from tests.escrow.making import make_contract

_FAST = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@given(
    amount=st.integers(1, 10_000_000),
    count=st.integers(1, 200),
    acts=st.lists(st.tuples(st.booleans(), st.integers(1, 40)), max_size=60),
)
@settings(max_examples=200, **_FAST)  # type: ignore[arg-type]
def test_lessons_given_and_given_back_in_any_order_sum_to_the_amount(amount: int, count: int, acts: list[tuple[bool, int]]) -> None:
    contract = Contract(amount_fen=amount, lessons=count, paid_on=MONDAY)
    left, held, returned, released_fen, returned_fen = count, amount, 0, 0, 0
    for is_given, lessons_moved in [*acts, (True, count), (True, 1)]:
        moved = min(lessons_moved, left)
        if not moved:
            continue
        standing = Standing(contract, left=left, held_fen=held, returned=returned, returned_fen=returned_fen)
        fen = standing.release_fen(moved) if is_given else standing.refund_fen(moved)
        assert 0 <= fen <= held
        left, held = left - moved, held - fen
        if is_given:
            released_fen += fen
        else:
            returned, returned_fen = returned + moved, returned_fen + fen
    assert (left, held, released_fen + returned_fen) == (0, 0, amount)


class Prepaid(RuleBasedStateMachine):
    """Two contracts of one agreement, moved through the real actions at random."""

    agreement: CustodyAgreement
    by: User
    officer: User
    family: User

    @initialize(
        amounts=st.lists(st.integers(1, 200_000), min_size=2, max_size=2), counts=st.lists(st.integers(1, 12), min_size=2, max_size=2)
    )
    def begin(self, amounts: list[int], counts: list[int]) -> None:
        self._undo = transaction.atomic()
        self._undo.__enter__()
        self.contracts = [
            make_contract(self.agreement, self.family, self.by, amount_fen=amount, lessons=count)
            for amount, count in zip(amounts, counts, strict=True)
        ]
        self.moment, self.refusals = 0, list[str]()

    def teardown(self) -> None:
        if not hasattr(self, "_undo"):
            return
        assert list(verify(books.book_of(self.agreement.institution))) == []
        transaction.set_rollback(True)
        self._undo.__exit__(None, None, None)

    def _lesson(self, pick: int, *states: LessonState) -> Lesson | None:
        found = list(Lesson.objects.filter(state__in=states).order_by("pk"))
        return found[pick % len(found)] if found else None

    def _refund(self, pick: int, *states: RefundState) -> Refund | None:
        found = list(Refund.objects.filter(state__in=states).order_by("pk"))
        return found[pick % len(found)] if found else None

    def _tried(self, act: Callable[[], Any]) -> None:
        """An act may be refused in words; it must then have changed nothing, which the invariants see."""
        try:
            act()
        except ValidationError as error:
            self.refusals.append(str(error))

    @rule(which=st.integers(0, 1), count=st.integers(1, 3))
    def record(self, which: int, count: int) -> None:
        self.moment += 1
        day = MONDAY - datetime.timedelta(days=self.moment % 20)
        taught = Taught(1, day, 60 + self.moment, 60 + self.moment + 120)
        self._tried(lambda: lessons.record([self.contracts[which]], taught=taught, lessons=count, by=self.by))

    @rule(pick=st.integers(0, 9))
    def confirm(self, pick: int) -> None:
        if lesson := self._lesson(pick, *LessonState):
            lessons.confirm([lesson], by=self.family)

    @rule(pick=st.integers(0, 9), act=st.sampled_from(["dispute", "retract", "strike", "uphold", "void", "reply"]))
    def dispute(self, pick: int, act: str) -> None:
        state = (LessonState.RECORDED,) if act == "dispute" else (LessonState.DISPUTED,)
        if not (lesson := self._lesson(pick, *state)):
            return
        acts: dict[str, Callable[[], Any]] = {
            "dispute": lambda: lessons.dispute(lesson, by=self.family, reason="没上"),
            "retract": lambda: lessons.retract(lesson, by=self.family),
            "strike": lambda: lessons.strike(lesson, by=self.by),
            "uphold": lambda: lessons.settle(lesson, by=self.officer, is_upheld=True, reason="核实"),
            "void": lambda: lessons.settle(lesson, by=self.officer, is_upheld=False, reason="核实"),
            "reply": lambda: lessons.reply(lesson, by=self.by, text="有签到"),
        }
        acts[act]()

    @rule()
    def presume(self) -> None:
        Lesson.objects.filter(state=LessonState.RECORDED).update(silent_until=MONDAY)
        Refund.objects.filter(state=RefundState.APPLIED).update(answer_until=MONDAY)
        lessons.presume_silent(TUESDAY)
        refunds.presume_silent(TUESDAY)

    @rule(which=st.integers(0, 1), count=st.integers(1, 12))
    def apply(self, which: int, count: int) -> None:
        self._tried(lambda: refunds.apply(self.contracts[which], lessons=count, reason="搬家", by=self.family))

    @rule(pick=st.integers(0, 3), act=st.sampled_from(["agree", "contest", "withdraw", "approve", "less", "refuse"]))
    def answer(self, pick: int, act: str) -> None:
        if not (refund := self._refund(pick, RefundState.APPLIED, RefundState.CONTESTED)):
            return
        acts: dict[str, Callable[[], Any]] = {
            "agree": lambda: refunds.answer(refund, agrees=True, text="", by=self.by),
            "contest": lambda: refunds.answer(refund, agrees=False, text="不同意", by=self.by),
            "withdraw": lambda: refunds.withdraw(refund, by=self.family),
            "approve": lambda: refunds.decide(refund, is_approved=True, reason="核实", by=self.officer),
            "less": lambda: refunds.decide(refund, is_approved=True, lessons=1, reason="核实", by=self.officer),
            "refuse": lambda: refunds.decide(refund, is_approved=False, reason="核实", by=self.officer),
        }
        self._tried(acts[act])

    @rule()
    def release(self) -> None:
        instructing.prepare_releases(MONDAY)

    @rule(pick=st.integers(0, 5), is_booked=st.booleans())
    def bank(self, pick: int, is_booked: bool) -> None:
        found = list(BankInstruction.objects.filter(state__in=OPEN_INSTRUCTIONS).order_by("pk"))
        if found and is_booked:
            instructing.booked(found[pick % len(found)], on=TUESDAY, bank_reference="B")
        elif found:
            instructing.rejected(found[pick % len(found)], reason="账户不符")

    @rule(pick=st.integers(0, 3))
    def pay_again(self, pick: int) -> None:
        if refund := self._refund(pick, RefundState.APPROVED):
            instructing.prepare_refund(refund)

    @rule()
    @precondition(lambda self: self.moment % 7 == 6)
    def close(self) -> None:
        refunds.refund_all(self.agreement.institution, reason="停办", by=self.officer)

    @invariant()
    def nothing_is_astray(self) -> None:
        if not hasattr(self, "contracts"):
            return
        assert not any("余额不足" in each for each in self.refusals), "what is claimed can always be met"
        released = 0
        for each in self.contracts:
            each.refresh_from_db()
            standing = standing_of(each)
            given = each.attendances.filter(state__in=RELEASED_STATES)
            posted = each.refunds.filter(state__in=POSTED)
            given_lessons, returned = (found.aggregate(sum=Sum("lessons"))["sum"] or 0 for found in (given, posted))
            returned_fen = posted.aggregate(sum=Sum("due_fen"))["sum"] or 0
            assert each.lessons == standing.left + given_lessons + returned
            assert (standing.given, standing.free >= 0) == (given_lessons, True)
            assert each.amount_fen == standing.held_fen + standing.released_fen + returned_fen
            assert (each.state == ContractState.ACTIVE) or standing.left == 0
            released += standing.released_fen
        self._bank_agrees(released)

    def _bank_agrees(self, released_fen: int) -> None:
        """What is under way is what was released or refunded and has not been booked."""
        booked = dict(BankInstruction.objects.filter(state="booked").values_list("purpose").annotate(sum=Sum("amount_fen")).order_by())
        assert books.balance_fen(self.agreement, "transit") == released_fen - booked.get("release", 0)
        returned = Refund.objects.filter(state__in=POSTED).aggregate(sum=Sum("due_fen"))["sum"] or 0
        assert books.balance_fen(self.agreement, "returning") == returned - booked.get("refund", 0)
        families = Account.objects.filter(book=books.book_of(self.agreement.institution), code="families").get()
        assert -families.balance == sum(each.amount_fen for each in self.contracts) - booked.get("refund", 0)
        pending = BankInstruction.objects.pending().filter(purpose="release").aggregate(sum=Sum("amount_fen"))["sum"] or 0
        assert pending <= books.balance_fen(self.agreement, "transit"), "the bank is never told to pay more than there is"


def test_nothing_is_astray_whatever_happens(agreement: CustodyAgreement, parent: User, operator: User, district: District) -> None:
    Prepaid.agreement, Prepaid.family, Prepaid.by, Prepaid.officer = agreement, parent, operator, district.bureau
    run_state_machine_as_test(Prepaid, settings=settings(max_examples=8, stateful_step_count=25, **_FAST))  # type: ignore[arg-type]
