"""DuckDB SQL as a good engineer writes it for these 13 rules: one table of limits, one scan a kind, only rows with a hit kept.

It reads the columns it needs and nothing else, knows that the law has two periods, and has no trouble with a second law, a
second engine, a column that a workbook left out, or a citation.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from bench.law import VACATION, Figures, wide_rows
from qingdan.policy.calendars import FIRST_DAY, LAST_YEAR, national_day_kind
from qingdan.policy.engines.duck import ROWS_PER_FILE

SETTINGS: dict[str, str | bool | int | float | list[str]] = {"threads": 2, "preserve_insertion_order": "false"}
_UNION = """
SELECT '{rule}' AS rule, CASE WHEN b{index} THEN 'breach' ELSE 'undetermined' END AS verdict, record, place, day, subject
FROM {kind} WHERE b{index} IS NOT FALSE"""
_JOIN = "LEFT JOIN limits AS l ON l.place = f.place AND f.{day} >= l.since AND f.{day} < l.until"
_HOMEWORK = """
SELECT f.file_row_number + {first} AS record, f.place, on_date AS day, concat_ws(' ', class_name, subject) AS subject,
    form = 'written' AND done_at = 'home' AND homework_minutes > CASE
        WHEN grade <= 2 THEN l.written_lower WHEN grade <= 6 THEN l.written_upper
        WHEN grade <= 9 THEN l.written_junior ELSE 600 END AS b0,
    form = 'electronic' AND done_at = 'home' AND homework_minutes > l.electronic AS b1,
    marked_by = 'parent' AND l.applies AS b2, needs_parent AND l.applies AS b3, is_punitive AND l.applies AS b4
FROM {files} AS f {join} WHERE (b0 OR b1 OR b2 OR b3 OR b4) IS NOT FALSE"""
_SESSION = """
SELECT f.file_row_number + {first} AS record, f.place, on_date AS day, concat_ws(' ', institution, course) AS subject,
    ends_at > CASE mode WHEN 'offline' THEN l.ends_offline WHEN 'online' THEN l.ends_online END AS b0,
    category = 'academic' AND grade < 10 AND (day_kind <> 'workday' OR in_vacation) AND l.applies AS b1,
    mode = 'online' AND lesson_minutes > l.lesson AS b2,
    mode = 'online' AND gap_minutes < l.gap AS b3,
    category = 'academic' AND youngest_age < l.age AS b4
FROM {files} AS f LEFT JOIN calendar AS c ON c.day = f.on_date {join} WHERE (b0 OR b1 OR b2 OR b3 OR b4) IS NOT FALSE"""
_PREPAYMENT = """
SELECT f.file_row_number + {first} AS record, f.place, paid_on AS day, concat_ws(' ', institution, contract_number) AS subject,
    12 * (year(course_until) - year(course_from)) + month(course_until) - month(course_from)
        + CAST(day(course_until) >= day(course_from) AS INTEGER) > l.months AS b0,
    CASE WHEN supervision_mode = 'custody' THEN custody_fen IS NOT NULL AND custody_fen < amount_fen
         WHEN supervision_mode IN ('reserve', 'transfer') THEN TRUE ELSE custody_fen < amount_fen END AND l.applies AS b1,
    amount_fen > l.contract_fen AS b2
FROM {files} AS f {join} WHERE (b0 OR b1 OR b2) IS NOT FALSE"""
#: Kind -> its scan, its date and its rules in the order of the flags.
SCANS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "homework_item": (
        _HOMEWORK,
        "on_date",
        ("written-minutes", "electronic-minutes", "marked-by-parent", "needs-parent", "punitive"),
    ),
    "training_session": (_SESSION, "on_date", ("ends-at", "days-off", "lesson-minutes", "gap-minutes", "age")),
    "prepayment": (_PREPAYMENT, "paid_on", ("months", "custody", "amount")),
}


def prepare(connection: duckdb.DuckDBPyConnection, places: int) -> None:
    """The tables that an engineer keeps beside the query: limits per place and period, and the calendar."""
    rows = list(wide_rows(places))
    columns: dict[str, object] = {
        "place": [row[0] for row in rows],
        "since": [row[1] for row in rows],
        "until": [row[2] for row in rows],
        "applies": [True] * len(rows),
    }
    columns |= {name: [getattr(row[3], name) for row in rows] for name in Figures.__dataclass_fields__}
    connection.register("incoming", pa.table(columns))
    connection.execute("CREATE TABLE limits AS FROM incoming")
    connection.unregister("incoming")
    days = [FIRST_DAY + datetime.timedelta(days=number) for number in range((LAST_YEAR + 1 - FIRST_DAY.year) * 366)]
    known = pa.table(
        {
            "day": days,
            "day_kind": pa.array([national_day_kind(day) if day.year <= LAST_YEAR else None for day in days], pa.string()),
            "in_vacation": [VACATION[0] <= day <= VACATION[1] for day in days],
        }
    )
    connection.register("incoming", known)
    connection.execute("CREATE TABLE calendar AS FROM incoming")
    connection.unregister("incoming")


def statement(kind: str, files: Sequence[Path]) -> str:
    """The SELECT of one kind's findings."""
    scan, day, names = SCANS[kind]
    paths = ", ".join(f"'{file}'" for file in files)
    body = scan.format(files=f"read_parquet([{paths}], file_row_number=true)", join=_JOIN.format(day=day), first=ROWS_PER_FILE)
    parts = [_UNION.format(rule=f"bench.{name}", index=index, kind=kind) for index, name in enumerate(names)]
    return f"WITH {kind} AS MATERIALIZED ({body})" + " UNION ALL ".join(parts)


def judge(connection: duckdb.DuckDBPyConnection, files: Mapping[str, tuple[Path, ...]]) -> None:
    """Fill the table ``findings``."""
    for number, (kind, paths) in enumerate(files.items()):
        verb = "INSERT INTO findings" if number else "CREATE OR REPLACE TABLE findings AS"
        connection.execute(f"{verb} {statement(kind, paths)}")
