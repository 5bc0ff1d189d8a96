"""From a workbook to the lines of a register. Columns are known by the headers that the policy pack has for the fact kind
``institution``, and by those of the things that the law does not ask for (address, term of the permit).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError

from qingdan.institutions.enums import RegistrationKind, TrainingCategory, TrainingField
from qingdan.institutions.models.registry import validate_credit_code
from qingdan.policy.vocabulary import Vocabulary
from qingdan.schools.rolls.reading import EXAMPLE_SHEETS, LIMITS, ROLL_SUFFIXES, Line
from qingdan.workbooks.dates import DateContext, date, span_in
from qingdan.workbooks.delimited import read_delimited
from qingdan.workbooks.excel import read_workbook
from qingdan.workbooks.guards import check_file, container_of
from qingdan.workbooks.model import Fault, FileFault, Unread
from qingdan.workbooks.sheets import RawSheet
from qingdan.workbooks.text import PLACEHOLDERS, plain_text, squeeze, tidy
from qingdan.workbooks.words import Choices, YesNo
from qingdan.workbooks.words import text as text_of_cell

_HEADER_ROWS = 15
#: Column of the register -> column of the fact kind ``institution`` whose headers it takes over.
_OF_PACK = {
    "name": "institution", "credit_code": "credit_code", "category": "category", "field": "field", "audience": "audience",
    "department": "department", "approval_basis": "approval_basis", "runs_online": "runs_online", "permit_number": "permit_number",
}  # fmt: skip
#: Label and other headers of what the fact kind does not have.
_OWN: dict[str, tuple[str, ...]] = {
    "legal_person": ("法定代表人", "法人代表", "法人", "负责人"),
    "registration": ("登记性质", "机构性质", "法人属性", "法人类型", "登记类型", "营利属性"),
    "registered_on": ("登记日期", "成立日期", "设立日期", "注册日期"),
    "permit_span": ("有效期", "许可证有效期", "有效期限"),
    "permit_starts_on": ("有效期起", "有效期自", "许可证有效期起", "发证日期"),
    "permit_ends_on": ("有效期止", "有效期至", "许可证有效期止", "到期日期"),
    "premises": ("教学点", "教学点名称", "校区", "校区名称"),
    "address": ("地址", "办学地址", "教学点地址", "详细地址", "机构地址"),
    "area_m2": ("面积", "面积(平方米)", "建筑面积", "办学面积", "场地面积"),
    "street": ("街道", "所属街道", "镇街", "街道(镇)", "所在街道"),
    "website": ("网站", "网址", "官网"),
}
#: The columns in which a register is written out, in order.
EXPORTED = (
    "name", "credit_code", "legal_person", "registration", "category", "field", "audience", "department", "approval_basis",
    "runs_online", "registered_on", "street", "website", "permit_number", "permit_starts_on", "permit_ends_on", "premises", "address",
    "area_m2",
)  # fmt: skip
_LENGTHS = {"name": 100, "legal_person": 50, "permit_number": 40, "premises": 60, "address": 120, "street": 60, "website": 200}
_IDLE = ("序号", "备注", "序")


def labels(vocabulary: Vocabulary) -> dict[str, str]:
    """Column -> what it is called in Chinese."""
    columns = vocabulary.kinds["institution"].columns
    return {name: columns[source].label for name, source in _OF_PACK.items()} | {name: words[0] for name, words in _OWN.items()}


@dataclass
class RegisterReading:
    """All lines of a workbook."""

    lines: list[Line] = field(default_factory=list)
    #: Headers of columns that were not read.
    ignored: list[str] = field(default_factory=list)


def read_register(path: Path, vocabulary: Vocabulary) -> RegisterReading:
    """Read a register; raise FileFault, in one sentence with what to do, when the workbook is none."""
    if path.suffix.lower() not in ROLL_SUFFIXES:
        raise FileFault("不是认识的表格文件；请另存为 .xlsx（或 .xls、.ods、.csv）再上传")
    check_file(path, LIMITS)
    reader = _Reader(vocabulary)
    sheets = [sheet for sheet in _sheets(path) if sheet.rows and sheet.name not in EXAMPLE_SHEETS]
    if not sheets:
        raise FileFault("表格里没有内容；请下载空表，填好后再上传")
    has_header = [reader.sheet(sheet) for sheet in sheets]
    if not any(has_header):
        raise FileFault("没有找到名册的表头：至少要有“机构名称”和“统一社会信用代码”两列；请补上，或下载空表对照")
    if not reader.reading.lines:
        raise FileFault("表头下面没有一行内容；请填好后再上传")
    return reader.reading


def _sheets(path: Path) -> Iterator[RawSheet]:
    container, suffix = container_of(path), path.suffix.lower()
    if container in ("zip", "ole", "biff"):
        yield from read_workbook(path, container, LIMITS)
    elif container == "parquet" or suffix in (".xlsx", ".xlsm", ".ods"):
        raise FileFault(f"不是真正的 {suffix} 文件，或已损坏；请在 Excel 或 WPS 中打开后另存为 .xlsx")
    else:
        yield read_delimited(path, LIMITS)


def _header(cell: object) -> str:
    return re.sub(r"[*:：]", "", tidy(squeeze(cell))) if isinstance(cell, str) else ""


def registration_of(value: object) -> str | None:
    """As what it is registered, from the many ways to say it; raise Unread for none of them."""
    word = squeeze(text_of_cell(value) or "")
    if word in PLACEHOLDERS:
        return None
    if "非营利" in word or "非企业" in word or word == "民非":
        return RegistrationKind.NON_PROFIT.value
    if "事业" in word:
        return RegistrationKind.PUBLIC.value
    if "营利" in word or "企业" in word or "公司" in word:
        return RegistrationKind.COMPANY.value
    raise Unread("不在可选的名称之内；请写其中一个：民办非企业单位（非营利性）、企业（营利性）、事业单位")


def _area(value: object) -> int | None:
    word = re.sub(r"(平方米|平米|㎡|m2|m²)$", "", squeeze(text_of_cell(value) or "").lower())
    if word in PLACEHOLDERS:
        return None
    if not re.fullmatch(r"\d{1,7}(\.\d+)?", word) or float(word) < 1:
        raise Unread("不是面积；请写平方米数，如 300")
    return round(float(word))


class _Reader:
    def __init__(self, vocabulary: Vocabulary) -> None:
        self.labels = labels(vocabulary)
        columns = vocabulary.kinds["institution"].columns
        words = [(word, name) for name, options in _OWN.items() for word in options]
        words += [(word, name) for name, source in _OF_PACK.items() for word in [columns[source].label, *columns[source].headers]]
        # What a column is called first of all counts before what another is called besides.
        self.names = {_header(word): name for word, name in reversed(words)} | {_header(label): n for n, label in self.labels.items()}
        day = partial(date, context=DateContext())
        online = columns["runs_online"]
        self.readers: dict[str, Callable[[Any], Any]] = {
            **{
                name: Choices(vocabulary.categories[str(columns[name].of)])
                for name in ("category", "field", "audience", "department", "approval_basis")
            },
            "runs_online": YesNo(online.yes, online.no),
            "registration": registration_of,
            "area_m2": _area,
            **dict.fromkeys(("registered_on", "permit_starts_on", "permit_ends_on"), day),
        }
        self.reading = RegisterReading()

    def sheet(self, sheet: RawSheet) -> bool:
        """Read a sheet; False when it has no header of a register."""
        best: tuple[int, dict[str, int]] = (-1, {})
        for index, row in enumerate(sheet.rows[:_HEADER_ROWS]):
            columns: dict[str, int] = {}
            for position, cell in enumerate(row):
                if (name := self.names.get(_header(cell))) is not None:
                    columns.setdefault(name, position)
            if len(columns) > len(best[1]):
                best = (index, columns)
        header, columns = best
        if not {"name", "credit_code"} <= columns.keys():
            return False
        known = set(columns.values())
        for position, cell in enumerate(sheet.rows[header]):
            if cell not in ("", None) and position not in known and squeeze(str(cell)) not in _IDLE:
                self.reading.ignored.append(plain_text(str(cell)))
        self.reading.ignored = list(dict.fromkeys(self.reading.ignored))
        for index in range(header + 1, len(sheet.rows)):
            row = sheet.rows[index]
            raw = {name: row[position] if position < len(row) else "" for name, position in columns.items()}
            if all(_is_blank(cell) for cell in (raw["name"], raw["credit_code"])) or _header(raw["name"]) in self.names:
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
        self._span(values, problems)
        if values.get("category") == TrainingCategory.ACADEMIC:
            values["field"] = values.get("field") or TrainingField.ACADEMIC.value
        fault = "；".join([*_missing(values, problems), *problems])
        return Line(sheet.name or "", number, {name: value for name, value in values.items() if value not in ("", None)}, fault)

    def _value(self, name: str, cell: Any) -> Any:
        if _is_blank(cell):
            return None
        if (read := self.readers.get(name)) is not None:
            found = read(cell)
            return found.isoformat() if hasattr(found, "isoformat") else found
        text = text_of_cell(cell) or ""
        if name == "credit_code":
            return squeeze(text).upper()
        if len(text) > _LENGTHS.get(name, 100):
            raise Unread(f"超过 {_LENGTHS[name]} 个字；请核对是否填错了列")
        return text

    def _span(self, values: dict[str, Any], problems: list[str]) -> None:
        """A term written in one cell, as its two days."""
        if (text := values.pop("permit_span", None)) is None:
            return
        found = span_in(squeeze(tidy(str(text))))
        if found is None:
            problems.append(f"有效期“{text}”看不出起止；请写成 2025-09-01至2028-08-31")
        else:
            values["permit_starts_on"], values["permit_ends_on"] = (each.isoformat() for each in found)


def _missing(values: Mapping[str, Any], problems: list[str]) -> Iterator[str]:
    if not values.get("name") and not any(each.startswith("机构名称") for each in problems):
        yield "缺机构名称；请补上"
    if not values.get("credit_code"):
        yield "缺统一社会信用代码；请补上"
        return
    try:
        validate_credit_code(values["credit_code"])
    except ValidationError as error:
        yield error.messages[0]


def _is_blank(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and squeeze(cell) in PLACEHOLDERS)
