"""Finding the tables in a sheet: header rows, the titles above each, and rows that are no records."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from qingdan.workbooks.headers import HeaderCell, HeaderIndex, Layout, header_cell
from qingdan.workbooks.sheets import RawSheet
from qingdan.workbooks.text import squeeze
from qingdan.workbooks.titles import texts_of, title_values

FIRST_ROWS = 30
_LONGEST_HEADER = 60
_OPENERS = frozenset(" \t\r\n\u3000\xa0\u200b\ufeff*＊★※#＃（(【[〔")


@dataclass
class Region:
    """One table of a sheet: indexes into the sheet's filled rows."""

    #: None for rows under a header that no kind, or more than one, answers to.
    layout: Layout | None
    cells: list[HeaderCell | None]
    #: First index of the title rows above, first and last index of the header rows, index after the last data row.
    titles_from: int
    header_from: int
    header: int
    end: int = 0
    #: Mappings that came near, when none fits.
    near: list[Layout] = field(default_factory=list)
    given: dict[str, str] = field(default_factory=dict)


@dataclass
class _Found:
    index: int
    last: int
    layout: Layout | None
    cells: list[HeaderCell | None]
    near: list[Layout]
    score: int
    rank: tuple[bool, int, int] = (False, 0, 0)


class Finder:
    """Finds the tables of one sheet."""

    def __init__(self, sheet: RawSheet, index: HeaderIndex, file: str, forced: str | None) -> None:
        self._sheet = sheet
        self._index = index
        self._forced = forced
        self._around = squeeze(f"{sheet.name or ''} {PurePath(file).stem}")
        self._words = index.words if forced is None else frozenset(index.kinds[forced].words)
        firsts = {word[0] for word in self._words}
        firsts |= {letter.upper() for letter in firsts}
        #: What a header word may begin with: cheap to ask of a hundred thousand texts.
        self._firsts = _OPENERS | firsts | {chr(ord(one) + 0xFEE0) for one in firsts if "!" <= one <= "~"}

    def regions(self) -> tuple[list[Region], _Found | None]:
        """The tables in order; with none, the row that came nearest to being a header."""
        scores = self._scores()
        chosen: list[_Found] = []
        nearest: _Found | None = None
        # Where the kind is given, one known word is enough for a header: then the row with most of them is it.
        taken = max(scores, key=lambda index: (scores[index], -index)) - 1 if self._forced and scores else -1
        for index in sorted(scores):
            if index <= taken or (not chosen and self._sheet.numbers[index] > FIRST_ROWS):
                continue
            after = chosen[-1].last + 1 if chosen else 0
            found = self._best(index, after)
            if found.layout is None and (nearest is None or found.score > nearest.score):
                nearest = found
            is_header = found.layout is not None and not (self._forced and chosen)
            if is_header or (chosen and self._headerlike(index, scores[index])):
                chosen.append(found)
                taken = found.last
        if not any(found.layout for found in chosen):
            return [], nearest
        return self._as_regions(chosen), nearest

    def _scores(self) -> dict[int, int]:
        """Filled row -> number of its cells that are header words, for rows with enough of them."""
        counts: dict[int, int] = {}
        rows = self._sheet.rows
        for position in range(self._sheet.width):
            firsts = self._firsts
            hits = {text for text in self._sheet.texts(position) if text and text[0] in firsts and self._is_word(text)}
            if hits:
                for index, row in enumerate(rows):
                    if row[position].__class__ is str and row[position] in hits:
                        counts[index] = counts.get(index, 0) + 1
        least = 1 if self._forced or self._sheet.width == 1 else 2
        wanted = {index: count for index, count in counts.items() if count >= least}
        return {index: count for index, count in wanted.items() if index < FIRST_ROWS or self._headerlike(index, count)}

    def _is_word(self, text: str) -> bool:
        if not text or len(text) > _LONGEST_HEADER:
            return False
        return any(key in self._words for key in header_cell(text).keys)

    def _headerlike(self, index: int, count: int) -> bool:
        filled = sum(1 for cell in self._sheet.rows[index] if cell != "")
        return (count >= 3 and count * 10 >= filled * 7) or (count == 2 and filled == 2)

    def _best(self, index: int, after: int) -> _Found:
        """The best reading of a row as a header, alone or together with the row above or below."""
        spans = [(index, index)]
        numbers = self._sheet.numbers
        if index + 1 < len(numbers) and numbers[index + 1] == numbers[index] + 1:
            spans.append((index, index + 1))
        if index - 1 >= after and numbers[index - 1] == numbers[index] - 1:
            spans.append((index - 1, index))
        best: _Found | None = None
        for first, last in spans:
            cells = self._cells(index) if first == last else self._double(first)
            if cells is None:
                continue
            given = self._given(after, first)
            context = self._around + "".join(squeeze(text) for text in texts_of(self._sheet.rows[after:first]))
            layout, near = self._index.recognise(cells, given, context, self._forced)
            score = len(layout.columns) if layout else max((len(one.columns) for one in near), default=0)
            found = _Found(first, last, layout, cells, near, score)
            # A second row with nothing but units adds no column, only what its figures count.
            found.rank = (layout is not None, score, sum(1 for cell in cells if cell and cell.unit))
            if best is None or found.rank > best.rank:
                best = found
        assert best is not None
        return best

    def _given(self, first: int, last: int) -> dict[str, str]:
        return title_values(self._sheet.rows[first:last], self._index.title_words)

    def _cells(self, index: int) -> list[HeaderCell | None]:
        return [header_cell(str(cell)) if isinstance(cell, str) and cell.strip() else None for cell in self._sheet.rows[index]]

    def _double(self, first: int) -> list[HeaderCell | None] | None:
        """The cells of a header over two rows, None when the lower row does not look like a part of one."""
        upper, lower = self._spread(first), self._sheet.rows[first + 1]
        below = [cell for cell in lower if isinstance(cell, str) and cell.strip()]
        if not below or any(not isinstance(cell, str) for cell in lower):
            return None
        cells: list[HeaderCell | None] = []
        known = 0
        for top, bottom in zip(upper, lower, strict=True):
            top_text = top.strip() if isinstance(top, str) else ""
            bottom_text = str(bottom).strip()
            options = [text for text in (top_text + bottom_text, bottom_text, top_text) if text]
            picked = next((text for text in options if self._is_word(text)), options[0] if options else None)
            if bottom_text and picked is not None and picked != top_text and self._is_word(picked):
                known += 1
            cells.append(header_cell(picked) if picked else None)
        return cells if known * 10 >= len(below) * 7 else None

    def _spread(self, index: int) -> list[object]:
        """A header row with merged cells repeated to the right."""
        row = list(self._sheet.rows[index])
        number = self._sheet.numbers[index]
        for top, left, bottom, right in self._sheet.merged:
            if top <= number <= bottom and right > left and left < len(row):
                row[left : right + 1] = [row[left]] * (min(right + 1, len(row)) - left)
        if not self._sheet.merged and self._sheet.delimited:
            lower = self._sheet.rows[index + 1]
            for position in range(1, len(row)):
                if row[position] == "" and lower[position] != "" and lower[position - 1] != "":
                    row[position] = row[position - 1]
        return row

    def _as_regions(self, chosen: Sequence[_Found]) -> list[Region]:
        regions: list[Region] = []
        for place, found in enumerate(chosen):
            end = chosen[place + 1].index if place + 1 < len(chosen) else len(self._sheet.rows)
            titles_from = 0 if not regions else self._titles_above(found.index, regions[-1].header + 1)
            if regions:
                regions[-1].end = titles_from
            given = self._given(titles_from, found.index)
            if regions:
                given = regions[-1].given | given
            regions.append(Region(found.layout, found.cells, titles_from, found.index, found.last, end, found.near, given))
        return regions

    def _titles_above(self, header: int, least: int) -> int:
        """The first of the rows directly above a later header that belong to it as its titles."""
        index = header
        while index > least and self._is_title(index - 1):
            index -= 1
        return index

    def _is_title(self, index: int) -> bool:
        filled = [cell for cell in self._sheet.rows[index] if cell != ""]
        if len(filled) > 4 or not all(isinstance(cell, str) for cell in filled):
            return False
        if row_class(filled[0]) is not None:
            return False
        wide = any(top <= self._sheet.numbers[index] <= bottom and right - left >= 2 for top, left, bottom, right in self._sheet.merged)
        return wide or len(filled) == 1 or any(":" in str(cell) or "：" in str(cell) for cell in filled)


