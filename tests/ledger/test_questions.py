"""What a book says on a day, as known at a moment."""

from __future__ import annotations

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from qingdan.ledger.posting import Draft, Line, post_many, reverse
from qingdan.ledger.questions import balance_at, balances_at, statement, trial_balance
from tests.ledger.making import OCTOBER, SEPTEMBER, Course

DAY = datetime.timedelta(days=1)


@pytest.fixture
def told(course: Course) -> tuple[Course, datetime.datetime]:
    """A payment in September, a lesson in October, and, known only after the moment, a lesson of September."""
    course.pay(10_000, 10, on=SEPTEMBER)
    course.release(1_000, key="october", on=OCTOBER)
    moment = timezone.now()
    course.release(2_000, key="late", on=SEPTEMBER)
    return course, moment


def test_a_balance_has_two_times(told: tuple[Course, datetime.datetime]) -> None:
    course, moment = told
    assert balance_at(course.custody) == 7_000
    assert balance_at(course.custody, effective_on=SEPTEMBER) == 8_000
    assert balance_at(course.custody, known_at=moment) == 9_000
    assert balance_at(course.custody, effective_on=SEPTEMBER, known_at=moment) == 10_000
    assert balance_at(course.custody, effective_on=SEPTEMBER - DAY) == 0
    assert balances_at(course.book, effective_on=SEPTEMBER, known_at=moment)["custody"] == 10_000
    assert balances_at(course.book)["earned"] == 3_000


def test_a_statement_runs_from_opening_to_closing_in_the_order_of_days(told: tuple[Course, datetime.datetime]) -> None:
    course, moment = told
    whole = statement(course.custody)
    assert [(entry.posting.number, entry.amount, entry.balance_after) for entry in whole.entries] == [
        (1, 10_000, 10_000),
        (3, -2_000, 8_000),
        (2, -1_000, 7_000),
    ]
    assert (whole.opening, whole.closing) == (0, 7_000)
    october = statement(course.custody, first=OCTOBER, last=OCTOBER)
    assert (october.opening, [entry.balance_after for entry in october.entries], october.closing) == (8_000, [7_000], 7_000)
    then = statement(course.custody, last=SEPTEMBER, known_at=moment)
    assert (then.closing, len(then.entries)) == (10_000, 1)
    later = statement(course.custody, first=OCTOBER + DAY)
    assert (later.opening, later.closing, list(later.entries)) == (7_000, 7_000, [])


def test_a_page_of_a_statement_keeps_the_running_balance(told: tuple[Course, datetime.datetime]) -> None:
    course, _ = told
    assert [entry.balance_after for entry in statement(course.custody).entries[1:3]] == [8_000, 7_000]


def test_a_trial_balance_lists_untouched_accounts_too(told: tuple[Course, datetime.datetime]) -> None:
    course, moment = told
    lines = {line.account.code: (line.into, line.out_of) for line in trial_balance(course.book, known_at=moment).lines}
    assert lines["custody"] == (10_000, 1_000)
    assert set(lines) == {"custody", "earned", "family", "owed", "taken", "unused"}
    assert all(line.balance == 0 for line in trial_balance(course.book, effective_on=SEPTEMBER - DAY).lines)


def test_questions_ask_as_often_about_many_entries_as_about_few(course: Course) -> None:
    course.pay(10_000, 300)
    asked = []
    for number in (2, 200):
        moves = [Line(course.custody, -1), Line(course.earned, 1)]
        post_many(course.book, [Draft("release", moves, OCTOBER, f"{number}:{each}") for each in range(number)])
        with CaptureQueriesContext(connection) as queries:
            balances_at(course.book)
            trial_balance(course.book)
            [entry.posting.number for entry in statement(course.custody, first=OCTOBER).entries]
        asked.append(len(queries))
    assert asked[0] == asked[1] <= 7


def test_a_reversal_shows_in_a_statement_beside_what_it_reverses(course: Course) -> None:
    paid = course.pay(1_000, 0)
    reverse(paid, key="undo", effective_on=OCTOBER, memo="重复入账")
    entries = statement(course.custody).entries
    assert [(entry.amount, entry.posting.reverses_id) for entry in entries] == [(1_000, None), (-1_000, paid.pk)]
    assert entries[1].posting.memo == "重复入账"
