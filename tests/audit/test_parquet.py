"""Parquet, as a province hands it in: judged file by file where that changes nothing."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qingdan.audit import Audit, audit_as_dict, run_audit
from qingdan.policy.packs import default_pack

DAY = datetime.date(2026, 11, 17)


def homework(path: Path, rows: list[tuple[str, str, int | None]], **more: list[Any]) -> Path:
    """A file of written homework at home: place, class, minutes."""
    columns: dict[str, Any] = {
        "place": pa.array([row[0] for row in rows], pa.string()),
        "school": pa.array(["试验小学"] * len(rows)),
        "class_name": pa.array([row[1] for row in rows]),
        "grade": pa.array([3] * len(rows), pa.int8()),
        "on_date": pa.array([DAY] * len(rows), pa.date32()),
        "subject": pa.array(["语文"] * len(rows)),
        "form": pa.array(["written"] * len(rows)),
        "done_at": pa.array(["home"] * len(rows)),
        "homework_minutes": pa.array([row[2] for row in rows], pa.int32()),
        **more,
    }
    pq.write_table(pa.table(columns), path)
    return path


def totals(audit: Audit) -> list[tuple[str, str, str, int]]:
    """Place, subject, verdict and first row of the findings on a day's total."""
    found = [each for each in audit_as_dict(audit)["findings"] if each["rule"] == "homework.daily-total"]
    return sorted((each["layer"], each["subject"], each["verdict"], each["source"]["row"]) for each in found)


def audit(*paths: Path) -> Audit:
    return run_audit(list(paths), pack=default_pack(), layer="cn")


def test_findings_name_the_file_and_row_of_a_parquet_record(tmp_path: Path) -> None:
    path = homework(tmp_path / "a.parquet", [("cn", "三（1）班", 60), ("cn", "三（2）班", 30), ("cn", "三（2）班", 31)])
    done = audit(path)
    assert totals(done) == [("cn", "三（2）班", "breach", 2)]
    assert done.summary.records == 3
    found = next(each for each in audit_as_dict(done)["findings"] if each["rule"] == "homework.daily-total")
    assert found["source"]["rows"] == [2, 3]


def test_one_classs_day_in_two_files_of_one_place_is_added_up(tmp_path: Path) -> None:
    one = homework(tmp_path / "a.parquet", [("cn", "三（2）班", 30)])
    two = homework(tmp_path / "b.parquet", [("cn", "三（2）班", 31)])
    assert totals(audit(one, two)) == [("cn", "三（2）班", "breach", 1)]


def test_files_of_different_places_give_the_same_judged_apart_or_together(tmp_path: Path) -> None:
    rows = [
        ("cn-shanghai", "三（2）班", 61),
        ("cn-shanghai", "三（1）班", 60),
        ("cn-xinjiang", "三（2）班", None),
        ("cn-xinjiang", "三（3）班", 70),
    ]
    whole = homework(tmp_path / "whole.parquet", rows)
    parts = [homework(tmp_path / "a.parquet", rows[:2]), homework(tmp_path / "b.parquet", rows[2:])]
    expected = [each[:3] for each in totals(audit(whole))]
    assert [each[:3] for each in totals(audit(*parts))] == expected
    assert len(expected) == 3


def test_a_column_of_the_wrong_type_is_told_and_left_out(tmp_path: Path) -> None:
    path = homework(tmp_path / "a.parquet", [("cn", "三（2）班", 61)], homework_minutes=["六十一"])
    done = audit(path)
    assert not totals(done)
    assert any("homework_minutes" in str(each.column) for each in done.unreadable)
    assert "预计时长" in {label for each in done.not_judged for label in each.missing}


@pytest.mark.parametrize("minutes", [60, 61])
def test_the_limit_itself_is_kept_and_one_past_it_is_not(tmp_path: Path, minutes: int) -> None:
    path = homework(tmp_path / "a.parquet", [("cn", "三（2）班", minutes)])
    assert bool(totals(audit(path))) == (minutes > 60)


def without(path: Path, *names: str) -> Path:
    """The file without some columns."""
    pq.write_table(pq.read_table(path).drop_columns(list(names)), path)
    return path


def test_only_the_column_that_a_file_lacks_is_named_as_missing(tmp_path: Path) -> None:
    done = audit(without(homework(tmp_path / "a.parquet", [("cn", "三（2）班", 61)]), "done_at"))
    missing = {each.rule.id: each.missing for each in done.not_judged}
    assert missing["homework.daily-total"] == ("完成地点",)


def test_each_files_own_columns_decide_what_it_cannot_say(tmp_path: Path) -> None:
    """One file has the place of the work and one empty cell in it; the other has no such column at all."""
    whole = homework(tmp_path / "a.parquet", [("cn-shanghai", "三（2）班", 61)], done_at=pa.nulls(1, pa.string()))
    bare = without(homework(tmp_path / "b.parquet", [("cn-xinjiang", "三（2）班", 61)]), "done_at")
    for files in ((whole, bare), (bare, whole)):
        done = audit(*files)
        assert totals(done) == [("cn-shanghai", "三（2）班", "undetermined", 1)]
        told = [(each.file, each.missing, each.count) for each in done.not_judged if each.rule.id == "homework.daily-total"]
        assert told == [(str(bare), ("完成地点",), 1)]
