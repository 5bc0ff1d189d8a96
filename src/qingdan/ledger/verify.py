"""A book checked by a second hand: everything that the database guarantees, worked out anew in Python from the bare rows.

The guards can be switched off by whoever owns the tables. What was changed meanwhile shows here, since each posting's digest is
made of its content and of the digest before it. Only a chain that somebody has rewritten whole, digests and all, looks sound:
against that an earlier verification's last number and digest, kept elsewhere, is given as ``anchor``.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

from django.db import connection

from qingdan.ledger.enums import FaultKind
from qingdan.ledger.models import NO_DIGEST, Book
from qingdan.ledger.refusals import amount_text

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)
_TOLD_EVERY = 500


@dataclass(frozen=True)
class Fault:
    """Something wrong with a book."""

    book: str
    kind: FaultKind
    #: The posting's; None where it is about an account or the book as a whole.
    number: int | None
    message: str


@dataclass(frozen=True)
class Anchor:
    """The end of a book's chain as it once was."""

    number: int
    digest: str


class EntryLine(NamedTuple):
    """An entry as the digest sees it."""

    account: str
    unit: str
    amount: int


@dataclass(frozen=True)
class Read:
    """A posting as it stands in the tables."""

    pk: int
    number: int
    kind: str
    effective_on: datetime.date
    recorded_at: datetime.datetime
    key: str
    memo: str
    recorded_by: int | None
    reverses: int | None
    #: The number of the posting that it reverses, and whether that is a reversal itself.
    reverses_number: int | None
    reverses_reversal: bool
    previous_digest: str
    digest: str
    lines: tuple[EntryLine, ...]


def canonical_text(book_code: str, posting: Read) -> str:
    """What is hashed: a JSON array, one space after each comma, no escaping but what JSON must.

    Version of the format, book, number, kind, day, microseconds since 1970 (UTC) of the recording, key, memo, user, number of the
    reversed posting, digest before, entries by the account's code in the order of code points: each [account, unit, amount].
    """
    recorded = (posting.recorded_at - _EPOCH) // _MICROSECOND
    what = [posting.number, posting.kind, posting.effective_on.isoformat(), recorded, posting.key, posting.memo, posting.recorded_by]
    whole = ["qingdan-ledger-1", book_code, *what, posting.reverses_number, posting.previous_digest, sorted(posting.lines)]
    return json.dumps(whole, ensure_ascii=False)


def digest_of(book_code: str, posting: Read) -> str:
    """The digest that a posting must have."""
    return hashlib.sha256(canonical_text(book_code, posting).encode()).hexdigest()


def verify_all() -> Iterator[Fault]:
    """The faults of all books, one book after the other."""
    for book in Book.objects.order_by("code"):
        yield from verify(book)


def verify(book: Book, *, anchor: Anchor | None = None, tell: Callable[[int], None] | None = None) -> Iterator[Fault]:
    """The faults of a book. Each question is one statement, so that what is posted meanwhile is no fault.

    ``tell`` is told, now and then, how many more postings have been read. Afterwards the book is as it was when the walk began.
    """
    yield from _chain_faults(book, anchor, tell or (lambda count: None))
    yield from _entry_faults(book)
    yield from _balance_faults(book)


def _chain_faults(book: Book, anchor: Anchor | None, tell: Callable[[int], None]) -> Iterator[Fault]:
    """Walk from the first posting to the last."""
    book.refresh_from_db()  # the end of the chain as it was before the walk: what comes later goes beyond it
    number, digest, moment = 0, NO_DIGEST, _EPOCH
    seen = {0: NO_DIGEST}
    wanted = {book.last_number, anchor.number if anchor else 0}
    for count, posting in enumerate(_postings(book), start=1):
        if count % _TOLD_EVERY == 0:
            tell(_TOLD_EVERY)
        yield from _posting_faults(book, posting, after=(number, digest, moment))
        number, digest, moment = posting.number, posting.digest, posting.recorded_at
        if number in wanted:
            seen[number] = digest
    if seen.get(book.last_number) != book.last_digest:
        yield Fault(
            book.code,
            FaultKind.HEAD,
            None,
            f"账簿记着末笔是第 {book.last_number} 笔，而凭证里没有这一笔，或它的摘要不同；最后一笔是第 {number} 笔",
        )
    if anchor and seen.get(anchor.number) != anchor.digest:
        yield Fault(book.code, FaultKind.HEAD, anchor.number, f"第 {anchor.number} 笔的摘要与以前留存的不同：这一笔或之前的账被整体改写过")


