"""What banks say happened, taken in and held against the book.

A statement is kept whole or not at all. Its lines are matched afterwards, each in a transaction of its own, so that whatever dies in
between is carried on with: lines that nobody can explain stay open and are tried again at every run.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q

from qingdan.accounts.models import User
from qingdan.banking import BankDown, BankRefused, Statement, StatementFault, camt053, csvbank, in_order
from qingdan.escrow import books
from qingdan.escrow.actions import instructing, payments
from qingdan.escrow.actions.balancing import balance
from qingdan.escrow.banks import bank_of
from qingdan.escrow.enums import InstructionState, LineMatch, OrderState, SupervisionMode
from qingdan.escrow.models import BankInstruction, BankLine, BankStatement, CustodyAgreement, PaymentOrder
from qingdan.escrow.wording import yuan

log = logging.getLogger(__name__)
#: A word of a remittance that may be the number of a payment order.
_NUMBERS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{5,34}", re.ASCII)
_IDENTIFICATION_MAX, _NOTE_MAX = 60, 300


@dataclass(frozen=True)
class TakenIn:
    """A statement that is kept now; ``is_new`` says whether it was before. ``warnings``: what is missing before it."""

    statement: BankStatement
    is_new: bool
    warnings: tuple[str, ...] = ()


def digest_of(statement: Statement) -> str:
    """SHA-256 of what makes it another statement: neither the time of writing nor the order of its lines."""
    return hashlib.sha256(json.dumps(statement.content, default=str, ensure_ascii=False).encode()).hexdigest()


def take_in(statement: Statement, *, agreements: Iterable[CustodyAgreement], by: User | None = None) -> TakenIn:
    """Keep a statement of one of these agreements' accounts with all its lines; the same one again is the one that stands.

    Raises StatementFault, with place and reason, and keeps nothing: a foreign account, a sum that does not agree, other content
    under a number that is known, a line that stands on another statement.
    """
    own = sorted((one for one in agreements if one.account_number == statement.account), key=lambda one: one.starts_on)
    if not own:
        raise statement.fault("这个账号不是登记的监管账号；请核对是否拿错了文件，或先登记监管协议")
    statement.check(statement.account)
    if len(statement.identification) > _IDENTIFICATION_MAX:
        raise statement.fault(f"对账单编号超过 {_IDENTIFICATION_MAX} 个字符")
    # The one in force on the last day; before the first one began, the first.
    agreement = next((one for one in reversed(own) if one.starts_on <= statement.until_on), own[0])
    if (known := _known(statement, own)) is not None:
        return TakenIn(known, is_new=False)
    try:
        with transaction.atomic():
            kept = _keep(statement, agreement, own, by)
    except IntegrityError:
        # Somebody else was taking in the same at this moment, or another with its number.
        if (known := _known(statement, own)) is None:
            raise
        return TakenIn(known, is_new=False)
    log.info(
        "escrow.statement.taken_in by=%s agreement=%s statement=%s lines=%s",
        by and by.pk, agreement.pk, kept.identification, len(statement.lines),
    )  # fmt: skip
    return TakenIn(kept, is_new=True, warnings=tuple(_gaps_before(kept, own)))


def _known(statement: Statement, own: list[CustodyAgreement]) -> BankStatement | None:
    """The same statement, if it is kept; raise StatementFault when one with its number says otherwise."""
    named = Q(identification=statement.identification) | Q(sequence_number=statement.sequence_number)
    for known in BankStatement.objects.filter(named, agreement__in=own):
        if known.digest != digest_of(statement):
            other = f"{known.identification}（第 {known.sequence_number} 号）"
            raise statement.fault(f"与已收的 {other}编号相同，内容却不同，没有收下；请问银行以哪一份为准")
        return known
    return None


def _keep(statement: Statement, agreement: CustodyAgreement, own: list[CustodyAgreement], by: User | None) -> BankStatement:
    references = [line.bank_reference for line in statement.lines]
    twice = BankLine.objects.filter(agreement__in=own, bank_reference__in=references).select_related("statement").first()
    if twice is not None:
        raise statement.fault(f"流水号 {twice.bank_reference} 已在对账单 {twice.statement.identification} 里，同一笔不能收两次")
    if any(line.amount_fen == 0 for line in statement.lines):
        raise statement.fault("有一笔金额为零；请让银行重发")
    kept = BankStatement.objects.create(
        agreement=agreement,
        identification=statement.identification,
        sequence_number=statement.sequence_number,
        from_on=statement.from_on,
        until_on=statement.until_on,
        opening_fen=statement.opening_fen,
        closing_fen=statement.closing_fen,
        digest=digest_of(statement),
        received_by=by,
    )
    BankLine.objects.bulk_create(
        BankLine(
            statement=kept,
            agreement=agreement,
            bank_reference=line.bank_reference,
            reference=line.reference or "",
            amount_fen=line.amount_fen,
            booked_on=line.booked_on,
            counterparty_name=line.counterparty_name,
            counterparty_account=line.counterparty_account,
            remittance=line.remittance,
            is_reversal=line.is_reversal,
        )
        for line in statement.lines
    )
    return kept


def _gaps_before(kept: BankStatement, own: list[CustodyAgreement]) -> list[str]:
    """What does not join on to the statements beside it, in words."""
    others = BankStatement.objects.filter(agreement__in=own).order_by("sequence_number")
    before = others.filter(sequence_number__lt=kept.sequence_number).last()
    told = []
    if before is not None and before.sequence_number + 1 < kept.sequence_number:
        first, last = before.sequence_number + 1, kept.sequence_number - 1
        missing = f"第 {first} 号" if first == last else f"第 {first} 至 {last} 号"
        told.append(f"对账单 {kept.identification} 前面缺{missing}，先收下了；请向银行补要")
    elif before is not None and before.closing_fen != kept.opening_fen:
        off = f"{yuan(before.closing_fen)}，本份期初 {yuan(kept.opening_fen)}"
        told.append(f"对账单 {kept.identification} 与上一份接不上：上一份期末 {off}；请与银行核实")
    if others.filter(sequence_number__gt=kept.sequence_number).exists():
        told.append(f"对账单 {kept.identification} 晚到：比它新的已先收到，已按日期归位")
    return told


# Reading


def read(data: bytes) -> list[Statement]:
    """The statements in a file, whatever it is: camt.053 or a table. Raises StatementFault, which holds the sound ones too."""
    head = data.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not head:
        raise StatementFault("文件", "是空的；请重新下载")
    return camt053.read(data) if head.startswith(b"<") else in_order(csvbank.read_statements(data))


@dataclass(frozen=True)
class Delivery:
    """What came of a delivery of statements: what is kept, and the problems in words."""

    taken: tuple[TakenIn, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def new_count(self) -> int:
        """How many statements are new."""
        return sum(one.is_new for one in self.taken)


def take_in_file(data: bytes, *, agreements: Iterable[CustodyAgreement], by: User) -> Delivery:
    """A file that a clerk has uploaded: all of its statements or none, then their lines matched and the days they tell of reckoned."""
    try:
        statements = read(data)
    except StatementFault as fault:
        return Delivery(problems=tuple(str(each) for each in (fault, *fault.others)))
    delivery = _take_in_all(statements, list(agreements), by, together=True)
    for one in delivery.taken:
        if one.is_new:
            balance(one.statement.agreement, since=one.statement.from_on)
    return delivery


def fetch(agreement: CustodyAgreement) -> Delivery:
    """Ask the bank for what is new and take it in; a bank that is down says so. What is sound is kept though others are faulty."""
    own = list(CustodyAgreement.objects.filter(account_number=agreement.account_number).select_related("institution"))
    try:
        statements, problems = bank_of(agreement).statements(agreement.account_number, since=_since(own)), []
    except StatementFault as fault:
        # A folder tells of every file in it; those of other accounts are told with their own.
        statements, problems = list(fault.sound), [str(each) for each in (fault, *fault.others)]
    except (BankDown, BankRefused, ValueError, OSError) as failure:
        return Delivery(problems=(str(failure),))
    delivery = _take_in_all(statements, own, None, together=False)
    return Delivery(delivery.taken, (*problems, *delivery.problems))


def _since(own: list[CustodyAgreement]) -> datetime.date:
    """From the last statement on that has no gap behind it: what is missing is asked for again."""
    kept = list(BankStatement.objects.filter(agreement__in=own).order_by("sequence_number"))
    whole = None
    for one in kept:
        if whole is not None and one.sequence_number != whole.sequence_number + 1:
            break
        whole = one
    return whole.until_on if whole is not None else min(one.starts_on for one in own)


def _take_in_all(statements: list[Statement], agreements: list[CustodyAgreement], by: User | None, *, together: bool) -> Delivery:
    taken: list[TakenIn] = []
    problems: list[str] = []
    try:
        with transaction.atomic():
            for statement in statements:
                try:
                    taken.append(take_in(statement, agreements=agreements, by=by))
                except StatementFault as fault:
                    problems.append(str(fault))
            if problems and together:
                raise StatementFault("文件", problems[0])
    except StatementFault:
        return Delivery(problems=tuple(problems))
    match_open(BankLine.objects.filter(statement__in=[one.statement for one in taken if one.is_new]))
    return Delivery(tuple(taken), tuple(problems))


# Matching


def match_open(lines: Iterable[BankLine] | None = None) -> int:
    """Try to explain lines that are open, all of them unless told which; the answer is how many are explained now."""
    found = BankLine.objects.all() if lines is None else BankLine.objects.filter(pk__in=[one.pk for one in lines])
    numbers = found.open().order_by("booked_on", "pk").values_list("pk", flat=True)
    return sum(_match(number) for number in list(numbers))


@transaction.atomic
def _match(number: int) -> bool:
    # The line first, then contracts and books, as ``settle`` does.
    line = BankLine.objects.select_related("agreement__institution").select_for_update(of=("self",)).get(pk=number)
    if line.match != LineMatch.UNKNOWN:
        return False
    try:
        with transaction.atomic():
            match = _explain(line)
    except ValidationError as problem:
        match, line.note = None, "；".join(problem.messages)[:_NOTE_MAX]
    line.match = match or LineMatch.UNKNOWN
    line.save(update_fields=["match", "note", "order", "instruction"])
    if match:
        log.info("escrow.line.matched line=%s match=%s", line.bank_reference, line.match)
    return match is not None


def _explain(line: BankLine) -> LineMatch | None:
    """What a line is, and the acts that follow from it. Raises ValidationError with why it is not what it seems."""
    if line.is_reversal:
        raise ValidationError(f"银行冲正或退汇{f'（{line.reference}）' if line.reference else ''}，要查明后处理")
    if line.amount_fen < 0:
        return _explain_outward(line)
    order = _order_of(line)
    if order is not None:
        return match_order(line, order)
    agreement = line.agreement
    is_own = line.counterparty_account == agreement.settlement_account or line.counterparty_name == agreement.settlement_name
    if agreement.mode == SupervisionMode.RESERVE and is_own:
        return add_to_reserve(line)
    raise ValidationError("没有对应的缴费单：附言和参考号里都没有缴费单号")


def _explain_outward(line: BankLine) -> LineMatch | None:
    instruction = BankInstruction.objects.filter(reference=line.reference, agreement__account_number=line.agreement.account_number).first()
    if not line.reference or instruction is None:
        raise ValidationError("没有对应的付款指令：不是本系统发出的支出，请立即向银行查明")
    line.instruction = instruction
    if instruction.amount_fen != -line.amount_fen:
        line.instruction = None
        raise ValidationError(f"付款指令 {instruction.reference} 是 {yuan(instruction.amount_fen)}，银行付了 {yuan(-line.amount_fen)}")
    expected = instruction.booked_on if instruction.state == InstructionState.BOOKED else instruction.requested_on
    if instruction.lines.exclude(pk=line.pk).exists():
        raise ValidationError(f"付款指令 {instruction.reference} 已有一笔入账，这是第二笔，请立即向银行查明")
    instructing.booked(instruction, on=line.booked_on, bank_reference=line.bank_reference)
    return LineMatch.MATCHED if expected == line.booked_on else LineMatch.LATE


def _order_of(line: BankLine) -> PaymentOrder | None:
    """The payment order that a line names: as its reference, or in its remittance."""
    numbers = [line.reference, *_NUMBERS.findall(line.remittance)]
    agreements = CustodyAgreement.objects.filter(account_number=line.agreement.account_number)
    found = PaymentOrder.objects.filter(reference__in=[one for one in numbers if one], contract__agreement__in=agreements)
    return found.select_related("contract").order_by("pk").first()


def match_order(line: BankLine, order: PaymentOrder) -> LineMatch:
    """A line pays an order, the whole of it. Raises ValidationError when it does not."""
    if order.amount_fen != line.amount_fen:
        raise ValidationError(f"缴费单 {order.reference} 应缴 {yuan(order.amount_fen)}，实到 {yuan(line.amount_fen)}；请查明后补足或退回")
    expected = order.paid_on if order.state == OrderState.PAID else line.booked_on
    payments.received(
        order,
        paid_on=line.booked_on,
        payer_account=line.counterparty_account,
        payer_name=line.counterparty_name[:100],
        bank_reference=line.bank_reference,
    )
    line.order, line.note = order, ""
    return LineMatch.MATCHED if expected == line.booked_on else LineMatch.LATE


def add_to_reserve(line: BankLine, *, by: User | None = None) -> LineMatch:
    """A line adds to an institution's risk reserve."""
    fen, key = line.amount_fen, f"line:{line.agreement_id}:{line.bank_reference}"
    books.post_reserve(line.agreement, fen=fen, effective_on=line.booked_on, key=key, by=by)
    line.note = ""
    return LineMatch.MATCHED


