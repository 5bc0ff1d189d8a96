"""What the demo bank does with money: accounts, instructions, and a statement for each day that has ended.

Money that comes in is booked at once, on any day. Instructions are booked on working days: on the day they come when they are due,
otherwise on the working day after. A day's statement exists once the bank's clock has left that day.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import sqlite3
from collections.abc import Callable, Sequence

import chinese_calendar

from qingdan.banking.demobank.faults import Faults
from qingdan.banking.demobank.tables import Tables
from qingdan.banking.messages import (
    CHINA,
    Answer,
    Instruction,
    Line,
    Order,
    Purpose,
    Statement,
    Status,
)

_DAY = datetime.timedelta(days=1)
#: A statement is written shortly after midnight.
_WRITTEN_AT = datetime.time(0, 5, tzinfo=CHINA)
_OTHER_CONTENT = "参考号已用于另一笔内容不同的指令"


class Refusal(Exception):
    """What the bank will not do, in one Chinese sentence."""


def is_working_day(day: datetime.date) -> bool:
    """By the national calendar, make-up days too; Monday to Friday in years that are not published yet."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < 5


def real_day() -> datetime.date:
    """Today in China."""
    return datetime.datetime.now(CHINA).date()


class Vault:
    """The bank's books. ``day``: the clock stands still there until it is moved; without it the bank lives in the present."""

    def __init__(self, tables: Tables, *, day: datetime.date | None = None, real: Callable[[], datetime.date] = real_day) -> None:
        """Open the books; a clock that is kept in them goes on, whatever ``day`` says."""
        self._tables, self._real = tables, real
        self.faults = Faults(tables)
        with tables.transaction():
            first = day or real()
            tables.run("INSERT INTO clock VALUES (1, ?, ?) ON CONFLICT DO NOTHING", first.isoformat(), day is not None)

    # The clock

    @property
    def day(self) -> datetime.date:
        """The bank's day."""
        row = self._tables.one("SELECT day FROM clock")
        assert row is not None
        return datetime.date.fromisoformat(row["day"])

    def catch_up(self) -> None:
        """Let a bank that lives in the present come to today."""
        row = self._tables.one("SELECT day, is_fixed FROM clock")
        if row is not None and not row["is_fixed"] and (today := self._real()) > datetime.date.fromisoformat(row["day"]):
            self.move_to(today)

    def move_to(self, day: datetime.date) -> None:
        """Let days end, each with its statements, and begin, each with the bookings that are due; raise Refusal for an earlier day."""
        with self._tables.transaction():
            now = self.day
            if day < now:
                raise Refusal(f"银行的日期是 {now}，不能倒回 {day}")
            while now < day:
                self._end(now)
                now += _DAY
                self._tables.run("UPDATE clock SET day = ?", now.isoformat())
                if is_working_day(now):
                    self._book_due(now)

    def live_in_the_present(self) -> None:
        """From now on follow the real date."""
        self._tables.run("UPDATE clock SET is_fixed = 0")
        self.catch_up()

    def _end(self, day: datetime.date) -> None:
        """A statement for each account with bookings, and on working days for every account."""
        rows = self._tables.all(
            "SELECT a.account, a.opening_fen, (SELECT max(number) FROM statements s WHERE s.account = a.account) AS last,"
            " (SELECT number FROM statements_before b WHERE b.account = a.account) AS first,"
            " (SELECT sum(amount_fen) FROM lines l WHERE l.account = a.account AND l.booked_on = ?1) AS moved"
            " FROM accounts a WHERE a.opened_on <= ?1",
            day.isoformat(),
        )
        for row in rows:
            if row["moved"] is None and not is_working_day(day):
                continue
            before = self._tables.one("SELECT closing_fen FROM statements WHERE account = ? AND number = ?", row["account"], row["last"])
            opening = before["closing_fen"] if before is not None else row["opening_fen"]
            closing = opening + (row["moved"] or 0)
            number = (row["last"] or row["first"] or 0) + 1
            self._tables.run("INSERT INTO statements VALUES (?, ?, ?, ?, ?)", row["account"], number, day.isoformat(), opening, closing)

    def _book_due(self, day: datetime.date) -> None:
        rows = self._tables.all(
            "SELECT reference FROM instructions WHERE status IN ('accepted', 'pending') AND due_on <= ? ORDER BY rowid", day.isoformat()
        )
        for row in rows:
            self._book(row["reference"])

    # Accounts

    def open_account(self, account: str, name: str, balance_fen: int, last_statement: int = 0) -> None:
        """Open an account; one that is open already stays as it is. Its first statement bears the number after the last one."""
        self._tables.run(
            "INSERT INTO accounts VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            *(account, name, self.day.isoformat(), balance_fen, balance_fen),
        )
        self._tables.run("INSERT INTO statements_before VALUES (?, ?) ON CONFLICT DO NOTHING", account, last_statement)

    def accounts(self) -> list[dict[str, object]]:
        """Number, name and balance of every account."""
        return [dict(row) for row in self._tables.all("SELECT account, name, balance_fen FROM accounts ORDER BY account")]

    def account(self, account: str) -> sqlite3.Row | None:
        """An account's row, if it is open."""
        return self._tables.one("SELECT * FROM accounts WHERE account = ?", account)

    def new_reference(self) -> str:
        """The bank's own reference for a booking, never given twice."""
        number = self._tables.run("INSERT INTO references_used DEFAULT VALUES").lastrowid
        return f"YH{self.day:%Y%m%d}{number:08}"

    def enter(self, account: str, line: Line) -> None:
        """Book a line on an account; raise sqlite3.IntegrityError when it would be overdrawn."""
        self._tables.run("UPDATE accounts SET balance_fen = balance_fen + ? WHERE account = ?", line.amount_fen, account)
        self._tables.run(
            "INSERT INTO lines (account, bank_reference, reference, amount_fen, booked_on, counterparty_name, counterparty_account,"
            " remittance, is_reversal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(account, line.bank_reference, line.reference, line.amount_fen, line.booked_on.isoformat()),
            *(line.counterparty_name, line.counterparty_account, line.remittance, line.is_reversal),
        )

    # Instructions

    def instruct(self, instructions: Sequence[Instruction]) -> list[Answer]:
        """Take instructions, all at once or, when the bank is killed, none; a reference that is known gets the answer that stands."""
        with self._tables.transaction():
            return [self._instruct(one) for one in instructions]

    def _instruct(self, one: Instruction) -> Answer:
        content = content_of(one)
        row = self._tables.one("SELECT content FROM instructions WHERE reference = ?", one.reference)
        if row is not None and row["content"] != content:
            return Answer(one.reference, Status.REJECTED, _OTHER_CONTENT)
        if row is None:
            status, reason, due_on = self._decision(one)
            due = due_on.isoformat() if due_on else None
            self._tables.run(
                "INSERT INTO instructions (reference, content, status, reason, due_on) VALUES (?, ?, ?, ?, ?)",
                *(one.reference, content, status.value, reason, due),
            )
            if status is Status.ACCEPTED and due_on == self.day:
                self._book(one.reference)
        return self.answer_for(one.reference)

    def _decision(self, one: Instruction) -> tuple[Status, str, datetime.date | None]:
        """What becomes of a new instruction: status, reason, and the day it is due; a day of None waits until it is told."""
        if (refusal := self.faults.take("refuse")) is not None:
            return Status.REJECTED, str(refusal.get("reason") or "演示：银行拒绝"), None
        account = self.account(one.from_account)
        if account is None:
            return Status.REJECTED, "付款账号不存在", None
        due_on = max(self.day, one.requested_on)
        if (delay := self.faults.take("delay")) is not None:
            days = delay.get("days")
            return Status.PENDING, "银行处理中", due_on + _DAY * int(str(days)) if days else None
        if account["balance_fen"] < one.amount_fen and due_on == self.day:
            return Status.REJECTED, "余额不足", None
        while not is_working_day(due_on):
            due_on += _DAY
        return Status.ACCEPTED, "", due_on

    def _book(self, reference: str) -> None:
        """Move the money of an instruction, or reject it when there is not enough; the account at the other end may be ours too."""
        one = self._instruction(reference)
        account, other = self.account(one.from_account), self.account(one.to_account)
        assert account is not None
        if account["balance_fen"] < one.amount_fen:
            self._tables.run(
                "UPDATE instructions SET status = 'rejected', reason = '余额不足', due_on = NULL WHERE reference = ?", reference
            )
            return
        bank_reference = self.new_reference()
        out = Line(
            bank_reference,
            one.reference,
            -one.amount_fen,
            self.day,
            self.day,
            one.to_name,
            one.to_account,
            one.remittance,
            is_reversal=False,
        )
        self.enter(one.from_account, out)
        if other is not None:
            came = dataclasses.replace(
                out, amount_fen=one.amount_fen, counterparty_name=account["name"], counterparty_account=one.from_account
            )
            self.enter(one.to_account, came)
        self._tables.run(
            "UPDATE instructions SET status = 'booked', reason = '', due_on = NULL, bank_reference = ? WHERE reference = ?",
            *(bank_reference, reference),
        )

    def _instruction(self, reference: str) -> Instruction:
        row = self._tables.one("SELECT content FROM instructions WHERE reference = ?", reference)
        if row is None:
            raise Refusal(f"没有参考号为 {reference} 的指令")
        told = json.loads(row["content"])
        told["purpose"], told["requested_on"] = Purpose(told["purpose"]), datetime.date.fromisoformat(told["requested_on"])
        return Instruction(**told)

    def answer_for(self, reference: str) -> Answer:
        """What stands about a reference."""
        row = self._tables.one("SELECT status, reason, bank_reference FROM instructions WHERE reference = ?", reference)
        if row is None:
            return Answer(reference, Status.UNKNOWN)
        return Answer(reference, Status(row["status"]), row["reason"], row["bank_reference"])

    def release_held(self) -> None:
        """Book what was delayed."""
        with self._tables.transaction():
            for row in self._tables.all("SELECT reference FROM instructions WHERE status = 'pending' ORDER BY rowid"):
                self._book(row["reference"])

    def give_back(self, reference: str) -> None:
        """A payment that was booked comes back, as when the name at the other bank does not fit."""
        with self._tables.transaction():
            one, answer = self._instruction(reference), self.answer_for(reference)
            if answer.status is not Status.BOOKED:
                raise Refusal(f"指令 {reference} 还没有入账，无从退回")
            if self._tables.one("SELECT 1 FROM lines WHERE reference = ? AND is_reversal", reference):
                return
            bank_reference = self.new_reference()
            line = Line(
                bank_reference,
                reference,
                one.amount_fen,
                self.day,
                self.day,
                one.to_name,
                one.to_account,
                "退汇：户名不符",
                is_reversal=True,
            )
            if (other := self.account(one.to_account)) is not None:
                if other["balance_fen"] < one.amount_fen:
                    raise Refusal(f"账户 {one.to_account} 余额不足，无从退回")
                account = self.account(one.from_account)
                assert account is not None
                back = dataclasses.replace(
                    line, amount_fen=-one.amount_fen, counterparty_name=account["name"], counterparty_account=one.from_account
                )
                self.enter(one.to_account, back)
            self.enter(one.from_account, line)

    # Money that comes in

    def deposit(self, account: str, line: Line) -> None:
        """Money that nobody ordered; its bank reference is given here."""
        with self._tables.transaction():
            if self.account(account) is None:
                raise Refusal(f"没有账户 {account}")
            self.enter(account, dataclasses.replace(line, bank_reference=self.new_reference(), booked_on=self.day, valued_on=self.day))

    # Statements

    def statements(self, account: str, since: datetime.date) -> list[Statement]:
        """Those of days from ``since`` that have ended; raise Refusal when there is no such account."""
        if self.account(account) is None:
            raise Refusal(f"没有账户 {account}")
        days: dict[str, list[Line]] = {}
        for row in self._tables.all("SELECT * FROM lines WHERE account = ? AND booked_on >= ? ORDER BY number", account, since.isoformat()):
            days.setdefault(row["booked_on"], []).append(_line(row))
        rows = self._tables.all("SELECT * FROM statements WHERE account = ? AND day >= ? ORDER BY number", account, since.isoformat())
        return [_statement(row, days.get(row["day"], [])) for row in rows]


def _statement(row: sqlite3.Row, lines: Sequence[Line]) -> Statement:
    day = datetime.date.fromisoformat(row["day"])
    return Statement(
        identification=f"{day:%Y%m%d}-{row['number']}",
        account=row["account"],
        sequence_number=row["number"],
        created_at=datetime.datetime.combine(day + _DAY, _WRITTEN_AT),
        from_on=day,
        until_on=day,
        opening_fen=row["opening_fen"],
        closing_fen=row["closing_fen"],
        lines=tuple(lines),
    )


def _line(row: sqlite3.Row) -> Line:
    day = datetime.date.fromisoformat(row["booked_on"])
    return Line(
        bank_reference=row["bank_reference"],
        reference=row["reference"],
        amount_fen=row["amount_fen"],
        booked_on=day,
        valued_on=day,
        counterparty_name=row["counterparty_name"],
        counterparty_account=row["counterparty_account"],
        remittance=row["remittance"],
        is_reversal=bool(row["is_reversal"]),
    )


def content_of(record: Instruction | Order) -> str:
    """All that a record says, to see whether it is the same when it comes again."""
    return json.dumps(dataclasses.asdict(record), ensure_ascii=False, sort_keys=True, default=str)
