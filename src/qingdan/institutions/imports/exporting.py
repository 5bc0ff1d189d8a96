"""Lists written out in the columns in which they are read: what is exported can be changed in Excel and imported again."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import xlsxwriter
from django.db.models import Prefetch, QuerySet

from qingdan.institutions.imports.reading import EXPORTED, labels
from qingdan.institutions.imports.staff_reading import COLUMNS as STAFF_COLUMNS
from qingdan.institutions.imports.staff_reading import labels as staff_labels
from qingdan.institutions.models import Institution, Permit, Premises
from qingdan.policy.vocabulary import Vocabulary

_WIDTHS = {"name": 30, "credit_code": 22, "address": 34, "permit_number": 22, "registration": 26, "website": 24}
_HELP = (
    "每行一家机构。统一社会信用代码 18 位，末位是校验码；已登记的代码按“变更”处理，没有写的格子不改。",
    "有许可证号的要写有效期起止；写地址的要写教学点面积（平方米）。线上机构可以不写地址。",
)
_EXAMPLE = (
    "示例艺术培训中心（示例）", "52990101MJ00000017", "王示例", "民办非企业单位（非营利性）", "非学科类", "文化艺术", "义务教育阶段",
    "文化和旅游部门", "审批", "否", "2025-09-01", "示范街道", "", "教民999010160001号", "2025-09-01", "2028-08-31", "本部",
    "示范路1号", "300",
)  # fmt: skip

_STAFF_WIDTHS = {"identity_number": 22, "certificate_number": 22, "experience": 34, "subject": 16}
_STAFF_HELP = (
    "每行一人。证件号：中国公民写 18 位身份证号，外籍写护照号并写国籍；系统只留加密指纹和掩码，不保存号码。",
    "已在名单里的人按“变更”处理，没有写的格子不改；改动后要由教育部门重新审核。写了离职日期的登记为离职。",
    "教学人员要写任教类别（学科类、非学科类）和学科或项目，有教师资格证的写证号。",
)
_STAFF_EXAMPLE = (
    "陈示例（示例）", "99010119900101000X", "中国", "教学人员", "非学科类", "美术", "20209901000000001", "教龄五年", "否", "2026-09-01", "",
)  # fmt: skip


def register_rows(found: QuerySet[Institution]) -> list[tuple[str, ...]]:
    """One row for each institution, with its newest permit and the premises of that permit (or the first)."""
    full = found.select_related("organisation").prefetch_related(
        Prefetch("permits", Permit.objects.filter(revoked_on=None).select_related("premises").order_by("-ends_on")),
        Prefetch("premises", Premises.objects.filter(closed_on=None)),
    )
    return [_row(each) for each in full]


def _row(each: Institution) -> tuple[str, ...]:
    permit: Permit | None = next(iter(each.permits.all()), None)
    place = permit.premises if permit else next(iter(each.premises.all()), None)
    return (
        each.name, each.credit_code, each.legal_person, each.get_registration_display(), each.get_category_display(),
        each.get_field_display(), each.get_audience_display(), each.get_department_display(), each.get_approval_basis_display(),
        "是" if each.runs_online else "否", each.registered_on.isoformat(), each.street, each.website,
        permit.number if permit else "", permit.starts_on.isoformat() if permit else "", permit.ends_on.isoformat() if permit else "",
        place.name if place else "", place.address if place else "", str(place.area_m2) if place else "",
    )  # fmt: skip


@dataclass(frozen=True)
class List:
    """How one sort of list is written out."""

    title: str
    #: What the columns are called, in order.
    headers: tuple[str, ...]
    #: Widths of columns in characters, by header; others have 14.
    widths: Mapping[str, int]
    example: tuple[str, ...]
    help: tuple[str, ...]


def register_list(vocabulary: Vocabulary) -> List:
    """The list of institutions, with the law's words for its columns."""
    words = labels(vocabulary)
    widths = {words[name]: width for name, width in _WIDTHS.items()}
    return List("机构名册", tuple(words[name] for name in EXPORTED), widths, _EXAMPLE, _HELP)


def staff_list() -> List:
    """The list of people; only its empty form is written out, for their numbers are not kept."""
    words = staff_labels()
    widths = {words[name]: width for name, width in _STAFF_WIDTHS.items()}
    return List("从业人员", tuple(words[name] for name in STAFF_COLUMNS), widths, _STAFF_EXAMPLE, _STAFF_HELP)


def workbook(form: List, rows: Iterable[tuple[str, ...]], *, with_example: bool = False) -> bytes:
    """A list as xlsx; all cells are text, so that no number loses its zeros and no value is a formula."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        header = book.add_format({"bold": True, "bg_color": "#E3EFEC", "border": 1})
        text = book.add_format({"num_format": "@"})
        _write(book.add_worksheet(form.title), form, header, text, rows)
        if with_example:
            sheet = book.add_worksheet("填写示例")
            _write(sheet, form, header, text, [form.example])
            for index, line in enumerate(form.help, start=3):
                sheet.write_string(index, 0, line)
    return out.getvalue()


def _write(sheet: Any, form: List, header: Any, text: Any, rows: Iterable[tuple[str, ...]]) -> None:
    for position, name in enumerate(form.headers):
        sheet.set_column(position, position, form.widths.get(name, 14), text)
        sheet.write_string(0, position, name, header)
    for index, row in enumerate(rows, start=1):
        for position, value in enumerate(row):
            if value:
                sheet.write_string(index, position, value, text)
    sheet.freeze_panes(1, 1)
