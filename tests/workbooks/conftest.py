from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from qingdan.workbooks import Reading, Table
from tests.workbooks.helpers import ReadRows, Rows, read_one, write_xlsx


@pytest.fixture
def read_rows(tmp_path: Path) -> ReadRows:
    """Writes rows into a workbook and reads its only table."""

    def _read(
        rows: Rows, name: str = "表.xlsx", sheet: str = "Sheet1", merged: Sequence[tuple[int, int, int, int]] = ()
    ) -> tuple[Table, Reading]:
        return read_one(write_xlsx(tmp_path / name, {sheet: rows}, merged))

    return _read
