"""What we tell a bank and what a bank tells us, in one form whatever the bank speaks.

Amounts are whole fen of CNY. Texts are kept as a bank can carry them: one line, single spaces, no control characters.
A statement is believed only after ``Statement.check``: its sum agrees, every line is there once, in its period.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from qingdan.banking.money import FEN_MAX, shortened, yuan_of

#: An end-to-end reference: at most 35 characters, safe in every message, address and file name.
REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,34}", re.ASCII)
ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,33}", re.ASCII)
REFERENCE_MAX, ACCOUNT_MAX, BANK_REFERENCE_MAX, TEXT_MAX = 35, 34, 60, 140
#: Banks write times without a zone in Chinese time.
CHINA = datetime.timezone(datetime.timedelta(hours=8))


class Purpose(StrEnum):
    """Why money is to move."""

    RELEASE = "release"  # lessons were given: custody -> institution
    REFUND = "refund"  # custody or institution -> family
    RESERVE = "reserve"  # institution -> its risk reserve
    RETURN = "return"  # what does not belong here goes back to who sent it


class Status(StrEnum):
    """What the bank said about an instruction."""

    ACCEPTED = "accepted"  # checked and taken, not booked yet
    PENDING = "pending"  # received, the bank has not decided
    BOOKED = "booked"  # the money left the account
    REJECTED = "rejected"  # it will never be carried out
    UNKNOWN = "unknown"  # the bank has never seen the reference: it may be sent


class OrderStatus(StrEnum):
    """How far an incoming payment order is."""

    OPEN = "open"
    PAID = "paid"


class BankingFault(Exception):
    """Something that cannot be believed or sent; ``place`` and ``reason`` are for a clerk."""

    def __init__(self, place: str, reason: str) -> None:
        """Where (in the message, file or statement) and what is wrong, in Chinese."""
        super().__init__(f"{place}：{reason}")
        self.place = place
        self.reason = reason


class InstructionFault(BankingFault):
    """An instruction, a payment order or an instruction message that must not go out or be carried out."""


class AnswerFault(BankingFault):
    """A status report that cannot be read: what became of the instructions has to be asked for."""


class StatementFault(BankingFault):
    """A statement, or the message it came in, that must not be taken into the books.

    ``identification``: of the statement, when it is known. ``sound``: the other statements of the same delivery, which may be used.
    ``others``: further faults of the same delivery.
    """

    def __init__(
        self,
        place: str,
        reason: str,
        *,
        identification: str = "",
        sound: Sequence[Statement] = (),
        others: Sequence[StatementFault] = (),
    ) -> None:
        """Keep what else the delivery held."""
        super().__init__(place, reason)
        self.identification = identification
        self.sound = tuple(sound)
        self.others = tuple(others)


def plain(text: str) -> str:
    """A text as messages carry it: one line, single spaces, without control characters and halves of characters."""
    spaced = "".join(" " if character.isspace() else character for character in text)
    kept = (character for character in spaced if unicodedata.category(character) not in {"Cc", "Cs"} and ord(character) & 0xFFFE != 0xFFFE)
    return " ".join("".join(kept).split())


@dataclass(frozen=True)
class Instruction:
    """Money to be sent. ``reference`` is ours, unique for ever: the same one is carried out once, however often it is sent."""

    reference: str
    purpose: Purpose
    amount_fen: int
    from_account: str
    to_account: str
    to_name: str
    remittance: str
    requested_on: datetime.date

    def __post_init__(self) -> None:
        """Put texts in order; raise InstructionFault for what no bank could carry out."""
        place = f"指令 {shortened(self.reference)}"
        object.__setattr__(self, "to_name", plain(self.to_name))
        object.__setattr__(self, "remittance", plain(self.remittance))
        _check_reference(self.reference, place)
        _check_amount(self.amount_fen, place)
        _check_account(self.from_account, place, "付款账号")
        _check_account(self.to_account, place, "收款账号")
        if self.from_account == self.to_account:
            raise InstructionFault(place, "付款账号和收款账号相同")
        _check_text(self.to_name, place, "收款户名", required=True)
        _check_text(self.remittance, place, "附言", required=False)


@dataclass(frozen=True)
class Answer:
    """What the bank says about one instruction; a rejection always gives a reason."""

    reference: str
    status: Status
    reason: str = ""
    bank_reference: str | None = None


@dataclass(frozen=True)
class Order:
    """A family is to pay ``amount_fen`` into ``account``; ``number`` is ours, unique for ever.

    ``return_address``: where the bank's page leads afterwards. Coming back there proves nothing: ask the bank.
    """

    number: str
    amount_fen: int
    account: str
    payer_name: str
    remittance: str
    return_address: str

    def __post_init__(self) -> None:
        """Put texts in order; raise InstructionFault for what no bank could take."""
        place = f"付款单 {shortened(self.number)}"
        object.__setattr__(self, "payer_name", plain(self.payer_name))
        object.__setattr__(self, "remittance", plain(self.remittance))
        _check_reference(self.number, place)
        _check_amount(self.amount_fen, place)
        _check_account(self.account, place, "收款账号")
        _check_text(self.payer_name, place, "付款人", required=True)
        _check_text(self.remittance, place, "附言", required=False)


@dataclass(frozen=True)
class Receipt:
    """Where a payment order stands. Paid: who paid, from which account, and the bank's reference, which is on the statement too."""

    number: str
    status: OrderStatus
    amount_fen: int
    pay_address: str
    bank_reference: str | None = None
    paid_on: datetime.date | None = None
    payer_name: str = ""
    payer_account: str = ""


