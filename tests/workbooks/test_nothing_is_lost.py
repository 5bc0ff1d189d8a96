from __future__ import annotations

import re
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from qingdan.workbooks import InputError, Reading, Table, read
from tests.workbooks.helpers import GRADES, HEADER, VOCABULARY, item, write_xlsx

CELLS = st.sampled_from(
    [
        *HEADER,
        None,
        None,
        None,
        "",
        " ",
        20,
        1.5,
        "20分钟",
        "11月16日",
        "2026.11.16",
        "三（2）班",
        "合计",
        "小计",
        "学校：一小",
        "注：说明",
        "填报人：",
        "书面",
        "口头",
        "#N/A",
        "2月30日",
        "2026年11月",
        "一段很长很长的说明文字，没有什么用处",
        "机构",
        "合同编号",
        "金额",
        True,
        46342,
        "序号",
    ]
)
ROWS = st.lists(st.one_of(st.lists(CELLS, max_size=10), st.just(item()), st.just(item(None, None)), st.just(HEADER)), max_size=14)


def told(reading: Reading) -> set[int]:
    """Every row that the reading speaks of."""
    rows: set[int] = set()
    for table in reading.tables:
        if isinstance(table, Table):
            rows.update(table.rows)
            # A header may stand over two rows.
            rows.update((table.header_row, table.header_row - 1))
    for skip in reading.skipped:
        if skip.first_row is not None:
            assert skip.last_row is not None
            rows.update(range(skip.first_row, skip.last_row + 1))
    for one in reading.unreadable:
        if span := re.match(r"第 (\d+) 至 (\d+) 行：", one.reason):
            rows.update(range(int(span[1]), int(span[2]) + 1))
        elif one.row is not None:
            rows.add(one.row)
    return rows


@settings(deadline=None, max_examples=100)
@given(ROWS)
def test_every_filled_row_is_a_record_or_is_told(rows: list[list[object]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write_xlsx(Path(folder) / "表.xlsx", {"表": [["2026年"], *rows, HEADER, item(), item()]})
        try:
            reading = read([path], VOCABULARY, grade_names=GRADES)
        except InputError as error:
            # Only where headers further down than the thirtieth row are all there is.
            raise AssertionError(error.problems) from error
    filled = {number for number, row in enumerate(rows, 2) if any(cell is not None and str(cell).strip() for cell in row)}
    assert filled <= told(reading)
    for table in reading.tables:
        assert isinstance(table, Table)
        assert {len(values) for values in table.columns.values()} <= {len(table.rows)}
        assert table.rows == sorted(set(table.rows))
        assert set(table.columns) == table.present
