"""How prepaid tuition stands in the ledger: which accounts there are, and the posting of each act.

Each institution has one book. An account's balance says how much lies there; what comes from outside the house is counted below zero
in the accounts ``families`` and ``funds``, so that every posting sums to nothing. For a contract N and an agreement G:

    c:N:held        fen     paid for lessons that have not been given: in custody, or with the institution where a reserve stands for it
    c:N:lessons     lesson  paid for and not given
    g:G:transit     fen     to be paid to the institution by the bank, which has not yet done so
    g:G:returning   fen     the same towards families; in reserve mode the institution has to pay it
    g:G:reserve     fen     the risk reserve
    institution     fen     the institution's own: earned by lessons given
    families        fen     what families paid in and got back (below zero)
    funds           fen     what institutions put into their reserve out of their own (below zero)
    sold, given, returned   lesson   where lessons come from and go to

Money under way stands by agreement, for an institution that changes its bank has money under way at both for some time.
What should lie at the bank: in custody and transfer ``held`` of all contracts and what is under way; in reserve mode the reserve.

Lessons are priced by their place in the contract (``Contract.fen_of_lessons``): what is given is taken from the front, what is given
back from the end. Both telescope, so whatever happens in whichever order, the parts sum to the amount to the fen.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Sum

from qingdan.accounts.models import Organisation, User
from qingdan.escrow.enums import InstructionPurpose, SupervisionMode
from qingdan.escrow.models import BankInstruction, Contract, CustodyAgreement, Lesson, PaymentOrder, Refund
from qingdan.ledger.enums import Unit
from qingdan.ledger.models import Account, Book, Entry, Posting
from qingdan.ledger.posting import Draft, Line, open_account, open_book, post, post_many, reverse

#: What an account is: unit, title, whether it may be below zero.
Kind = tuple[Unit, str, bool]
#: Accounts that every book has.
COMMON: Mapping[str, Kind] = {
    "institution": (Unit.FEN, "机构已得课时费", False),
    "families": (Unit.FEN, "家长缴入", True),
    "funds": (Unit.FEN, "机构自有资金", True),
    "sold": (Unit.LESSON, "售出课时", True),
    "given": (Unit.LESSON, "已上课时", False),
    "returned": (Unit.LESSON, "退回课时", False),
}
#: Accounts of each agreement, by the last part of their code.
OF_AGREEMENT: Mapping[str, Kind] = {
    "transit": (Unit.FEN, "划拨在途", False),
    "returning": (Unit.FEN, "退费在途", False),
    "reserve": (Unit.FEN, "风险储备金", False),
}


def book_code(institution_id: int) -> str:
    """The code of an institution's book."""
    return f"escrow:{institution_id}"


def book_of(institution: Organisation) -> Book:
    """The institution's book, opened when it is first asked for."""
    return open_book(book_code(institution.pk), title=f"{institution.name[:90]} 预收费账", organisation=institution)


def held_code(contract: Contract) -> str:
    """The code of what was paid for lessons that have not been given."""
    return f"c:{contract.pk}:held"


def left_code(contract: Contract) -> str:
    """The code of the lessons that were paid for and have not been given."""
    return f"c:{contract.pk}:lessons"


def agreement_code(agreement: CustodyAgreement, name: str) -> str:
    """The code of one of an agreement's accounts: ``transit``, ``returning``, ``reserve``."""
    return f"g:{agreement.pk}:{name}"


def _kind(code: str, contract: Contract | None) -> Kind:
    if code in COMMON:
        return COMMON[code]
    if code.startswith("g:"):
        return OF_AGREEMENT[code.rpartition(":")[2]]
    assert contract is not None
    if code == held_code(contract):
        return Unit.FEN, f"合同 {contract.number} 未消课", False
    return Unit.LESSON, f"合同 {contract.number} 剩余课时", False


