"""Recognising header rows: which fact kind a table is of, and which column stands where."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from qingdan.policy.sources import nearest
from qingdan.policy.vocabulary import PLACE, PLACE_COLUMN, FactKind, Vocabulary
from qingdan.workbooks.quantities import HEADER_UNITS
from qingdan.workbooks.text import squeeze

_BRACKETS = re.compile(r"[(\[【〔<《{]([^()\[\]【】〔〕<>《》{}]*)[)\]】〕>》}]")
_MARKS = re.compile(r"^[*★※#]+|[*★※:]+$")
_TAIL = re.compile(r"[/,:、](" + "|".join(sorted(map(re.escape, HEADER_UNITS), key=len, reverse=True)) + r")(?:/.*)?$")
_BARE_TAIL = re.compile(r"(万元|千元|百元|元|分钟|小时|课时)$")
#: Headers of columns that no fact needs, passed over without a hint.
_IDLE = frozenset({"序号", "编号", "序", "no", "no.", "备注", "说明", "行号"})


@dataclass(frozen=True)
class HeaderCell:
    """One header cell: as written, its spellings to look up in order, and the unit it carries."""

    raw: str
    keys: tuple[str, ...]
    unit: str | None


def _unit_in(bracket: str) -> str | None:
    text = bracket.removeprefix("单位").lstrip(":").removeprefix("以").removesuffix("计").removesuffix("为单位")
    text = text.removeprefix("人民币").split("/")[0]
    return text if text in HEADER_UNITS else None


@lru_cache(maxsize=65_536)
def header_cell(raw: str) -> HeaderCell:
    """A cell's text taken as a header."""
    whole = _MARKS.sub("", squeeze(raw)).lower()
    keys = [whole]
    units = [unit for match in _BRACKETS.finditer(whole) if (unit := _unit_in(match[1]))]
    bare = _MARKS.sub("", _BRACKETS.sub("", whole))
    keys.append(bare)
    unit = units[0] if units else None
    if match := _TAIL.search(bare):
        keys.append(bare[: match.start()])
        unit = unit or match[1]
    elif unit is None and (match := _BARE_TAIL.search(bare)):
        keys.append(bare[: match.start()])
        unit = match[1]
    return HeaderCell(" ".join(raw.split()), tuple(key for key in dict.fromkeys(keys) if key), unit)


@dataclass
class Layout:
    """How one kind's columns lie in a header row."""

    kind: FactKind
    #: Column -> position in the row.
    at: dict[str, int] = field(default_factory=dict)
    #: Columns that share one cell such as 上课时间: position -> (start column, end column).
    pairs: dict[int, tuple[str, str]] = field(default_factory=dict)
    #: Positions of headers that repeat a column -> that column.
    repeated: dict[int, str] = field(default_factory=dict)
    #: Positions of headers that mean nothing here.
    unknown: list[int] = field(default_factory=list)
    #: Positions of headers that are no known word but hold one, and were read as its column.
    loose: dict[int, str] = field(default_factory=dict)

    @property
    def columns(self) -> set[str]:
        """The columns that the header names."""
        return {*self.at, *(name for pair in self.pairs.values() for name in pair)}

    def missing(self, given: Iterable[str] = ()) -> list[str]:
        """Labels of the columns that recognition needs and that are neither in the header nor given elsewhere."""
        have = self.columns | set(given)
        have |= {name for name, column in self.kind.columns.items() if column.read_from in have}
        groups = [group for group in self.kind.recognise if not any(name in have for name in group)]
        labels = {name: column.label for name, column in self.kind.columns.items()}
        return ["或".join(labels.get(name, name) for name in group[:3]) + ("等" if len(group) > 3 else "") for group in groups]


def _spellings(word: str) -> list[str]:
    """A vocabulary word as headers may write it: with its bracket, and without it when the bracket only holds a unit."""
    cell = header_cell(word)
    inside = _BRACKETS.search(cell.keys[0]) if cell.keys else None
    return [*cell.keys[:2]] if inside is None or _unit_in(inside[1]) else [cell.keys[0]]


