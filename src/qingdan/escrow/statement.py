"""The statement of a contract: its lines in the book, with what is left after each, and the same as a workbook."""

from __future__ import annotations

import datetime
import io
from collections import defaultdict
from dataclasses import dataclass

import xlsxwriter
from django.http import HttpResponse

from qingdan.escrow import books
from qingdan.escrow.models import Contract
from qingdan.ledger.models import Account, Entry, Posting
from qingdan.storage.downloads import saved

#: What each kind of posting is called to a family.
KINDS = {"payment": "缴费", "release": "上课消费", "refund": "退费"}
_HEADERS = ("日期", "事项", "课时变动", "剩余课时", "金额变动（元）", "未消课余额（元）", "账簿编号")


@dataclass(frozen=True)
class StatementLine:
    """One posting as far as it concerns a contract."""

    posting: Posting
    lessons: int
    lessons_left: int
    fen: int
    held_fen: int

    @property
    def label(self) -> str:
        """What happened."""
        return ("冲正" if self.posting.reverses_id else "") + KINDS.get(self.posting.kind, self.posting.kind)

    @property
    def on(self) -> datetime.date:
        """The day on which it counts."""
        return self.posting.effective_on


def lines_of(contract: Contract) -> list[StatementLine]:
    """All lines of a contract in the order of the book."""
    codes = (books.held_code(contract), books.left_code(contract))
    accounts = dict(Account.objects.filter(book__code=books.book_code(contract.institution_id), code__in=codes).values_list("pk", "code"))
    moved: defaultdict[int, dict[str, int]] = defaultdict(dict)
    postings: dict[int, Posting] = {}
    entries = Entry.objects.filter(account__in=accounts).select_related("posting").order_by("posting__number")
    for entry in entries:
        moved[entry.posting_id][accounts[entry.account_id]] = entry.amount
        postings[entry.posting_id] = entry.posting
    lines: list[StatementLine] = []
    held, left = 0, 0
    for number, posting in postings.items():
        fen, lessons = moved[number].get(codes[0], 0), moved[number].get(codes[1], 0)
        held, left = held + fen, left + lessons
        lines.append(StatementLine(posting, lessons, left, fen, held))
    return lines


def download(contract: Contract, lines: list[StatementLine]) -> HttpResponse:
    """The statement as a workbook; sums are numbers."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet("对账单")
    money, bold = book.add_format({"num_format": "#,##0.00"}), book.add_format({"bold": True})
    sheet.write_string(0, 0, f"合同 {contract.number} {contract.institution.name} {contract.course_name}", bold)
    for column, header in enumerate(_HEADERS):
        sheet.write_string(2, column, header, bold)
    for row, line in enumerate(lines, start=3):
        sheet.write_datetime(row, 0, datetime.datetime.combine(line.on, datetime.time()))
        sheet.write_string(row, 1, line.label)
        sheet.write_number(row, 2, line.lessons)
        sheet.write_number(row, 3, line.lessons_left)
        sheet.write_number(row, 4, line.fen / 100, money)
        sheet.write_number(row, 5, line.held_fen / 100, money)
        sheet.write_number(row, 6, line.posting.number)
    sheet.set_column(0, 6, 16)
    book.close()
    return saved(buffer.getvalue(), f"对账单_{contract.number}.xlsx")
