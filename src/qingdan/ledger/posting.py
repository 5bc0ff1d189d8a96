"""The only way into a book: open it, open accounts in it, post, reverse.

A posting is one statement, a call of the function ``ledger_post`` in the database, so that it takes one round trip and holds the book's
lock no longer than that (inside a transaction: until its end). Trying again with the same key does nothing, so whoever does not know
whether an act was posted posts it again. An act that is refused leaves the transaction as it was.

Whoever posts into several books in one transaction takes their locks first, with ``hold``: that is what keeps two such
transactions from waiting for each other.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import psycopg
from django.db import connection, transaction
from django.db.models import CharField

from qingdan.accounts.models import Organisation, User
from qingdan.ledger.enums import Unit
from qingdan.ledger.models import AMOUNT_MAX, Account, Book, Posting
from qingdan.ledger.refusals import AlreadyReversed, KeyReused, NotReversible, Overdrawn, Refused, Unbalanced, WrongAccount, amount_text

log = logging.getLogger(__name__)

_COLUMNS = ", ".join(f'(posting)."{field.column}"' for field in Posting._meta.concrete_fields)
_FIELDS = [field.attname for field in Posting._meta.concrete_fields]
_POST = f"SELECT outcome, account_id, balance, asked, {_COLUMNS} FROM ledger_post($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"  # noqa: S608
_ESCAPED = str.maketrans({"\\": "\\\\", '"': '\\"'})
#: Postings in one statement of ``post_many``.
_AT_ONCE = 1_000


@dataclass(frozen=True)
class Line:
    """An amount that goes into an account (positive) or out of it (negative), in the account's unit."""

    account: Account
    amount: int

    def __post_init__(self) -> None:
        """Refuse what is no whole number: half a fen is a mistake of the caller's."""
        if type(self.amount) is not int:
            raise TypeError(f"{self.amount!r} is no whole number of {self.account.unit}")
        if abs(self.amount) > AMOUNT_MAX:
            raise Unbalanced(f"“{self.account.title}”的数额{amount_text(self.amount, self.account.unit)} 超过一笔分录的上限，请核对")


@dataclass(frozen=True)
class Draft:
    """A posting to be made. Lines of one account are added up, and what comes to nothing is left out."""

    kind: str
    lines: Sequence[Line]
    effective_on: datetime.date
    key: str
    memo: str = ""
    by: User | None = None

    def __post_init__(self) -> None:
        """Refuse words that the book could not keep whole."""
        for name, least in (("kind", 1), ("key", 1), ("memo", 0)):
            text, field = getattr(self, name), cast("CharField[str, str]", Posting._meta.get_field(name))
            if not least <= len(text) <= (field.max_length or 0) or "\0" in text:
                most = field.max_length
                raise Refused(f"凭证的{field.verbose_name}要有 {least} 至 {most} 个字（不含空字符），给的是 {len(text)} 个字")

    def amounts(self, book: Book) -> dict[int, Line]:
        """What moves, by the account's id. Raises WrongAccount and Unbalanced."""
        moved: dict[int, Line] = {}
        for line in self.lines:
            if line.account.book_id != book.pk:
                raise WrongAccount(f"科目“{line.account.title}”不属于账簿“{book.title}”，不能记在一笔凭证里")
            before = moved.get(line.account.pk)
            moved[line.account.pk] = Line(line.account, line.amount + before.amount) if before else line
        moved = {pk: moved[pk] for pk in sorted(moved) if moved[pk].amount}
        for unit in Unit:
            if left := sum(line.amount for line in moved.values() if line.account.unit == unit):
                raise Unbalanced(f"借贷不平：各条分录合计应为零，却差{amount_text(left, unit)}")
        if not moved:
            raise Unbalanced("凭证没有任何数额变动，至少要有两条分录")
        return moved


def open_book(code: str, *, title: str, organisation: Organisation | None = None) -> Book:
    """The book with this code; a new one if there is none yet."""
    return Book.objects.get_or_create(code=code, defaults={"title": title, "organisation": organisation})[0]


def open_account(book: Book, code: str, *, unit: Unit, title: str, may_be_negative: bool = False) -> Account:
    """The account with this code; a new one if there is none yet. Raises WrongAccount when that counts another unit."""
    account, _ = Account.objects.get_or_create(
        book=book, code=code, defaults={"unit": unit, "title": title, "may_be_negative": may_be_negative}
    )
    if account.unit != unit or account.may_be_negative != may_be_negative:
        meant = f"以{Unit(account.unit).label}计、{'可以' if account.may_be_negative else '不能'}为负"
        raise WrongAccount(f"账簿“{book.title}”里代码“{code}”的科目已经{meant}，不能另作他用；请换一个代码")
    return account