def _lines(
    book: Book, moves: Iterable[tuple[str, int]], *, contract: Contract | None = None, known: dict[str, Account] | None = None
) -> list[Line]:
    """Amounts into (positive) and out of accounts by their codes; those not there yet are opened. Nothing moves by zero.

    ``known`` are accounts that have been read already; those opened here join them.
    """
    moves = [(code, amount) for code, amount in moves if amount]
    if known is None:
        known = {each.code: each for each in book.accounts.filter(code__in=[code for code, _ in moves])}
    for code, _ in moves:
        if code not in known:
            unit, title, may_be_negative = _kind(code, contract)
            known[code] = open_account(book, code, unit=unit, title=title, may_be_negative=may_be_negative)
    return [Line(known[code], amount) for code, amount in moves]


def _agreement_of(contract: Contract) -> CustodyAgreement:
    assert contract.agreement is not None, "a signed contract has an agreement"
    return contract.agreement


def post_payment(order: PaymentOrder, *, effective_on: datetime.date, by: User | None = None) -> Posting:
    """A family's money has come in: the whole amount and all lessons of the contract."""
    contract = order.contract
    book = book_of(contract.institution)
    fen, lessons = order.amount_fen, contract.lessons
    moves = [("families", -fen), (held_code(contract), fen), ("sold", -lessons), (left_code(contract), lessons)]
    lines = _lines(book, moves, contract=contract)
    return post(book, kind="payment", lines=lines, effective_on=effective_on, key=f"payment:{order.reference}", memo=contract.number, by=by)


def post_release(lesson: Lesson, *, fen: int, effective_on: datetime.date, by: User | None = None) -> Posting:
    """A lesson counts as given: its money is to be paid to the institution, or is its own at once where a reserve stands for it.

    Raises ledger.refusals.Overdrawn when less is held than that.
    """
    [posting] = post_releases([(lesson, fen)], effective_on=effective_on, by=by)
    return posting


def post_releases(releases: Sequence[tuple[Lesson, int]], *, effective_on: datetime.date, by: User | None = None) -> list[Posting]:
    """The same of many lessons of one institution, each with its money in fen: all or none, in a few statements.

    Raises ledger.refusals.Overdrawn about the first for which less is held.
    """
    book = book_of(releases[0][0].contract.institution)
    moves = [_release(lesson, fen) for lesson, fen in releases]
    known = {each.code: each for each in book.accounts.filter(code__in={code for each in moves for code, _ in each})}
    drafts = [
        Draft("release", _lines(book, each, contract=lesson.contract, known=known), effective_on, f"lesson:{lesson.pk}",
              lesson.contract.number, by)
        for (lesson, _), each in zip(releases, moves, strict=True)
    ]  # fmt: skip
    return post_many(book, drafts)


def _release(lesson: Lesson, fen: int) -> list[tuple[str, int]]:
    contract = lesson.contract
    agreement = _agreement_of(contract)
    goes_to = "institution" if agreement.mode == SupervisionMode.RESERVE else agreement_code(agreement, "transit")
    return [(left_code(contract), -lesson.lessons), ("given", lesson.lessons), (held_code(contract), -fen), (goes_to, fen)]


def post_refund(refund: Refund, *, effective_on: datetime.date, by: User | None = None) -> Posting:
    """A refund goes through: the lessons are given back, the money is to be paid to the family.

    Raises ledger.refusals.Overdrawn when fewer lessons or less money are left than that.
    """
    contract = refund.contract
    book = book_of(contract.institution)
    goes_to = agreement_code(_agreement_of(contract), "returning")
    moves = [(left_code(contract), -refund.lessons), ("returned", refund.lessons), (held_code(contract), -refund.due_fen)]
    lines = _lines(book, [*moves, (goes_to, refund.due_fen)], contract=contract)
    return post(book, kind="refund", lines=lines, effective_on=effective_on, key=f"refund:{refund.pk}", memo=contract.number, by=by)