# Clearing up


@transaction.atomic
def settle(line: BankLine, *, note: str, by: User, order: PaymentOrder | None = None, is_reserve: bool = False) -> BankLine:
    """An officer has found out what a line is: with what follows (an order it pays, money for the reserve), or only in words.

    The days from that line on are reckoned anew.

    Raises ValidationError without words, for a line that is explained already, and when the order does not fit.
    """
    held = BankLine.objects.select_related("agreement__institution").select_for_update(of=("self",)).get(pk=line.pk)
    if held.match != LineMatch.UNKNOWN:
        raise ValidationError(f"这笔流水已是“{held.get_match_display()}”，请刷新页面")
    if not note.strip():
        raise ValidationError("请写明查明的情况，如“家长王某转账时漏写单号，已电话核实”")
    if order is not None:
        match_order(held, order)
    elif is_reserve:
        if held.agreement.mode != SupervisionMode.RESERVE or held.amount_fen < 0:
            raise ValidationError("只有风险储备金账户的收入能计入储备金")
        add_to_reserve(held, by=by)
    held.match, held.note, held.settled_by = LineMatch.SETTLED, note.strip()[:_NOTE_MAX], by
    held.save()
    balance(held.agreement, since=held.booked_on)
    log.info("escrow.line.settled by=%s line=%s order=%s reserve=%s", by.pk, held.bank_reference, order and order.pk, is_reserve)
    return held
