"""``qingdan audit``, through the door its users use."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner, Result

from qingdan.cli import app
from qingdan.cli.__main__ import main
from tests.cli.workbooks import (
    HOMEWORK,
    HOMEWORK_BREACHES,
    HOMEWORK_MERGED,
    PREPAYMENT_BREACHES,
    PREPAYMENTS,
    SESSION_BREACHES,
    SESSIONS,
    write,
)


def run(*arguments: str | Path) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)


def audit(*files: str | Path, layer: str = "cn-shanghai") -> dict[str, Any]:
    """The JSON of an audit."""
    result = run("audit", *files, "--layer", layer, "--format", "json")
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def breaches(found: dict[str, Any]) -> set[tuple[str, int]]:
    """Rule (without the suffix of the layer that words it) and row of every breach."""
    return {
        (each["rule"].removesuffix("-shanghai").removesuffix("-xinjiang"), each["source"]["row"])
        for each in found["findings"]
        if each["verdict"] == "breach"
    }


@pytest.fixture
def homework(tmp_path: Path) -> Path:
    return write(tmp_path / "作业.xlsx", HOMEWORK, merged=HOMEWORK_MERGED)


@pytest.fixture
def sessions(tmp_path: Path) -> Path:
    return write(tmp_path / "课程.xlsx", SESSIONS, merged=("A1:I1",))


@pytest.fixture
def prepayments(tmp_path: Path) -> Path:
    return write(tmp_path / "台账.xlsx", PREPAYMENTS, merged=("A1:J1",))


@pytest.mark.parametrize("layer", ["cn-shanghai", "cn-xinjiang"])
def test_a_weeks_homework_gives_just_the_planted_breaches(homework: Path, layer: str) -> None:
    assert breaches(audit(homework, layer=layer)) == HOMEWORK_BREACHES


def test_a_timetable_gives_just_the_planted_breaches_and_the_online_end_depends_on_the_layer(sessions: Path) -> None:
    assert breaches(audit(sessions, layer="cn-shanghai")) == SESSION_BREACHES | {("training.end-time", 7)}
    assert breaches(audit(sessions, layer="cn-xinjiang")) == SESSION_BREACHES


def test_a_prepayment_ledger_gives_just_the_planted_breaches(prepayments: Path) -> None:
    assert breaches(audit(prepayments)) == PREPAYMENT_BREACHES


def test_several_workbooks_and_a_folder_are_judged_together(homework: Path, sessions: Path, prepayments: Path) -> None:
    together = audit(homework, sessions, prepayments)
    assert together["summary"]["records"] == 19
    assert together["summary"]["breach"] == len(together["findings"]) == 13
    assert audit(homework.parent)["summary"] == together["summary"]


def test_a_finding_says_clause_value_limit_layer_place_and_remedy(homework: Path) -> None:
    found = next(each for each in audit(homework)["findings"] if each["rule"] == "homework.daily-total")
    assert found["sentence"] == "三（2）班 11月17日 书面家庭作业合计 61 分钟，超过本地上限 60 分钟"
    assert (found["subject"], found["date"], found["verdict"], found["layer"]) == ("三（2）班", "2026-11-17", "breach", "cn-shanghai")
    assert found["observed"]["known_home_written_minutes"] == 61
    limit = found["limits"][0]
    assert (limit["parameter"], limit["value"], limit["unit"], limit["layer"]) == ("homework.daily_minutes", 60, "minute", "cn-shanghai")
    assert found["cites"][0]["clause"] == "s0.homework.limits-primary-upper"
    assert found["cites"][0]["locator"]
    assert found["source"] == {"file": str(homework), "sheet": "Sheet1", "row": 8, "rows": [8, 9, 10]}
    assert found["remedy"]


def test_rows_that_are_no_records_are_listed_not_dropped(homework: Path) -> None:
    skipped = audit(homework)["skipped"]
    assert {row for each in skipped for row in range(each["first_row"] or 0, (each["last_row"] or 0) + 1)} >= {1, 2, 13, 15}


def test_a_cell_that_cannot_be_read_is_listed_and_the_rest_of_its_row_judged(tmp_path: Path) -> None:
    rows = [*HOMEWORK[:3], ["11月17日", "三（2）班", "语文", "习作", "书面", "家里", "一会儿", "家长检查", "学生"]]
    found = audit(write(tmp_path / "作业.xlsx", rows))
    assert [(each["row"], each["value"]) for each in found["unreadable"]] == [(4, "一会儿")]
    assert {each["rule"]: each["verdict"] for each in found["findings"]} == {
        "homework.no-parent-checking": "breach",
        "homework.daily-total": "undetermined",
    }


def test_a_column_that_is_not_there_is_told_once_not_for_every_row(tmp_path: Path) -> None:
    rows = [[cell for index, cell in enumerate(row) if index != 5] for row in HOMEWORK if len(row) != 1]
    found = audit(write(tmp_path / "2026年11月作业.xlsx", rows))
    assert not [each for each in found["findings"] if each["verdict"] == "undetermined"]
    assert "完成地点" in {label for each in found["not_judged"] if each["rule"] == "homework.daily-total" for label in each["missing"]}


def test_exit_status_is_0_clean_1_findings_2_bad_input(tmp_path: Path, homework: Path) -> None:
    clean = write(tmp_path / "好.xlsx", HOMEWORK[:6])
    assert run("audit", clean, "--layer", "cn-shanghai").exit_code == 0
    assert run("audit", homework, "--layer", "cn-shanghai").exit_code == 1
    assert run("audit", tmp_path / "无.xlsx", "--layer", "cn-shanghai").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--layer", "cn-shangha"], "没有名为“cn-shangha”的层；是否想写“cn-shanghai”？"),
        ([], "请用 --layer 写明按哪一层判定"),
        (["--layer", "cn", "--format", "xlsx"], "xlsx 要写到文件"),
        (["--layer", "cn", "--policies", "没有"], "没有这个政策包文件夹"),
    ],
)
def test_bad_arguments_get_one_clear_message(homework: Path, arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QINGDAN_LAYER", raising=False)
    result = run("audit", homework, *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.output


def test_a_default_layer_can_be_configured(homework: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QINGDAN_LAYER", "cn-shanghai")
    assert "cn-shanghai" in run("audit", homework).stdout


def test_the_kind_of_a_table_can_be_forced_and_an_unknown_one_is_named(homework: Path) -> None:
    assert breaches(audit(f"homework_item={homework}")) == HOMEWORK_BREACHES
    result = run("audit", f"homework_itm={homework}", "--layer", "cn")
    assert "没有“homework_itm”这种表；是否想写“homework_item”？" in result.stderr


def bad_files(folder: Path) -> dict[str, Path]:
    """Files that nothing can be read from."""
    made = {name: folder / name for name in ("空.xlsx", "坏.xlsx", "别的.xlsx", "图片.png")}
    made["空.xlsx"].write_bytes(b"")
    made["坏.xlsx"].write_bytes(b"PK\x03\x04" + b"\x00" * 200)
    write(made["别的.xlsx"], [["姓名", "电话"], ["甲", "1"]])
    made["图片.png"].write_bytes(b"\x89PNG\r\n")
    return made


@pytest.mark.parametrize("name", ["空.xlsx", "坏.xlsx", "别的.xlsx", "图片.png"])
def test_a_file_that_cannot_be_used_ends_with_a_message_and_status_2(tmp_path: Path, name: str) -> None:
    path = bad_files(tmp_path)[name]
    result = run("audit", path, "--layer", "cn")
    assert result.exit_code == 2
    assert name in result.stderr
    assert not result.stdout
    assert "Traceback" not in result.output


def test_the_table_is_short_grouped_by_rule_and_says_what_to_do(homework: Path) -> None:
    text = run("audit", homework, "--layer", "cn-shanghai").stdout
    assert "违规 每日书面家庭作业总量" in text
    assert "怎么改" in text
    assert "上海市（cn-shanghai）：读入 9 条记录" in text
    assert len(text.splitlines()) < 60


def test_csv_and_xlsx_hold_the_same_findings_as_json(homework: Path, tmp_path: Path) -> None:
    expected = [each["sentence"] for each in audit(homework)["findings"]]
    rows = list(csv.DictReader(io.StringIO(run("audit", homework, "--layer", "cn-shanghai", "--format", "csv").stdout)))
    assert [row["说明"] for row in rows] == expected
    target = tmp_path / "结果.xlsx"
    assert run("audit", homework, "--layer", "cn-shanghai", "--format", "xlsx", "-o", target).exit_code == 1
    book = openpyxl.load_workbook(target)
    assert book.sheetnames == ["判定结果", "未读内容", "适用限值"]
    assert [row[5] for row in book["判定结果"].iter_rows(min_row=2, values_only=True)] == expected
    limits = [row[:5] for row in book["适用限值"].iter_rows(min_row=2, values_only=True)]
    assert ("homework.daily_minutes", "每日书面家庭作业上限", "小学中高年级", "60 分钟", "2021-08-24") in limits


def test_an_output_that_cannot_be_written_is_told(homework: Path, tmp_path: Path) -> None:
    result = run("audit", homework, "--layer", "cn", "--format", "csv", "-o", tmp_path / "无" / "x.csv")
    assert result.exit_code == 2
    assert "请换一个位置" in result.stderr


def test_simulate_tells_who_is_affected_by_another_figure(homework: Path) -> None:
    result = run("simulate", homework, "--layer", "cn-shanghai", "--set", "homework.daily_minutes[primary_upper]=59", "--format", "json")
    found = json.loads(result.stdout)
    assert [each["sentence"] for each in found["new"]] == ["三（2）班 11月16日 书面家庭作业合计 60 分钟，超过本地上限 59 分钟"]
    assert found["gone"] == []
    assert found["affected"] == ["三（2）班"]
    assert run("simulate", homework, "--layer", "cn", "--set", "homework.daily_minuts=50").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["audit"], "缺少“文件…”"),
        (["audit", "x", "--layr", "cn"], "没有“--layr”这个选项；是否想写“--layer”？"),
        (["audit", "x", "--layer"], "选项“--layer”后面要有值"),
        (["audit", "x", "--format", "yaml"], "没有“yaml”这一种；可写：table、json、csv、xlsx"),
        (["policy", "diff", "cn", "cn", "cn"], "多出来的参数：cn"),
        (["nothing"], "没有“nothing”这个命令"),
    ],
)
def test_a_wrongly_written_command_is_told_in_chinese(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


def test_the_program_runs_as_a_module_and_its_help_is_chinese() -> None:
    done = subprocess.run([sys.executable, "-m", "qingdan.cli", "audit", "--help"], capture_output=True, text=True, check=True)
    assert "判定工作簿" in done.stdout


def test_records_that_name_a_place_are_judged_by_its_law_and_an_unknown_place_is_told(tmp_path: Path) -> None:
    head = [*SESSIONS[1], "地区代码"]
    row = list(SESSIONS[6])
    found = audit(write(tmp_path / "课程.xlsx", [["2026年11月"], head, [*row, "新疆维吾尔自治区"], [*row, "cn-shanghai"], [*row, "某地"]]))
    ends = [(each["source"]["row"], each["layer"]) for each in found["findings"] if each["rule"].startswith("training.end-time")]
    assert ends == [(4, "cn-shanghai")]
    assert ["某地" in each["reason"] for each in found["unreadable"]] == [True]
    assert found["summary"]["records"] == 2


def test_classes_of_one_name_in_two_files_without_a_school_are_not_added_up(tmp_path: Path) -> None:
    head, row = HOMEWORK[2], ["2026-11-17", "三（2）班", "语文", "习作", "书面", "家里", 40, "教师批改", "学生"]
    one, two = write(tmp_path / "甲校.xlsx", [head, row]), write(tmp_path / "乙校.xlsx", [head, [*row[:2], "数学", *row[3:]]])
    assert not breaches(audit(one, two))
    named = [["学校：试验小学"], head]
    one, two = write(tmp_path / "甲校.xlsx", [*named, row]), write(tmp_path / "乙校.xlsx", [*named, [*row[:2], "数学", *row[3:]]])
    assert breaches(audit(one, two)) == {("homework.daily-total", 3)}


def test_two_sheets_of_one_workbook_without_a_school_are_added_up(tmp_path: Path) -> None:
    path = write(tmp_path / "作业.xlsx", [HOMEWORK[2], ["2026-11-17", "三（2）班", "语文", "习作", "书面", "家里", 40, "教师批改", "学生"]])
    book = openpyxl.load_workbook(path)
    page = book.create_sheet("数学")
    for line in [HOMEWORK[2], ["2026-11-17", "三（2）班", "数学", "练习", "书面", "家里", 40, "教师批改", "学生"]]:
        page.append(list(line))
    book.save(path)
    assert breaches(audit(path)) == {("homework.daily-total", 2)}
