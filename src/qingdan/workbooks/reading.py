"""Reading files and folders into tables of typed facts, one file's faults never stopping the others."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from qingdan.policy.sources import nearest
from qingdan.policy.vocabulary import Vocabulary
from qingdan.workbooks.cells import Converters
from qingdan.workbooks.classes import Classes
from qingdan.workbooks.dates import DateContext, hints_in
from qingdan.workbooks.delimited import read_delimited
from qingdan.workbooks.excel import read_workbook
from qingdan.workbooks.guards import SUFFIXES, check_file, container_of
from qingdan.workbooks.headers import HeaderIndex, Layout
from qingdan.workbooks.model import FileFault, InputError, Reading, ReadingLimits, Skipped, Unreadable
from qingdan.workbooks.parquetfiles import Schemas, read_parquet
from qingdan.workbooks.regions import FIRST_ROWS, Finder, Region, row_class
from qingdan.workbooks.sheets import RawSheet
from qingdan.workbooks.tables import TableReader
from qingdan.workbooks.titles import texts_of, units_in

Progress = Callable[[str, int, int], None]


def read(
    paths: Sequence[Path],
    vocabulary: Vocabulary,
    *,
    kinds: Mapping[Path, str] = {},
    grade_names: Mapping[str, int],
    progress: Progress | None = None,
    limits: ReadingLimits = ReadingLimits(),  # noqa: B008 - frozen
) -> Reading:
    """Read spreadsheets, csv and parquet files, and folders of them, into typed tables.

    ``kinds``: files (or folders) whose fact kind is given. ``grade_names``: a layer's names of grades (``{"初一": 7}``).
    ``progress`` is called with the file at work, and the bytes done and in all.
    What cannot be read is listed in the result; raise InputError when nothing of the input can be used.
    """
    unknown = [name for name in kinds.values() if name not in {kind.name for kind in vocabulary.recorded_kinds}]
    if unknown:
        known = [kind.name for kind in vocabulary.recorded_kinds]
        raise InputError([f"没有“{name}”这一种表{nearest(name, known)}" for name in dict.fromkeys(unknown)])
    reader = _Reader(vocabulary, kinds, Classes(grade_names), limits)
    reader.run(paths, progress)
    return reader.reading


@dataclass
class _Reader:
    vocabulary: Vocabulary
    kinds: Mapping[Path, str]
    classes: Classes
    limits: ReadingLimits
    reading: Reading = field(default_factory=Reading)
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.index = HeaderIndex(self.vocabulary)
        self.converters = Converters(self.vocabulary, self.classes)
        self.seen: dict[tuple[str, str | None], str] = {}
        self.sizes: Counter[int] = Counter()
        self.schemas: Schemas = {}
        #: Sheets without a known header that are listed as skipped; told as the fault when there is no table at all.
        self.headless: list[Unreadable] = []

    def run(self, paths: Sequence[Path], progress: Progress | None) -> None:
        files = [(file, self.kinds.get(path, self.kinds.get(file))) for path in paths for file in self._files(path)]
        sizes = [file.stat().st_size if file.is_file() else 0 for file, _ in files]
        self.sizes.update(sizes)
        total, done = sum(sizes), 0
        for (file, forced), size in zip(files, sizes, strict=True):
            if progress:
                progress(str(file), done, total)
            self._one(file, forced)
            done += size
            if progress:
                progress(str(file), done, total)
        if not self.reading.tables:
            told = [*self.problems, *(_told(one) for one in self.reading.unreadable if _told(one) not in self.problems)]
            told = told or [_told(one) for one in self.headless]
            raise InputError(told or ["没有可读的内容；请给出 .xlsx、.csv 或 .parquet 文件，或含有它们的文件夹"])

    def _files(self, path: Path) -> Iterator[Path]:
        """The file itself, or every table file of a folder in order; what is passed over is listed."""
        if not path.is_dir():
            if path.name.startswith("~$"):
                self._pass_over(path, "Excel 的临时锁文件")
            else:
                yield path
            return
        found = 0
        for file in sorted(one for one in path.rglob("*") if one.is_file()):
            if file.name.startswith((".", "~$")):
                self._pass_over(file, "隐藏文件或 Excel 的临时锁文件")
            elif any(part.startswith(".") for part in file.relative_to(path).parts):
                self._pass_over(file, "隐藏文件夹里的文件")
            elif file.suffix.lower() not in SUFFIXES:
                self._pass_over(file, "不是表格文件")
            else:
                found += 1
                yield file
        if not found:
            self._fault(str(path), "文件夹里没有表格文件；请放入 .xlsx、.csv 或 .parquet 文件")

    def _pass_over(self, file: Path, what: str) -> None:
        self.reading.skipped.append(Skipped(str(file), None, None, None, what))

    def _fault(self, file: str, reason: str) -> None:
        self.reading.unreadable.append(Unreadable(file, None, None, None, "", reason))
        self.problems.append(f"{file}：{reason}")

    def _one(self, path: Path, forced: str | None) -> None:
        file = str(path)
        try:
            check_file(path, self.limits)
            if self._seen_before(path, file, forced):
                return
            self._by_container(path, file, forced)
        except FileFault as fault:
            self._fault(file, str(fault))

    def _seen_before(self, path: Path, file: str, forced: str | None) -> bool:
        """Whether a file has the content of an earlier one; only files of equal size are read for it."""
        if self.sizes[path.stat().st_size] < 2:
            return False
        with path.open("rb") as stream:
            key = (hashlib.file_digest(stream, "sha256").hexdigest(), forced)
        if key in self.seen:
            self._pass_over(path, f"与 {self.seen[key]} 内容相同，只读一次")
            return True
        self.seen[key] = file
        return False

    def _by_container(self, path: Path, file: str, forced: str | None) -> None:
        container = container_of(path)
        suffix = path.suffix.lower()
        if container == "parquet":
            read_parquet(path, file, self.index, forced, self.reading, self.schemas)
        elif container in ("zip", "ole", "biff"):
            for sheet in read_workbook(path, container, self.limits):
                self._sheet(sheet, file, forced)
        elif suffix in (".xlsx", ".xlsm", ".ods", ".parquet"):
            raise FileFault(f"不是真正的 {suffix} 文件，或已损坏；请在 Excel 或 WPS 中打开后另存为 .xlsx")
        else:
            self._sheet(read_delimited(path, self.limits), file, forced)

    def _sheet(self, sheet: RawSheet, file: str, forced: str | None) -> None:
        if not sheet.rows:
            self.reading.skipped.append(Skipped(file, sheet.name, None, None, "空工作表"))
            return
        finder = Finder(sheet, self.index, file, forced)
        regions, nearest_row = finder.regions()
        if not regions:
            first, last = sheet.numbers[0], sheet.numbers[-1]
            if nearest_row is None and (sheet.hidden or not _holds_a_table(sheet)):
                what = "隐藏的工作表，里面没有认得的表头" if sheet.hidden else "只有文字说明的工作表"
                self.reading.skipped.append(Skipped(file, sheet.name, first, last, what))
                self.headless.append(Unreadable(file, sheet.name, None, None, "", _unrecognised([], forced)))
            else:
                reason = _unrecognised(nearest_row.near if nearest_row else [], forced)
                row = sheet.numbers[nearest_row.last] if nearest_row else None
                self.reading.unreadable.append(Unreadable(file, sheet.name, row, None, "", reason))
            return
        for first, last in sheet.blank_runs:
            self.reading.skipped.append(Skipped(file, sheet.name, first, last, "空行"))
        titles: list[str] = []
        for region in regions:
            own = texts_of(sheet.rows[region.titles_from : region.header_from])
            titles = [*own, *titles]
            self._titles(sheet, file, region)
            self._region(sheet, file, region, titles)
        self.reading.skipped[:] = _joined(self.reading.skipped)

    def _titles(self, sheet: RawSheet, file: str, region: Region) -> None:
        for index in range(region.titles_from, region.header_from):
            number = sheet.numbers[index]
            self.reading.skipped.append(Skipped(file, sheet.name, number, number, "标题行"))

    def _region(self, sheet: RawSheet, file: str, region: Region, titles: list[str]) -> None:
        if region.layout is None:
            row = sheet.numbers[region.header_from]
            last = sheet.numbers[region.end - 1] if region.end > region.header + 1 else sheet.numbers[region.header]
            reason = f"第 {row} 至 {last} 行：" + _unrecognised(region.near, None)
            self.reading.unreadable.append(Unreadable(file, sheet.name, row, None, "", reason))
            return
        notes = _notes(sheet, region)
        sources = [titles, notes, [sheet.name] if sheet.name else [], [Path(file).stem]]
        context = DateContext(tuple(hints for texts in sources if (hints := hints_in(texts))), sheet.from_1904)
        name = region.layout.kind.name
        given = self.index.given_columns(name, region.given)
        words = self.index.kinds[name]
        reader = TableReader(sheet, file, region, region.layout, words, self.converters, context, given, units_in(titles))
        table = reader.read()
        self.reading.unreadable.extend(reader.unreadable)
        self.reading.skipped.extend(reader.skipped)
        if table is not None:
            self.reading.tables.append(table)


def _notes(sheet: RawSheet, region: Region) -> list[str]:
    """The texts of note and signature rows under a table, which may name its year."""
    found: list[str] = []
    for index in range(max(region.header + 1, region.end - 10), region.end):
        first = next((cell for cell in sheet.rows[index] if cell != ""), None)
        if row_class(first) in ("说明", "签字行"):
            found.extend(texts_of([sheet.rows[index]]))
    return found


def _holds_a_table(sheet: RawSheet) -> bool:
    """Whether a sheet looks like data: two rows or more with three cells or more filled."""
    wide = (row for row in sheet.rows if sum(1 for cell in row if cell != "") >= 3)
    return next(wide, None) is not None and next(wide, None) is not None


def _unrecognised(near: list[Layout], forced: str | None) -> str:
    if not near or not near[0].columns:
        return f"前 {FIRST_ROWS} 行里没有认得的表头；请检查表头用词，或用 kind=路径 指定是哪一种表"
    best = near[0]
    missing = best.missing()
    if forced is None and len(near) > 1 and not missing:
        labels = "”和“".join(one.kind.label for one in near[:3] if not one.missing())
        return f"分不清是“{labels}”中的哪一种表；请用 kind=路径 指定"
    lacking = f"，缺少列：{'、'.join(missing)}" if missing else ""
    return f"认不出是哪一种表；最接近“{best.kind.label}”{lacking}。请补上这些列或改用常用的列名，也可用 kind=路径 指定"


def _told(one: Unreadable) -> str:
    sheet = f"（{one.sheet}）" if one.sheet else ""
    return f"{one.file}{sheet}：{one.reason}"


def _joined(skipped: list[Skipped]) -> list[Skipped]:
    """Neighbouring blank or title rows as one entry, in the order of the rows."""
    joined: list[Skipped] = []
    for one in skipped:
        before = joined[-1] if joined else None
        if (
            before is not None
            and one.what in ("空行", "标题行", "没有填写内容的行", "说明")
            and (before.file, before.sheet, before.what) == (one.file, one.sheet, one.what)
            and before.last_row is not None
            and one.first_row == before.last_row + 1
        ):
            joined[-1] = Skipped(one.file, one.sheet, before.first_row, one.last_row, one.what)
        else:
            joined.append(one)
    return joined
