"""From one table's rows to columns of typed values, with a list of what could not be read."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from qingdan.policy.vocabulary import Column
from qingdan.workbooks.cells import Converters, Memo, as_written, uniform
from qingdan.workbooks.classes import written
from qingdan.workbooks.clocks import split_range
from qingdan.workbooks.dates import DateContext
from qingdan.workbooks.headers import KindWords, Layout, is_idle
from qingdan.workbooks.model import Skipped, Table, Unread, Unreadable
from qingdan.workbooks.quantities import UNIT_WORDS
from qingdan.workbooks.regions import Region, is_total_word, row_class
from qingdan.workbooks.sheets import RawSheet, column_letters
from qingdan.workbooks.text import dashed, shown, squeeze


@dataclass
class TableReader:
    """Reads one region of a sheet into a Table; ``unreadable`` and ``skipped`` fill up on the way."""

    sheet: RawSheet
    file: str
    region: Region
    layout: Layout
    words: KindWords
    converters: Converters
    context: DateContext
    given: dict[str, str]
    #: Units that the titles give for the whole table, such as 万元.
    units: Sequence[str] = ()
    unreadable: list[Unreadable] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def read(self) -> Table | None:
        """The table with every record that has something in a key column; None when no record is left."""
        self._headers()
        rows, numbers, grouping = self._records()
        columns = self._columns(rows, numbers)
        if grouping:
            keep = [index for index in range(len(rows)) if index not in grouping]
            numbers = [numbers[index] for index in keep]
            columns = {name: [values[index] for index in keep] for name, values in columns.items()}
        numbers, columns = self._with_keys(columns, numbers)
        self.unreadable.sort(key=lambda one: one.row or 0)
        self.skipped.sort(key=lambda one: one.first_row or 0)
        header_row = self.sheet.numbers[self.region.header]
        present = frozenset(columns)
        return Table(self.layout.kind.name, self.file, self.sheet.name, header_row, columns, numbers, present)

    # --- what the header says -------------------------------------------------------------------------------------

    def _headers(self) -> None:
        row = self.sheet.numbers[self.region.header]
        for position, name in self.layout.repeated.items():
            label = self.layout.kind.columns[name].label
            self._bad(row, position, self._raw(position), f"“{label}”在表头里出现了两次，只读第一处；请改名或删去多余的一列")
        for position, name in self.layout.loose.items():
            self._skip(row, row, f"列“{self._raw(position)}”按“{self.layout.kind.columns[name].label}”读")
        for position in self.layout.unknown:
            cell = self.region.cells[position]
            assert cell is not None
            if is_idle(cell):
                self._skip(row, row, f"没有用到的列“{cell.raw}”")
            else:
                self._skip(row, row, f"不认识的列“{cell.raw}”{self.words.hint(cell, self.layout.columns)}")
        for position, cell in enumerate(self.region.cells):
            below = self.sheet.rows[self.region.header + 1 : self.region.end]
            if cell is None and not self.sheet.delimited and any(one[position] != "" for one in below[:5000]):
                self._skip(row, row, f"第 {column_letters(self.sheet.first_column + position)} 列没有表头，没有读")

    def _raw(self, position: int) -> str:
        cell = self.region.cells[position]
        return cell.raw if cell else ""

    def _unit(self, position: int, column: Column) -> str | None:
        """The unit of a column's bare numbers: its header's, else one that the titles give and that fits."""
        cell = self.region.cells[position]
        if cell is not None and cell.unit:
            return cell.unit
        words = UNIT_WORDS.get("fen" if column.type == "money" else column.unit or "", {})
        return next((unit for unit in self.units if unit in words), None)

    def _bad(self, row: int | None, position: int | None, value: str, reason: str) -> None:
        column = None if position is None else self._raw(position)
        self.unreadable.append(Unreadable(self.file, self.sheet.name, row, column, value, reason))

    def _skip(self, first: int, last: int, what: str) -> None:
        self.skipped.append(Skipped(self.file, self.sheet.name, first, last, what))

    # --- which rows are records -----------------------------------------------------------------------------------

    @property
    def _positions(self) -> list[int]:
        return [*self.layout.at.values(), *self.layout.pairs]

    def _records(self) -> tuple[list[list[object]], list[int], set[int]]:
        """The rows that are records, their numbers, and the indexes of rows that only carry a value down."""
        first, last = self.region.header + 1, self.region.end
        odd = self._odd_rows(first, last)
        rows, numbers = self.sheet.rows[first:last], self.sheet.numbers[first:last]
        if not odd:
            return rows, numbers, set()
        keep: list[int] = []
        grouping: set[int] = set()
        for index in range(len(rows)):
            what = odd.get(first + index)
            if what == "分组行":
                grouping.add(len(keep))
                self._skip(numbers[index], numbers[index], "只写了分组名称的行（其值用于下面各行）")
            elif what is not None:
                if what:
                    self._skip(numbers[index], numbers[index], what)
                continue
            keep.append(index)
        return [rows[index] for index in keep], [numbers[index] for index in keep], grouping

    def _odd_rows(self, first: int, last: int) -> dict[int, str]:
        """Index of each row that is no record -> what it is; empty text when it is listed already."""
        odd: dict[int, str] = {}
        rows = self.sheet.rows
        positions = self._positions
        suspects: set[int] = set()
        for position in range(self.sheet.width):
            signs = {
                text
                for text in self.sheet.texts(position)
                if text and (text[0] in _ODD_STARTS or "计" in text or "总" in text or "均" in text) and _is_odd(text)
            }
            if signs:
                suspects.update(index for index in range(first, last) if rows[index][position] in signs)
        repeating = sum(1 for name in self.layout.columns if self.layout.kind.columns[name].repeats)
        spare = max(2, repeating) + self.sheet.width - len(positions)
        width = self.sheet.width
        if spare >= width:
            suspects.update(range(first, last))
        else:
            least_empty = width - spare
            suspects.update(index for index in range(first, last) if rows[index].count("") >= least_empty)
        if self.sheet.delimited:
            suspects.update(self._overlong(first, last))
        for index in sorted(suspects):
            what = self._what_is(index)
            if what is not None:
                odd[index] = what
        return odd

    def _overlong(self, first: int, last: int) -> list[int]:
        end = max((position for position, cell in enumerate(self.region.cells) if cell is not None), default=-1) + 1
        return [index for index in range(first, last) if any(self.sheet.rows[index][end:])] if end < self.sheet.width else []

    def _what_is(self, index: int) -> str | None:
        row = self.sheet.rows[index]
        filled = [position for position, cell in enumerate(row) if cell != "" and not (isinstance(cell, str) and not cell.strip())]
        if not filled:
            return "空行"
        what = row_class(row[filled[0]])
        if what == "合计行" or any(is_total_word(row[position]) for position in filled):
            return "合计行"
        if what is not None and (len(filled) * 2 <= len(self._positions) or len(filled) <= 2):
            return what
        if self.sheet.delimited and self._overlong(index, index + 1):
            end = max(position for position, cell in enumerate(self.region.cells) if cell is not None) + 1
            text = "多半是某一格里的逗号没有加引号；请给这一格加上双引号，或另存为 .xlsx"
            self._bad(self.sheet.numbers[index], None, ",".join(map(str, row)), f"这一行有 {filled[-1] + 1} 格，表头只有 {end} 格，{text}")
            return ""
        own = [position for position in self._positions if position in set(filled)]
        if not own:
            return "说明" if len(filled) == 1 and len(str(row[filled[0]])) > 12 else "没有填写内容的行"
        columns = self.layout.kind.columns
        repeats = {position for name, position in self.layout.at.items() if columns[name].repeats}
        if set(own) <= repeats and not set(self._positions) <= repeats:
            return self._heading(index, filled)
        if len(filled) == 1 and self._is_wide(index, filled[0]):
            return "说明"
        return None

    def _heading(self, index: int, filled: Sequence[int]) -> str | None:
        """What a row is that only fills columns whose values repeat downwards."""
        if len(filled) == 1 and self._is_wide(index, filled[0]):
            text = str(self.sheet.rows[index][filled[0]])
            name = next(name for name, position in self.layout.at.items() if position == filled[0])
            column = self.layout.kind.columns[name]
            memo = Memo(self.converters.of(column, self.context, self._unit(filled[0], column)))
            if memo[text] is None or (column.type in ("text", "class") and len(text) > 12):
                return "说明"
        return "分组行"

    def _is_wide(self, index: int, position: int) -> bool:
        number = self.sheet.numbers[index]
        return any(
            top <= number <= bottom and left <= position <= right and right - left >= 2 for top, left, bottom, right in self.sheet.merged
        )

    # --- the columns ----------------------------------------------------------------------------------------------

    def _columns(self, rows: list[list[object]], numbers: list[int]) -> dict[str, list[object]]:
        columns: dict[str, list[object]] = {}
        kind = self.layout.kind
        raw: dict[str, list[object]] = {}
        for name in kind.columns:
            if name in self.layout.at:
                raw[name] = uniform([row[self.layout.at[name]] for row in rows])
        for position, (start, end) in self.layout.pairs.items():
            both = self._filled_down(kind.columns[start], uniform([row[position] for row in rows]), position, numbers)
            columns[start], columns[end] = self._split(position, (start, end), both, numbers)
        for name, cells in raw.items():
            columns[name] = self._column(name, self.layout.at[name], cells, numbers)
        self._join_classes(raw, columns)
        self._from_titles(raw, columns, len(rows))
        self._read_from(raw, columns, numbers)
        return {name: columns[name] for name in kind.columns if name in columns}

    def _filled_down(self, column: Column, cells: list[object], position: int, numbers: list[int]) -> list[object]:
        """The cells with merged ones repeated, and in columns that repeat also those left empty below a value.

        A merged number stays in its first row: nobody can tell whether it holds for each row or for all together.
        """
        if "" not in cells:
            return cells
        if not column.repeats:
            return self._merged_down(column, cells, position, numbers)
        above: object = ""
        filled = []
        for cell in cells:
            if cell != "":
                above = cell
            filled.append(above)
        return filled

    def _merged_down(self, column: Column, cells: list[object], position: int, numbers: list[int]) -> list[object]:
        filled = cells
        for top, left, bottom, _ in self.sheet.merged:
            if left != position or bottom == top:
                continue
            start, end = bisect_left(numbers, top), bisect_right(numbers, bottom)
            if end - start < 2 or numbers[start] != top or cells[start] == "":
                continue
            if column.type in ("integer", "money"):
                reason = f"第 {top} 至 {bottom} 行合并成一格，分不清是每行都是这个数还是合计；请取消合并，每行填写"
                self._bad(numbers[start + 1], position, as_written(cells[start]), reason)
                continue
            filled = list(cells) if filled is cells else filled
            filled[start:end] = [cells[start] if cell == "" else cell for cell in cells[start:end]]
        return filled

    def _column(self, name: str, position: int, cells: list[object], numbers: list[int]) -> list[object]:
        column = self.layout.kind.columns[name]
        fractions = column.unit == "percent" and any(isinstance(cell, float) and 0 < abs(cell) < 1 for cell in cells)
        try:
            convert = self.converters.of(column, self.context, self._unit(position, column), self._raw(position), fractions=fractions)
        except Unread as unread:
            self._bad(self.sheet.numbers[self.region.header], position, self._raw(position), str(unread))
            return [None] * len(cells)
        memo = Memo(convert)
        filled = self._filled_down(column, cells, position, numbers)
        values = [memo[cell] for cell in filled]
        if memo.bad:
            self._list_bad(memo, position, cells, filled, numbers)
        return values

    def _list_bad(self, memo: Memo, position: int, cells: list[object], filled: list[object], numbers: list[int]) -> None:
        """One entry for each cell written in the file, with the number of rows below that repeat it."""
        if filled is cells:
            for number, cell in zip(numbers, cells, strict=True):
                if cell in memo.bad:
                    self._bad(number, position, as_written(cell), memo.bad[cell])
            return
        start = 0
        while start < len(cells):
            end = start + 1
            while end < len(cells) and cells[end] == "":
                end += 1
            if filled[start] in memo.bad:
                reached = sum(1 for cell in filled[start + 1 : end] if cell == filled[start])
                below = f"（下面 {reached} 行沿用这一格，也没有读到）" if reached else ""
                self._bad(numbers[start], position, as_written(filled[start]), memo.bad[filled[start]] + below)
            start = end

    def _split(self, position: int, names: tuple[str, str], cells: list[object], numbers: list[int]) -> tuple[list[object], list[object]]:
        """Two columns from cells such as ``18:30-20:30``."""
        columns = [self.layout.kind.columns[name] for name in names]
        start, end = (self.converters.of(column, self.context) for column in columns)

        def both(cell: object) -> object:
            if isinstance(cell, str):
                parts = split_range(cell) if columns[0].type == "clock" else _split_days(cell)
                if parts is not None:
                    return start(parts[0]), end(parts[1])
            sample = "18:30-20:30" if columns[0].type == "clock" else "2026-09-01至2026-12-15"
            raise Unread(f"这一列要写起止两个{'时间' if columns[0].type == 'clock' else '日期'}，请写成 {sample} 的样子")

        memo = Memo(both)
        pairs = [memo[cell] for cell in cells]
        if memo.bad:
            self._list_bad(memo, position, cells, cells, numbers)
        found = [pair if isinstance(pair, tuple) else (None, None) for pair in pairs]
        return [pair[0] for pair in found], [pair[1] for pair in found]

    def _join_classes(self, raw: dict[str, list[object]], columns: dict[str, list[object]]) -> None:
        """``2班`` under 班级 and ``三年级`` under 年级 together are 三（2）班."""
        kinds = self.layout.kind.columns
        for name, column in kinds.items():
            if column.type != "class" or name not in raw:
                continue
            grades = next((columns[other] for other in raw if kinds[other].type == "grade"), None)
            if grades is None:
                continue
            alone = self.converters.classes.number_alone
            numbers = {value: alone(str(value)) for value in set(columns[name]) if value is not None}
            if any(numbers.values()):
                columns[name] = [
                    written(grade, number) if isinstance(grade, int) and (number := numbers.get(value)) else value
                    for value, grade in zip(columns[name], grades, strict=True)
                ]

    def _from_titles(self, raw: dict[str, list[object]], columns: dict[str, list[object]], count: int) -> None:
        """Values above the table, for columns that it does not fill itself."""
        for name, text in self.given.items():
            memo = Memo(self.converters.of(self.layout.kind.columns[name], self.context))
            value = memo[text]
            if text in memo.bad and name in self.layout.columns:
                continue
            if text in memo.bad:
                label = self.layout.kind.columns[name].label
                row = self.sheet.numbers[self.region.titles_from]
                self.unreadable.append(Unreadable(self.file, self.sheet.name, row, label, text, memo.bad[text]))
            if name not in columns:
                columns[name] = [value] * count
            elif name in raw and all(cell == "" for cell in raw[name]):
                # Only a column left wholly empty: an unreadable cell must not become the title's value.
                columns[name] = [value] * count

    def _read_from(self, raw: dict[str, list[object]], columns: dict[str, list[object]], numbers: list[int]) -> None:
        kinds = self.layout.kind.columns
        for name, column in kinds.items():
            source = column.read_from
            if source is None or source not in columns:
                continue
            own = columns.get(name)
            if own is not None and None not in own:
                continue
            texts = columns[source]
            memo = Memo(self.converters.classes.grade_within if column.type == "grade" else self.converters.of(column, self.context))
            derived = [memo[text] for text in texts]
            empty = [True] * len(texts) if name not in raw else [cell == "" for cell in raw[name]]
            if own is not None:
                derived = [new if old is None and blank else old for old, new, blank in zip(own, derived, empty, strict=True)]
            columns[name] = derived
            if column.type == "grade" and kinds[source].type == "class" and None in derived:
                position = self.layout.at.get(source)
                for number, text, value, blank in zip(numbers, texts, derived, empty, strict=True):
                    if value is None and blank and text is not None:
                        self._bad(number, position, shown(text), "从班级名称看不出年级；请写成 三（2）班 的样子")

    def _with_keys(self, columns: dict[str, list[object]], numbers: list[int]) -> tuple[list[int], dict[str, list[object]]]:
        """Without the records that have nothing readable in any key column."""
        written_here = [columns[name] for name in self.layout.kind.key if name in columns and name in self.layout.columns]
        if not written_here or all(None in values for values in written_here) is False:
            return numbers, columns
        empty = [index for index, values in enumerate(zip(*written_here, strict=True)) if not any(value is not None for value in values)]
        if not empty:
            return numbers, columns
        labels = "、".join(self.layout.kind.columns[name].label for name in self.layout.kind.key if name in self.layout.columns)
        for index in empty:
            self._bad(numbers[index], None, "", f"{labels}都没有填写或读不出，这一行没有作为记录；请补填")
        gone = set(empty)
        keep = [index for index in range(len(numbers)) if index not in gone]
        return [numbers[index] for index in keep], {name: [values[index] for index in keep] for name, values in columns.items()}


#: What such a text begins with, when it does not contain 计, 总 or 均.
_ODD_STARTS = frozenset("注备说填提温附※*★◆●审制经负复主分联校统核录单学机园法盖加公签(（0123456789 \t\r\n\u3000\xa0")


def _is_odd(text: str) -> bool:
    """Whether a text could open a total, signature, note or blank row."""
    return text.isspace() or row_class(text) is not None


def _split_days(text: str) -> tuple[str, str] | None:
    """``2026.9.1—2026.12.15`` as two texts; None when it is not two days."""
    plain = dashed(squeeze(text))
    for sign in ("至", "到"):
        if plain.count(sign) == 1:
            first, last = plain.split(sign)
            return first, last
    parts = plain.split("-")
    if len(parts) == 2:
        return parts[0], parts[1]
    if len(parts) == 6:
        return "-".join(parts[:3]), "-".join(parts[3:])
    return None