def _posting_faults(book: Book, posting: Read, *, after: tuple[int, str, datetime.datetime]) -> Iterator[Fault]:
    """What is wrong with one posting, standing after (number, digest, recorded) of the one before."""

    def fault(kind: FaultKind, message: str) -> Fault:
        return Fault(book.code, kind, posting.number, message)

    number, digest, moment = after
    if posting.number != number + 1:
        yield fault(FaultKind.NUMBER, f"前一笔是第 {number} 笔，中间有缺")
    if posting.previous_digest != digest:
        yield fault(FaultKind.CHAIN, "记着的上一笔摘要与上一笔的摘要不同")
    if posting.digest != digest_of(book.code, posting):
        yield fault(FaultKind.CONTENT, "内容被改过：按现在的内容重算，摘要不同")
    if posting.recorded_at < moment:
        yield fault(FaultKind.TIME, "记录时间早于上一笔")
    sums: dict[str, int] = {}
    for line in posting.lines:
        sums[line.unit] = sums.get(line.unit, 0) + line.amount
    for unit, left in sums.items():
        if left:
            yield fault(FaultKind.UNBALANCED, f"分录合计应为零，却差{amount_text(left, unit)}")
    if len(posting.lines) < 2:
        yield fault(FaultKind.UNBALANCED, f"只有 {len(posting.lines)} 条分录")
    if posting.reverses is not None:
        negated = sorted(EntryLine(line.account, line.unit, -line.amount) for line in _lines(posting.reverses))
        if sorted(posting.lines) != negated or posting.reverses_reversal or posting.reverses_number is None:
            yield fault(FaultKind.REVERSAL, "不是它所冲销的凭证的相反数，或冲销的本身是冲销")


def _entry_faults(book: Book) -> Iterator[Fault]:
    """Entries that no posting has, or that join an account or a posting of another book."""
    rows = _rows(
        """SELECT entry.id, posting.number, posting.id IS NULL FROM ledger_account AS account
        JOIN ledger_entry AS entry ON entry.account_id = account.id
        LEFT JOIN ledger_posting AS posting ON posting.id = entry.posting_id
        WHERE account.book_id = %s AND (entry.book_id <> account.book_id OR posting.book_id IS DISTINCT FROM account.book_id)
        UNION
        SELECT entry.id, posting.number, FALSE FROM ledger_posting AS posting
        JOIN ledger_entry AS entry ON entry.posting_id = posting.id
        LEFT JOIN ledger_account AS account ON account.id = entry.account_id
        WHERE posting.book_id = %s AND (entry.book_id <> posting.book_id OR account.book_id IS DISTINCT FROM posting.book_id)
        ORDER BY 1""",
        [book.pk, book.pk],
    )
    for pk, number, is_stray in rows:
        kind = FaultKind.STRAY if is_stray else FaultKind.FOREIGN
        yield Fault(book.code, kind, number, f"分录 {pk} {'没有凭证' if is_stray else '的凭证、科目不在同一账簿'}")


def _balance_faults(book: Book) -> Iterator[Fault]:
    """Accounts whose balance is not the sum of their entries, or below zero where it may not be."""
    rows = _rows(
        """SELECT account.code, account.unit, account.balance, moved.sum, account.may_be_negative FROM ledger_account AS account
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(entry.amount), 0)::bigint AS sum FROM ledger_entry AS entry WHERE entry.account_id = account.id
        ) AS moved
        WHERE account.book_id = %s AND (account.balance <> moved.sum OR (moved.sum < 0 AND NOT account.may_be_negative))
        ORDER BY account.code""",
        [book.pk],
    )
    for code, unit, balance, moved, may_be_negative in rows:
        if balance != moved:
            message = f"科目 {code} 的余额是{amount_text(balance, unit)}，分录合计是{amount_text(moved, unit)}"
            yield Fault(book.code, FaultKind.BALANCE, None, message)
        if moved < 0 and not may_be_negative:
            yield Fault(book.code, FaultKind.OVERDRAWN, None, f"科目 {code} 不能为负，分录合计却是{amount_text(moved, unit)}")


def _postings(book: Book) -> Iterator[Read]:
    """All postings of a book by number, read through a cursor that holds a few thousand rows at a time."""
    rows = _rows(
        """SELECT posting.id, posting.number, posting.kind, posting.effective_on, posting.recorded_at, posting.key, posting.memo,
            posting.recorded_by_id, posting.reverses_id, undone.number, undone.reverses_id IS NOT NULL,
            posting.previous_digest, posting.digest, coalesce(account.code, ''), coalesce(account.unit, ''), entry.amount
        FROM ledger_posting AS posting
        LEFT JOIN ledger_posting AS undone ON undone.id = posting.reverses_id
        LEFT JOIN ledger_entry AS entry ON entry.posting_id = posting.id
        LEFT JOIN ledger_account AS account ON account.id = entry.account_id
        WHERE posting.book_id = %s ORDER BY posting.number, posting.id""",
        [book.pk],
    )
    for head, lines in groupby(rows, key=lambda row: row[:13]):
        yield Read(*(*head, tuple(EntryLine(*line[13:]) for line in lines if line[15] is not None)))


def _lines(posting: int) -> list[EntryLine]:
    """The entries of a posting, by its id."""
    rows: Iterable[Sequence[Any]] = _rows(
        """SELECT account.code, account.unit, entry.amount FROM ledger_entry AS entry
        JOIN ledger_account AS account ON account.id = entry.account_id WHERE entry.posting_id = %s""",
        [posting],
    )
    return [EntryLine(*row) for row in rows]


def _rows(statement: str, values: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement, values)
        while rows := cursor.fetchmany(5_000):
            yield from rows
