"""Rolls written out in the columns in which they are read: what is exported can be changed in Excel and imported again."""

from __future__ import annotations

import datetime
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import xlsxwriter

from qingdan.accounts.enums import Role
from qingdan.accounts.models import User
from qingdan.places.models import SchoolYear
from qingdan.policy.units import grade_name
from qingdan.schools.enums import RollKind
from qingdan.schools.models import Enrolment, GradeLead, School, SchoolClass, SubjectLead, TeachingAssignment

HEADERS: dict[str, tuple[str, ...]] = {
    RollKind.PUPILS: ("班级", "学号", "姓名"),
    RollKind.STAFF: ("姓名", "用户名", "学科", "任教班级", "班主任", "年级组长", "教研组长"),
}
_WIDTHS = {"班级": 14, "学号": 18, "姓名": 14, "用户名": 20, "学科": 16, "任教班级": 34, "班主任": 14, "年级组长": 14, "教研组长": 16}
_EXAMPLES: dict[str, list[tuple[str, ...]]] = {
    RollKind.PUPILS: [("三（2）班", "20260301", "张小明（示例）"), ("三（2）班", "20260302", "李小红（示例）")],
    RollKind.STAFF: [
        ("王老师（示例）", "wanglaoshi", "数学", "三（1）班、三（2）班", "三（2）班", "", ""),
        ("李老师（示例）", "lilaoshi", "英语", "三（1）班", "", "三年级", "英语"),
    ],
}
_HELP: dict[str, list[str]] = {
    RollKind.PUPILS: [
        "每行一名学生。学号是校内学号，每人一个，不能重复；不要填身份证号。",
        "已有的学号换了班级，导入后就是转班，从您选的生效日期算起。",
    ],
    RollKind.STAFF: [
        "每行一位教师的一门学科；教几门就写几行。没有用户名的学校可以把“用户名”改成“工号”。",
        "写了任教班级的教师，以名册为准：名册里没有的任课从生效日期起结束。",
        "班主任、年级组长、教研组长只增不减；要撤下请到学校页面。",
        "可以加一列“身份证号”，用来核对教师是否在校外培训机构任职；系统只留加密指纹，不保存号码。",
    ],
}


def pupil_rows(school: School, day: datetime.date) -> list[tuple[str, ...]]:
    """Every pupil of a day."""
    found = Enrolment.objects.in_force(day).filter(school_class__school=school).select_related("pupil", "school_class")
    return [
        (each.school_class.name, each.pupil.number, each.pupil.name)
        for each in found.order_by("school_class__grade", "school_class__number", "pupil__number")
    ]


def staff_rows(school: School, year: SchoolYear, day: datetime.date) -> list[tuple[str, ...]]:
    """Every member of staff of a day, a row for each subject; duties stand in the first."""
    taught: dict[tuple[int, str], list[SchoolClass]] = defaultdict(list)
    for each in (
        TeachingAssignment.objects.in_force(day)
        .filter(school_class__school=school, school_class__school_year=year)
        .select_related("school_class", "subject")
        .order_by("subject__position", "school_class__grade", "school_class__number")
    ):
        taught[each.teacher_id, each.subject.name].append(each.school_class)
    led: dict[str, dict[int, list[str]]] = {"class": defaultdict(list), "grade": defaultdict(list), "subject": defaultdict(list)}
    for school_class in school.classes.filter(school_year=year, class_teacher__isnull=False):
        led["class"][school_class.class_teacher_id or 0].append(school_class.name)
    for lead in GradeLead.objects.filter(school=school, school_year=year):
        led["grade"][lead.user_id].append(grade_name(lead.grade))
    for head in SubjectLead.objects.filter(school=school).select_related("subject"):
        led["subject"][head.user_id].append(head.subject.name)
    rows = []
    people = User.objects.filter(organisation=school.organisation_id, role__in=[Role.TEACHER, Role.SCHOOL_LEADER], is_active=True)
    for user in people.order_by("display_name", "pk"):
        duties = ["、".join(led[kind][user.pk]) for kind in ("class", "grade", "subject")]
        own = [(subject, classes) for (teacher, subject), classes in taught.items() if teacher == user.pk] or [("", [])]
        for subject, classes in own:
            rows.append((user.display_name, user.username, subject, "、".join(each.name for each in classes), *duties))
            duties = ["", "", ""]
    return rows


def _write(sheet: Any, header: Any, text: Any, kind: str, rows: Iterable[Sequence[str]]) -> None:
    for position, name in enumerate(HEADERS[kind]):
        sheet.set_column(position, position, _WIDTHS[name], text)
        sheet.write_string(0, position, name, header)
    for index, row in enumerate(rows, start=1):
        for position, value in enumerate(row):
            if value:
                sheet.write_string(index, position, value, text)
    sheet.freeze_panes(1, 0)


def workbook(kind: str, rows: Iterable[Sequence[str]], *, with_example: bool = False) -> bytes:
    """A roll as xlsx; all cells are text, so that no number loses its zeros and no value is a formula."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        header = book.add_format({"bold": True, "bg_color": "#E3EFEC", "border": 1})
        text = book.add_format({"num_format": "@"})
        _write(book.add_worksheet("学生名册" if kind == RollKind.PUPILS else "教师任课表"), header, text, kind, rows)
        if with_example:
            sheet = book.add_worksheet("填写示例")
            _write(sheet, header, text, kind, _EXAMPLES[kind])
            for index, line in enumerate(_HELP[kind], start=len(_EXAMPLES[kind]) + 3):
                sheet.write_string(index, 0, line)
    return out.getvalue()
