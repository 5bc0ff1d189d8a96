"""Empty workbooks to fill in: one per kind of fact, with a second sheet that explains the columns."""

from __future__ import annotations

import io

import xlsxwriter

from qingdan.policy.pack import Pack
from qingdan.policy.vocabulary import Column, FactKind

_TYPES = {
    "text": "文字",
    "integer": "整数",
    "money": "金额（元）",
    "clock": "时刻，如 20:30",
    "date": "日期，如 2026-11-17",
    "boolean": "是／否",
    "category": "选项",
    "grade": "年级，如 三年级",
    "class": "班级，如 三（2）班",
}
_UNITS = {
    "minute": "分钟",
    "hour": "小时",
    "day": "天",
    "month": "个月",
    "year": "岁",
    "times": "次",
    "lesson": "课时",
    "person": "人",
    "item": "项",
    "percent": "%",
    "term": "学期",
    "grade": "年级",
}
#: Codes of one category offered in a cell's list; Excel takes 255 characters in all.
_LIST_LENGTH_MAX = 255
_ROWS = 500


def what_to_write(column: Column, pack: Pack) -> str:
    """How a cell of a column is filled in."""
    if column.type == "category":
        return "选项：" + "、".join(names[0] for names in pack.vocabulary.category_of(column).names.values())
    unit = _UNITS.get(column.unit or "", "")
    return _TYPES[column.type] + (f"（{unit}）" if unit and column.type == "integer" else "")


def asked_columns(kind: FactKind) -> dict[str, Column]:
    """The columns that people fill in: not those that follow from others."""
    return {name: column for name, column in kind.columns.items() if column.compute is None}


def empty_workbook(kind: FactKind, pack: Pack) -> bytes:
    """An empty table of a kind, and the sheet that explains it."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False})
    head = book.add_format({"bold": True, "bg_color": "#0F766E", "font_color": "#FFFFFF", "valign": "vcenter", "text_wrap": True})
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    table = book.add_worksheet(kind.label[:31])
    table.freeze_panes(1, 0)
    columns = asked_columns(kind)
    for index, column in enumerate(columns.values()):
        table.write(0, index, column.label, head)
        table.set_column(index, index, max(10, 2.4 * len(column.label)))
        options = ["是", "否"] if column.type == "boolean" else []
        if column.type == "category":
            options = [names[0] for names in pack.vocabulary.category_of(column).names.values()]
        if options and len(",".join(options)) <= _LIST_LENGTH_MAX:
            # A hint, not a wall: other known spellings are read too.
            table.data_validation(1, index, _ROWS, index, {"validate": "list", "source": options, "error_type": "information"})
    notes = book.add_worksheet("填写说明")
    notes.set_column(0, 0, 22)
    notes.set_column(1, 1, 48)
    notes.set_column(2, 2, 60)
    notes.write_row(0, 0, ["列", "怎么填", "也认得的列名"], head)
    for number, column in enumerate(columns.values(), start=1):
        text = what_to_write(column, pack) + (f"。{column.about}" if column.about else "")
        notes.write_row(number, 0, [column.label, text, "、".join(column.headers)], wrap)
    book.close()
    return out.getvalue()
