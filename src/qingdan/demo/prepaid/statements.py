"""The bank's side: what was paid in and out of each account, day by day, and its statements."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from qingdan.banking import Line, Statement
from qingdan.demo.calendar import at
from qingdan.demo.copying import Ids, copy_records
from qingdan.demo.plan import seeded
from qingdan.demo.prepaid.lives import BOOKED, PAID, Keys, Life, Move, settle
from qingdan.demo.prepaid.plan import (
    DAILY,
    DAY,
    FRIDAY,
    OVERPRICED,
    RESERVE_FLOOR_FEN,
    RESERVE_PERCENT,
    RESERVE_PERCENT_OF_STRUGGLING,
    STRUGGLING,
    House,
    next_bank_day,
)
from qingdan.escrow import books
from qingdan.escrow.actions.reconciling import digest_of
from qingdan.escrow.enums import InstructionPurpose, LineMatch, OrderState, SupervisionMode
from qingdan.escrow.models import BankInstruction, BankLine, BankStatement
from qingdan.places.calendar import monday_of

#: Statements are kept from so long ago.
_KEPT = 98
#: The runaway's account is emptied: so many days ago, this share of what lay there, and what the bank was told it was for.
_DRAINS = ((17, 0.22, "柜面支取 设备采购款"), (11, 0.35, "柜面支取 往来款"), (5, 0.8, "柜面支取 往来款"))
#: Of the others so many got a payment that nobody could place.
_PUZZLED = 0.12
#: Nobody released any more money to it from then on.
PAUSED = 6


@dataclass
class Till:
    """One agreement's account: its lines before today, its release instructions and what the book says of them."""

    house: House
    opening_fen: int = 0
    lines: list[BankLine] = field(default_factory=list)
    instructions: list[BankInstruction] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)


def tills_of(houses: Sequence[House], lives: Sequence[Life], keys: Keys, day: datetime.date) -> list[Till]:
    """What went through every account until yesterday."""
    of_house: defaultdict[int, list[Life]] = defaultdict(list)
    for life in lives:
        of_house[life.house.institution.pk].append(life)
    return [_till(house, of_house[house.institution.pk], keys, day) for house in houses]


def _till(house: House, lives: Sequence[Life], keys: Keys, day: datetime.date) -> Till:
    till = Till(house)
    if house.mode == SupervisionMode.RESERVE:
        percent = RESERVE_PERCENT_OF_STRUGGLING if house.name == STRUGGLING else RESERVE_PERCENT
        till.opening_fen = RESERVE_FLOOR_FEN * percent // 100
        reserve = books.agreement_code(house.agreement, "reserve")
        lines = (("funds", -till.opening_fen), (reserve, till.opening_fen))
        key = f"line:{house.agreement.pk}:YH{house.agreement.starts_on:%Y%m%d}C"
        till.moves.append(Move(house.agreement.starts_on, PAID, "reserve", key, "", lines))
        return till
    for life in lives:
        if life.order.state == OrderState.PAID:
            till.lines.append(_paid_in(house, life))
        for instruction in life.instructions:
            if instruction.booked_on is not None:
                till.lines.append(_paid_out(house, instruction))
    _release(till, lives, keys, day)
    if house.is_runaway:
        till.lines += _drained(till, day)
    elif house.name == OVERPRICED or seeded("puzzle", house.name).random() < _PUZZLED:
        till.lines += _puzzling(house, day)
    return till


def _paid_in(house: House, life: Life) -> BankLine:
    order = life.order
    assert order.paid_on is not None
    return BankLine(
        agreement=house.agreement, bank_reference=order.bank_reference, reference=order.reference, amount_fen=order.amount_fen,
        booked_on=order.paid_on, counterparty_name=order.payer_name, counterparty_account=order.payer_account,
        remittance=f"{life.contract.number} 培训费", match=LineMatch.MATCHED, order=order,
    )  # fmt: skip


def _paid_out(house: House, instruction: BankInstruction) -> BankLine:
    assert instruction.booked_on is not None
    is_late = instruction.pk % 11 == 0 and instruction.purpose == InstructionPurpose.RELEASE
    return BankLine(
        agreement=house.agreement, bank_reference=instruction.bank_reference, reference=instruction.reference,
        amount_fen=-instruction.amount_fen, booked_on=instruction.booked_on, counterparty_name=instruction.to_name,
        counterparty_account=instruction.to_account, remittance=instruction.remittance,
        match=LineMatch.LATE if is_late else LineMatch.MATCHED, instruction=instruction,
    )  # fmt: skip


def _release(till: Till, lives: Sequence[Life], keys: Keys, day: datetime.date) -> None:
    """Each night what was confirmed is written down, the bank pays on its next day; under periodic transfer on Mondays."""
    house, transit = till.house, books.agreement_code(till.house.agreement, "transit")
    due: defaultdict[datetime.date, int] = defaultdict(int)
    for life in lives:
        for move in life.moves:
            fen = sum(amount for code, amount in move.lines if code == transit)
            if fen:
                due[_booking_day(house, move.on)] += fen
    for on in sorted(due):
        if on >= day or (house.is_runaway and on >= day - PAUSED * DAY):
            continue
        requested = on - DAY
        instruction = BankInstruction(
            pk=keys.instruction.take(), agreement=house.agreement, amount_fen=due[on], purpose=InstructionPurpose.RELEASE,
            reference=f"QDR{requested:%Y%m%d}-{seeded('release', house.name, on).getrandbits(64):016x}",
            to_account=house.agreement.settlement_account, to_name=house.agreement.settlement_name,
            remittance=f"{requested:%Y%m%d}划拨课时费", requested_on=requested, created_at=at(requested, 22),
        )  # fmt: skip
        settle(instruction, on)
        till.instructions.append(instruction)
        till.lines.append(_paid_out(house, instruction))
        lines = ((transit, -due[on]), ("institution", due[on]))
        till.moves.append(Move(on, BOOKED, "booked", f"booked:{instruction.reference}", instruction.reference, lines))


