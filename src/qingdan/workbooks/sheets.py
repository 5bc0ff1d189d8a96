"""Raw sheets: the filled rows of one worksheet or csv file, before anything is understood."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class RawSheet:
    """The filled rows of a sheet. Empty cells are ``""``; positions count from ``first_column``."""

    #: None for a csv file.
    name: str | None
    rows: list[list[object]]
    #: 1-based row (or csv line) of each row.
    numbers: list[int]
    #: Position 0 is this column of the sheet, counted from zero.
    first_column: int = 0
    #: First and last row (1-based) of each run of blank rows between filled ones.
    blank_runs: list[tuple[int, int]] = field(default_factory=list)
    #: (first row, first position, last row, last position), rows 1-based, both ends included.
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    from_1904: bool = False
    hidden: bool = False
    #: A csv file, where a comma without quotes shifts a row.
    delimited: bool = False

    _texts: dict[int, set[str]] = field(default_factory=dict, repr=False)

    def texts(self, position: int) -> set[str]:
        """The distinct texts at a position of all rows."""
        if position not in self._texts:
            self._texts[position] = {row[position] for row in self.rows if row[position].__class__ is str}  # type: ignore[misc]
        return self._texts[position]

    @property
    def width(self) -> int:
        """Number of positions of the widest row."""
        return max(map(len, self.rows), default=0)


def column_letters(position: int) -> str:
    """0 -> A, 26 -> AA."""
    letters = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
