"""What the database guarantees, tried with SQL past all our code; each of the ledger's constraints is broken here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from qingdan.ledger.emptying import guard_asleep
from qingdan.ledger.models import Account, Book, Entry, Posting
from qingdan.ledger.posting import reverse
from qingdan.storage.refusals import constraint_of
from tests.ledger.making import OCTOBER, Course, make_course

NEXT = "nextval('ledger_posting_id_seq')"


def sql(statement: str, *values: Any) -> int:
    """Carry out a statement; the first value of the answer, if it has one."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.fetchone()[0]) if cursor.description else 0


@contextmanager
def refused_by(constraint: str) -> Iterator[None]:
    """The block is refused by this constraint, at the latest at the commit, with a message in Chinese, and leaves nothing behind."""
    refused = "nothing"
    try:
        with transaction.atomic():
            yield
            sql("SET CONSTRAINTS ALL IMMEDIATE")
    except IntegrityError as refusal:
        refused = constraint_of(refusal)
    assert refused == constraint


def check_references() -> None:
    """Let the deferred references be checked now: tables with checks still to come can be neither altered nor emptied."""
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql("SET CONSTRAINTS ALL DEFERRED")


def lay(course: Course, *amounts: tuple[Account, int], posting: int | None = None) -> int:
    """Lay entries down in one statement; the number of the posting that is to seal them."""
    posting = posting or sql(f"SELECT {NEXT}")
    rows = ", ".join(["(%s, %s, %s, %s)"] * len(amounts))
    values = [value for account, amount in amounts for value in (account.book_id, posting, account.pk, amount)]
    sql(f"INSERT INTO ledger_entry (book_id, posting_id, account_id, amount) VALUES {rows}", *values)
    return posting


def seal(course: Course, posting: int, *, key: str = "raw", kind: str = "raw", reverses: int | None = None) -> None:
    """Insert the posting over its entries, with a number, a time and digests that do not count."""
    sql(
        """INSERT INTO ledger_posting
            (id, book_id, number, kind, effective_on, recorded_at, key, memo, previous_digest, digest, reverses_id)
        VALUES (%s, %s, 99, %s, %s, '1999-01-01', %s, '', 'forged', 'forged', %s)""",
        *(posting, course.book.pk, kind, OCTOBER, key, reverses),
    )


def test_raw_sql_that_keeps_the_rules_is_a_posting_like_any_other(course: Course) -> None:
    course.pay(1_000, 10)
    seal(course, lay(course, (course.custody, -300), (course.earned, 300)))
    posting = course.book.postings.get(key="raw")
    assert (posting.number, posting.previous_digest) == (2, course.book.postings.get(number=1).digest)
    assert len(posting.digest) == 64
    assert posting.recorded_at.year > 2000
    assert (course.balances["custody"], course.faults) == (700, [])


def test_a_posting_that_does_not_sum_to_zero_is_refused(course: Course) -> None:
    with refused_by("ledger_posting_is_balanced"):
        seal(course, lay(course, (course.family, -100), (course.custody, 99)))


def test_units_never_make_up_for_each_other(course: Course) -> None:
    with refused_by("ledger_posting_is_balanced"):
        seal(course, lay(course, (course.family, -100), (course.unused, 100)))


@pytest.mark.parametrize("count", [0, 1])
def test_a_posting_has_two_entries_at_least(course: Course, count: int) -> None:
    with refused_by("ledger_posting_is_balanced"):
        posting = lay(course, (course.family, -100)) if count else sql(f"SELECT {NEXT}")
        seal(course, posting)


def test_entries_that_nobody_seals_fail_at_the_commit(course: Course) -> None:
    with refused_by("ledger_entry_posting_is_of_its_book"):
        lay(course, (course.family, -100), (course.custody, 100))
    assert course.balances["custody"] == 0


def test_nothing_is_added_to_a_posting_that_stands(course: Course) -> None:
    paid = course.pay(1_000, 0)
    with refused_by("ledger_entry_is_laid_before_its_seal"):
        lay(course, (course.earned, 5), posting=paid.pk)


def test_account_and_posting_are_of_one_book(course: Course) -> None:
    other = make_course("other")
    with refused_by("ledger_posting_is_balanced"):
        seal(course, lay(course, (course.family, -100), (other.custody, 100)))
    with refused_by("ledger_entry_posting_is_of_its_book"):
        posting = lay(course, (course.family, -100), (course.custody, 100), (other.family, -1), (other.custody, 1))
        seal(course, posting)
    with refused_by("ledger_entry_account_is_of_its_book"):
        row = (course.book.pk, sql(f"SELECT {NEXT}"), other.custody.pk)
        sql("INSERT INTO ledger_entry (book_id, posting_id, account_id, amount) VALUES (%s, %s, %s, 1)", *row)


