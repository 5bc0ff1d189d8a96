"""Worked examples from accounting, each with its sum. Sums are in fen unless they are lessons or minutes."""

from __future__ import annotations

import datetime

import pytest
from django.utils import timezone

from qingdan.ledger.enums import Unit
from qingdan.ledger.posting import Line, open_account, open_book, post, reverse
from qingdan.ledger.questions import balance_at, trial_balance
from tests.ledger.making import OCTOBER, SEPTEMBER, Course

YUAN = 100


def test_what_is_received_in_advance_is_owed_and_not_earned(course: Course) -> None:
    """Revenue recognition: money for a service still to be given is a liability. 3,000 yuan for 20 lessons: nothing is earned."""
    course.pay(3_000 * YUAN, 20)
    assert course.balances == {"family": -300_000, "custody": 300_000, "earned": 0, "owed": -20, "unused": 20, "taken": 0}


def test_revenue_is_recognised_lesson_by_lesson_and_the_last_takes_what_is_left(course: Course) -> None:
    """Performance over time: 1,000 yuan for 3 lessons gives 333.33, 333.33 and 333.34; the three make 1,000.00 exactly."""
    course.pay(1_000 * YUAN, 3)
    for number, fen in enumerate((33_333, 33_333, 33_334), start=1):
        course.release(fen, key=f"lesson {number}")
    assert course.balances == {"family": -100_000, "custody": 0, "earned": 100_000, "owed": -3, "unused": 0, "taken": 3}


def test_a_refund_returns_what_has_not_been_earned_by_the_way_it_came(course: Course) -> None:
    """A refund reduces the liability, never revenue: of 2,000 yuan for 10 lessons 4 were given; 6 x 200 = 1,200 go back."""
    course.pay(2_000 * YUAN, 10)
    for number in range(4):
        course.release(200 * YUAN, key=f"lesson {number}")
    course.refund(1_200 * YUAN, 6)
    assert course.balances == {"family": -80_000, "custody": 0, "earned": 80_000, "owed": -4, "unused": 0, "taken": 4}


def test_a_reversal_takes_back_every_line_and_leaves_both_to_be_read(course: Course) -> None:
    """The book keeps mistakes: entry and counter-entry stand, and their sum is zero."""
    course.pay(500 * YUAN, 5)
    mistaken = course.release(100 * YUAN, key="lesson that was not given")
    undone = reverse(mistaken, key="undo", effective_on=OCTOBER)
    assert course.balances == {"family": -50_000, "custody": 50_000, "earned": 0, "owed": -5, "unused": 5, "taken": 0}
    assert undone.reverses == mistaken
    assert undone.memo == "冲销第 2 笔"
    assert [entry.amount for entry in course.custody.entries.order_by("posting__number")] == [50_000, -10_000, 10_000]


def test_a_correction_is_a_reversal_and_the_right_posting(course: Course) -> None:
    """80 yuan were posted as 800: taken back whole and posted anew, so that earned is 80."""
    course.pay(1_000 * YUAN, 10)
    wrong = course.release(800 * YUAN, key="lesson 1")
    reverse(wrong, key="lesson 1: undo", effective_on=OCTOBER)
    course.release(80 * YUAN, key="lesson 1: right")
    assert (course.balances["earned"], course.balances["custody"]) == (8_000, 92_000)


def test_a_correction_of_a_closed_month_counts_in_the_next_and_both_months_stay_readable(course: Course) -> None:
    """Closed periods stand: September ended with 150 earned; its reversal in October leaves September at 150 and October at 0."""
    course.pay(600 * YUAN, 4, on=SEPTEMBER)
    wrong = course.release(150 * YUAN, key="lesson", on=SEPTEMBER)
    reverse(wrong, key="undo", effective_on=OCTOBER)
    assert balance_at(course.earned, effective_on=SEPTEMBER) == 15_000
    assert balance_at(course.earned, effective_on=OCTOBER) == 0


def test_what_is_learnt_later_about_an_earlier_day_does_not_change_what_was_known(course: Course) -> None:
    """Two times: a lesson of September entered in October counts in September, but the book as known before shows none of it."""
    course.pay(600 * YUAN, 4, on=SEPTEMBER)
    moment = timezone.now()
    course.release(150 * YUAN, key="late", on=SEPTEMBER)
    assert balance_at(course.earned, effective_on=SEPTEMBER) == 15_000
    assert balance_at(course.earned, effective_on=SEPTEMBER, known_at=moment) == 0


def test_money_and_lessons_move_in_one_posting_and_each_unit_balances_alone(course: Course) -> None:
    """A commodity cannot pay for another: 1,200 yuan and 12 lessons in four lines; into = out of, once 120,000 and once 12."""
    posting = course.pay(1_200 * YUAN, 12)
    assert posting.entries.count() == 4
    assert list(trial_balance(course.book).totals()) == [(Unit.FEN, 120_000, 120_000), (Unit.LESSON, 12, 12)]


@pytest.mark.django_db
def test_a_time_bank_holds_what_was_worked_and_not_yet_taken() -> None:
    """A liability in minutes: 90 + 45 minutes of service after school, 120 taken as half a day off, 15 are left."""
    book = open_book("time bank", title="某小学时间积分")
    school = open_account(book, "school", unit=Unit.MINUTE, title="学校应付", may_be_negative=True)
    teacher = open_account(book, "teacher:1", unit=Unit.MINUTE, title="某教师积分")
    day = datetime.date(2026, 10, 12)
    for key, minutes in (("monday", 90), ("tuesday", 45), ("half day", -120)):
        lines = [Line(school, -minutes), Line(teacher, minutes)]
        post(book, kind="service" if minutes > 0 else "leave", lines=lines, effective_on=day, key=key)
    assert balance_at(teacher) == 15
    assert balance_at(school) == -15


def test_lines_of_one_account_are_added_up(course: Course) -> None:
    """Two items of one invoice: 300 for the course and 50 for the book are one entry of 350 in custody."""
    lines = [Line(course.family, -35_000), Line(course.custody, 30_000), Line(course.custody, 5_000), Line(course.earned, 0)]
    posting = post(course.book, kind="payment", lines=lines, effective_on=OCTOBER, key="two items")
    assert {entry.account.code: entry.amount for entry in posting.entries.all()} == {"family": -35_000, "custody": 35_000}


def test_a_trial_balance_shows_what_went_in_and_out_of_each_account(course: Course) -> None:
    """Every debit has its credit: 1,000 in, 3 x 100 on, 200 back; custody 1,000 in and 500 out leaves 500."""
    course.pay(1_000 * YUAN, 10)
    for number in range(3):
        course.release(100 * YUAN, key=f"lesson {number}")
    course.refund(200 * YUAN, 2)
    trial = trial_balance(course.book)
    custody = next(line for line in trial.of_unit(Unit.FEN) if line.account == course.custody)
    assert (custody.into, custody.out_of, custody.balance) == (100_000, 50_000, 50_000)
    assert list(trial.totals()) == [(Unit.FEN, 150_000, 150_000), (Unit.LESSON, 15, 15)]
    assert trial.is_balanced
