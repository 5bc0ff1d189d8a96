"""Generates records of three kinds into Parquet: typed columns under our English names, a few percent breaches, some nulls.

The same call gives the same records: every value is drawn from a hash of the record's number, inside DuckDB, which writes
some million records a second and never holds them all.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from bench.law import KINDS

#: Of eight records: four items of homework, two training sessions, two prepayments.
SHARES: Mapping[str, tuple[int, int]] = {"homework_item": (1, 2), "training_session": (1, 4), "prepayment": (1, 4)}
#: A Monday. Most records lie on the weekdays of 33 weeks from here on, with the summer left out: 17 weeks under the places' first
#: figures, 16 under their second.
FIRST_DAY = datetime.date(2026, 3, 2)

#: In the texts below, the first number given to each of these says what is drawn for.
_MACROS = """
CREATE MACRO of_record_draw(i, purpose, below) AS CAST(hash(i * 64 + purpose) % below AS BIGINT);
CREATE MACRO of_record_chance(i, purpose, per_mille) AS hash(i * 64 + purpose) % 1000 < per_mille;
CREATE MACRO of_record_known(i, purpose, value) AS CASE WHEN NOT of_record_chance(i, purpose, 4) THEN value END;
CREATE MACRO of_record_week(week) AS CAST(CASE WHEN week < 17 THEN week ELSE week + 10 END AS INTEGER);
CREATE MACRO of_record_workday(i, purpose) AS DATE '{first}'
    + 7 * of_record_week(of_record_draw(i, purpose, 33)) + CAST(of_record_draw(i, purpose + 32, 5) AS INTEGER);
"""
_OF_RECORD = re.compile(r"\b(draw|chance|known|workday)\(")
_PLACE = "'place-' || lpad(CAST({first} + draw(0, {count}) AS VARCHAR), 5, '0')"
_HOMEWORK = """
    known(1, workday(2)) AS on_date,
    '第' || (1 + draw(3, 40)) || '学校' AS school,
    1 + draw(4, 9) AS grade,
    ['一','二','三','四','五','六','七','八','九'][1 + draw(4, 9)] || '（' || (1 + draw(5, 8)) || '）班' AS class_name,
    ['语文', '数学', '英语', '道德与法治', '科学', '音乐'][1 + draw(6, 6)] AS subject,
    '练习册第' || (1 + draw(7, 120)) || '页' AS content,
    ['written', 'oral', 'reading', 'practical', 'electronic', 'inquiry'][1 + draw(8, 6)] AS form,
    CASE WHEN chance(9, 400) THEN 'home' ELSE 'school' END AS done_at,
    known(10, CASE WHEN chance(11, 30) THEN 40 + draw(12, 60)
                   WHEN draw(4, 9) < 2 AND draw(8, 6) = 0 THEN 0 ELSE 5 + draw(12, 16) END) AS homework_minutes,
    known(13, CASE WHEN chance(14, 8) THEN 'parent' WHEN chance(15, 100) THEN 'peer' ELSE 'teacher' END) AS marked_by,
    known(16, chance(17, 6)) AS needs_parent,
    known(18, chance(19, 4)) AS is_punitive"""
_SESSION = """
    known(1, CASE WHEN chance(2, 20) THEN DATE '{first}' + CAST(draw(3, 290) AS INTEGER) ELSE workday(3) END) AS on_date,
    '机构' || (1 + draw(4, 60)) AS institution,
    CASE WHEN chance(5, 600) THEN 'academic' ELSE 'non_academic' END AS category,
    known(6, CASE WHEN chance(7, 250) THEN 'online' ELSE 'offline' END) AS mode,
    ['数学', '英语', '书法', '篮球', '编程', '舞蹈'][1 + draw(8, 6)] || (1 + draw(9, 20)) || '班' AS course,
    1 + draw(10, 12) AS grade,
    1020 + 5 * draw(11, 12) AS starts_at,
    known(12, CASE WHEN chance(13, 20) THEN 1235 + 5 * draw(14, 20) ELSE 1110 + 5 * draw(14, 18) END) AS ends_at,
    known(15, CASE WHEN chance(16, 15) THEN 35 + draw(17, 15) ELSE 20 + draw(17, 11) END) AS lesson_minutes,
    known(18, CASE WHEN chance(19, 15) THEN 3 + draw(20, 7) ELSE 10 + draw(20, 6) END) AS gap_minutes,
    known(21, CASE WHEN chance(22, 10) THEN 4 + draw(23, 3) ELSE 7 + draw(23, 8) END) AS youngest_age"""
_PREPAYMENT = """
    known(1, workday(2)) AS paid_on,
    '机构' || (1 + draw(3, 60)) AS institution,
    'HT-' || lpad(CAST(i AS VARCHAR), 10, '0') AS contract_number,
    CASE WHEN chance(4, 600) THEN 'academic' ELSE 'non_academic' END AS category,
    workday(2) AS course_from,
    known(5, workday(2) + CAST(CASE WHEN chance(6, 15) THEN 95 + draw(7, 90) ELSE 20 + draw(7, 36) END AS INTEGER)) AS course_until,
    10 + draw(8, 40) AS lessons,
    known(9, 10000 * (5 + draw(10, 40)) + CASE WHEN chance(11, 10) THEN 400000 ELSE 0 END) AS amount_fen,
    known(12, CASE WHEN chance(13, 990) THEN 'custody' WHEN chance(14, 500) THEN 'reserve' ELSE 'other' END) AS supervision_mode,
    CASE WHEN chance(15, 8) THEN 10000 WHEN NOT chance(16, 100) THEN 10000 * (5 + draw(10, 40)) + 400000 END AS custody_fen"""
_COLUMNS = {"homework_item": _HOMEWORK, "training_session": _SESSION, "prepayment": _PREPAYMENT}


@dataclass(frozen=True)
class Records:
    """Generated files: kind -> its Parquet files in order of the places they hold."""

    folder: Path
    files: Mapping[str, tuple[Path, ...]]
    count: int
    places: int

    @property
    def bytes(self) -> int:
        """Their size on disk."""
        return sum(file.stat().st_size for files in self.files.values() for file in files)


def share(kind: str, count: int) -> int:
    """How many of a number of records are of a kind."""
    numerator, denominator = SHARES[kind]
    return count * numerator // denominator


def generate(folder: Path, count: int, places: int, *, parts: int = 1) -> Records:
    """Write ``count`` records over ``places`` places, each kind in ``parts`` files of which no two share a place."""
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, tuple[Path, ...]] = {}
    edges = [number * places // parts for number in range(parts + 1)]
    with duckdb.connect(config={"threads": 2, "preserve_insertion_order": "false", "memory_limit": "1GB"}) as connection:
        connection.execute(_MACROS.format(first=FIRST_DAY))
        for kind in KINDS:
            whole = share(kind, count)
            rows = [number * whole // parts for number in range(parts + 1)]
            made = []
            for part in range(parts):
                path = folder / f"{kind}-{part:03d}.parquet"
                place = _PLACE.format(first=edges[part], count=edges[part + 1] - edges[part])
                columns = _OF_RECORD.sub(r"of_record_\1(i, ", f"{place} AS place, {_COLUMNS[kind]}").replace("{first}", str(FIRST_DAY))
                select = f"SELECT {columns} FROM range({rows[part]}, {rows[part + 1]}) AS t(i)"  # noqa: S608
                connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
                made.append(path)
            files[kind] = tuple(made)
    return Records(folder, files, sum(share(kind, count) for kind in KINDS), places)