def test_no_custody_below_zero(course: Course) -> None:
    course.pay(1_000, 0)
    with refused_by("ledger_account_is_not_overdrawn"):
        lay(course, (course.custody, -1_001), (course.earned, 1_001))


@pytest.mark.parametrize("amount", [0, 10**12 + 1, -(10**12) - 1])
def test_an_entry_moves_something_and_not_the_world(course: Course, amount: int) -> None:
    with refused_by("ledger_entry_amount_moves_something"):
        lay(course, (course.family, amount))
    with pytest.raises(ValidationError, match="不能是零"):
        Entry(book=course.book, posting_id=1, account=course.family, amount=amount).validate_constraints()


def test_an_account_stands_once_in_a_posting(course: Course) -> None:
    with refused_by("ledger_entry_account_is_once"):
        lay(course, (course.family, -1), (course.family, -1))
    paid = course.pay(1_000, 0)
    with pytest.raises(ValidationError, match="每个科目只有一条"):
        Entry(book=course.book, posting=paid, account=course.family, amount=1).validate_constraints()


@pytest.mark.parametrize("table", ["ledger_posting", "ledger_entry"])
def test_what_stands_is_neither_changed_nor_deleted_nor_emptied(course: Course, table: str) -> None:
    course.pay(1_000, 10)
    column = {"ledger_posting": "memo = 'x'", "ledger_entry": "amount = amount + 1"}[table]
    with refused_by(f"{table}_is_final"):
        sql(f"UPDATE {table} SET {column}")
    with refused_by(f"{table}_is_final"):
        sql(f"DELETE FROM {table}")
    check_references()
    with refused_by("ledger_posting_is_final"):
        sql("TRUNCATE ledger_posting CASCADE")
    with refused_by("ledger_entry_is_final"):
        sql("TRUNCATE ledger_entry")


def test_fictional_books_go_when_their_guard_sleeps_and_it_wakes_again(course: Course) -> None:
    course.pay(1_000, 10)
    check_references()
    with guard_asleep():
        sql("TRUNCATE ledger_book CASCADE")
    fresh = make_course()
    fresh.pay(1_000, 10)
    check_references()
    with refused_by("ledger_posting_is_final"):
        sql("TRUNCATE ledger_book CASCADE")


def test_a_balance_is_not_written_by_hand(course: Course) -> None:
    with refused_by("ledger_balance_follows_entries"):
        sql("UPDATE ledger_account SET balance = 5 WHERE id = %s", course.family.pk)
    with refused_by("ledger_balance_follows_entries"):
        Account.objects.create(book=course.book, code="rich", title="rich", unit="fen", balance=5)
    course.pay(1_000, 0)
    course.custody.title = "托管账户"
    with refused_by("ledger_balance_follows_entries"):
        course.custody.save()  # with the balance of before the payment
    course.custody.save(update_fields=["title"])
    assert course.balances["custody"] == 1_000


@pytest.mark.parametrize("change", ["code = 'x'", "unit = 'lesson'", "may_be_negative = TRUE", "book_id = {other}"])
def test_an_account_stays_what_it_is(course: Course, change: str) -> None:
    other = make_course("other")
    with refused_by("ledger_account_stays_what_it_is"):
        sql(f"UPDATE ledger_account SET {change.format(other=other.book.pk)} WHERE id = %s", course.custody.pk)


@pytest.mark.parametrize("change", ["code = 'x'", "last_number = 7", "last_digest = 'x'", "last_recorded_at = now()"])
def test_the_end_of_a_book_is_not_written_by_hand(course: Course, change: str) -> None:
    with refused_by("ledger_book_stays_what_it_is"):
        sql(f"UPDATE ledger_book SET {change} WHERE id = %s", course.book.pk)
    with refused_by("ledger_book_stays_what_it_is"):
        Book.objects.create(code="late", title="late", last_number=7)


def test_numbers_have_no_gap_even_after_a_posting_that_was_taken_back(course: Course) -> None:
    course.pay(1_000, 0, key="a")
    with transaction.atomic():
        course.pay(1_000, 0, key="taken back")
        transaction.set_rollback(True)
    posting = lay(course, (course.family, -1), (course.custody, 1))
    sql(
        """INSERT INTO ledger_posting (id, book_id, kind, effective_on, key, memo) VALUES (%s, %s, 'x', '2026-10-08', 'a', '')
        ON CONFLICT (book_id, key) DO NOTHING""",
        *(posting, course.book.pk),
    )  # the key stands already: no posting, and no number used
    seal(course, posting)
    assert [each.number for each in course.book.postings.all()] == [1, 2]
    assert course.faults == []