_TOTAL = re.compile(
    r"(?:本?[页日周月班级]|全[校部班]|各班|.{1,8}(?:年级|班|学科|机构|月|日))?"
    r"(?:合计|小计|总计|共计|累计|平均值?|均值|合计数|总数)(?:[:(].*|\d.*|金额.*|人数.*|课时.*)?"
)
_TOTAL_WORDS = frozenset({"合计", "小计", "总计", "共计", "累计"})
_SIGNATURE = re.compile(
    r"(?:填报|填表|审核|制表|经办|负责|复核|审批|主管|分管|联系|校对|统计|核对|录入)(?:人|单位|部门|领导|日期|时间|电话)?(?:\(?签[字名章]\)?)?[:：].*"
    r"|(?:单位|学校|机构)?(?:负责人|校长|园长|主任|法人代表?)(?:\(?签[字名章]\)?)?[:：].*|(?:制表|审核|复核|经办)[:：]?.*(?:\(盖章\)|\(公章\))?"
    r"|\(?(?:单位|学校|加?盖)?(?:盖章|公章|签章|签字)(?:处)?\)?[:：]?.*"
)
_NOTE = re.compile(
    r"(?:注|备注|说明|填表说明|填报说明|填写说明|注意事项|注意|提示|温馨提示|附注)\d*[:.、].*|[※*★◆●].*|(?:填表|填报|填写)说明|\d+[.、].{12,}"
)


def row_class(cell: object) -> str | None:
    """``合计行``, ``签字行`` or ``说明`` by the first filled cell of a row, None for anything else."""
    if not isinstance(cell, str):
        return None
    text = squeeze(cell)
    if _TOTAL.fullmatch(text):
        return "合计行"
    if _SIGNATURE.fullmatch(text):
        return "签字行"
    return "说明" if _NOTE.fullmatch(text) else None


def is_total_word(cell: object) -> bool:
    """Whether a cell is exactly one of the words for a total."""
    return isinstance(cell, str) and squeeze(cell).rstrip(":") in _TOTAL_WORDS
