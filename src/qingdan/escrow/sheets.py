"""Workbooks of the contracts and prices: what is written out, and guided prices read in."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.utils import timezone

from qingdan.charting.sheets import table_xlsx
from qingdan.escrow.actions.pricing import PriceRow
from qingdan.escrow.enums import TrainingCategory
from qingdan.escrow.models import Contract, GuidedPrice
from qingdan.workbooks.dates import DateContext, date
from qingdan.workbooks.delimited import read_delimited
from qingdan.workbooks.excel import read_workbook
from qingdan.workbooks.guards import check_file, container_of
from qingdan.workbooks.model import FileFault, ReadingLimits, Unread
from qingdan.workbooks.sheets import RawSheet

PRICE_COLUMNS = (
    "类别", "班额自", "班额至", "每课时分钟自", "每课时分钟至", "每课时指导价（元）", "依据文件", "施行日期", "废止日期",
)  # fmt: skip
_LIMITS = ReadingLimits(max_file_bytes=5 * 1024 * 1024, max_rows=2_000)
_HEADER_ROWS = 15
#: Field -> column.
_DATES = {"starts_on": "施行日期", "ends_on": "废止日期"}
_NUMBERS = dict(zip(("class_size_from", "class_size_until", "minutes_from", "minutes_until"), PRICE_COLUMNS[1:5], strict=True))
_FORMULA = ("=", "+", "-", "@")


def _harmless(value: object) -> object:
    """A text that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def masked(name: str) -> str:
    """A learner's name for those who need not know it."""
    return f"{name[:1]}*" if name else ""


def contracts_xlsx(contracts: Iterable[Contract], *, with_names: bool) -> bytes:
    """Contracts as a workbook; without names the learners are masked."""
    columns = (
        "合同编号", "机构", "学员", "课程", "类别", "课时", "金额（元）", "课程起", "课程止", "状态", "签订日期", "缴费日期", "文本摘要",
    )  # fmt: skip
    rows = [
        [
            each.number, _harmless(each.institution.name), _harmless(each.learner_name if with_names else masked(each.learner_name)),
            _harmless(each.course_name), each.get_category_display(), each.lessons, float(Decimal(each.amount_fen) / 100),
            f"{each.course_from:%Y-%m-%d}", f"{each.course_until:%Y-%m-%d}", each.get_state_display(),
            f"{each.signed_on:%Y-%m-%d}" if each.signed_on else "", f"{each.paid_on:%Y-%m-%d}" if each.paid_on else "",
            each.text_digest[:16],
        ]
        for each in contracts
    ]  # fmt: skip
    return table_xlsx("培训合同", columns, rows, notes=[f"导出时间 {timezone.localtime():%Y-%m-%d %H:%M}"])


def prices_xlsx(prices: Iterable[GuidedPrice]) -> bytes:
    """Guided prices in the columns in which they are read."""
    rows = [
        [
            each.get_category_display(), each.class_size_from, each.class_size_until, each.minutes_from, each.minutes_until,
            float(Decimal(each.price_fen) / 100), _harmless(each.document), f"{each.starts_on:%Y-%m-%d}",
            f"{each.ends_on:%Y-%m-%d}" if each.ends_on else "",
        ]
        for each in prices
    ]  # fmt: skip
    notes = ["每行一档：班额和分钟的“自”“至”都算在内。改好后可以再导入；已有的原样不动，同一档的新价自动接替旧价。"]
    return table_xlsx("政府指导价", PRICE_COLUMNS, rows, notes=notes)


