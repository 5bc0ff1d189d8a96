"""Statements, instructions and answers as csv, for banks that exchange tables.

A statement: one row for each booking, the data of the statement repeated in every row; a statement without bookings is one row whose
流水号 is empty. Amounts in yuan, dates as 2026-11-16. Read in UTF-8 or GB 18030, with any of the header spellings in ``STATEMENT``,
``INSTRUCTION`` and ``ANSWER``; written in UTF-8 with the mark that spreadsheet programs look for, under the first spelling.
A cell that a spreadsheet program would take for a formula is written with an apostrophe in front, and read without it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from qingdan.banking.camt053 import Page, whole_of
from qingdan.banking.iso20022 import SIZE_MAX, day_of, time_of
from qingdan.banking.messages import (
    Answer,
    AnswerFault,
    BankingFault,
    Instruction,
    InstructionFault,
    Line,
    Purpose,
    Statement,
    StatementFault,
    Status,
    plain,
)
from qingdan.banking.money import fen_of, shortened, yuan_of

#: What a column is -> how banks head it; the first is how we do.
STATEMENT: Mapping[str, tuple[str, ...]] = {
    "identification": ("对账单编号", "对账单号", "账单编号"),
    "account": ("账号", "本方账号", "账户", "查询账号"),
    "sequence_number": ("期号", "对账单序号", "序号"),
    "created_at": ("出单时间", "生成时间", "打印时间"),
    "from_on": ("起始日期", "开始日期"),
    "until_on": ("截止日期", "结束日期", "终止日期"),
    "opening": ("期初余额", "上期余额", "承前余额"),
    "closing": ("期末余额", "本期余额"),
    "bank_reference": ("流水号", "交易流水号", "银行流水号", "核心流水号"),
    "reference": ("参考号", "客户参考号", "业务参考号", "订单号"),
    "came_in": ("收入", "收入金额", "贷方发生额", "贷方金额"),
    "went_out": ("支出", "支出金额", "借方发生额", "借方金额"),
    "booked_on": ("入账日期", "交易日期", "记账日期"),
    "valued_on": ("起息日期", "起息日"),
    "counterparty_name": ("对方户名", "对方名称", "对手方户名"),
    "counterparty_account": ("对方账号", "对方账户", "对手方账号"),
    "remittance": ("摘要", "附言", "用途"),
    "is_reversal": ("冲正", "是否冲正", "冲正标志"),
}
INSTRUCTION: Mapping[str, tuple[str, ...]] = {
    "reference": ("参考号", "客户参考号", "业务参考号"),
    "purpose": ("用途", "业务种类"),
    "amount": ("金额", "付款金额", "金额（元）"),
    "from_account": ("付款账号", "付款账户"),
    "to_account": ("收款账号", "收款账户"),
    "to_name": ("收款户名", "收款人", "收款人名称"),
    "remittance": ("附言", "摘要"),
    "requested_on": ("要求日期", "付款日期", "要求付款日期"),
}
PURPOSES: Mapping[Purpose, str] = {
    Purpose.RELEASE: "课时拨付",
    Purpose.REFUND: "退费",
    Purpose.RESERVE: "风险保证金",
    Purpose.RETURN: "原路退回",
}
ANSWER: Mapping[str, tuple[str, ...]] = {
    "reference": ("参考号", "客户参考号", "业务参考号"),
    "status": ("结果", "处理结果", "交易状态"),
    "reason": ("原因", "失败原因"),
    "bank_reference": ("流水号", "交易流水号", "银行流水号", "核心流水号"),
}
RESULTS: Mapping[Status, tuple[str, ...]] = {
    Status.ACCEPTED: ("已受理",),
    Status.PENDING: ("处理中", "待处理"),
    Status.BOOKED: ("已入账", "成功", "交易成功"),
    Status.REJECTED: ("已拒绝", "失败", "交易失败"),
}
_STATEMENT_OPTIONAL = {"reference", "valued_on", "counterparty_name", "counterparty_account", "remittance", "is_reversal"}
_YES, _NO = {"是", "true", "1", "y", "冲正"}, {"", "否", "false", "0", "n"}
_ROWS_MAX = 200_000
#: What a spreadsheet program makes of a long number.
_SCIENTIFIC = re.compile(r"[0-9](?:\.[0-9]+)?E\+?[0-9]+", re.IGNORECASE | re.ASCII)
Value = TypeVar("Value")
_Fault = Callable[[str, str], BankingFault]


@dataclass(frozen=True)
class _Row:
    """A row by the meaning of its columns; ``line`` is where it begins in the file."""

    line: int
    cells: Mapping[str, str]
    headers: Mapping[str, str]
    fault: _Fault

    def told(self, column: str) -> str:
        return self.cells.get(column, "")

    def needed(self, column: str) -> str:
        if not self.told(column):
            raise self.failing(column, "是空的")
        return self.told(column)

    def read(self, column: str, reader: Callable[[str], Value]) -> Value:
        text = self.needed(column)
        try:
            return reader(text)
        except ValueError as error:
            raise self.failing(column, str(error)) from None

    def account(self, column: str) -> str:
        text = self.told(column).replace(" ", "")
        if _SCIENTIFIC.fullmatch(text):
            raise self.failing(column, f"账号“{text}”被表格软件改成了科学计数，后几位已丢失；请从银行重新下载，不要用表格软件另存")
        return text

    def failing(self, column: str, reason: str) -> BankingFault:
        return self.fault(f"第 {self.line} 行“{self.headers.get(column, column)}”", reason)


def read_statements(data: bytes) -> list[Statement]:
    """The statements in a table, each checked; raise StatementFault, with those that are sound, as for camt.053."""
    found: dict[tuple[str, str], tuple[_Row, list[Line]]] = {}
    for row in _rows(data, STATEMENT, _STATEMENT_OPTIONAL, StatementFault):
        key = (row.account("account"), row.needed("identification"))
        first, lines = found.setdefault(key, (row, []))
        for column in ("sequence_number", "from_on", "until_on", "opening", "closing"):
            if row.told(column) != first.told(column):
                raise row.failing(column, f"与第 {first.line} 行不同，它们却是同一份对账单 {shortened(key[1])}")
        if row.told("bank_reference"):
            lines.append(_line(row))
    return whole_of(Page(_statement(row, lines), 1, is_last=True) for row, lines in found.values())


def _statement(row: _Row, lines: Sequence[Line]) -> Statement:
    account = row.account("account")
    if not account:
        raise row.failing("account", "是空的")
    return Statement(
        identification=row.needed("identification"),
        account=account,
        sequence_number=row.read("sequence_number", _whole),
        created_at=row.read("created_at", time_of),
        from_on=row.read("from_on", day_of),
        until_on=row.read("until_on", day_of),
        opening_fen=row.read("opening", _fen),
        closing_fen=row.read("closing", _fen),
        lines=tuple(lines),
    )


def _line(row: _Row) -> Line:
    came_in = row.read("came_in", _fen) if row.told("came_in") else 0
    went_out = row.read("went_out", _fen) if row.told("went_out") else 0
    if came_in < 0 or went_out < 0 or (came_in > 0) == (went_out > 0):
        raise row.failing("came_in", "收入和支出应当只填一个，且大于零")
    reversal = row.told("is_reversal").lower()
    if reversal not in _YES | _NO:
        raise row.failing("is_reversal", f"“{shortened(reversal)}”不认识；请写“是”或“否”")
    booked_on = row.read("booked_on", day_of)
    return Line(
        bank_reference=row.needed("bank_reference"),
        reference=row.told("reference") or None,
        amount_fen=came_in - went_out,
        booked_on=booked_on,
        valued_on=row.read("valued_on", day_of) if row.told("valued_on") else booked_on,
        counterparty_name=row.told("counterparty_name"),
        counterparty_account=row.account("counterparty_account"),
        remittance=row.told("remittance"),
        is_reversal=reversal in _YES,
    )


def write_statements(statements: Sequence[Statement]) -> bytes:
    """Statements as a table, unchecked."""
    rows = [_statement_cells(one) | cells for one in statements for cells in (map(_line_cells, one.lines) if one.lines else [{}])]
    return _table(STATEMENT, rows)


def _statement_cells(one: Statement) -> dict[str, str]:
    return {
        "identification": _guarded(one.identification),
        "account": one.account,
        "sequence_number": str(one.sequence_number),
        "created_at": one.created_at.isoformat(),
        "from_on": one.from_on.isoformat(),
        "until_on": one.until_on.isoformat(),
        "opening": yuan_of(one.opening_fen),
        "closing": yuan_of(one.closing_fen),
    }


def _line_cells(line: Line) -> dict[str, str]:
    return {
        "bank_reference": _guarded(line.bank_reference),
        "reference": _guarded(line.reference or ""),
        "came_in" if line.amount_fen > 0 else "went_out": yuan_of(abs(line.amount_fen)),
        "booked_on": line.booked_on.isoformat(),
        "valued_on": line.valued_on.isoformat(),
        "counterparty_name": _guarded(line.counterparty_name),
        "counterparty_account": _guarded(line.counterparty_account),
        "remittance": _guarded(line.remittance),
        "is_reversal": "是" if line.is_reversal else "否",
    }


def read_instructions(data: bytes) -> list[Instruction]:
    """The instructions in a table; raise InstructionFault with row and column of the first that is wrong."""
    purposes = {label: purpose for purpose, label in PURPOSES.items()} | {purpose.value: purpose for purpose in Purpose}
    found: dict[str, Instruction] = {}
    for row in _rows(data, INSTRUCTION, {"remittance"}, InstructionFault):
        if row.needed("purpose") not in purposes:
            raise row.failing("purpose", f"“{shortened(row.told('purpose'))}”不认识；可写：{'、'.join(PURPOSES.values())}")
        one = Instruction(
            reference=row.needed("reference"),
            purpose=purposes[row.told("purpose")],
            amount_fen=row.read("amount", _fen),
            from_account=row.account("from_account"),
            to_account=row.account("to_account"),
            to_name=row.needed("to_name"),
            remittance=row.told("remittance"),
            requested_on=row.read("requested_on", day_of),
        )
        if one.reference in found:
            raise row.failing("reference", f"{one.reference} 前面已经有了")
        found[one.reference] = one
    return list(found.values())


def write_instructions(instructions: Sequence[Instruction]) -> bytes:
    """Instructions as a table."""
    return _table(
        INSTRUCTION,
        [
            {
                "reference": one.reference,
                "purpose": PURPOSES[one.purpose],
                "amount": yuan_of(one.amount_fen),
                "from_account": one.from_account,
                "to_account": one.to_account,
                "to_name": _guarded(one.to_name),
                "remittance": _guarded(one.remittance),
                "requested_on": one.requested_on.isoformat(),
            }
            for one in instructions
        ],
    )


def is_about_answers(data: bytes) -> bool:
    """Whether a table tells what became of instructions, by its header."""
    with suppress(AnswerFault, csv.Error, StopIteration):
        header = next(csv.reader(io.StringIO(_decoded(data, AnswerFault))))
        return any(plain(cell) in ANSWER["status"] for cell in header)
    return False


def read_answers(data: bytes) -> list[Answer]:
    """What became of instructions; raise AnswerFault with row and column of the first that is wrong."""
    results = {label: status for status, labels in RESULTS.items() for label in labels}
    found: dict[str, Answer] = {}
    for row in _rows(data, ANSWER, {"reason", "bank_reference"}, AnswerFault):
        if row.needed("status") not in results:
            raise row.failing("status", f"“{shortened(row.told('status'))}”不认识；可写：{'、'.join(results)}")
        status, reason = results[row.told("status")], row.told("reason")
        if status is Status.REJECTED and not reason:
            reason = "银行没有说明原因"
        answer = Answer(row.needed("reference"), status, reason, row.told("bank_reference") or None)
        if found.setdefault(answer.reference, answer) != answer:
            raise row.failing("status", f"对指令 {answer.reference} 说了两种不同的结果")
    return list(found.values())


def _table(columns: Mapping[str, tuple[str, ...]], rows: Sequence[Mapping[str, str]]) -> bytes:
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    writer.writerow(names[0] for names in columns.values())
    writer.writerows([row.get(column, "") for column in columns] for row in rows)
    return target.getvalue().encode("utf-8-sig")


def _rows(data: bytes, columns: Mapping[str, tuple[str, ...]], optional: set[str], fault: _Fault) -> list[_Row]:
    """The rows below the header, empty ones left out; raise the fault when the table cannot be read."""
    text = _decoded(data, fault)
    if data and not data.endswith((b"\n", b"\r")):
        raise fault(f"表格第 {data.count(10) + 1} 行", "到这里就断了，最后一行没有写完；请重新下载")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: dict[int, str] = {}
    headers: dict[str, str] = {}
    rows: list[_Row] = []
    last = width = 0
    try:
        for cells in reader:
            line, last = last + 1, reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if not header:
                header = _header(cells, columns, optional, fault, line)
                headers = {column: cells[place].strip() for place, column in header.items()}
                width = len(cells)
                continue
            if len(cells) != width:
                raise fault(f"表格第 {line} 行", f"有 {len(cells)} 格，表头有 {width} 格；可能没有收全")
            rows.append(_Row(line, {column: _unguarded(cells[place]) for place, column in header.items()}, headers, fault))
            if len(rows) > _ROWS_MAX:
                raise fault("表格", f"超过 {_ROWS_MAX} 行；请分成几个文件")
    except csv.Error as error:
        raise fault(f"表格第 {last + 1} 行", f"不是合格的 CSV（{error}）；请重新下载") from None
    if not rows:
        raise fault("表格", "里面没有内容")
    return rows


def _header(cells: Sequence[str], columns: Mapping[str, tuple[str, ...]], optional: set[str], fault: _Fault, line: int) -> dict[int, str]:
    """Place -> column, by the spellings, the first spelling there is; columns of no meaning to us are passed over."""
    names_there = [plain(cell) for cell in cells]
    header: dict[int, str] = {}
    for column, names in columns.items():
        spelled = next((name for name in names if name in names_there), None)
        if spelled is not None and names_there.count(spelled) > 1:
            raise fault(f"表格第 {line} 行", f"“{spelled}”这一列出现了两次")
        if spelled is not None:
            header[names_there.index(spelled)] = column
    missing = [names[0] for column, names in columns.items() if column not in header.values() and column not in optional]
    if missing:
        raise fault(f"表格第 {line} 行", f"表头里缺少：{'、'.join(missing)}")
    return header


def _decoded(data: bytes, fault: _Fault) -> str:
    if len(data) > SIZE_MAX:
        raise fault("表格", f"超过 {SIZE_MAX // 1024 // 1024} MB；请分成几个文件")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise fault("表格", "既不是 UTF-8 也不是 GB18030 文字；请从银行重新下载")


def _fen(text: str) -> int:
    return fen_of(text.replace(",", "").replace("¥", "").replace("￥", ""))


def _whole(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,15}", text, re.ASCII):
        raise ValueError(f"“{shortened(text)}”不是整数")
    return int(text)


def _guarded(text: str) -> str:
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "'")) else text


def _unguarded(cell: str) -> str:
    return plain(cell).removeprefix("'")
