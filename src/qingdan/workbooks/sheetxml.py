"""What calamine does not tell about an .xlsx: formulas without a result, error values, the extent, the 1904 calendar."""

from __future__ import annotations

import html
import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree

from qingdan.workbooks.model import Fault, FileFault, ReadingLimits

_CHUNK = 4 * 1024 * 1024
_ROW_OR_CELL = re.compile(rb"<(?:\w+:)?(?:row\b([^>]*)|c\b([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c>))", re.DOTALL)
_REF = re.compile(rb'\br="([A-Z]*)(\d+)"')
_VALUE = re.compile(rb"<(?:\w+:)?(?:v|t)(?:\s[^>]*)?>([^<]+)</")
_FORMULA = re.compile(rb"<(?:\w+:)?f\b[^>]*?(?:/>|>([^<]*)</)")
_ROW_END = re.compile(rb"</(?:\w+:)?row>")
_WIDE = re.compile(rb' r="[A-Z]{2,3}\d')
_ROW_NUMBER = re.compile(rb'<(?:\w+:)?row\b[^>]*?\br="(\d+)"')
_NO_RESULT = "公式没有计算结果，请在 Excel 中打开并保存一次"


@dataclass
class SheetFacts:
    """What the XML of one worksheet says besides its values."""

    #: (1-based row, 0-based column) -> what is wrong with the cell.
    faults: dict[tuple[int, int], Fault] = field(default_factory=dict)


@dataclass
class BookFacts:
    """What the XML of a workbook says besides its values."""

    from_1904: bool = False
    sheets: dict[str, SheetFacts] = field(default_factory=dict)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _pieces(archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """The XML of a worksheet in pieces that end with a row."""
    rest = b""
    with archive.open(part) as file:
        while chunk := file.read(_CHUNK):
            data = rest + chunk
            end = max((match.end() for match in _ROW_END.finditer(data, max(0, len(data) - 65_536))), default=0)
            if not end:
                end = max((match.end() for match in _ROW_END.finditer(data)), default=0)
            if end:
                yield data[:end]
            rest = data[end:]
    yield rest


def _faults_in(piece: bytes, row: int, faults: dict[tuple[int, int], Fault]) -> int:
    column = -1
    for match in _ROW_OR_CELL.finditer(piece):
        if match[1] is not None:
            found = _REF.search(match[1])
            row, column = (int(found[2]) if found else row + 1), -1
            continue
        found = _REF.search(match[2])
        column = _column(found[1]) if found and found[1] else column + 1
        body = match[3] or b""
        if b't="e"' in match[2]:
            error = _VALUE.search(body)
            text = html.unescape(error[1].decode("utf-8", "replace")) if error else "#错误"
            faults[row, column] = Fault(text, f"单元格是错误值 {text}；请改正公式，或直接填写数值")
        elif b"f" in body and b't="str"' not in match[2] and not _VALUE.search(body) and (formula := _FORMULA.search(body)):
            text = html.unescape((formula[1] or b"").decode("utf-8", "replace"))
            faults[row, column] = Fault(f"={text}", _NO_RESULT)
    return row


def _scan(archive: zipfile.ZipFile, part: str, limits: ReadingLimits) -> SheetFacts:
    facts = SheetFacts()
    row = last_row = widest = 0
    for piece in _pieces(archive, part):
        if b'"e"' in piece or b"<f" in piece or b":f" in piece:
            row = _faults_in(piece, row, facts.faults)
        elif numbers := _ROW_NUMBER.findall(piece[-65_536:]) or _ROW_NUMBER.findall(piece):
            row = int(numbers[-1])
        else:
            row += len(_ROW_END.findall(piece))
        last_row = max(last_row, row)
        if widest < 702 and _WIDE.search(piece):
            widest = max(widest, *(_column(match[0].split(b'"')[1].rstrip(b"0123456789")) + 1 for match in _WIDE.finditer(piece)))
    if last_row > limits.max_rows:
        raise FileFault(f"超过 {limits.max_rows:,} 行；请分成几个文件，或改用 parquet")
    if last_row * max(widest, 26) > limits.max_cells and widest > 26:
        raise FileFault(f"表格铺开到 {last_row:,} 行 × {widest:,} 列；请删去远处多余的内容（Ctrl+End 可以找到）后另存")
    return facts


def _root(archive: zipfile.ZipFile, part: str) -> ElementTree.Element:
    data = archive.read(part)
    if b"<!ENTITY" in data or b"<!DOCTYPE" in data:
        raise FileFault("文件里有可疑的 XML 声明，拒绝读取；请在 Excel 中打开后另存为 .xlsx")
    return ElementTree.fromstring(data)  # noqa: S314 - entities, the only danger, are refused above


def book_facts(path: str, limits: ReadingLimits) -> BookFacts:
    """Scan every worksheet of an .xlsx or .xlsm; raise FileFault when one is too large, zipfile's and XML's own errors when broken."""
    book = BookFacts()
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        relations = _root(archive, "xl/_rels/workbook.xml.rels")
        targets = {one.get("Id"): one.get("Target", "") for one in relations}
        root = _root(archive, "xl/workbook.xml")
        for element in root.iter():
            tag = element.tag.rpartition("}")[2]
            if tag == "workbookPr":
                book.from_1904 = element.get("date1904", "0") in ("1", "true")
            elif tag == "sheet":
                key = next((value for name, value in element.attrib.items() if name.endswith("}id")), None)
                target = targets.get(key, "")
                part = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join("xl", target))
                if part in names and "worksheets/" in part:
                    book.sheets[element.get("name", "")] = _scan(archive, part, limits)
    return book