def read_prices(path: Path) -> list[PriceRow]:
    """The rows of a workbook of guided prices; raise FileFault, in one sentence with what to do, when it is none."""
    check_file(path, _LIMITS)
    container = container_of(path)
    if container in ("zip", "ole", "biff"):
        sheets = list(read_workbook(path, container, _LIMITS))
    elif container == "parquet" or path.suffix.lower() in (".xlsx", ".xlsm", ".ods"):
        raise FileFault(f"不是真正的 {path.suffix.lower()} 文件，或已损坏；请在 Excel 或 WPS 中打开后另存为 .xlsx")
    else:
        sheets = [read_delimited(path, _LIMITS)]
    for sheet in sheets:
        if (found := _header_of(sheet.rows)) is not None:
            rows = list(_rows(sheet, *found))
            if not rows:
                raise FileFault("表头下面没有一行内容；请填好后再上传")
            return rows
    raise FileFault(f"没有找到表头：要有{'、'.join(PRICE_COLUMNS[:8])}这几列；请先导出一份对照")


def _text(cell: object) -> str:
    return "" if cell is None else str(cell).strip()


def _header_of(rows: Sequence[Sequence[object]]) -> tuple[int, dict[str, int]] | None:
    """The row of the header, from 0, and the place of each column in it."""
    for index, row in enumerate(rows[:_HEADER_ROWS]):
        named = {_text(cell): place for place, cell in reversed(list(enumerate(row)))}
        if set(PRICE_COLUMNS[:8]) <= set(named):
            return index, named
    return None


def _rows(sheet: RawSheet, header: int, places: dict[str, int]) -> Iterator[PriceRow]:
    for number, row in zip(sheet.numbers[header + 1 :], sheet.rows[header + 1 :], strict=True):
        cells = {name: row[places[name]] if name in places and places[name] < len(row) else None for name in PRICE_COLUMNS}
        if sum(bool(_text(cell)) for cell in cells.values()) > 1:  # a lone cell is a note below the table
            yield _row(number, cells)


def _row(number: int, cells: dict[str, Any]) -> PriceRow:
    problems: list[str] = []
    categories = {label: code for code, label in TrainingCategory.choices}
    category = categories.get(_text(cells["类别"]))
    if category is None:
        problems.append(f"类别“{_text(cells['类别'])[:20]}”不认识，请写{'或'.join(categories)}")
    values: dict[str, Any] = {field: _number(name, cells[name], problems) for field, name in _NUMBERS.items()}
    values |= {field: _day(name, cells[name], problems) for field, name in _DATES.items()}
    values["price_fen"] = _fen(cells["每课时指导价（元）"], problems)
    if values["starts_on"] is None and not any("施行日期" in each for each in problems):
        problems.append("施行日期是空的")
    if problems or category is None:
        return PriceRow(number, None, "；".join(problems))
    return PriceRow(number, GuidedPrice(category=category, document=_text(cells["依据文件"]), **values))


def _number(name: str, cell: object, problems: list[str]) -> int | None:
    try:
        found = Decimal(_text(cell))
    except InvalidOperation:
        found = Decimal("NaN")
    if found.is_nan() or found != found.to_integral_value() or not 1 <= found <= 10_000:
        problems.append(f"{name}“{_text(cell)[:20]}”不是 1 以上的整数")
        return None
    return int(found)


def _fen(cell: object, problems: list[str]) -> int | None:
    try:
        found = Decimal(_text(cell).removesuffix("元").replace(",", "")) * 100
    except InvalidOperation:
        found = Decimal("NaN")
    if isinstance(cell, float) and not found.is_nan():
        found = round(found, 6)
    if found.is_nan() or found != found.to_integral_value() or not 0 < found <= 10_000_000:
        problems.append(f"每课时指导价“{_text(cell)[:20]}”不是金额，请写 80 或 79.50")
        return None
    return int(found)


def _day(name: str, cell: object, problems: list[str]) -> datetime.date | None:
    if not _text(cell):
        return None
    if isinstance(cell, datetime.datetime):
        return cell.date()
    if isinstance(cell, datetime.date):
        return cell
    try:
        return date(cell, context=DateContext())
    except Unread as problem:
        problems.append(f"{name}“{_text(cell)[:20]}”{problem}")
        return None