def hold(*books: Book) -> None:
    """Lock books until the end of the transaction, always in the same order."""
    list(Book.objects.filter(pk__in=[book.pk for book in books]).order_by("pk").select_for_update(no_key=True).values_list("pk"))


def post(
    book: Book,
    *,
    kind: str,
    lines: Sequence[Line],
    effective_on: datetime.date,
    key: str,
    memo: str = "",
    by: User | None = None,
) -> Posting:
    """Post once: with the same key and content again, the posting that stands. Who asks is no part of the content.

    Raises Unbalanced, WrongAccount, Overdrawn, KeyReused; then nothing was posted, and the transaction can go on.
    """
    [posting] = _post(book, [Draft(kind=kind, lines=lines, effective_on=effective_on, key=key, memo=memo, by=by)])
    return posting


def reverse(posting: Posting, *, key: str, effective_on: datetime.date, by: User | None = None, memo: str = "") -> Posting:
    """Undo a posting by its negation, effective on a day not before it.

    Raises AlreadyReversed, NotReversible, Overdrawn (what it brought in has gone on), KeyReused.
    """
    if posting.reverses_id is not None:
        raise NotReversible(f"第 {posting.number} 笔本身是冲销，不能再冲销；请把原来的业务重新记一笔")
    if effective_on < posting.effective_on:
        raise NotReversible(f"冲销日期 {effective_on} 不能早于原凭证的 {posting.effective_on}")
    lines = [Line(entry.account, -entry.amount) for entry in posting.entries.select_related("account")]
    memo = memo or f"冲销第 {posting.number} 笔"
    draft = Draft(kind=posting.kind, lines=lines, effective_on=effective_on, key=key, memo=memo, by=by)
    [reversal] = _post(posting.book, [draft], reverses=posting)
    return reversal


def post_many(book: Book, drafts: Iterable[Draft]) -> list[Posting]:
    """Post all or none, in this order, a thousand to a round trip; those that stand already are in the answer too.

    Raises what ``post`` raises, about the first that is refused, and Refused when two have the same key. Many postings belong here: a
    thousand calls of ``post`` in one transaction leave a thousand versions of the book's row, which the next ones have to step over.
    """
    waiting = list(drafts)
    if len({draft.key for draft in waiting}) < len(waiting):
        raise Refused("同一批凭证里有重复的唯一键，没有记账；请核对")
    posted: list[Posting] = []
    with transaction.atomic():
        for start in range(0, len(waiting), _AT_ONCE):
            posted += _post(book, waiting[start : start + _AT_ONCE])
    return posted


def _post(book: Book, drafts: Sequence[Draft], *, reverses: Posting | None = None) -> list[Posting]:
    moved = [draft.amounts(book) for draft in drafts]
    lines = [(at, line) for at, each in enumerate(moved, start=1) for line in each.values()]
    answers = _call(
        book.pk,
        _array(draft.kind for draft in drafts),
        _array(draft.effective_on for draft in drafts),
        _array(draft.key for draft in drafts),
        _array(draft.memo for draft in drafts),
        _array(draft.by and draft.by.pk for draft in drafts),
        _array(reverses and reverses.pk for _ in drafts),
        _array(at for at, _ in lines),
        _array(line.account.pk for _, line in lines),
        _array(line.amount for _, line in lines),
    )
    accounts = {line.account.pk: line.account for _, line in lines}
    posted = {posting.key: posting for posting in (_read(answer, accounts) for answer in answers)}
    for draft in drafts:
        by, posting = draft.by and draft.by.pk, posted[draft.key]
        log.info("ledger.posted by=%s book=%s number=%s kind=%s key=%s", by, book.code, posting.number, posting.kind, posting.key)
    return [posted[draft.key] for draft in drafts]


def _array(values: Iterable[object]) -> str:
    """An array as PostgreSQL writes it, whatever is in it: always of one type, so that there is one prepared statement."""
    return "{" + ",".join("NULL" if each is None else '"' + str(each).translate(_ESCAPED) + '"' for each in values) + "}"


def _call(*values: object) -> list[tuple[Any, ...]]:
    """Carry out the prepared statement past Django's cursor, which prepares none; errors are Django's all the same."""
    connection.validate_no_broken_transaction()
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.RawCursor(connection.connection) as cursor:
        return cursor.execute(_POST, values, prepare=True).fetchall()


def _read(answer: Sequence[Any], accounts: dict[int, Account]) -> Posting:
    """The posting of an answer, or its refusal raised."""
    outcome, account_id, balance, asked, *values = answer
    if outcome == "overdrawn":
        raise Overdrawn(accounts[account_id], balance=balance, asked=asked)
    posting = Posting.from_db(connection.alias, _FIELDS, values)
    if outcome == "key_reused":
        raise KeyReused(posting)
    if outcome == "already_reversed":
        raise AlreadyReversed(posting)
    return posting
