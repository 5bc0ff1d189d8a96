"""How many rows a second are read from xlsx and csv into typed facts; judging comes after it and is measured apart."""

from __future__ import annotations

import csv
import datetime
from collections.abc import Iterator, Sequence
from pathlib import Path

import xlsxwriter

from bench.measuring import in_turn, machine, middle, say, show, spent
from qingdan.policy.packs import default_pack
from qingdan.workbooks import Table, read

LAYER = "cn"
HEADERS = ("学校", "日期", "班级", "学科", "作业内容", "作业类型", "完成地点", "预计时长", "批改方式")


def sheet(rows: int) -> Iterator[tuple[str, ...]]:
    """Rows of a homework register as schools write them: several spellings of a duration, of a class, of a date."""
    first = datetime.date(2026, 9, 1)
    for number in range(rows):
        day = first + datetime.timedelta(days=number % 100)
        date = (day.isoformat(), f"{day.year}.{day.month}.{day.day}", f"{day.year}年{day.month}月{day.day}日")[number % 3]
        grade, group = "一二三四五六"[number % 6], number % 8 + 1
        name = (f"{grade}（{group}）班", f"{grade}年级({group})班")[number % 2]
        minutes = 5 + number % 20
        duration = (str(minutes), f"{minutes}分钟", f"约{minutes}分")[number % 3]
        done_at, marked_by = ("学校", "家庭")[number % 2], ("教师批改", "全批全改")[number % 2]
        subject, content = ("语文", "数学", "英语")[number % 3], f"练习册第{number % 90 + 1}页"
        yield "第一小学", date, name, subject, content, "书面", done_at, duration, marked_by


def write_xlsx(path: Path, rows: int) -> None:
    """A workbook with a title row, as they come."""
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        page = book.add_worksheet("作业")
        page.write(0, 0, "第一小学 2026学年第一学期作业公示")
        for index, row in enumerate([HEADERS, *sheet(rows)], start=1):
            page.write_row(index, 0, row)


def write_csv(path: Path, rows: int, encoding: str) -> None:
    """The same as csv."""
    with path.open("w", encoding=encoding, newline="") as out:
        writer = csv.writer(out)
        writer.writerow(HEADERS)
        writer.writerows(sheet(rows))


def measure(folder: Path, *, rows: int, rounds: int) -> None:
    """Write one file of each format, then read each in turn."""
    files = {"xlsx": folder / "作业.xlsx", "csv, UTF-8": folder / "作业.csv", "csv, GB 18030": folder / "作业-gbk.csv"}
    write_xlsx(files["xlsx"], rows)
    write_csv(files["csv, UTF-8"], rows, "utf-8-sig")
    write_csv(files["csv, GB 18030"], rows, "gb18030")
    pack = default_pack()
    grade_names = pack.layer(LAYER).grade_names

    def reading(paths: Sequence[Path]) -> None:
        found = read(paths, pack.vocabulary, grade_names=grade_names)
        count = sum(len(table.rows) for table in found.tables if isinstance(table, Table))
        if count != rows or found.unreadable:
            raise AssertionError(f"{paths[0]}: read {count} rows of {rows}, {len(found.unreadable)} cells unread")

    runs = in_turn({name: lambda path=path: spent(lambda: reading([path])) for name, path in files.items()}, rounds)  # type: ignore[misc]
    table = []
    for name, path in files.items():
        taken = middle(runs[name])
        table.append((name, path.stat().st_size / 1e6, taken.wall, taken.cpu, int(rows / taken.wall), int(rows / taken.cpu)))
    headers = ("file", "MB", "wall s", "processor s", "rows/s (wall)", "rows/s (processor)")
    show(f"reading {rows:,} rows of {len(HEADERS)} columns, median of {rounds} rounds", headers, table)
    say(machine())