def _booking_day(house: House, on: datetime.date) -> datetime.date:
    if house.mode == SupervisionMode.TRANSFER:
        return monday_of(on) + 7 * DAY
    return next_bank_day(on)


def _drained(till: Till, day: datetime.date) -> Iterator[BankLine]:
    """Money goes out that no instruction of ours asked for."""
    lines = list(till.lines)
    for place, (back, share, said) in enumerate(_DRAINS):
        on = day - back * DAY
        while on.weekday() > FRIDAY:
            on -= DAY
        lies = sum(line.amount_fen for line in lines if line.booked_on < on)
        # Whole thousands of yuan, and never more than lies there at any time afterwards.
        least = min((sum(line.amount_fen for line in lines if line.booked_on <= on + n * DAY) for n in range(back)), default=lies)
        fen = min(int(lies * share), least) // 100_000 * 100_000
        if fen <= 0:
            continue
        line = BankLine(
            agreement=till.house.agreement, bank_reference=f"YH{on:%Y%m%d}G{place:08}", amount_fen=-fen, booked_on=on,
            counterparty_name="示例商贸有限公司（虚构）", counterparty_account="6230990101000000001", remittance=said,
            match=LineMatch.UNKNOWN, note="没有对应的付款指令：不是本系统发出的支出，请立即向银行查明",
        )  # fmt: skip
        lines.append(line)
        yield line


def _puzzling(house: House, day: datetime.date) -> Iterator[BankLine]:
    """A payment without the number of its order: one was cleared up, one has not been yet."""
    for place, back in enumerate((20, 3)):
        on = day - back * DAY
        line = BankLine(
            agreement=house.agreement, bank_reference=f"YH{on:%Y%m%d}X{house.institution.pk:08}", amount_fen=96_000 + 1_000 * place,
            booked_on=on, counterparty_name="示例家长", counterparty_account=f"6217990102{house.institution.pk:09}", remittance="学费",
            note="没有对应的缴费单：附言和参考号里都没有缴费单号",
        )  # fmt: skip
        if place == 0:
            line.match, line.settled_by = LineMatch.SETTLED, house.officer
            line.note = "家长误转，已与机构核实，由银行退回原账户"
            yield _sent_back(line)
            yield line
        else:
            yield line


def _sent_back(line: BankLine) -> BankLine:
    """What came by mistake goes back on the bank's next day."""
    on = next_bank_day(line.booked_on)
    return BankLine(
        agreement=line.agreement, bank_reference=f"YH{on:%Y%m%d}T{line.agreement.institution_id:08}", amount_fen=-line.amount_fen,
        booked_on=on, counterparty_name=line.counterparty_name, counterparty_account=line.counterparty_account, remittance="误转退回",
        match=LineMatch.SETTLED, settled_by=line.settled_by, note=line.note,
    )  # fmt: skip


def write_statements(tills: Sequence[Till], day: datetime.date) -> None:
    """One a week, of the last two weeks one a day, each beginning with what the one before ended with."""
    ids, statements, lines = Ids(BankStatement), list[BankStatement](), list[BankLine]()
    for till in tills:
        by_day: defaultdict[datetime.date, list[BankLine]] = defaultdict(list)
        for line in till.lines:
            by_day[line.booked_on].append(line)
        balance = till.opening_fen
        for number, (first, last) in enumerate(_spans(day), start=1):
            own = [line for n in range((last - first).days + 1) for line in by_day[first + n * DAY]]
            statement = _statement(till, number, first, last, balance, own)
            statement.pk = ids.take()
            for line in own:
                line.statement_id = statement.pk
            balance = statement.closing_fen
            statements.append(statement)
            lines += own
    copy_records(BankStatement, statements)
    copy_records(BankLine, lines)


def _spans(day: datetime.date) -> Iterator[tuple[datetime.date, datetime.date]]:
    first, daily = monday_of(day - _KEPT * DAY), monday_of(day - DAILY * DAY)
    while first < daily:
        yield first, first + 6 * DAY
        first += 7 * DAY
    while first < day:
        yield first, first
        first += DAY


def _statement(
    till: Till, number: int, first: datetime.date, last: datetime.date, opening_fen: int, lines: Sequence[BankLine]
) -> BankStatement:  # fmt: skip
    account = till.house.agreement.account_number
    written = at(last + DAY, 0, 5)
    told = Statement(
        identification=f"{last:%Y%m%d}-{number}", account=account, sequence_number=number, created_at=written, from_on=first,
        until_on=last, opening_fen=opening_fen, closing_fen=opening_fen + sum(line.amount_fen for line in lines),
        lines=tuple(
            Line(
                bank_reference=line.bank_reference, reference=line.reference or None, amount_fen=line.amount_fen, booked_on=line.booked_on,
                valued_on=line.booked_on, counterparty_name=line.counterparty_name, counterparty_account=line.counterparty_account,
                remittance=line.remittance, is_reversal=False,
            )
            for line in lines
        ),
    )  # fmt: skip
    return BankStatement(
        agreement=till.house.agreement, identification=told.identification, sequence_number=number, from_on=first, until_on=last,
        opening_fen=told.opening_fen, closing_fen=told.closing_fen, digest=digest_of(told), received_at=at(last + DAY, 1, 30),
    )  # fmt: skip
