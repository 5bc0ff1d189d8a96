"""From raw cells of one column to typed values, each distinct cell converted once."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from qingdan.policy.vocabulary import Column, Vocabulary
from qingdan.workbooks import words
from qingdan.workbooks.classes import Classes
from qingdan.workbooks.clocks import clock
from qingdan.workbooks.dates import DateContext, date
from qingdan.workbooks.model import Fault, Unread
from qingdan.workbooks.quantities import UNIT_WORDS, quantity
from qingdan.workbooks.text import shown

Convert = Callable[[object], object]
_BLANKS = "\u200b\ufeff \t\r\n\u3000\xa0"
_ERRORS = ("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "Err:")


class Memo(dict[object, object]):
    """Raw cell -> typed value, filled as cells are met; ``bad`` holds the reason for each cell that cannot be read."""

    def __init__(self, convert: Convert) -> None:
        super().__init__()
        self._convert = convert
        self.bad: dict[object, str] = {}

    def __missing__(self, cell: object) -> object:
        value: object = None
        try:
            if isinstance(cell, Fault):
                raise Unread(cell.reason)
            if isinstance(cell, str) and cell.startswith(_ERRORS):
                raise Unread(f"单元格是错误值 {cell}；请改正公式，或直接填写数值")
            value = None if cell == "" or cell is None else self._convert(cell)
        except Unread as unread:
            self.bad[cell] = str(unread)
        self[cell] = value
        return value


@dataclass(frozen=True)
class Converters:
    """Makes the converter of each column."""

    vocabulary: Vocabulary
    classes: Classes

    def of(
        self, column: Column, context: DateContext, header_unit: str | None = None, header: str = "", *, fractions: bool = False
    ) -> Convert:
        """The converter of a column's cells. ``header_unit``: the unit that its header carries, such as 万元.

        ``fractions``: the column's percentages are cells formatted as such, 0.6 for 60%.
        Raise Unread when the header's unit cannot be brought to the column's unit.
        """
        match column.type:
            case "money":
                rate = "/" in (column.unit or "") or any(word in header + column.label for word in ("单价", "每", "/", "／", "标准"))
                factor = self._factor("fen", header_unit, Fraction(100))
                return lambda cell: quantity(cell, "fen", factor, rate=rate)
            case "integer":
                return self._integer(column, header_unit, fractions)
            case "date":
                return lambda cell: date(cell, context)
            case "clock":
                return clock
            case "boolean":
                return words.YesNo(column.yes, column.no)
            case "category":
                return words.Choices(self.vocabulary.category_of(column))
            case "grade":
                return self.classes.grade
            case "class":
                return self.classes.class_name
            case _:
                return words.text

    def _integer(self, column: Column, header_unit: str | None, fractions: bool) -> Convert:
        unit = (column.unit or "1").split("/")[0].strip()
        factor = self._factor(unit, header_unit, Fraction(1))
        if unit == "percent":
            return lambda cell: quantity(cell, unit, Fraction(100) if fractions and isinstance(cell, float) and abs(cell) <= 1 else factor)
        return lambda cell: quantity(cell, unit, factor)

    @staticmethod
    def _factor(unit: str, header_unit: str | None, default: Fraction) -> Fraction:
        if header_unit is None or unit not in UNIT_WORDS:
            return default
        factor = UNIT_WORDS[unit].get(header_unit)
        if factor is None:
            raise Unread(f"表头的单位“{header_unit}”换算不到这一列的单位；请改用{'、'.join(list(UNIT_WORDS[unit])[:2])}")
        return factor


def uniform(cells: list[object]) -> list[object]:
    """The cells with yes/no cells as words and blanks-only cells as empty, so that equal cells mean the same."""
    kinds = set(map(type, cells))
    if bool in kinds:
        cells = [("TRUE" if cell else "FALSE") if cell.__class__ is bool else cell for cell in cells]
    if type(None) in kinds:
        cells = ["" if cell is None else cell for cell in cells]
    if str in kinds:
        blank = {cell for cell in set(cells) if cell and isinstance(cell, str) and not cell.strip(_BLANKS)}
        if blank:
            cells = ["" if cell in blank else cell for cell in cells]
    return cells


def as_written(cell: object) -> str:
    """A raw cell for the list of unread cells."""
    if isinstance(cell, Fault):
        return cell.value
    if isinstance(cell, datetime.datetime):
        return cell.isoformat(" ", "minutes")
    return shown(cell)
