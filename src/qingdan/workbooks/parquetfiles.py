"""Parquet files: recognised by their column names and left where they are."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from qingdan.policy.vocabulary import Column
from qingdan.workbooks.guards import BROKEN
from qingdan.workbooks.headers import HeaderIndex, header_cell
from qingdan.workbooks.model import FileFault, ParquetTable, Reading, Skipped, Unreadable

#: Kind and (column, name in the file, type) of each -> the table that gathers such files.
Schemas = dict[tuple[str, tuple[tuple[str, str, str], ...]], ParquetTable]

_WANTED = {
    "integer": "整数",
    "money": "整数（分）",
    "clock": "整数（自零点起的分钟数）",
    "grade": "整数",
    "date": "日期",
    "boolean": "布尔",
}


def _fits(column: Column, kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_null(kind):
        return True
    match column.type:
        case "integer" | "money" | "clock" | "grade":
            return bool(pa.types.is_integer(kind))
        case "date":
            return bool(pa.types.is_date(kind))
        case "boolean":
            return bool(pa.types.is_boolean(kind))
        case _:
            return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def read_parquet(path: Path, file: str, index: HeaderIndex, forced: str | None, reading: Reading, schemas: Schemas) -> None:
    """Add one parquet file to the reading, joined with earlier files of the same schema; raise FileFault when it is broken."""
    try:
        parquet = pq.ParquetFile(path)
        schema, count = parquet.schema_arrow, parquet.metadata.num_rows
        parquet.close()
    except (pa.ArrowException, OSError):
        raise FileFault(BROKEN.replace("在 Excel 或 WPS 中打开修复后另存为 .xlsx，或请", "")) from None
    cells = [header_cell(name) for name in schema.names]
    layout, near = index.recognise(cells, {}, path.stem, forced)
    if layout is None:
        raise FileFault(_unrecognised(near[0].kind.label, near[0].missing()) if near else "没有认得的列名；请用词汇表里的列名")
    columns: dict[str, str] = {}
    for name, position in layout.at.items():
        column, field = layout.kind.columns[name], schema.field(position)
        if _fits(column, field.type):
            columns[name] = field.name
        else:
            wanted = _WANTED.get(column.type, "文字")
            reading.unreadable.append(
                Unreadable(file, None, None, field.name, str(field.type), f"列的类型应当是{wanted}；请转换后重新导出，这一列没有读")
            )
    for position in layout.unknown:
        reading.skipped.append(Skipped(file, None, None, None, f"不认识的列“{schema.names[position]}”"))
    types = tuple((name, own, str(schema.field(own).type)) for name, own in columns.items())
    table = schemas.get((layout.kind.name, types))
    if table is None:
        table = schemas[layout.kind.name, types] = ParquetTable(layout.kind.name, [], columns, frozenset(columns), 0)
        reading.tables.append(table)
    table.files.append(file)
    table.row_count += count


def _unrecognised(label: str, missing: list[str]) -> str:
    return f"认不出是哪一种表；最接近“{label}”，缺少列：{'、'.join(missing) or '（与别的表分不清）'}。请补上，或用 kind=路径 指定"
