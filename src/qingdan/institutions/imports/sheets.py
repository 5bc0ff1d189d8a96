"""Lists as people keep them in workbooks: where the header is, which columns there are, and what each row says in one spelling."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from qingdan.schools.rolls.reading import EXAMPLE_SHEETS, LIMITS, ROLL_SUFFIXES, Line
from qingdan.workbooks.delimited import read_delimited
from qingdan.workbooks.excel import read_workbook
from qingdan.workbooks.guards import check_file, container_of
from qingdan.workbooks.model import Fault, FileFault, Unread
from qingdan.workbooks.sheets import RawSheet
from qingdan.workbooks.text import PLACEHOLDERS, plain_text, squeeze, tidy
from qingdan.workbooks.words import text as text_of_cell

_HEADER_ROWS = 15
_IDLE = ("序号", "备注", "序")
_LENGTH_MAX = 100


@dataclass
class Reading:
    """All lines of a workbook."""

    lines: list[Line] = field(default_factory=list)
    #: Headers of columns that were not read.
    ignored: list[str] = field(default_factory=list)


def header_word(cell: object) -> str:
    """A header without stars and colons, in one spelling; empty for what is no text."""
    return re.sub(r"[*:：]", "", tidy(squeeze(cell))) if isinstance(cell, str) else ""


def is_blank(cell: object) -> bool:
    """Whether a cell says nothing."""
    return cell is None or (isinstance(cell, str) and squeeze(cell) in PLACEHOLDERS)


class ListReader(ABC):
    """Reads the sheets of one sort of list. What its columns are called and mean stands in the subclasses."""

    #: What the list is called in messages.
    what: ClassVar[str]
    #: Columns that make a sheet such a list; a row in which all of them are empty is none.
    required: ClassVar[tuple[str, ...]]
    #: Column -> how many characters it may have, where it is text.
    lengths: ClassVar[Mapping[str, int]]
    #: Column -> what it is called in Chinese.
    labels: dict[str, str]
    #: Header -> column.
    names: dict[str, str]
    #: Column -> how a cell is read; text where there is none.
    readers: dict[str, Callable[[Any], Any]]

    def __init__(self) -> None:
        self.reading = Reading()

    @abstractmethod
    def complete(self, values: dict[str, Any], problems: list[str]) -> list[str]:
        """Bring values of several columns together; give back what is missing or wrong besides ``problems``."""

    def read(self, path: Path) -> Reading:
        """Read a workbook; raise FileFault, in one sentence with what to do, when it is no such list."""
        if path.suffix.lower() not in ROLL_SUFFIXES:
            raise FileFault("不是认识的表格文件；请另存为 .xlsx（或 .xls、.ods、.csv）再上传")
        check_file(path, LIMITS)
        sheets = [sheet for sheet in _sheets(path) if sheet.rows and sheet.name not in EXAMPLE_SHEETS]
        if not sheets:
            raise FileFault("表格里没有内容；请下载空表，填好后再上传")
        has_header = [self._sheet(sheet) for sheet in sheets]
        if not any(has_header):
            wanted = "和".join(f"“{self.labels[name]}”" for name in self.required)
            raise FileFault(f"没有找到{self.what}的表头：至少要有{wanted}两列；请补上，或下载空表对照")
        if not self.reading.lines:
            raise FileFault("表头下面没有一行内容；请填好后再上传")
        return self.reading

    def _sheet(self, sheet: RawSheet) -> bool:
        """Read a sheet; False when it has no header of such a list."""
        best: tuple[int, dict[str, int]] = (-1, {})
        for index, row in enumerate(sheet.rows[:_HEADER_ROWS]):
            columns: dict[str, int] = {}
            for position, cell in enumerate(row):
                if (name := self.names.get(header_word(cell))) is not None:
                    columns.setdefault(name, position)
            if len(columns) > len(best[1]):
                best = (index, columns)
        header, columns = best
        if not set(self.required) <= columns.keys():
            return False
        known = set(columns.values())
        for position, cell in enumerate(sheet.rows[header]):
            if cell not in ("", None) and position not in known and squeeze(str(cell)) not in _IDLE:
                self.reading.ignored.append(plain_text(str(cell)))
        self.reading.ignored = list(dict.fromkeys(self.reading.ignored))
        for index in range(header + 1, len(sheet.rows)):
            row = sheet.rows[index]
            raw = {name: row[position] if position < len(row) else "" for name, position in columns.items()}
            # A row with the headers again is the next printed page's.
            if all(is_blank(raw[name]) for name in self.required) or header_word(raw[self.required[0]]) in self.names:
                continue
            self.reading.lines.append(self._line(sheet, sheet.numbers[index], raw))
        return True

    def _line(self, sheet: RawSheet, number: int, raw: Mapping[str, Any]) -> Line:
        values: dict[str, Any] = {}
        problems: list[str] = []
        for name, cell in raw.items():
            if isinstance(cell, Fault):
                problems.append(f"{self.labels[name]}：{cell.reason}")
                continue
            try:
                values[name] = self._value(name, cell)
            except Unread as unread:
                problems.append(f"{self.labels[name]}“{text_of_cell(cell) or ''}”{unread}")
        missing = self.complete(values, problems)
        kept = {name: value for name, value in values.items() if value not in ("", None)}
        return Line(sheet.name or "", number, kept, "；".join([*missing, *problems]))

    def _value(self, name: str, cell: Any) -> Any:
        if is_blank(cell):
            return None
        if (read := self.readers.get(name)) is not None:
            found = read(cell)
            return found.isoformat() if hasattr(found, "isoformat") else found
        text = text_of_cell(cell) or ""
        longest = self.lengths.get(name, _LENGTH_MAX)
        if len(text) > longest:
            raise Unread(f"超过 {longest} 个字；请核对是否填错了列")
        return text


def _sheets(path: Path) -> Iterator[RawSheet]:
    container, suffix = container_of(path), path.suffix.lower()
    if container in ("zip", "ole", "biff"):
        yield from read_workbook(path, container, LIMITS)
    elif container == "parquet" or suffix in (".xlsx", ".xlsm", ".ods"):
        raise FileFault(f"不是真正的 {suffix} 文件，或已损坏；请在 Excel 或 WPS 中打开后另存为 .xlsx")
    else:
        yield read_delimited(path, LIMITS)
