"""Any sequence of acts keeps every invariant: a machine posts, retries, reverses and posts in bulk beside a model in Python."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule, run_state_machine_as_test

from qingdan.ledger.enums import Unit
from qingdan.ledger.models import Posting
from qingdan.ledger.posting import Draft, Line, post_many, reverse
from qingdan.ledger.questions import balance_at, balances_at, trial_balance
from qingdan.ledger.refusals import AlreadyReversed, KeyReused, NotReversible, Overdrawn
from tests.ledger.making import OCTOBER, SEPTEMBER, Course, make_course

books = count()
MAY_BE_NEGATIVE = {"family", "owed"}
fen = st.integers(1, 500)
lessons = st.integers(1, 5)
days = st.sampled_from([SEPTEMBER, OCTOBER])


@dataclass(frozen=True)
class Act:
    """Something that was posted, so that it can be tried again or undone."""

    posting: Posting
    draft: Draft


class LedgerMachine(RuleBasedStateMachine):
    """The book under test and, beside it, what the accounts must hold."""

    acts: Bundle[Any] = Bundle("acts")
    course: Course

    @initialize()
    def open(self) -> None:
        self.course = make_course(f"machine {next(books)}")
        self.accounts = {account.code: account for account in self.course.book.accounts.all()}
        self.model: Counter[str] = Counter()
        self.postings = 0
        self.reversed: set[int] = set()
        self.keys = count()

    def draft(self, moves: dict[str, int], day: Any) -> Draft:
        lines = [Line(self.accounts[code], amount) for code, amount in moves.items()]
        return Draft("act", lines, day, f"key {next(self.keys)}")

    def is_covered(self, moves: dict[str, int]) -> bool:
        return all(self.model[code] + amount >= 0 for code, amount in moves.items() if amount < 0 and code not in MAY_BE_NEGATIVE)

    def post(self, *drafts: Draft) -> Any:
        """Post together if the model has cover for each in turn, else see it refused."""
        after, is_covered = self.model.copy(), True
        for draft in drafts:
            for line in draft.lines:
                after[line.account.code] += line.amount
                is_covered &= line.amount > 0 or line.account.code in MAY_BE_NEGATIVE or after[line.account.code] >= 0
        if not is_covered:
            with pytest.raises(Overdrawn):
                post_many(self.course.book, drafts)
            return multiple()
        posted = post_many(self.course.book, drafts)
        self.model = after
        assert [posting.number for posting in posted] == list(range(self.postings + 1, self.postings + len(drafts) + 1))
        self.postings += len(drafts)
        return multiple(*(Act(posting, draft) for posting, draft in zip(posted, drafts, strict=True)))

    @rule(target=acts, fen=fen, lessons=lessons, day=days)
    def pay(self, fen: int, lessons: int, day: Any) -> Any:
        return self.post(self.draft({"family": -fen, "custody": fen, "owed": -lessons, "unused": lessons}, day))

    @rule(target=acts, fen=fen, day=days)
    def release(self, fen: int, day: Any) -> Any:
        return self.post(self.draft({"custody": -fen, "earned": fen, "unused": -1, "taken": 1}, day))

    @rule(target=acts, fen=fen, lessons=lessons, day=days)
    def refund(self, fen: int, lessons: int, day: Any) -> Any:
        return self.post(self.draft({"custody": -fen, "family": fen, "unused": -lessons, "owed": lessons}, day))

    @rule(target=acts, each=st.lists(fen, min_size=2, max_size=6), day=days)
    def release_many(self, each: list[int], day: Any) -> Any:
        return self.post(*(self.draft({"custody": -fen, "earned": fen, "unused": -1, "taken": 1}, day) for fen in each))

    @rule(act=acts)
    def try_again(self, act: Act) -> None:
        assert post_many(self.course.book, [act.draft]) == [act.posting]

    @rule(act=acts, more=fen)
    def reuse_a_key(self, act: Act, more: int) -> None:
        other = [Line(self.course.family, -more), Line(self.course.custody, more)]
        with pytest.raises(KeyReused):
            post_many(self.course.book, [Draft("other", other, OCTOBER, act.draft.key)])

    @rule(act=acts)
    def undo(self, act: Act) -> None:
        key = f"undo {next(self.keys)}"
        moves = {line.account.code: -line.amount for line in act.draft.lines}
        if act.posting.number in self.reversed:
            with pytest.raises(AlreadyReversed):
                reverse(act.posting, key=key, effective_on=OCTOBER)
        elif not self.is_covered(moves):
            with pytest.raises(Overdrawn):
                reverse(act.posting, key=key, effective_on=OCTOBER)
        else:
            undone = reverse(act.posting, key=key, effective_on=OCTOBER)
            self.model.update(moves)
            self.reversed.add(act.posting.number)
            self.postings += 1
            assert reverse(act.posting, key=key, effective_on=OCTOBER) == undone
            with pytest.raises(NotReversible):
                reverse(undone, key=f"{key} again", effective_on=OCTOBER)

    @rule(act=consumes(acts))
    def forget(self, act: Act) -> None:
        """Later rules then choose among fewer acts."""

    @invariant()
    def the_book_holds_what_the_model_holds(self) -> None:
        if hasattr(self, "model"):
            book = self.course.book
            assert self.course.balances == {code: self.model[code] for code in self.accounts} == balances_at(book)
            assert trial_balance(book).is_balanced
            for unit in Unit:
                assert sum(line.balance for line in trial_balance(book).of_unit(unit)) == 0

    def teardown(self) -> None:
        if hasattr(self, "model"):
            assert self.course.faults == []
            assert self.course.book.postings.count() == self.postings
            september = sum(balance_at(account, effective_on=SEPTEMBER) for account in self.accounts.values())
            assert september == 0, "each unit sums to zero on every day, so all of them do"


def test_any_sequence_of_acts_keeps_every_invariant(db: None) -> None:
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)),
    )
