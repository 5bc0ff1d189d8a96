"""Two hundred at once on one set of accounts: no fen astray, no overdraft, nothing twice, nobody waits for ever."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from django.db import connections, transaction

from qingdan.ledger.models import Account, Posting
from qingdan.ledger.posting import Line, hold, post
from qingdan.ledger.refusals import KeyReused, Overdrawn
from tests.ledger.making import OCTOBER, Course, make_course

THREADS = 20
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def course(transactional_db: None) -> Course:
    """A book that other connections see."""
    return make_course()


def at_once(act: Callable[[int], Iterator[str]]) -> Counter[str]:
    """Let every thread act on a connection of its own, all starting together; count what they say."""
    ready, said, lock = threading.Barrier(THREADS), Counter[str](), threading.Lock()

    def run(number: int) -> None:
        try:
            ready.wait(timeout=60)
            mine = Counter(act(number))
        except Exception as error:
            mine = Counter([f"{type(error).__name__}: {error}"])
        finally:
            connections.close_all()
        with lock:
            said.update(mine)

    threads = [threading.Thread(target=run, args=[number], daemon=True) for number in range(THREADS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=120)
    return said


def test_two_hundred_releases_and_refunds_leave_no_fen_astray(course: Course) -> None:
    """100 lessons at 1 yuan; 150 releases and 50 refunds of one lesson each are tried, each twice: exactly 100 find cover."""
    course.pay(10_000, 100)

    def act(number: int) -> Iterator[str]:
        for turn in range(10):
            key = f"{number}:{turn}"
            for _ in range(2):
                try:
                    if turn % 4 == 3:
                        course.refund(100, 1, key=key)
                    else:
                        course.release(100, key=key)
                    yield "posted"
                except Overdrawn:
                    yield "overdrawn"

    said = at_once(act)
    assert said == {"posted": 200, "overdrawn": 200}
    kinds = Counter(course.book.postings.values_list("kind", flat=True))
    assert kinds["release"] + kinds["refund"] == 100
    assert course.balances == {
        "family": -10_000 + 100 * kinds["refund"],
        "custody": 0,
        "earned": 100 * kinds["release"],
        "owed": -100 + kinds["refund"],
        "unused": 0,
        "taken": kinds["release"],
    }
    assert course.faults == []


def test_the_same_key_at_once_posts_once(course: Course) -> None:
    course.pay(1_000, 10)

    def act(number: int) -> Iterator[str]:
        yield f"number {course.release(100, key='lesson').number}"

    assert at_once(act) == {"number 2": THREADS}
    assert course.balances["custody"] == 900


def test_the_same_key_with_different_content_at_once_posts_one_of_them(course: Course) -> None:
    course.pay(10_000, 100)

    def act(number: int) -> Iterator[str]:
        try:
            course.release(100 + number, key="lesson")
            yield "posted"
        except KeyReused:
            yield "refused"

    assert at_once(act) == {"posted": 1, "refused": THREADS - 1}
    assert Posting.objects.count() == 2


def test_transactions_over_two_books_do_not_wait_for_each_other_for_ever(course: Course) -> None:
    other = make_course("other")

    def act(number: int) -> Iterator[str]:
        order = [course, other] if number % 2 else [other, course]
        for turn in range(3):
            with transaction.atomic():
                hold(*(each.book for each in order))
                for each in order:
                    each.pay(100, 1, key=f"{number}:{turn}")
            yield "posted"

    assert at_once(act) == {"posted": 3 * THREADS}
    assert course.balances["custody"] == other.balances["custody"] == 300 * THREADS
    assert (course.faults, other.faults) == ([], [])


def test_accounts_in_any_order_do_not_wait_for_each_other_for_ever(course: Course) -> None:
    course.pay(100_000, 0)
    post(course.book, kind="x", lines=[Line(course.custody, -50_000), Line(course.earned, 50_000)], effective_on=OCTOBER, key="x")

    def act(number: int) -> Iterator[str]:
        giver, taker = (course.custody, course.earned) if number % 2 else (course.earned, course.custody)
        for turn in range(5):
            post(course.book, kind="x", lines=[Line(giver, -7), Line(taker, 7)], effective_on=OCTOBER, key=f"{number}:{turn}")
            yield "posted"

    assert at_once(act) == {"posted": 5 * THREADS}
    assert Account.objects.get(pk=course.custody.pk).balance == 50_000
    assert course.faults == []
