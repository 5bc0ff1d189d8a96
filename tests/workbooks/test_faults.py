from __future__ import annotations

import datetime
import io
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qingdan.workbooks import InputError, ParquetTable, ReadingLimits, read
from tests.workbooks.helpers import FIXTURES, GRADES, HEADER, VOCABULARY, item, read_one, write_xlsx

LINES = [",".join(HEADER), *(",".join(map(str, item(minutes=minutes))) for minutes in (10, 20, 30))]


def problems(*paths: Path, **options: object) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(paths, VOCABULARY, grade_names=GRADES, **options)  # type: ignore[arg-type]
    return caught.value.problems


def put(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gbk", "gb18030"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_is_read_in_every_encoding_and_separator(tmp_path: Path, encoding: str, separator: str) -> None:
    path = put(tmp_path / "a.csv", "\r\n".join(LINES).replace(",", separator).encode(encoding))
    table, reading = read_one(path)
    assert table.columns["homework_minutes"] == [10, 20, 30]
    assert table.rows == [2, 3, 4]
    assert table.sheet is None
    assert not reading.unreadable


def test_csv_lines_are_the_first_physical_line_of_each_record(tmp_path: Path) -> None:
    rows = [LINES[0], LINES[1].replace("练习", '"第一行\n第二行, 又"'), "", LINES[2]]
    table, reading = read_one(put(tmp_path / "a.csv", "\n".join(rows).encode()))
    assert table.rows == [2, 5]
    assert table.columns["content"][0] == "第一行 第二行, 又"
    assert [(one.first_row, one.last_row, one.what) for one in reading.skipped] == [(4, 4, "空行")]


def test_a_csv_row_with_too_many_cells_is_told_and_a_short_one_is_filled(tmp_path: Path) -> None:
    text = "合同编号,金额,监管\nHT-1,2,880.00,是\nHT-2,100\nHT-3,100,是,,\n"
    table, reading = read_one(put(tmp_path / "a.csv", text.encode()))
    assert table.columns["contract"] == ["HT-2", "HT-3"]
    assert table.columns["in_custody"] == [None, True]
    (one,) = reading.unreadable
    assert one.row == 2
    assert "逗号" in one.reason


@pytest.mark.parametrize(
    ("name", "data", "word"),
    [
        ("a.xlsx", b"", "空的"),
        ("a.csv", b"\n \n", "没有内容"),
        ("a.xlsx", b"not a zip at all", "不是真正的"),
        ("a.xlsx", b"PK\x03\x04broken", "损坏"),
        ("a.csv", b"\xff\xff\xff\xff\x81", "编码"),
        ("a.csv", bytes(range(256)) * 9, "文本"),
        ("a.xls", b"<html><table></table></html>", "网页"),
        ("a.pdf", b"%PDF", "类型"),
        ("a.parquet", b"PAR1 nonsense", "损坏"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "损坏"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), "密码"),
        ("a.csv", ("好" * 50 + "\n").encode() + b"\xff\xfe\n", "第 2 行有坏字节"),
        ("a.csv", b'"a' + b"b" * 200_000, "引号"),
        ("a.csv", "日期,班级\n".encode("utf-16")[:-1], "坏字节"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, name: str, data: bytes, word: str) -> None:
    (told,) = problems(put(tmp_path / name, data))
    assert word in told
    assert name in told


def test_a_missing_file_and_an_empty_folder_are_told(tmp_path: Path) -> None:
    assert "找不到" in problems(tmp_path / "没有.xlsx")[0]
    assert "没有表格文件" in problems(tmp_path)[0]


def test_a_zip_that_is_no_workbook_is_told(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("表.txt", "x")
    assert "压缩包" in problems(tmp_path / "a.xlsx")[0]


def test_a_truncated_workbook_is_told(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"表": [HEADER, item()]})
    assert "损坏" in problems(put(tmp_path / "b.xlsx", path.read_bytes()[:-200]))[0]


def test_a_workbook_with_broken_xml_is_told(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"表": [HEADER, item()]})
    broken = io.BytesIO()
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(broken, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            target.writestr(name, data[: len(data) // 2] if name == "xl/workbook.xml" else data)
    assert "损坏" in problems(put(tmp_path / "b.xlsx", broken.getvalue()))[0]


def test_a_zip_bomb_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 30_000_000)
    assert "过大" in problems(path)[0]


def test_a_workbook_beyond_the_limits_is_refused(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"表": [HEADER, *[item()] * 50]})
    assert "过大" in problems(path, limits=ReadingLimits(max_uncompressed_bytes=5000))[0]
    assert "过大" in problems(path, limits=ReadingLimits(max_file_bytes=1000))[0]
    assert "超过 20 行" in problems(path, limits=ReadingLimits(max_rows=20))[0]
    lines = put(tmp_path / "a.csv", "\n".join(LINES).encode())
    assert "超过 2 行" in problems(lines, limits=ReadingLimits(max_rows=2))[0]


def test_a_stray_cell_in_the_last_corner_is_refused_not_spread_out(tmp_path: Path) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, item())
        sheet.write(1_048_575, 16_383, "x")
    assert "Ctrl+End" in problems(tmp_path / "a.xlsx")[0]


def test_one_faulty_file_does_not_stop_the_others(tmp_path: Path) -> None:
    good = write_xlsx(tmp_path / "好.xlsx", {"表": [HEADER, item()]})
    bad = put(tmp_path / "坏.xlsx", b"junk")
    reading = read([bad, good], VOCABULARY, grade_names=GRADES)
    assert len(reading.tables) == 1
    assert [(one.file, one.row) for one in reading.unreadable] == [(str(bad), None)]
    assert len(problems(bad, put(tmp_path / "坏2.xlsx", b""))) == 2


def test_a_folder_is_read_in_order_passing_over_what_is_no_table(tmp_path: Path) -> None:
    for name, minutes in (("b/二.xlsx", 2), ("a/一.xlsx", 1)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_xlsx(tmp_path / name, {"表": [HEADER, item(minutes=minutes)]})
    put(tmp_path / "b/~$二.xlsx", b"lock")
    put(tmp_path / ".隐藏.csv", b"x")
    put(tmp_path / "说明.txt", b"x")
    put(tmp_path / "z.xlsx", (tmp_path / "a/一.xlsx").read_bytes())
    calls: list[tuple[str, int, int]] = []
    reading = read([tmp_path], VOCABULARY, grade_names=GRADES, progress=lambda *call: calls.append(call))
    assert [table.columns["homework_minutes"] for table in reading.tables] == [[1], [2]]
    assert sorted(Path(one.file).name for one in reading.skipped) == sorted(["~$二.xlsx", ".隐藏.csv", "说明.txt", "z.xlsx"])
    assert "内容相同" in next(one.what for one in reading.skipped if one.file.endswith("z.xlsx"))
    assert calls[0][1] == 0
    assert calls[-1][1] == calls[-1][2] > 0


def test_parquet_stays_on_the_disk_with_its_columns_named(tmp_path: Path) -> None:
    data = {
        "class_name": ["三（2）班"],
        "on_date": pa.array([datetime.date(2026, 11, 16)]),
        "homework_minutes": [20],
        "form": ["written"],
        "else": [1],
    }
    for name in ("a", "b"):
        pq.write_table(pa.table(data | {"else": [name]}), tmp_path / f"{name}.parquet")
    reading = read([tmp_path], VOCABULARY, grade_names=GRADES)
    (table,) = reading.tables
    assert isinstance(table, ParquetTable)
    assert table.kind == "homework_item"
    assert len(table.files) == 2
    assert table.row_count == 2
    assert table.columns == {name: name for name in ("class_name", "on_date", "homework_minutes", "form")}


def test_a_parquet_column_of_the_wrong_type_is_told_and_left_out(tmp_path: Path) -> None:
    pq.write_table(pa.table({"contract": ["A"], "amount_fen": [1.5], "lessons": [3]}), tmp_path / "a.parquet")
    reading = read([tmp_path / "a.parquet"], VOCABULARY, grade_names=GRADES)
    (table,) = reading.tables
    assert table.present == {"contract", "lessons"}
    assert "整数（分）" in reading.unreadable[0].reason


def test_an_old_tab_separated_file_named_xls_is_read(tmp_path: Path) -> None:
    table, _ = read_one(put(tmp_path / "a.xls", "\n".join(LINES).replace(",", "\t").encode("gbk")))
    assert len(table.rows) == 3


def test_a_workbook_locked_by_excel_is_told() -> None:
    assert "密码" in problems(FIXTURES / "加密.xlsx")[0]


def test_a_lock_file_named_on_the_command_line_is_passed_over(tmp_path: Path) -> None:
    good = write_xlsx(tmp_path / "好.xlsx", {"表": [HEADER, item()]})
    reading = read([put(tmp_path / "~$好.xlsx", b"x"), good], VOCABULARY, grade_names=GRADES)
    assert len(reading.tables) == 1
    assert "锁文件" in reading.skipped[0].what


def test_a_workbook_survives_random_damage(tmp_path: Path) -> None:
    data = write_xlsx(tmp_path / "a.xlsx", {"表": [HEADER, *[item()] * 20]}).read_bytes()
    for seed in range(60):
        position = (seed * 7919) % len(data)
        damaged = data[:position] + bytes([data[position] ^ 0x55]) + data[position + 1 :]
        try:
            told = [str(table) for table in read([put(tmp_path / "b.xlsx", damaged)], VOCABULARY, grade_names=GRADES).tables]
        except InputError as error:
            told = error.problems
        assert "b.xlsx" in told[0]
