"""Workbooks (.xlsx, .xlsm, .xls, .ods) through calamine."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import python_calamine as calamine

from qingdan.workbooks.guards import BROKEN, PROTECTED, check_zip
from qingdan.workbooks.model import Fault, FileFault, ReadingLimits
from qingdan.workbooks.sheets import RawSheet
from qingdan.workbooks.sheetxml import BookFacts, book_facts


def _facts(path: Path, limits: ReadingLimits) -> BookFacts:
    try:
        return book_facts(str(path), limits)
    except (zipfile.BadZipFile, zlib.error, ElementTree.ParseError, KeyError, EOFError, OSError, NotImplementedError):
        raise FileFault(BROKEN) from None


def read_workbook(path: Path, container: str, limits: ReadingLimits) -> Iterator[RawSheet]:
    """Every worksheet, in order; raise FileFault when the file is protected, broken or beyond the limits."""
    facts = BookFacts()
    if container == "zip":
        check_zip(path, limits)
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
        if "xl/workbook.xml" in names:
            facts = _facts(path, limits)
        elif "xl/workbook.bin" not in names and "content.xml" not in names:
            raise FileFault("是压缩包，不是工作簿；请解压后选里面的表格文件")
    try:
        with calamine.CalamineWorkbook.from_path(str(path)) as book:
            for meta in book.sheets_metadata:
                if meta.typ == calamine.SheetTypeEnum.WorkSheet:
                    yield _sheet(book, meta, facts, limits)
    except calamine.PasswordError:
        raise FileFault(PROTECTED) from None
    except FileFault:
        raise
    except (calamine.CalamineError, OSError, ValueError) as error:
        if "password" in str(error).lower():
            raise FileFault(PROTECTED) from None
        raise FileFault(BROKEN) from None
    except BaseException as error:
        # A panic inside calamine does not derive from Exception.
        if type(error).__name__ == "PanicException":
            raise FileFault(BROKEN) from None
        raise


def _sheet(book: calamine.CalamineWorkbook, meta: calamine.SheetMetadata, facts: BookFacts, limits: ReadingLimits) -> RawSheet:
    source = book.get_sheet_by_name(meta.name)
    if source.total_height > limits.max_rows or source.total_height * source.total_width > limits.max_cells * 4:
        raise FileFault(f"超过 {limits.max_rows:,} 行；请分成几个文件，或改用 parquet")
    faults = facts.sheets[meta.name].faults if meta.name in facts.sheets else {}
    start = source.start
    first = start[1] if start else 0
    first = min([first, *(column for _, column in faults)])
    sheet = RawSheet(meta.name, [], [], first, from_1904=facts.from_1904, hidden=meta.visible != calamine.SheetVisibleEnum.Visible)
    by_row: dict[int, list[tuple[int, Fault]]] = {}
    for (row, column), fault in faults.items():
        by_row.setdefault(row, []).append((column - first, fault))
    width = max([source.width + ((start[1] if start else 0) - first), *(column + 1 - first for _, column in faults)])
    _fill(sheet, source, by_row, width, (start[1] - first) if start else 0)
    for low, high in source.merged_cell_ranges or []:
        sheet.merged.append((low[0] + 1, low[1] - first, high[0] + 1, high[1] - first))
    return sheet


def _fill(sheet: RawSheet, source: calamine.CalamineSheet, faults: dict[int, list[tuple[int, Fault]]], width: int, shift: int) -> None:
    """The filled rows of a worksheet, with its faults in their cells."""
    lead: list[object] = [""] * shift
    rows, numbers = sheet.rows, sheet.numbers
    last = 0
    number = 0
    if source.start is not None:
        empty = [""] * source.width
        pad = width - shift - source.width
        for number, row in enumerate(source.iter_rows(), 1):
            cells: list[object] = row  # type: ignore[assignment]
            if row == empty and number not in faults:
                continue
            if shift or pad:
                cells = [*lead, *row, *[""] * pad]
            if faults:
                for position, fault in faults.get(number, ()):
                    cells[position] = fault
            if number - last > 1:
                _gap(sheet, last + 1, number - 1)
            last = number
            rows.append(cells)
            numbers.append(number)
    for later in sorted(row for row in faults if row > number):
        cells = [""] * width
        for position, fault in faults[later]:
            cells[position] = fault
        if later - last > 1:
            _gap(sheet, last + 1, later - 1)
        last = later
        rows.append(cells)
        numbers.append(later)


def _gap(sheet: RawSheet, first: int, last: int) -> None:
    sheet.blank_runs.append((first, last))
