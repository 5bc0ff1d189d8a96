"""Posting through the functions that apps call: once, all or nothing, and refused in words."""

from __future__ import annotations

import datetime
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from qingdan.accounts.enums import KIND_OF_ROLE, Role
from qingdan.accounts.models import Organisation, User
from qingdan.ledger.enums import Unit
from qingdan.ledger.models import AMOUNT_MAX, Account, Book, Posting
from qingdan.ledger.posting import Draft, Line, hold, open_account, open_book, post, post_many, reverse
from qingdan.ledger.questions import posting_of
from qingdan.ledger.refusals import AlreadyReversed, KeyReused, NotReversible, Overdrawn, Refused, Unbalanced, WrongAccount
from tests.ledger.making import OCTOBER, SEPTEMBER, Course, make_course


def test_the_same_act_again_is_the_posting_that_stands(course: Course) -> None:
    first = course.pay(1_000, 10)
    assert course.pay(1_000, 10) == first
    assert (course.book.postings.count(), course.balances["custody"]) == (1, 1_000)
    assert posting_of(course.book, "pay") == first


def test_the_lines_may_come_in_another_order_the_second_time(course: Course) -> None:
    first = course.pay(1_000, 0)
    lines = [Line(course.custody, 400), Line(course.family, -1_000), Line(course.custody, 600)]
    assert post(course.book, kind="payment", lines=lines, effective_on=SEPTEMBER, key="pay", memo="预收学费") == first


@pytest.mark.parametrize("change", ["amount", "account", "day", "kind", "memo", "fewer"])
def test_a_key_that_names_another_act_is_refused_and_nothing_is_posted(course: Course, change: str) -> None:
    course.pay(1_000, 10)
    money = [Line(course.family, -1_000), Line(course.earned if change == "account" else course.custody, 1_000)]
    if change == "amount":
        money = [Line(course.family, -999), Line(course.custody, 999)]
    lessons = [] if change == "fewer" else [Line(course.owed, -10), Line(course.unused, 10)]
    with pytest.raises(KeyReused) as refusal:
        post(
            course.book,
            kind="release" if change == "kind" else "payment",
            lines=[*money, *lessons],
            effective_on=OCTOBER if change == "day" else SEPTEMBER,
            key="pay",
            memo="" if change == "memo" else "预收学费",
        )
    assert refusal.value.messages == ["唯一键“pay”已用于第 1 笔（2026-09-30），内容与这次不同，没有记账；请核对那一笔"]
    assert course.balances["custody"] == 1_000


def test_two_books_may_use_the_same_key(course: Course) -> None:
    other = make_course("other")
    assert course.pay(1_000, 1).number == other.pay(2_000, 1).number == 1


def test_more_than_there_is_cannot_be_taken_and_the_transaction_goes_on(course: Course) -> None:
    course.pay(100_000, 1)
    with transaction.atomic():
        with pytest.raises(Overdrawn) as refusal:
            course.release(100_001, key="too much")
        course.release(100_000, key="all")
    assert refusal.value.messages == ["“资金托管”余额不足：现有 1,000.00 元，要转出 1,000.01 元"]
    assert (refusal.value.account, refusal.value.balance, refusal.value.asked) == (course.custody, 100_000, 100_001)
    assert course.balances["custody"] == 0


def test_lessons_run_out_too(course: Course) -> None:
    course.pay(1_000, 1)
    with pytest.raises(Overdrawn, match="“未消课时”余额不足：现有 1 课时，要转出 2 课时"):
        course.release(10, lessons=2, key="two")


def test_lines_that_do_not_balance_are_refused_with_what_is_missing(course: Course) -> None:
    with pytest.raises(Unbalanced, match=r"却差 -0\.01 元"):
        post(course.book, kind="x", lines=[Line(course.family, -2), Line(course.custody, 1)], effective_on=OCTOBER, key="x")
    lines = [Line(course.family, -1), Line(course.custody, 1), Line(course.owed, -2)]
    with pytest.raises(Unbalanced, match="却差 -2 课时"):
        post(course.book, kind="x", lines=lines, effective_on=OCTOBER, key="x")
    with pytest.raises(Unbalanced, match="没有任何数额变动"):
        post(course.book, kind="x", lines=[Line(course.family, 0)], effective_on=OCTOBER, key="x")
    assert not course.book.postings.exists()


