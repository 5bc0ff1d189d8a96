"""From real-life spreadsheets to typed facts: ``read`` and what it yields."""

from qingdan.workbooks.model import (
    InputError,
    ParquetTable,
    Reading,
    ReadingLimits,
    Skipped,
    Table,
    Unreadable,
)
from qingdan.workbooks.reading import read

__all__ = ["InputError", "ParquetTable", "Reading", "ReadingLimits", "Skipped", "Table", "Unreadable", "read"]