@dataclass(frozen=True)
class Line:
    """One booking on an account. ``amount_fen`` is positive when money came in; a reversal has the sign of what it does now.

    ``reference``: the end-to-end reference (of our instruction, or of the payment order), None when the bank gives none.
    """

    bank_reference: str
    reference: str | None
    amount_fen: int
    booked_on: datetime.date
    valued_on: datetime.date
    counterparty_name: str
    counterparty_account: str
    remittance: str
    is_reversal: bool = False

    def __post_init__(self) -> None:
        """Put texts in order; what people read is cut off where it is longer than ``TEXT_MAX``."""
        for name in ("bank_reference", "counterparty_account"):
            object.__setattr__(self, name, plain(getattr(self, name)))
        for name in ("counterparty_name", "remittance"):
            text = plain(getattr(self, name))
            object.__setattr__(self, name, text if len(text) <= TEXT_MAX else f"{text[: TEXT_MAX - 1]}…")


@dataclass(frozen=True)
class Statement:
    """What happened on one account in a period, with the balance before and after. ``created_at`` is aware; days are inclusive."""

    identification: str
    account: str
    sequence_number: int
    created_at: datetime.datetime
    from_on: datetime.date
    until_on: datetime.date
    opening_fen: int
    closing_fen: int
    lines: tuple[Line, ...] = ()

    @property
    def place(self) -> str:
        """How a clerk finds it."""
        return f"账户 {self.account} 的对账单 {shortened(self.identification)}（第 {self.sequence_number} 号）"

    @property
    def content(self) -> tuple[object, ...]:
        """What makes it another statement: everything but the time of writing and the order of the lines."""
        lines = tuple(sorted(self.lines, key=lambda line: line.bank_reference))
        days, balances = (self.from_on, self.until_on), (self.opening_fen, self.closing_fen)
        return (self.account, self.identification, self.sequence_number, days, balances, lines)

    def check(self, account: str | None = None) -> None:
        """Raise StatementFault unless it is of the account, its sum agrees, and each line stands in it once and in its period."""
        if not ACCOUNT.fullmatch(self.account):
            raise self.fault("账号不对，应是不超过 34 位的数字、字母或横线")
        if account is not None and self.account != account:
            raise self.fault(f"要的是账户 {account} 的对账单")
        if self.from_on > self.until_on:
            raise self.fault(f"起始日期 {self.from_on} 晚于截止日期 {self.until_on}")
        seen: dict[str, int] = {}
        for number, line in enumerate(self.lines, start=1):
            if not line.bank_reference:
                raise self.fault(f"第 {number} 笔没有银行流水号")
            self._check_lengths(number, line)
            if line.bank_reference in seen:
                raise self.fault(f"第 {number} 笔与第 {seen[line.bank_reference]} 笔的银行流水号都是 {line.bank_reference}，重复了")
            seen[line.bank_reference] = number
            if not self.from_on <= line.booked_on <= self.until_on:
                raise self.fault(
                    f"第 {number} 笔（流水号 {line.bank_reference}）的入账日期 {line.booked_on} 不在 {self.from_on} 至 {self.until_on} 之内"
                )
        moved = sum(line.amount_fen for line in self.lines)
        if self.opening_fen + moved != self.closing_fen:
            off = self.closing_fen - self.opening_fen - moved
            raise self.fault(
                f"期初 {yuan_of(self.opening_fen)} 加发生额 {yuan_of(moved)} 不等于期末 {yuan_of(self.closing_fen)}，相差 {yuan_of(off)} 元"
                "；请让银行重发"
            )

    def _check_lengths(self, number: int, line: Line) -> None:
        """By these the line is found again, so none is cut off."""
        for what, text, most in (
            ("银行流水号", line.bank_reference, BANK_REFERENCE_MAX),
            ("参考号", line.reference or "", REFERENCE_MAX),
            ("对方账号", line.counterparty_account, ACCOUNT_MAX),
        ):
            if len(text) > most:
                raise self.fault(f"第 {number} 笔的{what}“{shortened(text)}”有 {len(text)} 个字符，最多 {most} 个")

    def disputing(self, known: Statement) -> StatementFault:
        """The fault of claiming the identification or number of another."""
        other = f"{known.identification}（第 {known.sequence_number} 号）"
        return self.fault(f"与 {other}编号相同，内容却不同；请问银行以哪一份为准")

    def fault(self, reason: str) -> StatementFault:
        """The fault that says so of this statement."""
        return StatementFault(self.place, reason, identification=self.identification)


