"""csv and tsv files, in the encodings and separators that spreadsheets export."""

from __future__ import annotations

import codecs
import csv
import io
from pathlib import Path

from qingdan.workbooks.model import FileFault, ReadingLimits
from qingdan.workbooks.sheets import RawSheet

_SAVE_AGAIN = "请在 Excel 或 WPS 中打开，另存为“CSV UTF-8”或 .xlsx"


def decoded(data: bytes) -> str:
    """The text of a file in UTF-8, UTF-16 or GB18030; raise FileFault when it is none of them."""
    for mark, encoding in ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if data.startswith(mark):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError as error:
                line = _line(data, error.start)
                raise FileFault(f"第 {line} 行有坏字节，不是完整的 {encoding.upper()[:6]} 文本；{_SAVE_AGAIN}") from None
    if data[:4000].count(0) > len(data[:4000]) // 5:
        encoding = "utf-16-le" if data[1:4000:2].count(0) > data[0:4000:2].count(0) else "utf-16-be"
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            raise FileFault(f"不是文本文件；{_SAVE_AGAIN}") from None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        bad = error.start
    if b"\0" in data[:4000]:
        raise FileFault(f"不是文本文件；{_SAVE_AGAIN}")
    good = data[:bad]
    if len(good.decode("utf-8", "ignore")) <= len(good) - 60:
        # Dozens of well-formed UTF-8 characters before the first bad byte: no GBK text looks like that.
        raise FileFault(f"第 {_line(data, bad)} 行有坏字节，不是完整的 UTF-8 文本；{_SAVE_AGAIN}")
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError as error:
        raise FileFault(f"看不出文字编码（第 {_line(data, error.start)} 行起既不是 UTF-8 也不是 GBK）；{_SAVE_AGAIN}") from None
    if any(ord(character) < 9 for character in text[:10_000]):
        raise FileFault(f"不是文本文件；{_SAVE_AGAIN}")
    return text


def _line(data: bytes, position: int) -> int:
    return data.count(b"\n", 0, position) + 1


def separator(text: str, suffix: str) -> str:
    """The separator that splits the first lines most evenly; a tab for .tsv, a comma when nothing speaks for another."""
    sample = [line for line in text[:20_000].splitlines() if line.strip()][:30]
    best, best_score = "\t" if suffix == ".tsv" else ",", 0
    for candidate in (",", "\t", ";"):
        counts = sorted(line.count(candidate) for line in sample)
        score = counts[len(counts) // 2] * 100 + counts[-1] if counts else 0
        if score > best_score:
            best, best_score = candidate, score
    return best


def read_delimited(path: Path, limits: ReadingLimits) -> RawSheet:
    """The filled rows of a csv or tsv file, each with its first physical line; raise FileFault when it cannot be read."""
    text = decoded(path.read_bytes())
    if not text.strip("\ufeff \t\r\n,;"):
        raise FileFault("文件里没有内容；请检查是否选错了文件")
    if text[:500].lstrip("\ufeff \r\n\t").lower().startswith(("<html", "<!doctype", "<table", "<?xml")):
        raise FileFault("其实是网页或 XML，不是表格；请在 Excel 或 WPS 中打开，另存为 .xlsx")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator(text, path.suffix.lower()))
    sheet = RawSheet(None, [], [], delimited=True)
    last = 0
    try:
        for row in reader:
            line, end = last + 1, reader.line_num
            last = end
            if not any(row) or not "".join(row).strip():
                _blank(sheet, line, end)
                continue
            sheet.rows.append(row)  # type: ignore[arg-type]
            sheet.numbers.append(line)
            if end - line > 200:
                raise FileFault(f"第 {line} 行的引号没有成对；请补上引号，或另存为 .xlsx")
            if len(sheet.rows) > limits.max_rows:
                raise FileFault(f"超过 {limits.max_rows:,} 行；请分成几个文件，或改用 parquet")
    except csv.Error as error:
        reason = "有一格过长，多半是引号没有成对" if "field larger" in str(error) else f"不是合格的 CSV（{error}）"
        raise FileFault(f"第 {last + 1} 行{reason}；请改正，或另存为 .xlsx") from None
    _pad(sheet)
    return sheet


def _blank(sheet: RawSheet, first: int, last: int) -> None:
    if sheet.blank_runs and sheet.blank_runs[-1][1] == first - 1:
        first = sheet.blank_runs.pop()[0]
    sheet.blank_runs.append((first, last))


def _pad(sheet: RawSheet) -> None:
    width = sheet.width
    for row in sheet.rows:
        if len(row) < width:
            row.extend([""] * (width - len(row)))
    if sheet.numbers and sheet.blank_runs and sheet.blank_runs[-1][0] > sheet.numbers[-1]:
        sheet.blank_runs.pop()
