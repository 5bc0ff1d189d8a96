"""A timetable as a workbook whose columns are those of the fact kind ``training_session``: ``./qingdan audit`` reads it back."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

import xlsxwriter

from qingdan.institutions.models import Session
from qingdan.institutions.models.timetable import clock_text
from qingdan.policy.packs import default_pack

#: Columns of the fact kind, in the order of the sheet.
COLUMNS = (
    "institution", "credit_code", "course", "on_date", "starts_at", "ends_at", "premises", "teacher", "category", "mode", "grade",
    "audience", "lesson_minutes", "gap_minutes", "youngest_age", "is_collective_preschool",
)  # fmt: skip
#: What a clerk fills in; the course says the rest.
TEMPLATE_COLUMNS = ("course", "on_date", "starts_at", "ends_at", "premises", "teacher")
_HEADERS = {"premises": "教室"}
_BETWEEN = " / "


def headers(columns: Iterable[str] = COLUMNS) -> list[str]:
    """The columns as the sheet calls them."""
    kind = default_pack().vocabulary.kinds["training_session"]
    return [_HEADERS.get(name, kind.columns[name].label) for name in columns]


def place_text(session: Session) -> str:
    """``总部 / 101``, or nothing for a session without a room."""
    return f"{session.room.premises.name}{_BETWEEN}{session.room.name}" if session.room else ""


def _row(session: Session) -> list[Any]:
    course, institution = session.course, session.institution
    return [
        institution.name,
        institution.credit_code,
        course.name,
        session.on_date,
        clock_text(session.starts_at),
        clock_text(session.ends_at),
        place_text(session),
        session.teacher.name,
        course.get_category_display(),
        course.get_mode_display(),
        f"{course.first_grade}年级" if course.first_grade else None,
        course.get_audience_display(),
        course.lesson_minutes,
        course.gap_minutes,
        course.youngest_age,
        "是" if course.is_collective_preschool else "否",
    ]


def workbook(sessions: Iterable[Session], columns: Iterable[str] = COLUMNS) -> bytes:
    """One sheet, one line a session. Sessions come with ``with_names`` and ``institution__organisation``."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    head = book.add_format({"bold": True, "bg_color": "#0F5F59", "font_color": "#FFFFFF", "text_wrap": True, "valign": "vcenter"})
    day = book.add_format({"num_format": "yyyy-mm-dd", "align": "left"})
    sheet = book.add_worksheet("课表")
    named = headers(columns)
    sheet.write_row(0, 0, named, head)
    number = 0
    for number, session in enumerate(sessions, start=1):
        for index, value in enumerate(_row(session)):
            if index == COLUMNS.index("on_date"):
                sheet.write_datetime(number, index, value, day)
            else:
                sheet.write(number, index, value)
    sheet.set_column(0, len(named) - 1, 14)
    sheet.set_column(0, 1, 22)
    sheet.freeze_panes(1, 0)
    if number:
        sheet.autofilter(0, 0, number, len(named) - 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    book.close()
    return out.getvalue()
