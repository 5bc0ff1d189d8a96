"""A table as a workbook to download."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

import xlsxwriter

from qingdan.charting.figures import Figure


def table_xlsx(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, notes: Sequence[str] = ()) -> bytes:
    """One sheet with a head that stays in sight, and notes below; None is an empty cell, numbers stay numbers."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    head = book.add_format({"bold": True, "bg_color": "#0F5F59", "font_color": "#FFFFFF", "text_wrap": True, "valign": "vcenter"})
    sheet = book.add_worksheet(title[:31])
    sheet.write_row(0, 0, columns, head)
    widths = [_width(column) for column in columns]
    number = 0
    for number, row in enumerate(rows, start=1):
        for index, value in enumerate(row):
            sheet.write(number, index, value)
            widths[index] = max(widths[index], _width(value))
    for index, width in enumerate(widths):
        sheet.set_column(index, index, min(width + 2, 60))
    for index, note in enumerate(notes):
        sheet.write(number + 2 + index, 0, note)
    sheet.freeze_panes(1, 1)
    if number:
        sheet.autofilter(0, 0, number, len(columns) - 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    book.close()
    return out.getvalue()


def figure_xlsx(figure: Figure, notes: Iterable[str]) -> bytes:
    """A figure's numbers, with what is to be known about them."""
    kept = [note for note in notes if note]
    return table_xlsx("数据", figure.columns or ("没有数据",), figure.rows, notes=kept)


def _width(value: object) -> int:
    return sum(2 if ord(letter) > 255 else 1 for letter in str("" if value is None else value))
