"""Loads prepaid tuition: agreements and prices, contracts with all that became of them, the bank's side, and what is made of it."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from django.db import connection
from django.utils import timezone

from qingdan.accounts.models import User
from qingdan.demo.copying import copy_records
from qingdan.demo.institutions.registry import officers_of
from qingdan.demo.prepaid.agreements import read_slots, write_agreements, write_fees, write_prices
from qingdan.demo.prepaid.bookkeeping import write_books
from qingdan.demo.prepaid.contracts import Frame, Learners, live, sales_of
from qingdan.demo.prepaid.lives import Keys, Life
from qingdan.demo.prepaid.plan import DAY, RECONCILED, SCORED, Deadlines, House
from qingdan.demo.prepaid.runaway import let_run
from qingdan.demo.prepaid.statements import tills_of, write_statements
from qingdan.demo.prepaid.story import draft, sales_of_story
from qingdan.escrow.actions import balancing, flows, gaps, scoring
from qingdan.escrow.enums import RELEASED_STATES
from qingdan.escrow.models import BankInstruction, BankLine, BankStatement, Contract, DayBalance, Lesson, PaymentOrder, Refund, RiskScore
from qingdan.institutions.models import Course
from qingdan.ledger.models import Account, Entry, Posting

log = logging.getLogger(__name__)
_TABLES = (
    Contract, PaymentOrder, Lesson, Refund, BankInstruction, BankStatement, BankLine, DayBalance, RiskScore, Account, Posting, Entry,
    Course,
)  # fmt: skip


@contextmanager
def _without_a_line_for_each() -> Iterator[None]:
    """Inside, the ledger does not write a line of its own for each of thousands of postings."""
    talker = logging.getLogger("qingdan.ledger.posting")
    before = talker.level
    talker.setLevel(logging.WARNING)
    try:
        yield
    finally:
        talker.setLevel(before)


def load_prepaid(accounts: Mapping[str, User], day: datetime.date, *, is_whole: bool) -> None:
    """All of it, as it stands at the beginning of a day; the institutions are there."""
    officers = officers_of(accounts)
    write_prices(officers, day)
    houses = write_agreements(officers, day)
    write_fees(houses, day)
    read_slots(houses, day)
    learners, frame = Learners(day), Frame(Keys(), Deadlines(), day)
    sales = [*sales_of_story(houses, accounts, learners, day), *sales_of(houses, learners, frame, is_whole=is_whole)]
    lives = live(sales, frame)
    tills = tills_of(houses, lives, frame.keys, day)
    copy_records(Contract, [life.contract for life in lives])
    copy_records(PaymentOrder, [life.order for life in lives])
    with _without_a_line_for_each():
        posted = write_books(houses, lives, {till.house.institution.pk: till.moves for till in tills})
    _write_lives(lives, posted)
    copy_records(BankInstruction, [one for till in tills for one in till.instructions])
    write_statements(tills, day)
    draft(houses, lives, accounts, learners, day)
    let_run(next(house for house in houses if house.is_runaway), lives, day)
    _reckon(houses, day)
    log.info("demo.prepaid_loaded day=%s agreements=%s contracts=%s postings=%s", day, len(houses), len(lives), len(posted))


def _write_lives(lives: Sequence[Life], posted: Mapping[str, int]) -> None:
    copy_records(BankInstruction, [one for life in lives for one in life.instructions])
    lessons = [lesson for life in lives for lesson in life.lessons]
    for lesson in lessons:
        if lesson.state in RELEASED_STATES:
            lesson.posting_id = posted[f"lesson:{lesson.pk}"]
    copy_records(Lesson, lessons)
    copy_records(Refund, [refund for life in lives for refund in life.refunds])


def _reckon(houses: Sequence[House], day: datetime.date) -> None:
    """What the product makes of it each night: days, flows, gaps and scores, by its own acts."""
    with connection.cursor() as cursor:
        # Without figures of its tables the planner reads them from end to end a thousand times.
        cursor.execute("ANALYZE " + ", ".join(model._meta.db_table for model in _TABLES))
    for house in houses:
        balancing.balance(house.agreement, since=day - RECONCILED * DAY, until=day - DAY)
    flows.mark_large(day)
    BankLine.objects.filter(is_large=True, booked_on__lt=day - 2 * DAY).update(warned_at=timezone.now())
    gaps.reckon(on=day - DAY)
    for back in range(SCORED, -1, -1):
        scoring.score_all(day - back * DAY)