def post_booked(instruction: BankInstruction, *, effective_on: datetime.date, is_refund: bool = False) -> Posting:
    """The bank has paid: what was under way has arrived.

    Out of the reserve: with ``is_refund`` to a family which the institution owed a refund. The institution then keeps what the family
    had paid it, and has that much less in its reserve. Otherwise the reserve goes back to the institution.
    """
    agreement, fen = instruction.agreement, instruction.amount_fen
    book = book_of(agreement.institution)
    transit, returning, reserve = (agreement_code(agreement, name) for name in OF_AGREEMENT)
    if instruction.purpose == InstructionPurpose.RELEASE:
        moves = [(transit, -fen), ("institution", fen)]
    elif instruction.purpose == InstructionPurpose.REFUND:
        moves = [(returning, -fen), ("families", fen)]
    elif is_refund:
        moves = [(reserve, -fen), ("families", fen), (returning, -fen), ("institution", fen)]
    else:
        moves = [(reserve, -fen), ("funds", fen)]
    key, lines = f"booked:{instruction.reference}", _lines(book, moves)
    return post(book, kind="booked", lines=lines, effective_on=effective_on, key=key, memo=instruction.reference)


def post_paid_by_institution(refund: Refund, *, effective_on: datetime.date, by: User | None = None) -> Posting:
    """Where a reserve stands for it: the institution itself has paid a refund to the family."""
    contract = refund.contract
    book = book_of(contract.institution)
    moves = [(agreement_code(_agreement_of(contract), "returning"), -refund.due_fen), ("families", refund.due_fen)]
    key, lines = f"returned:{refund.pk}", _lines(book, moves)
    return post(book, kind="booked", lines=lines, effective_on=effective_on, key=key, memo=contract.number, by=by)


def post_reserve(agreement: CustodyAgreement, *, fen: int, effective_on: datetime.date, key: str, by: User | None = None) -> Posting:
    """An institution has put money into its reserve."""
    book = book_of(agreement.institution)
    lines = _lines(book, [("funds", -fen), (agreement_code(agreement, "reserve"), fen)])
    return post(book, kind="reserve", lines=lines, effective_on=effective_on, key=key, by=by)


def take_back(posting: Posting, *, key: str, effective_on: datetime.date, memo: str, by: User | None = None) -> Posting:
    """Undo a posting by its opposite."""
    return reverse(posting, key=key, effective_on=effective_on, memo=memo, by=by)


def owed_fen(institutions: Iterable[Organisation]) -> dict[int, int]:
    """Organisation -> what its families have paid for lessons not given, in fen."""
    found = Account.objects.filter(book__organisation__in=institutions, unit=Unit.FEN, code__startswith="c:").values("book__organisation")
    return {row["book__organisation"]: row["fen"] for row in found.annotate(fen=Sum("balance")).order_by()}


def balance_fen(agreement: CustodyAgreement, name: str) -> int:
    """What stands in one of an agreement's accounts now: ``transit``, ``returning``, ``reserve``."""
    found = Account.objects.filter(book__code=book_code(agreement.institution_id), code=agreement_code(agreement, name))
    return found.values_list("balance", flat=True).first() or 0


def due_at_bank_fen(agreement: CustodyAgreement, *, on: datetime.date | None = None) -> int:
    """What should lie at an agreement's bank, in fen: now, or at the end of a day."""
    if agreement.mode == SupervisionMode.RESERVE:
        return _sum_fen(agreement, [agreement_code(agreement, "reserve")], on)
    under_way = [agreement_code(agreement, name) for name in ("transit", "returning")]
    return _sum_fen(agreement, [*_held_codes(agreement), *under_way], on)


def owed_by_agreement_fen(agreement: CustodyAgreement, *, on: datetime.date | None = None) -> int:
    """What the families of an agreement's contracts have paid for lessons not given: now, or at the end of a day."""
    return _sum_fen(agreement, _held_codes(agreement), on)


def _held_codes(agreement: CustodyAgreement) -> list[str]:
    return [f"c:{pk}:held" for pk in agreement.contracts.values_list("pk", flat=True)]


def _sum_fen(agreement: CustodyAgreement, codes: list[str], on: datetime.date | None) -> int:
    accounts = Account.objects.filter(book__code=book_code(agreement.institution_id), code__in=codes)
    if on is None:
        return int(accounts.aggregate(fen=Sum("balance"))["fen"] or 0)
    return int(Entry.objects.filter(account__in=accounts, posting__effective_on__lte=on).aggregate(fen=Sum("amount"))["fen"] or 0)
