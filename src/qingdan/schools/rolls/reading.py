"""From a workbook to the lines of a roll: which columns there are, and what each row says in one spelling.

Only what the roll needs is read. Other columns (telephones, addresses) are named to the user and left alone. Of the number of an
identity card of staff only a keyed digest and a mask go on from here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError

from qingdan.accounts.identity import digest, masked
from qingdan.schools.enums import RollKind
from qingdan.schools.models.places import class_name
from qingdan.workbooks.classes import Classes, written
from qingdan.workbooks.delimited import read_delimited
from qingdan.workbooks.excel import read_workbook
from qingdan.workbooks.guards import SUFFIXES, check_file, container_of
from qingdan.workbooks.model import Fault, FileFault, ReadingLimits
from qingdan.workbooks.regions import row_class
from qingdan.workbooks.sheets import RawSheet
from qingdan.workbooks.text import PLACEHOLDERS, plain_text, squeeze
from qingdan.workbooks.words import text as text_of_cell

LIMITS = ReadingLimits(max_file_bytes=20 * 1024 * 1024, max_rows=20_000)
#: What a browser may offer to choose.
ROLL_SUFFIXES = sorted(SUFFIXES - {".parquet"})
_HEADER_ROWS = 15
#: Sheets of our own template that hold no records.
EXAMPLE_SHEETS = ("填写示例", "填写说明", "示例", "说明")


@dataclass(frozen=True)
class Column:
    """A column of a roll."""

    name: str
    label: str
    headers: tuple[str, ...]


PUPIL_COLUMNS = (
    Column("class", "班级", ("班级", "所在班级", "行政班", "班级名称", "班", "班别", "就读班级", "现班级")),
    Column("grade", "年级", ("年级", "所在年级", "就读年级")),
    Column("number", "学号", ("学号", "校内学号", "学生学号", "学生编号", "编号")),
    Column("name", "姓名", ("姓名", "学生姓名", "名字", "学生")),
)
STAFF_COLUMNS = (
    Column("name", "姓名", ("姓名", "教师姓名", "教师", "老师", "任课教师", "教职工姓名")),
    Column("username", "用户名", ("用户名", "账号", "帐号", "账户", "登录名", "登录账号")),
    Column("staff_number", "工号", ("工号", "教师编号", "职工号", "教工号", "教职工号", "教师工号")),
    Column("subjects", "学科", ("学科", "任教学科", "科目", "任课学科", "任教科目")),
    Column("classes", "任教班级", ("任教班级", "任课班级", "班级", "教学班级", "执教班级", "任教班")),
    Column("leads_class", "班主任", ("班主任", "班主任班级", "所带班级", "担任班主任", "班主任任职班级")),
    Column("leads_grade", "年级组长", ("年级组长", "年级组长年级", "担任年级组长")),
    Column("leads_subject", "教研组长", ("教研组长", "教研组长学科", "学科组长", "备课组长", "担任教研组长")),
    Column("identity_number", "身份证号", ("身份证号", "身份证", "身份证号码", "证件号", "证件号码", "公民身份号码")),
)
COLUMNS: Mapping[str, Sequence[Column]] = {RollKind.PUPILS: PUPIL_COLUMNS, RollKind.STAFF: STAFF_COLUMNS}
#: Subjects by the names that schools use besides those of the curriculum plan.
SUBJECT_NAMES = {
    "道法": "道德与法治", "道德": "道德与法治", "思品": "道德与法治", "思政": "道德与法治", "政治": "道德与法治", "品德": "道德与法治",
    "体育": "体育与健康", "体健": "体育与健康", "信息": "信息科技", "信息技术": "信息科技", "生物": "生物学", "综合": "综合实践活动",
    "综合实践": "综合实践活动", "劳技": "劳动", "外语": "英语", "英文": "英语", "美术课": "美术",
}  # fmt: skip
_YES, _NO = {"是", "√", "✓", "v", "y", "yes", "1"}, {"否", "无", "×", "x", "n", "no", "0"}
_SEVERAL = re.compile(r"[、,，;；/\s和及]+")
_CHINESE_NAME = re.compile(r"[\u3400-\u9fff·•\s]+")
_USERNAME = re.compile(r"[\w.@+-]{1,150}")


@dataclass(frozen=True)
class Line:
    """One row as read; ``fault`` says why it can be nothing."""

    #: Empty for a csv file.
    sheet: str
    row: int
    values: dict[str, Any]
    fault: str = ""

    @property
    def where(self) -> str:
        """Sheet and row, as people find them."""
        return f"{f'“{self.sheet}”' if self.sheet else ''}第 {self.row} 行"


@dataclass
class RollReading:
    """All lines of a workbook."""

    lines: list[Line] = field(default_factory=list)
    #: Headers of columns that were not read.
    ignored: list[str] = field(default_factory=list)


def read_roll(path: Path, kind: str, *, grade_names: Mapping[str, int]) -> RollReading:
    """Read a roll; raise FileFault, in one sentence with what to do, when the workbook is none."""
    if path.suffix.lower() not in ROLL_SUFFIXES:
        raise FileFault("不是认识的表格文件；请另存为 .xlsx（或 .xls、.ods、.csv）再上传")
    check_file(path, LIMITS)
    reader = _RollReader(kind, Classes(grade_names))
    missing: list[str] = []
    filled = 0
    for sheet in _sheets(path):
        if sheet.rows and sheet.name not in EXAMPLE_SHEETS:
            filled += 1
            missing = reader.sheet(sheet) or missing
    if not filled:
        raise FileFault("表格里没有内容；请下载空表，填好后再上传")
    if not reader.found_header:
        raise FileFault(f"没有找到名册的表头，缺少列：{'、'.join(missing)}；请在表头补上这些列，或下载空表对照")
    if not reader.reading.lines:
        raise FileFault("表头下面没有一行内容；请填好后再上传")
    return reader.reading


def _sheets(path: Path) -> Iterator[RawSheet]:
    container = container_of(path)
    suffix = path.suffix.lower()
    if container in ("zip", "ole", "biff"):
        yield from read_workbook(path, container, LIMITS)
    elif container == "parquet" or suffix in (".xlsx", ".xlsm", ".ods"):
        raise FileFault(f"不是真正的 {suffix} 文件，或已损坏；请在 Excel 或 WPS 中打开后另存为 .xlsx")
    else:
        yield read_delimited(path, LIMITS)


def _header_word(cell: object) -> str:
    return re.sub(r"\(.*?\)|[*:：]", "", squeeze(cell)) if isinstance(cell, str) else ""


class _RollReader:
    def __init__(self, kind: str, classes: Classes) -> None:
        self.kind, self.classes = kind, classes
        self.names = {word: column.name for column in reversed(COLUMNS[kind]) for word in column.headers}
        self.reading = RollReading()
        self.found_header = False

    def sheet(self, sheet: RawSheet) -> list[str]:
        """Read a sheet; give back the labels of the columns that its best header lacks when it has none that will do."""
        best: tuple[int, dict[str, int]] = (-1, {})
        for index, row in enumerate(sheet.rows[:_HEADER_ROWS]):
            columns: dict[str, int] = {}
            for position, cell in enumerate(row):
                name = self.names.get(_header_word(cell))
                if name and name not in columns:
                    columns[name] = position
            if len(columns) > len(best[1]):
                best = (index, columns)
        index, columns = best
        # A sheet for each class, named by it, needs no column of classes.
        own_class = self._class_of_sheet(sheet, index) if self.kind == RollKind.PUPILS and "class" not in columns else ""
        missing = self._missing(columns, own_class)
        if missing:
            return missing
        self.found_header = True
        known = set(columns.values())
        for position, cell in enumerate(sheet.rows[index]):
            if cell not in ("", None) and position not in known and squeeze(str(cell)) not in ("序号", "备注", "序"):
                self.reading.ignored.append(plain_text(str(cell)))
        self.reading.ignored = list(dict.fromkeys(self.reading.ignored))
        self._rows(sheet, index, columns, own_class)
        return []

    def _missing(self, columns: Mapping[str, int], own_class: str) -> list[str]:
        wanted = [("number", "学号"), ("name", "姓名")] if self.kind == RollKind.PUPILS else [("name", "姓名")]
        missing = [label for name, label in wanted if name not in columns]
        if self.kind == RollKind.PUPILS and "class" not in columns and not own_class:
            missing.insert(0, "班级")
        if self.kind == RollKind.STAFF and not {"username", "staff_number"} & set(columns):
            missing.append("用户名（或工号）")
        return missing

    def _class_of_sheet(self, sheet: RawSheet, header: int) -> str:
        titles = [cell for row in sheet.rows[: max(header, 0)] for cell in row if isinstance(cell, str)]
        for text in [sheet.name or "", *titles]:
            for piece in [text, *re.findall(r"\S+?[)）]?班", text)]:
                number, grade = self.classes.split(squeeze(piece))
                if number is not None and grade is not None:
                    return written(grade, number)
        return ""

    def _rows(self, sheet: RawSheet, header: int, columns: Mapping[str, int], own_class: str) -> None:
        merged = self._merged(sheet, columns)
        for index in range(header + 1, len(sheet.rows)):
            row, number = sheet.rows[index], sheet.numbers[index]
            first = next((cell for cell in row if cell != ""), None)
            raw = {name: row[position] for name, position in columns.items()}
            if all(_is_blank(cell) for cell in raw.values()) or (row_class(first) and _is_blank(raw.get("number", raw.get("name")))):
                continue
            raw |= {name: merged[number, name] for name in columns if (number, name) in merged}
            if [_header_word(cell) for cell in raw.values()] == [_header_word(sheet.rows[header][columns[name]]) for name in raw]:
                continue  # the header again, on the next printed page
            faults = [each.reason for each in raw.values() if isinstance(each, Fault)]
            texts = {name: "" if _is_blank(cell) else text_of_cell(cell) or "" for name, cell in raw.items() if not isinstance(cell, Fault)}
            values, fault = (self._pupil if self.kind == RollKind.PUPILS else self._staff)(texts, own_class)
            self.reading.lines.append(Line(sheet.name or "", number, values, faults[0] if faults else fault))

    def _merged(self, sheet: RawSheet, columns: Mapping[str, int]) -> dict[tuple[int, str], object]:
        """Row and column -> the value of the merged cell that covers them: a class named once beside its pupils."""
        at = {number: index for index, number in enumerate(sheet.numbers)}
        names = {position: name for name, position in columns.items()}
        found: dict[tuple[int, str], object] = {}
        for top, left, bottom, right in sheet.merged:
            for position in range(left, right + 1):
                if position in names and top in at and bottom > top:
                    value = sheet.rows[at[top]][left]
                    found |= {(number, names[position]): value for number in range(top, bottom + 1)}
        return found

    def _pupil(self, texts: Mapping[str, str], own_class: str) -> tuple[dict[str, Any], str]:
        text = texts.get("class") or ""
        grade_text = texts.get("grade") or ""
        key = self._class_key(text, grade_text) if text else self._class_key(own_class, "")
        values: dict[str, Any] = {
            "class": _class_text(*key) if key else " ".join(filter(None, [grade_text, text])) or own_class,
            "key": [key[0], int(key[1])] if key and key[1].isdecimal() else None,
            "number": squeeze(texts.get("number", "")),
            "name": person_name(texts.get("name", "")),
        }
        return values, _pupil_fault(values)

    def _class_key(self, text: str, grade_text: str) -> tuple[int, str] | None:
        number, grade = self.classes.split(squeeze(text))
        if number is not None and grade is not None:
            return grade, number
        grade = self.classes.grade_within(grade_text) if grade_text else None
        alone = self.classes.number_alone(text)
        return (grade, alone) if grade is not None and alone is not None else None

    def _staff(self, texts: Mapping[str, str], own_class: str) -> tuple[dict[str, Any], str]:
        problems: list[str] = []
        classes = self._classes(texts.get("classes", ""), problems)
        subjects = _subjects(texts.get("subjects", ""))
        led = texts.get("leads_class", "")
        led_grade = texts.get("leads_grade", "")
        led_subject = texts.get("leads_subject", "")
        values: dict[str, Any] = {
            "name": person_name(texts.get("name", "")),
            "username": squeeze(texts.get("username", "")),
            "staff_number": squeeze(texts.get("staff_number", "")),
            "subjects": subjects,
            "classes": [list(each) for each in classes],
            "leads_class": [list(each) for each in self._led(led, classes, problems)],
            "leads_grade": self._led_grades(led_grade, classes, problems),
            "leads_subject": self._led_subjects(led_subject, subjects, problems),
            **_identity(texts.get("identity_number", ""), problems),
        }
        return values, _staff_fault(values, problems)

    def _classes(self, text: str, problems: list[str]) -> list[tuple[int, int]]:
        """Classes named in one cell: ``三（1）、（2）班`` too."""
        found: list[tuple[int, int]] = []
        grade: int | None = None
        alone = self.classes.split(squeeze(text))[0] is not None
        for piece in [text] if alone else _SEVERAL.split(re.sub(r"(?<=[)）])(?=[(（])", "、", text)):
            if not squeeze(piece) or squeeze(piece) in PLACEHOLDERS:
                continue
            number, own = self.classes.split(squeeze(piece))
            if number is None:
                number, own = self.classes.number_alone(squeeze(piece)), grade
            if number is None or own is None or not number.isdecimal():
                problems.append(f"看不出“{piece}”是哪个班；请写成 三（2）班，几个班用顿号隔开")
                continue
            grade = own
            found.append((own, int(number)))
        return list(dict.fromkeys(found))

    def _led(self, text: str, classes: list[tuple[int, int]], problems: list[str]) -> list[tuple[int, int]]:
        word = squeeze(text).lower()
        if not word or word in _NO or word in PLACEHOLDERS:
            return []
        if word in _YES:
            if len(classes) == 1:
                return classes
            problems.append("“班主任”只写了“是”，看不出是哪个班；请写明班级，如 三（2）班")
            return []
        return self._classes(text, problems)

    def _led_grades(self, text: str, classes: list[tuple[int, int]], problems: list[str]) -> list[int]:
        word = squeeze(text).lower()
        if not word or word in _NO or word in PLACEHOLDERS:
            return []
        grades = {grade for grade, _ in classes}
        if word in _YES and len(grades) == 1:
            return list(grades)
        found = [self.classes.grade_within(piece) for piece in _SEVERAL.split(text) if piece]
        if word in _YES or None in found:
            problems.append(f"看不出“{text}”是哪个年级的组长；请写明年级，如 三年级")
            return []
        return [each for each in dict.fromkeys(found) if each is not None]

    def _led_subjects(self, text: str, subjects: list[str], problems: list[str]) -> list[str]:
        word = squeeze(text).lower()
        if not word or word in _NO or word in PLACEHOLDERS:
            return []
        if word in _YES:
            if len(subjects) == 1:
                return subjects
            problems.append("“教研组长”只写了“是”，看不出是哪门学科；请写明学科")
            return []
        return _subjects(text)


def _identity(number: str, problems: list[str]) -> dict[str, str]:
    """Digest and mask of a number; nothing for an empty cell, a problem (without the number) for a wrong one."""
    if not squeeze(number) or squeeze(number) in PLACEHOLDERS:
        return {}
    try:
        return {"identity_digest": digest(number), "masked_identity": masked(number)}
    except ValidationError as error:
        problems.append(error.messages[0])
        return {}


def _is_blank(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and squeeze(cell) in PLACEHOLDERS)


def person_name(text: str) -> str:
    """A name in one spelling: ``张 三`` is 张三, while ``Anna Maria`` keeps its blank."""
    text = plain_text(text)
    return squeeze(text) if _CHINESE_NAME.fullmatch(text) else text


def _class_text(grade: int, number: str) -> str:
    return class_name(grade, int(number)) if number.isdecimal() and grade <= 12 else written(grade, number)


def _subjects(text: str) -> list[str]:
    pieces = [squeeze(piece) for piece in _SEVERAL_SUBJECTS.split(text)]
    return list(dict.fromkeys(SUBJECT_NAMES.get(piece, piece) for piece in pieces if piece and piece not in PLACEHOLDERS))


#: 道德与法治 has a word for "and" inside: subjects are only parted by signs.
_SEVERAL_SUBJECTS = re.compile(r"[、,，;；/\s]+")


def _pupil_fault(values: Mapping[str, Any]) -> str:
    if not values["number"]:
        return "缺学号；请补上校内学号"
    if not values["name"]:
        return "缺姓名；请补上"
    if len(values["number"]) > 30 or len(values["name"]) > 50:
        return "学号超过 30 个字符或姓名超过 50 个字；请核对是否填错了列"
    if not values["class"]:
        return "缺班级；请写成 三（2）班 的样子"
    if values["key"] is None:
        return f"看不出“{values['class']}”是哪个班；请写成 三（2）班 的样子"
    return ""


def _staff_fault(values: Mapping[str, Any], problems: Sequence[str]) -> str:
    if not values["name"]:
        return "缺姓名；请补上"
    if len(values["name"]) > 50:
        return "姓名超过 50 个字；请核对是否填错了列"
    if not values["username"] and not values["staff_number"]:
        return "缺用户名，也缺工号；两者至少填一个，用来区分同名的教师"
    if not _USERNAME.fullmatch(values["username"] or values["staff_number"]):
        return "用户名、工号只能用字母、数字和 . @ + - _；请改正"
    if problems:
        return problems[0]
    if values["classes"] and not values["subjects"]:
        return "写了任教班级，没有写学科；请补上学科"
    return ""