def in_order(statements: Iterable[Statement]) -> list[Statement]:
    """Each statement once, by account and sequence number; one that came twice unchanged is taken once.

    Raise StatementFault, with the undisputed ones, when two different statements of an account have one identification or one number.
    The time of writing is no difference: a bank that sends a statement again writes a new one.
    """
    standing: dict[tuple[str, int | str], Statement] = {}
    distinct: list[Statement] = []
    disputed: list[Statement] = []
    faults: list[StatementFault] = []
    for one in statements:
        keys = ((one.account, one.sequence_number), (one.account, one.identification))
        known = [standing[key] for key in keys if key in standing]
        other = next((each for each in known if each.content != one.content), None)
        if other is not None:
            disputed += known
            faults.append(one.disputing(other))
        elif not known:
            distinct.append(one)
            standing.update(dict.fromkeys(keys, one))
    sound = sorted((one for one in distinct if one not in disputed), key=lambda one: (one.account, one.sequence_number))
    if faults:
        raise together(faults, sound)
    return sound


def gaps(statements: Iterable[Statement], *, previous: Statement | None = None) -> list[StatementFault]:
    """What lies between the statements of one account (in order) and does not join: missing numbers, balances that jump.

    ``previous``: the last statement taken before them. Empty when one follows on the other.
    """
    found = []
    for one in statements:
        if previous is not None:
            if one.sequence_number > previous.sequence_number + 1:
                first, last = previous.sequence_number + 1, one.sequence_number - 1
                missing = f"第 {first} 号" if first == last else f"第 {first} 至 {last} 号"
                found.append(one.fault(f"前面缺{missing}对账单；请让银行补发"))
            elif one.sequence_number == previous.sequence_number + 1 and one.opening_fen != previous.closing_fen:
                before, now = yuan_of(previous.closing_fen), yuan_of(one.opening_fen)
                found.append(one.fault(f"期初 {now} 不等于上一份（第 {previous.sequence_number} 号）的期末 {before}；请问银行"))
        previous = one
    return found


def together(faults: Sequence[StatementFault], sound: Sequence[Statement]) -> StatementFault:
    """One fault for a delivery: the first, with the others and the statements that may be used in it."""
    first = faults[0]
    return StatementFault(first.place, first.reason, identification=first.identification, sound=sound, others=faults[1:])


def _check_reference(reference: str, place: str) -> None:
    if not REFERENCE.fullmatch(reference):
        raise InstructionFault(place, "参考号只能用字母、数字、点、横线和下划线，以字母或数字开头，不超过 35 个字符")
    if reference == "NOTPROVIDED":
        raise InstructionFault(place, "参考号不能是 NOTPROVIDED，银行用它表示“没有参考号”")


def _check_amount(amount_fen: int, place: str) -> None:
    if not 0 < amount_fen <= FEN_MAX:
        raise InstructionFault(place, f"金额 {yuan_of(amount_fen)} 元不对，应大于零")


def _check_account(account: str, place: str, what: str) -> None:
    if not ACCOUNT.fullmatch(account):
        raise InstructionFault(place, f"{what}“{shortened(account)}”不对，应是不超过 34 位的数字、字母或横线")


def _check_text(text: str, place: str, what: str, *, required: bool) -> None:
    if required and not text:
        raise InstructionFault(place, f"缺少{what}")
    if len(text) > TEXT_MAX:
        raise InstructionFault(place, f"{what}有 {len(text)} 个字，最多 {TEXT_MAX} 个")