def test_an_account_of_another_book_is_refused(course: Course) -> None:
    other = make_course("other")
    with pytest.raises(WrongAccount, match="不属于账簿"):
        post(course.book, kind="x", lines=[Line(course.family, -1), Line(other.custody, 1)], effective_on=OCTOBER, key="x")


@pytest.mark.parametrize("amount", [1.5, True, "1", None])
def test_an_amount_is_a_whole_number(course: Course, amount: object) -> None:
    with pytest.raises(TypeError, match="no whole number of fen"):
        Line(course.custody, amount)  # type: ignore[arg-type]


def test_an_amount_that_must_be_a_mistake_is_refused(course: Course) -> None:
    with pytest.raises(Unbalanced, match="上限"):
        Line(course.custody, AMOUNT_MAX + 1)


@pytest.mark.parametrize("values", [{"kind": ""}, {"key": ""}, {"key": "k" * 121}, {"memo": "字" * 301}, {"memo": "a\0b"}])
def test_words_that_the_book_could_not_keep_are_refused(values: dict[str, Any]) -> None:
    given: dict[str, Any] = {"kind": "x", "key": "x", "memo": ""} | values
    with pytest.raises(Refused, match="个字"):
        Draft(lines=[], effective_on=OCTOBER, **given)


def test_a_memo_of_any_signs_is_kept_and_verified(course: Course) -> None:
    memo = 'a"b\\c\n\t\r\b\f\x01\x1f\x7f\u2028<&>/退费😀'
    lines = [Line(course.family, -1), Line(course.custody, 1)]
    assert post(course.book, kind="x", lines=lines, effective_on=OCTOBER, key=memo, memo=memo).memo == memo
    assert course.faults == []


