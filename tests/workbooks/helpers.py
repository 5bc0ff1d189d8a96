"""A small vocabulary with the columns of the sample workbooks, and helpers that write real files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from qingdan.policy.sources import Source
from qingdan.policy.vocabulary import Category, Column, FactKind, Vocabulary
from qingdan.workbooks import Reading, Table, read

GRADES = {
    **{f"{numeral}年级": grade for grade, numeral in enumerate("一二三四五六七八九", 1)},
    "预初": 6,
    "初一": 7,
    "初二": 8,
    "初三": 9,
    "高一": 10,
    "高二": 11,
    "高三": 12,
}


def kind(name: str, label: str, key: list[str], recognise: list[str | list[str]], columns: dict[str, dict[str, Any]]) -> FactKind:
    return FactKind(
        name=name,
        label=label,
        about=label,
        subject="",
        date="on_date",
        key=tuple(key),
        recognise=tuple((one,) if isinstance(one, str) else tuple(one) for one in recognise),
        columns={column: Column(**shape) for column, shape in columns.items()},
        derived=None,
        source=Source("test"),
    )


HOMEWORK = kind(
    "homework_item",
    "作业公示",
    ["class_name", "on_date"],
    ["class_name", "on_date", "homework_minutes"],
    {
        "school": {"label": "学校", "type": "text", "headers": ["学校名称", "单位"], "in_title": True},
        "class_name": {"label": "班级", "type": "class", "headers": ["年级班级", "班别"], "repeats": True},
        "grade": {"label": "年级", "type": "grade", "read_from": "class_name"},
        "on_date": {"label": "日期", "type": "date", "headers": ["布置日期"], "repeats": True},
        "subject": {"label": "学科", "type": "text", "headers": ["科目"]},
        "content": {"label": "作业内容", "type": "text", "headers": ["内容"]},
        "form": {"label": "作业类型", "type": "category", "of": "form", "headers": ["类型", "作业形式"]},
        "done_at": {"label": "完成地点", "type": "category", "of": "done_at", "headers": ["地点"]},
        "homework_minutes": {
            "label": "时长",
            "type": "integer",
            "unit": "minute",
            "headers": ["预计时长（分钟）", "预计时长", "作业时长", "预计完成时间"],
        },
        "marking": {"label": "批改方式", "type": "category", "of": "marking", "headers": ["批改"]},
        "done_by": {"label": "完成人", "type": "category", "of": "done_by"},
    },
)
SESSION = kind(
    "training_session",
    "培训课程安排",
    ["institution", "on_date", "starts_at"],
    ["institution", "on_date", "starts_at"],
    {
        "institution": {"label": "机构名称", "type": "text", "headers": ["机构"], "repeats": True},
        "credit_code": {"label": "统一社会信用代码", "type": "text"},
        "training_kind": {"label": "类别", "type": "category", "of": "training_kind"},
        "mode": {"label": "方式", "type": "category", "of": "mode"},
        "course": {"label": "课程名称", "type": "text", "headers": ["课程"]},
        "on_date": {"label": "上课日期", "type": "date", "headers": ["日期"]},
        "starts_at": {"label": "开始时间", "type": "clock", "headers": ["上课时间", "起止时间"]},
        "ends_at": {"label": "结束时间", "type": "clock", "headers": ["上课时间", "起止时间"]},
        "lesson_minutes": {"label": "每课时分钟", "type": "integer", "unit": "minute"},
        "break_minutes": {"label": "课间休息", "type": "integer", "unit": "minute"},
        "youngest": {"label": "学员最小年龄", "type": "integer", "unit": "year"},
    },
)
PREPAYMENT = kind(
    "prepayment",
    "预收费台账",
    ["contract"],
    ["contract", "amount_fen"],
    {
        "institution": {"label": "机构", "type": "text", "headers": ["机构名称"], "in_title": True},
        "contract": {"label": "合同编号", "type": "text", "headers": ["合同号"]},
        "on_date": {"label": "缴费日期", "type": "date"},
        "course_from": {"label": "课程起", "type": "date", "headers": ["课程起止"]},
        "course_to": {"label": "课程止", "type": "date", "headers": ["课程起止"]},
        "lessons": {"label": "课时数", "type": "integer", "unit": "lesson"},
        "amount_fen": {"label": "金额", "type": "money", "headers": ["缴费金额"]},
        "in_custody": {"label": "是否进入监管账户", "type": "boolean", "headers": ["监管"], "yes": ["已缴入"], "no": ["未缴入"]},
        "model_contract": {"label": "是否使用示范文本", "type": "boolean"},
        "by_loan": {"label": "贷款支付", "type": "boolean"},
        "share": {"label": "占比", "type": "integer", "unit": "percent"},
    },
)
CATEGORIES = {
    "form": {"written": ["书面", "书面作业"], "oral": ["口头"], "practice": ["实践"], "electronic": ["电子"]},
    "done_at": {"home": ["家里", "家中"], "school": ["学校", "校内"]},
    "marking": {"teacher": ["教师批改"], "parent": ["家长检查", "家长批改"], "self": ["学生自批"], "none": ["不批改"]},
    "done_by": {"pupil": ["学生"], "parent": ["家长"]},
    "training_kind": {"academic": ["学科类"], "non_academic": ["非学科类"]},
    "mode": {"offline": ["线下"], "online": ["线上"]},
}
VOCABULARY = Vocabulary(
    {one.name: one for one in (HOMEWORK, SESSION, PREPAYMENT)},
    {name: Category(name, names) for name, names in CATEGORIES.items()},
)
HEADER = ["日期", "班级", "学科", "作业内容", "作业类型", "完成地点", "预计时长（分钟）", "批改方式", "完成人"]
FIXTURES = Path(__file__).parent / "fixtures"
Rows = Sequence[Sequence[object]]


def item(day: object = "2026-11-16", class_name: object = "三（2）班", minutes: object = 20, **other: object) -> list[object]:
    """One homework row under HEADER."""
    row = {"学科": "语文", "作业内容": "练习", "作业类型": "书面", "完成地点": "家里", "批改方式": "教师批改", "完成人": "学生"} | other
    return [day, class_name, *(row[name] for name in HEADER[2:6]), minutes, *(row[name] for name in HEADER[7:])]


def write_xlsx(path: Path, sheets: dict[str, Rows], merged: Sequence[tuple[int, int, int, int]] = ()) -> Path:
    """A real workbook; ``merged`` holds (first row, first column, last row, last column), counted from zero, of every sheet."""
    with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd"}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for top, left, bottom, right in merged:
                sheet.merge_range(top, left, bottom, right, "")
            for number, row in enumerate(rows):
                for position, cell in enumerate(row):
                    if cell is not None:
                        sheet.write(number, position, cell)
    return path


def read_one(path: Path, **options: Any) -> tuple[Table, Reading]:
    """The only table of a file, and the whole reading."""
    reading = read([path], VOCABULARY, grade_names=GRADES, **options)
    (table,) = reading.tables
    assert isinstance(table, Table)
    return table, reading


ReadRows = Callable[..., tuple[Table, Reading]]
