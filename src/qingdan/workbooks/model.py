"""What reading a set of spreadsheets yields: tables of typed facts, and everything that is not in them, with the reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ReadingLimits:
    """Bounds that protect the reader from hostile or runaway files; sizes in bytes."""

    #: A file as it lies on the disk.
    max_file_bytes: int = 300 * 1024 * 1024
    #: All parts of a zipped workbook together, unpacked.
    max_uncompressed_bytes: int = 600 * 1024 * 1024
    #: Unpacked size over packed size, for parts larger than ``ratio_from_bytes``.
    max_ratio: int = 200
    ratio_from_bytes: int = 20 * 1024 * 1024
    #: Rows of one sheet or csv file.
    max_rows: int = 1_048_576
    #: Cells of the rectangle that holds all values of one sheet.
    max_cells: int = 60_000_000


@dataclass
class Table:
    """One recognised table. All lists are equally long, one entry a record.

    Values by column type: text, category (its code) and class are ``str``; integer (in the column's unit), money (fen), clock
    (minutes since midnight) and grade are ``int``; date is ``datetime.date``; boolean is ``bool``; missing or unreadable is None.
    """

    kind: str
    file: str
    #: None for a csv file.
    sheet: str | None
    #: 1-based row of the (lowest) header row.
    header_row: int
    columns: dict[str, list[object]]
    #: 1-based row in the sheet, or line in a csv file, of each record.
    rows: list[int]
    #: Columns that the table has: from a header, a title value, or read from a present column.
    present: frozenset[str]


@dataclass
class ParquetTable:
    """Parquet files of one kind and one schema, left on the disk for the engine to scan."""

    kind: str
    files: list[str]
    #: Vocabulary column -> column name in the files.
    columns: dict[str, str]
    present: frozenset[str]
    row_count: int


@dataclass(frozen=True)
class Unreadable:
    """Something that should have been read and could not be; ``reason`` is Chinese and says what to do."""

    file: str
    sheet: str | None
    row: int | None
    #: The header as the file writes it.
    column: str | None
    #: The cell as it stands in the file.
    value: str
    reason: str


@dataclass(frozen=True)
class Skipped:
    """Rows, columns, sheets or files that hold no records; listed so that nothing is silently dropped."""

    file: str
    sheet: str | None
    first_row: int | None
    last_row: int | None
    what: str


@dataclass
class Reading:
    """Everything that came out of the input."""

    tables: list[Table | ParquetTable] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


class InputError(Exception):
    """The whole input cannot be used; ``problems`` are Chinese sentences, each with its file and remedy."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems: list[str] = list(problems)
        super().__init__("\n".join(self.problems))


class FileFault(Exception):
    """One file cannot be used; the message is Chinese and says what to do."""


class Unread(Exception):
    """One cell cannot be read; the message is Chinese and says what to do."""


@dataclass(frozen=True)
class Fault:
    """Stands in a raw cell whose content is known to be unusable: a formula without a result, an error value."""

    value: str
    reason: str
