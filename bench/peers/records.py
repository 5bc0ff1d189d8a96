"""Records and law as the record-by-record peers see them: a dictionary or a row each, with the figures of its place and day.

Looking the figures up, reading Parquet and making dictionaries is not timed: only judging is.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from bench.law import VACATION, Figures, wide_rows
from qingdan.policy.calendars import national_day_kind
from qingdan.policy.engines.duck import ROWS_PER_FILE

Finding = tuple[str, str, int]
Record = dict[str, Any]
DATES = {"homework_item": "on_date", "training_session": "on_date", "prepayment": "paid_on"}
_CHUNK = 20_000


class Law:
    """The figures of each place, by day."""

    def __init__(self, places: int) -> None:
        self._by_place: dict[str, list[tuple[datetime.date, datetime.date, Figures]]] = {}
        for place, since, until, figures in wide_rows(places):
            self._by_place.setdefault(place, []).append((since, until, figures))

    def at(self, place: str, day: datetime.date | None) -> Figures | None:
        """The figures in force, or None for a day that is not known."""
        if day is not None:
            for since, until, figures in self._by_place[place]:
                if since <= day < until:
                    return figures
        return None


@cache
def calendar(day: datetime.date) -> tuple[str | None, bool]:
    """The kind of a day, and whether it lies in the vacation."""
    return national_day_kind(day), VACATION[0] <= day <= VACATION[1]


def chunks(kind: str, files: Sequence[Path], law: Law, limit: int) -> Iterator[list[tuple[Record, Figures | None]]]:
    """The first records of a kind, some thousands at a time; ``record`` numbers them as the other sides do."""
    paths = ", ".join(f"'{file}'" for file in files)
    with duckdb.connect(config={"threads": 1}) as connection:
        select = f"SELECT * FROM read_parquet([{paths}], file_row_number=true) WHERE file_row_number < {limit}"  # noqa: S608
        cursor = connection.execute(select)
        names = [column[0] for column in cursor.description or ()]
        while rows := cursor.fetchmany(_CHUNK):
            yield [(record, law.at(str(record["place"]), _day(record, kind))) for record in _records(names, rows)]


def _day(record: Mapping[str, object], kind: str) -> datetime.date | None:
    day = record[DATES[kind]]
    assert day is None or isinstance(day, datetime.date)
    return day


def _records(names: Sequence[str], rows: Sequence[tuple[object, ...]]) -> Iterator[Record]:
    for row in rows:
        record: Record = dict(zip(names, row, strict=True))
        number = record.pop("file_row_number")
        assert isinstance(number, int)
        record["record"] = number + ROWS_PER_FILE
        if "ends_at" in record:
            day = record["on_date"]
            record["day_kind"], record["in_vacation"] = calendar(day) if isinstance(day, datetime.date) else (None, None)
        yield record