def test_a_key_is_used_once(course: Course) -> None:
    paid = course.pay(1_000, 0)
    with refused_by("ledger_posting_key_is_unique"):
        seal(course, lay(course, (course.family, -1), (course.custody, 1)), key="pay")
    with pytest.raises(ValidationError, match="已有这个唯一键"):
        Posting(book=course.book, number=2, kind="x", key=paid.key).validate_constraints()


def test_a_number_is_used_once(course: Course) -> None:
    """Only without the seal, which would give it another number."""
    paid = course.pay(1_000, 0)
    check_references()
    with refused_by("ledger_posting_number_is_unique"):
        sql("ALTER TABLE ledger_posting DISABLE TRIGGER ledger_seal")
        sql(
            "INSERT INTO ledger_posting (id, book_id, number, kind, effective_on, recorded_at, key, memo, previous_digest, digest)"
            f" SELECT {NEXT}, book_id, number, kind, effective_on, recorded_at, 'other', memo, previous_digest, digest FROM ledger_posting"
        )
    with pytest.raises(ValidationError, match="已有这个编号"):
        Posting(book=course.book, number=paid.number, kind="x", key="y").validate_constraints()


@pytest.mark.parametrize("values", [{"key": ""}, {"kind": ""}])
def test_a_posting_says_what_it_is(course: Course, values: dict[str, Any]) -> None:
    with refused_by("ledger_posting_has_kind_and_key"):
        seal(course, lay(course, (course.family, -1), (course.custody, 1)), **values)
    with pytest.raises(ValidationError, match="要有种类和唯一键"):
        Posting(book=course.book, number=1, **({"kind": "x", "key": "x"} | values)).validate_constraints()


def test_a_reversal_is_the_exact_negation(course: Course) -> None:
    paid = course.pay(1_000, 0)
    with refused_by("ledger_reversal_is_the_negation"):
        seal(course, lay(course, (course.custody, -999), (course.family, 999)), reverses=paid.pk)
    with refused_by("ledger_reversal_is_the_negation"):
        seal(course, lay(course, (course.family, -1), (course.earned, 1)), reverses=paid.pk)
    seal(course, lay(course, (course.custody, -1_000), (course.family, 1_000)), reverses=paid.pk)
    assert course.faults == []


def test_a_reversal_is_not_reversed_and_nothing_twice(course: Course) -> None:
    paid = course.pay(1_000, 0)
    course.pay(1_000, 0, key="another")
    undone = reverse(paid, key="undo", effective_on=OCTOBER)
    with refused_by("ledger_reversal_is_the_negation"):
        seal(course, lay(course, (course.family, -1_000), (course.custody, 1_000)), reverses=undone.pk)
    with refused_by("ledger_posting_reverses_id_key"):
        seal(course, lay(course, (course.custody, -1_000), (course.family, 1_000)), reverses=paid.pk)


def test_a_reversal_stays_in_its_book(course: Course) -> None:
    other = make_course("other")
    theirs = other.pay(1_000, 0)
    course.pay(1_000, 0)
    with refused_by("ledger_reversal_is_the_negation"):
        seal(course, lay(course, (course.custody, -1_000), (course.family, 1_000)), reverses=theirs.pk)


def test_books_and_accounts_have_a_code_and_a_title(course: Course) -> None:
    for values in ({"code": "", "title": "x"}, {"code": "x", "title": ""}):
        with refused_by("ledger_book_has_code_and_title"):
            Book.objects.create(**values)
        with pytest.raises(ValidationError, match="账簿要有代码和名称"):
            Book(**values).validate_constraints()
        with refused_by("ledger_account_has_code_and_title"):
            Account.objects.create(book=course.book, unit="fen", **values)
        with pytest.raises(ValidationError, match="科目要有代码和名称"):
            Account(book=course.book, unit="fen", **values).validate_constraints()


def test_an_account_has_a_known_unit_and_a_code_of_its_own(course: Course) -> None:
    with refused_by("ledger_account_unit_is_known"):
        Account.objects.create(book=course.book, code="x", title="x", unit="yuan")
    with pytest.raises(ValidationError, match="只能是分、课时或分钟"):
        Account(book=course.book, code="x", title="x", unit="yuan").validate_constraints()
    with refused_by("ledger_account_code_is_unique_in_book"):
        Account.objects.create(book=course.book, code="custody", title="x", unit="fen")
    with pytest.raises(ValidationError, match="已有这个代码的科目"):
        Account(book=course.book, code="custody", title="x", unit="fen").validate_constraints()
    with pytest.raises(ValidationError, match="不能透支"):
        Account(book=course.book, code="x", title="x", unit="fen", balance=-1).validate_constraints()