def test_a_posting_is_one_statement(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    plain = psycopg.RawCursor.execute

    def counted(cursor: psycopg.RawCursor[Any], query: Any, *arguments: Any, **options: Any) -> Any:
        sent.append(query)
        return plain(cursor, query, *arguments, **options)

    monkeypatch.setattr(psycopg.RawCursor, "execute", counted)
    with CaptureQueriesContext(connection) as queries:
        course.pay(1_000, 10)
    assert (len(sent), len(queries)) == (1, 0)


def test_what_comes_back_is_the_whole_posting(course: Course) -> None:
    posting = course.pay(1_000, 10)
    kept = Posting.objects.get(pk=posting.pk)
    for field in Posting._meta.concrete_fields:
        assert getattr(posting, field.attname) == getattr(kept, field.attname), field.name


def test_a_reversal_happens_once_and_a_retry_of_it_is_the_same(course: Course) -> None:
    paid = course.pay(1_000, 10)
    undone = reverse(paid, key="undo", effective_on=OCTOBER)
    assert reverse(paid, key="undo", effective_on=OCTOBER) == undone
    with pytest.raises(AlreadyReversed, match="已由第 2 笔"):
        reverse(paid, key="undo again", effective_on=OCTOBER)
    with pytest.raises(NotReversible, match="本身是冲销"):
        reverse(undone, key="undo the undoing", effective_on=OCTOBER)
    assert course.balances["custody"] == 0


def test_a_reversal_is_never_earlier_than_what_it_reverses(course: Course) -> None:
    paid = course.pay(1_000, 10)
    with pytest.raises(NotReversible, match="不能早于"):
        reverse(paid, key="undo", effective_on=SEPTEMBER - datetime.timedelta(days=1))


def test_a_payment_whose_money_has_gone_on_cannot_be_reversed(course: Course) -> None:
    paid = course.pay(1_000, 10)
    course.release(400, key="lesson")
    with pytest.raises(Overdrawn, match="资金托管"):
        reverse(paid, key="undo", effective_on=OCTOBER)


def releases(course: Course, count: int, fen: int = 10) -> list[Draft]:
    """One lesson each, for ``fen``."""
    moves = [Line(course.custody, -fen), Line(course.earned, fen), Line(course.unused, -1), Line(course.taken, 1)]
    return [Draft("release", moves, OCTOBER, f"lesson {number}") for number in range(count)]


def test_many_are_posted_in_their_order_and_again_stand(course: Course) -> None:
    course.pay(100_000, 2_000)
    drafts = releases(course, 1_100)
    posted = post_many(course.book, drafts)
    assert [posting.number for posting in posted] == list(range(2, 1_102))
    assert [posting.key for posting in posted] == [draft.key for draft in drafts]
    more = post_many(course.book, releases(course, 1_105))
    assert more[:1_100] == posted
    assert [posting.number for posting in more[1_100:]] == list(range(1_102, 1_107))
    assert course.balances == {"family": -100_000, "custody": 88_950, "earned": 11_050, "owed": -2_000, "unused": 895, "taken": 1_105}
    assert course.faults == []


def test_of_many_all_or_none_are_posted(course: Course) -> None:
    course.pay(100, 100)
    with pytest.raises(Overdrawn) as refusal:
        post_many(course.book, releases(course, 12))
    assert (refusal.value.balance, refusal.value.asked) == (0, 10)
    assert course.book.postings.count() == 1
    with pytest.raises(Refused, match="重复的唯一键"):
        post_many(course.book, releases(course, 2) * 2)
    assert post_many(course.book, []) == []


def test_of_many_each_must_be_covered_when_its_turn_comes(course: Course) -> None:
    pay = Draft("payment", [Line(course.family, -10), Line(course.custody, 10)], OCTOBER, "pay")
    spend = Draft("release", [Line(course.custody, -10), Line(course.earned, 10)], OCTOBER, "spend")
    with pytest.raises(Overdrawn):
        post_many(course.book, [spend, pay])
    assert [posting.number for posting in post_many(course.book, [pay, spend])] == [1, 2]
    assert course.faults == []


def test_books_and_accounts_are_opened_once(course: Course) -> None:
    assert open_book("book", title="别的名称") == course.book
    assert open_account(course.book, "custody", unit=Unit.FEN, title="别的名称") == course.custody
    with pytest.raises(WrongAccount, match="已经以分计、不能为负"):
        open_account(course.book, "custody", unit=Unit.LESSON, title="课时")
    with pytest.raises(WrongAccount, match="请换一个代码"):
        open_account(course.book, "custody", unit=Unit.FEN, title="托管", may_be_negative=True)
    assert Book.objects.count() == 1


def test_books_are_locked_in_one_order(course: Course) -> None:
    other = make_course("other")
    with CaptureQueriesContext(connection) as queries:
        hold(other.book, course.book)
    assert queries[0]["sql"].endswith("ORDER BY 1 ASC FOR NO KEY UPDATE")


def test_a_mistake_that_only_the_database_sees_is_its_error(course: Course) -> None:
    unsaved = Account(pk=987_654, book=course.book, code="x", title="x", unit=Unit.FEN)
    with pytest.raises(DatabaseError), transaction.atomic():
        post(course.book, kind="x", lines=[Line(course.family, -1), Line(unsaved, 1)], effective_on=OCTOBER, key="x")
    assert course.faults == []


@pytest.mark.django_db
def test_a_book_is_seen_by_its_organisation_and_its_bureau_alone() -> None:
    kinds = {"甲校": Role.SCHOOL_LEADER, "乙校": Role.SCHOOL_LEADER, "教育局": Role.BUREAU}
    users = {name: make_user(name, role) for name, role in kinds.items()}
    book = open_book("school", title="某校", organisation=users["甲校"].organisation)
    account = open_account(book, "a", unit=Unit.MINUTE, title="a", may_be_negative=True)
    other = open_account(book, "b", unit=Unit.MINUTE, title="b")
    posting = post(book, kind="x", lines=[Line(account, -1), Line(other, 1)], effective_on=OCTOBER, key="x", by=users["甲校"])
    assert posting.recorded_by == users["甲校"]
    for name, sees in (("教育局", True), ("甲校", True), ("乙校", False)):
        assert Book.objects.visible_to(users[name]).filter(pk=book.pk).exists() is sees
        assert Account.objects.visible_to(users[name]).filter(pk=account.pk).exists() is sees
        assert Posting.objects.visible_to(users[name]).filter(pk=posting.pk).exists() is sees


def make_user(name: str, role: Role) -> User:
    """Somebody of an organisation in one region."""
    kind = KIND_OF_ROLE[role]
    employer = Organisation.objects.create(name=name, kind=kind, layer_code="demo-district", region_code="990101")
    return User.objects.create_user(username=name, display_name=name, role=role, organisation=employer)