class KindWords:
    """The header words of one fact kind."""

    def __init__(self, kind: FactKind) -> None:
        self.kind = kind
        self.words: dict[str, list[str]] = {}
        own = {key for name, column in kind.columns.items() for key in (*_spellings(column.label), name.lower())}
        for name, column in kind.columns.items():
            mine = {key for text in (column.label, name) for key in _spellings(text)}
            # A column's own label is never another column's synonym, except for headers shared by a start and an end.
            for key in mine | {key for word in column.headers for key in _spellings(word)}:
                if key in mine or key not in own:
                    self.words.setdefault(key, []).append(name)

    def columns_for(self, cell: HeaderCell) -> list[str]:
        """The columns that a header cell may mean, in the kind's order."""
        for key in cell.keys:
            if key in self.words:
                return self.words[key]
        return []

    def map(self, cells: Sequence[HeaderCell | None]) -> Layout:
        """The mapping of a header row; cells that name one column only go first."""
        mapping = Layout(self.kind)
        shared: list[tuple[int, list[str]]] = []
        for position, cell in enumerate(cells):
            if cell is None:
                continue
            names = self.columns_for(cell)
            if not names:
                mapping.unknown.append(position)
            elif len(names) > 1:
                shared.append((position, names))
            elif names[0] in mapping.at:
                mapping.repeated[position] = names[0]
            else:
                mapping.at[names[0]] = position
        for position, names in shared:
            self._place_shared(mapping, position, names)
        return mapping

    def _place_shared(self, mapping: Layout, position: int, names: list[str]) -> None:
        free = [name for name in names if name not in mapping.columns]
        types = {self.kind.columns[name].type for name in names}
        if len(names) == 2 and len(free) == 2 and types in ({"clock"}, {"date"}):
            mapping.pairs[position] = (names[0], names[1])
        elif free and not (len(names) == 2 and free == [names[1]] and types in ({"clock"}, {"date"})):
            mapping.at[free[0]] = position
        else:
            mapping.repeated[position] = names[0]

    def fill_loosely(self, mapping: Layout, cells: Sequence[HeaderCell | None]) -> Layout:
        """Read unknown headers that hold one known word of a free column (资金进入监管账户 holds 进入监管账户) as that column."""
        for position in list(mapping.unknown):
            cell = cells[position]
            name = self._held(cell, mapping) if cell is not None and not is_idle(cell) else None
            if name is not None:
                mapping.unknown.remove(position)
                mapping.at[name] = position
                mapping.loose[position] = name
        return mapping

    def _held(self, cell: HeaderCell, mapping: Layout) -> str | None:
        text = cell.keys[-1] if cell.keys else ""
        held = [(len(word), names[0], word) for word, names in self.words.items() if len(names) == 1 and len(word) >= 3 and word in text]
        if not held:
            return None
        most = max(held)[0]
        longest = {(name, word) for length, name, word in held if length == most}
        if len({name for name, _ in longest}) != 1:
            return None
        name, word = longest.pop()
        # 未使用示范文本 says the opposite of 使用示范文本.
        is_denied = any(letter in text.replace(word, "", 1) for letter in "未不非无没免除")
        return None if name in mapping.columns or is_denied else name

    def hint(self, cell: HeaderCell, taken: Iterable[str]) -> str:
        """``，是否想写“…”？`` with the nearest label or synonym of a column not yet there, or nothing."""
        gone = set(taken)
        known = [word for name, column in self.kind.columns.items() if name not in gone for word in (column.label, *column.headers)]
        return nearest(cell.keys[-1] if cell.keys else cell.raw, known).replace("；", "，")


def is_idle(cell: HeaderCell) -> bool:
    """Whether a header is one of those that every form has and no fact needs."""
    return any(key in _IDLE for key in cell.keys)


class HeaderIndex:
    """The header words of all recorded kinds."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.kinds: dict[str, KindWords] = {
            kind.name: KindWords(replace(kind, columns={**kind.columns, PLACE: PLACE_COLUMN})) for kind in vocabulary.recorded_kinds
        }
        self.words: frozenset[str] = frozenset(word for kind in self.kinds.values() for word in kind.words)
        self.title_words: frozenset[str] = frozenset(
            word
            for kind in self.kinds.values()
            for word, names in kind.words.items()
            if any(kind.kind.columns[name].in_title for name in names)
        )

    def knows(self, raw: str) -> bool:
        """Whether a text is a header word of any kind."""
        return any(key in self.words for key in header_cell(raw).keys)

    def recognise(
        self, cells: Sequence[HeaderCell | None], given: Mapping[str, str], context: str, forced: str | None = None
    ) -> tuple[Layout | None, list[Layout]]:
        """The one mapping whose kind has all that recognition needs and most columns, and all mappings with any column.

        ``given``: title words and values above the table; ``context``: titles and names that decide a tie by the kind's label.
        """
        if forced is not None:
            mapping = self.kinds[forced].fill_loosely(self.kinds[forced].map(cells), cells)
            return (mapping if mapping.columns else None), [mapping]
        found, near = self._best([kind.map(cells) for kind in self.kinds.values()], given, context)
        if found is not None:
            self.kinds[found.kind.name].fill_loosely(found, cells)
        return found, near

    def _best(self, mappings: Sequence[Layout], given: Mapping[str, str], context: str) -> tuple[Layout | None, list[Layout]]:
        near = sorted((one for one in mappings if one.columns), key=lambda one: (-len(one.columns), len(one.missing())))
        whole = [one for one in near if one.kind.recognise and not one.missing(self.given_columns(one.kind.name, given))]
        if not whole:
            return None, near
        most = max(len(one.columns) for one in whole)
        best = [one for one in whole if len(one.columns) == most]
        if len(best) > 1:
            named = [one for one in best if squeeze(one.kind.label) in context]
            return (named[0] if len(named) == 1 else None), best
        return best[0], near

    def given_columns(self, kind: str, given: Mapping[str, str]) -> dict[str, str]:
        """The kind's columns that title values fill, with their text."""
        words = self.kinds[kind]
        found: dict[str, str] = {}
        for label, value in given.items():
            for name in words.columns_for(header_cell(label)):
                if words.kind.columns[name].in_title:
                    found.setdefault(name, value)
        return found
