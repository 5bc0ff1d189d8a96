"""Writes all books at once: their accounts, then every posting in the order in which it was effective."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from qingdan.demo.prepaid.lives import Life, Move
from qingdan.demo.prepaid.plan import House
from qingdan.escrow import books
from qingdan.ledger.enums import Unit
from qingdan.ledger.models import Account, Book
from qingdan.ledger.posting import Draft, Line, post_many


def write_books(houses: Sequence[House], lives: Sequence[Life], others: Mapping[int, Sequence[Move]]) -> dict[str, int]:
    """Post what happened, by institution; ``others`` are moves of its agreement. Key of each posting -> its number in the database."""
    moves: defaultdict[int, list[Move]] = defaultdict(list)
    of_house: defaultdict[int, list[Life]] = defaultdict(list)
    for life in lives:
        moves[life.house.institution.pk] += life.moves
        of_house[life.house.institution.pk].append(life)
    posted: dict[str, int] = {}
    books_of = _books(houses)
    accounts = _accounts(houses, of_house, books_of)
    for house in houses:
        number = house.institution.pk
        book = books_of[number]
        known = {account.code: account for account in accounts[book.pk]}
        drafts = [
            Draft(move.kind, [Line(known[code], amount) for code, amount in move.lines], move.on, move.key, move.memo)
            for move in sorted([*moves[number], *others.get(number, ())], key=lambda move: (move.on, move.order))
        ]
        posted |= {posting.key: posting.pk for posting in post_many(book, drafts)}
    return posted


def _books(houses: Sequence[House]) -> dict[int, Book]:
    rows = [
        Book(
            code=books.book_code(house.institution.pk), title=f"{house.name[:90]} 预收费账", organisation=house.institution.organisation
        )
        for house in houses
    ]  # fmt: skip
    return {book.organisation_id or 0: book for book in Book.objects.bulk_create(rows)}


def _accounts(
    houses: Sequence[House], lives: Mapping[int, Sequence[Life]], books_of: Mapping[int, Book]
) -> dict[int, list[Account]]:  # fmt: skip
    rows: list[Account] = []
    for house in houses:
        book, agreement = books_of[house.institution.pk], house.agreement
        kinds = dict(books.COMMON)
        kinds |= {books.agreement_code(agreement, name): kind for name, kind in books.OF_AGREEMENT.items()}
        for life in lives[house.institution.pk]:
            contract = life.contract
            if contract.paid_on is not None:
                kinds[books.held_code(contract)] = (Unit.FEN, f"合同 {contract.number} 未消课", False)
                kinds[books.left_code(contract)] = (Unit.LESSON, f"合同 {contract.number} 剩余课时", False)
        rows += [
            Account(book=book, code=code, unit=unit, title=title, may_be_negative=may_be_negative)
            for code, (unit, title, may_be_negative) in kinds.items()
        ]
    found: defaultdict[int, list[Account]] = defaultdict(list)
    for account in Account.objects.bulk_create(rows, batch_size=2_000):
        found[account.book_id].append(account)
    return found
