from __future__ import annotations

import datetime
from pathlib import Path

import openpyxl
import pytest

from qingdan.policy.vocabulary import Vocabulary
from qingdan.workbooks import InputError, Reading, Table, read
from tests.workbooks.helpers import FIXTURES, GRADES, HEADER, VOCABULARY, ReadRows, Rows, item, kind, read_one, write_xlsx

D = datetime.date
PREPAID = ["机构", "合同编号", "缴费日期", "课程起", "课程止", "课时数", "金额（元）", "监管"]
SESSIONS = ["机构名称", "上课日期", "开始时间", "结束时间", "方式"]


def skipped(reading: Reading) -> list[tuple[int | None, str]]:
    return [(one.first_row, one.what) for one in reading.skipped]


def bad(reading: Reading) -> list[tuple[int | None, str | None, str]]:
    return [(one.row, one.column, one.value) for one in reading.unreadable]


def test_the_homework_sample_is_read_whole() -> None:
    table, reading = read_one(FIXTURES / "作业公示_第10周.xlsx")
    assert table.kind == "homework_item"
    assert table.header_row == 3
    assert table.rows == list(range(4, 15))
    assert set(table.columns["school"]) == {"示范区第一小学"}
    assert table.columns["homework_minutes"] == [10, 25, 20, 15, 10, 30, 20, 15, 20, 20, 20]
    assert table.columns["on_date"] == [D(2026, 11, 16)] * 4 + [D(2026, 11, 17)] * 5 + [D(2026, 11, 18)] * 2
    assert table.columns["grade"] == [1, 3, 3, 3, 1, 3, 3, 3, 3, 4, 4]
    assert table.columns["marking"][-2:] == ["parent", "self"]
    assert not reading.unreadable
    assert sorted(skipped(reading), key=str) == [(1, "标题行"), (15, "合计行"), (16, "空行"), (17, "签字行")]


def test_the_session_and_prepayment_samples_are_read_whole() -> None:
    sessions, reading = read_one(FIXTURES / "培训课程安排.xlsx")
    assert sessions.columns["starts_at"] == [1110, 1140, 540, 1200, 1230, 840]
    assert sessions.columns["ends_at"][1] == 1245
    assert sessions.columns["training_kind"][-1] == "non_academic"
    prepaid, other = read_one(FIXTURES / "预收费台账.xlsx")
    assert prepaid.columns["amount_fen"] == [288000, 384000, 200000, 200000]
    assert prepaid.columns["in_custody"] == [True, True, False, True]
    assert prepaid.columns["course_to"][1] == D(2026, 12, 15)
    assert not reading.unreadable
    assert not other.unreadable


def test_columns_are_found_by_synonyms_in_any_order_with_marks_and_breaks(read_rows: ReadRows) -> None:
    header = ["*科目", "作业时长\n（小时）", "班 级：", "布置日期", "ＳＣＨＯＯＬ"]
    table, _ = read_rows([header, ["语文", 0.5, "三(2)班", "2026-11-16", "一小"], ["数学", "20分钟", "三(2)班", "2026-11-16", "一小"]])
    assert table.columns["homework_minutes"] == [30, 20]
    assert table.columns["school"] == ["一小", "一小"]


@pytest.mark.parametrize(
    ("header", "cell", "fen"),
    [
        ("金额（万元）", 1.2, 1200000),
        ("金额（分）", 1234, 1234),
        ("金额(单位：元)", 10, 1000),
        ("金额/万元", "0.5", 500000),
        ("缴费金额(元)", "1,000", 100000),
        ("金额万元", 2, 2000000),
        ("金额【元】", 3, 300),
    ],
)
def test_the_unit_in_the_header_is_used(read_rows: ReadRows, header: str, cell: object, fen: int) -> None:
    table, _ = read_rows([["合同编号", header], ["HT-1", cell]])
    assert table.columns["amount_fen"] == [fen]


def test_a_header_unit_that_does_not_fit_is_told_once(read_rows: ReadRows) -> None:
    table, reading = read_rows([["日期", "班级", "时长（课时）"], ["2026-11-16", "三（2）班", 2], ["2026-11-17", "三（2）班", 3]])
    assert table.columns["homework_minutes"] == [None, None]
    assert bad(reading) == [(1, "时长（课时）", "时长（课时）")]


def test_a_header_over_two_rows_is_put_together(read_rows: ReadRows) -> None:
    rows = [
        ["2026年11月作业公示", None, None, None, None],
        ["日期", "班级", "作业", None, None],
        [None, None, "内容", "类型", "时长（分钟）"],
        ["11月16日", "三（2）班", "练习", "书面", 20],
    ]
    table, reading = read_rows(rows, merged=[(1, 0, 2, 0), (1, 1, 2, 1), (1, 2, 1, 4)])
    assert table.header_row == 3
    assert table.rows == [4]
    assert table.columns["homework_minutes"] == [20]
    assert table.columns["form"] == ["written"]
    assert table.columns["content"] == ["练习"]
    assert not reading.unreadable


def test_a_unit_alone_in_the_second_header_row_counts(read_rows: ReadRows) -> None:
    rows = [["日期", "班级", "时长"], [None, None, "（小时）"], ["2026-11-16", "三（2）班", 1.5]]
    table, _ = read_rows(rows, merged=[(0, 0, 1, 0), (0, 1, 1, 1)])
    assert table.columns["homework_minutes"] == [90]


def test_values_that_look_like_header_words_do_not_make_a_header(read_rows: ReadRows) -> None:
    table, _ = read_rows([HEADER, item(完成地点="学校"), item(完成地点="学校", 作业内容="内容", 学科="科目")])
    assert len(table.rows) == 2


def test_tables_below_each_other_are_all_read_with_their_own_titles(tmp_path: Path) -> None:
    rows: Rows = [
        ["2026年11月作业公示"],
        ["学校：一小"],
        HEADER,
        item("11月16日"),
        item(None),
        ["合计"],
        [],
        ["2027年3月作业公示"],
        ["学校：二小"],
        HEADER,
        item("3月2日", None),
        item(None, "四（1）班"),
        ["预收费台账"],
        PREPAID,
        ["甲", "HT-1", "2026.9.1", None, None, 10, 5, "是"],
    ]
    reading = read([write_xlsx(tmp_path / "a.xlsx", {"表": rows})], VOCABULARY, grade_names=GRADES)
    first, second, third = (table for table in reading.tables if isinstance(table, Table))
    assert first.columns["on_date"] == [D(2026, 11, 16)] * 2
    assert first.columns["school"] == ["一小"] * 2
    assert first.rows == [4, 5]
    assert second.columns["on_date"] == [D(2027, 3, 2)] * 2
    assert second.columns["school"] == ["二小"] * 2
    assert second.columns["class_name"] == [None, "四（1）班"], "nothing repeats across tables"
    assert third.kind == "prepayment"
    assert third.rows == [15]


def test_blank_cells_repeat_the_value_above_but_not_on_totals(read_rows: ReadRows) -> None:
    rows = [
        HEADER,
        item(),
        item(None, None, 5),
        ["小计", None, None, None, None, None, 25],
        item(None, None, 6),
        [None, None, "小计", None, None, None, 30],
    ]
    table, reading = read_rows(rows)
    assert table.rows == [2, 3, 5]
    assert table.columns["class_name"] == ["三（2）班"] * 3
    assert [what for _, what in skipped(reading)] == ["合计行", "合计行"]


def test_a_bad_repeated_cell_is_told_once_with_the_rows_it_reaches(read_rows: ReadRows) -> None:
    table, reading = read_rows([HEADER, item("2月30日"), item(None), item(None), item("2026-11-17")])
    assert table.columns["on_date"] == [None, None, None, D(2026, 11, 17)]
    (one,) = reading.unreadable
    assert (one.row, one.column, one.value) == (2, "日期", "2月30日")
    assert "2 行沿用" in one.reason


def test_a_group_heading_row_carries_its_value_down(read_rows: ReadRows) -> None:
    blank = [None] * 8
    table, reading = read_rows([HEADER, ["2026-11-16", *blank], item(None), ["2026-11-17", *blank], item(None)])
    assert table.columns["on_date"] == [D(2026, 11, 16), D(2026, 11, 17)]
    assert table.rows == [3, 5]
    assert [row for row, _ in skipped(reading)] == [2, 4]


def test_notes_signatures_and_numbered_blanks_are_no_records(read_rows: ReadRows) -> None:
    rows = [
        ["序号", *HEADER],
        [1, *item()],
        [2],
        [3],
        ["注：时长为预计时间"],
        ["填报人：张三", None, "审核人：李四"],
        [None, "（盖章）"],
    ]
    table, reading = read_rows(rows)
    assert table.rows == [2]
    assert not reading.unreadable
    assert skipped(reading) == [(1, "没有用到的列“序号”"), (3, "没有填写内容的行"), (5, "说明"), (6, "签字行"), (7, "签字行")]


def test_unknown_columns_are_named_with_a_hint(read_rows: ReadRows) -> None:
    _, reading = read_rows([["日期", "班级", "预计时常", "时长", "心情"], ["2026-11-16", "三（2）班", 1, 20, "好"]])
    assert skipped(reading)[0][1].startswith("不认识的列“预计时常”")
    assert (1, "不认识的列“心情”") in skipped(reading)


def test_a_hint_names_the_nearest_column_not_yet_there(read_rows: ReadRows) -> None:
    _, reading = read_rows([["合同编号", "金额", "课时总数"], ["A", 1, 2]])
    assert skipped(reading) == [(1, "不认识的列“课时总数”，是否想写“课时数”？")]


def test_a_column_named_twice_is_told_and_the_first_is_read(read_rows: ReadRows) -> None:
    table, reading = read_rows([["日期", "班级", "时长", "预计时长"], ["2026-11-16", "三（2）班", 20, 30]])
    assert table.columns["homework_minutes"] == [20]
    assert bad(reading) == [(1, "预计时长", "预计时长")]
    assert "两次" in reading.unreadable[0].reason


def test_title_values_fill_columns_and_may_stand_in_the_next_cell(read_rows: ReadRows) -> None:
    table, _ = read_rows([["学校：", "示范区第一小学", "填报日期：", "2026年11月20日"], HEADER, item("11月16日")])
    assert table.columns["school"] == ["示范区第一小学"]
    assert "school" in table.present
    assert table.columns["on_date"] == [D(2026, 11, 16)]


@pytest.mark.parametrize(
    ("sheet", "name"),
    [("2026年11月", "a.xlsx"), ("Sheet1", "作业公示2026.11.16-11.20.xlsx"), ("11.16", "作业_20261120.xlsx"), ("S", "2026年第10周.xlsx")],
)
def test_the_year_may_stand_in_the_sheets_or_the_files_name(read_rows: ReadRows, sheet: str, name: str) -> None:
    table, _ = read_rows([HEADER, item("11月16日")], name, sheet)
    assert table.columns["on_date"] == [D(2026, 11, 16)]


def test_no_year_anywhere_keeps_the_record_and_says_where_to_write_it(read_rows: ReadRows) -> None:
    table, reading = read_rows([HEADER, item("11月16日")])
    assert table.columns["on_date"] == [None]
    assert "标题" in reading.unreadable[0].reason


def test_a_week_that_crosses_new_year_gets_both_years(read_rows: ReadRows) -> None:
    table, _ = read_rows([["作业公示（2026.12.28—2027.1.3）"], HEADER, item("12月31日"), item("1月1日")])
    assert table.columns["on_date"] == [D(2026, 12, 31), D(2027, 1, 1)]


def test_one_column_of_start_and_end_times_is_split(read_rows: ReadRows) -> None:
    table, reading = read_rows([["机构名称", "上课日期", "上课时间"], ["甲", "2026-11-18", "18:30-20:30"], ["甲", "2026-11-19", "18:30"]])
    assert table.columns["starts_at"] == [1110, None]
    assert table.columns["ends_at"] == [1230, None]
    assert bad(reading) == [(3, "上课时间", "18:30")]


def test_a_span_of_days_in_one_column_is_split(read_rows: ReadRows) -> None:
    table, _ = read_rows([["合同编号", "金额", "课程起止"], ["A", 1, "2026.9.1—2026.12.15"], ["B", 1, "2026-09-01至2026-12-15"]])
    assert table.columns["course_from"] == [D(2026, 9, 1)] * 2
    assert table.columns["course_to"] == [D(2026, 12, 15)] * 2


def test_real_dates_times_and_numbers_of_excel_are_read(read_rows: ReadRows) -> None:
    rows = [
        SESSIONS,
        ["甲", datetime.date(2026, 11, 18), datetime.time(18, 30), 0.854166666666667, "线下"],
        ["甲", 46345, "下午6点半", "晚上8点半", "线上"],
    ]
    table, reading = read_rows(rows)
    assert table.columns["on_date"] == [D(2026, 11, 18), D(2026, 11, 19)]
    assert table.columns["starts_at"] == [1110, 1110]
    assert table.columns["ends_at"] == [1230, 1230]
    assert not reading.unreadable


def test_the_1904_calendar_is_respected(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    for row in [SESSIONS, ["甲", datetime.date(2026, 11, 18), "18:30", "20:30", "线下"], ["甲", 46344 - 1462, "18:30", "20:30", "线下"]]:
        book.active.append(row)
    book.save(tmp_path / "mac.xlsx")
    table, _ = read_one(tmp_path / "mac.xlsx")
    assert table.columns["on_date"] == [D(2026, 11, 18)] * 2


def test_formulas_without_results_and_errors_are_told(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in [HEADER, item(minutes="=10+10"), item(minutes="#DIV/0!"), item(), item("=TODAY()"), item(None)]:
        book.active.append(row)
    book.save(tmp_path / "f.xlsx")
    table, reading = read_one(tmp_path / "f.xlsx")
    assert table.columns["homework_minutes"] == [None, None, 20, 20, 20]
    assert table.columns["on_date"][3:] == [None, None], "a faulty cell is not filled from above"
    assert bad(reading) == [(2, HEADER[6], "=10+10"), (3, HEADER[6], "#DIV/0!"), (5, "日期", "=TODAY()")]
    assert "打开并保存" in reading.unreadable[0].reason
    assert "错误值" in reading.unreadable[1].reason


def test_formulas_with_results_are_read(tmp_path: Path) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(tmp_path / "g.xlsx") as book:
        sheet = book.add_worksheet()
        for number, row in enumerate([HEADER, item(), item()]):
            sheet.write_row(number, 0, row)
        sheet.write_formula(1, 6, "=10+15", None, 25)
    table, reading = read_one(tmp_path / "g.xlsx")
    assert table.columns["homework_minutes"] == [25, 20]
    assert not reading.unreadable


def test_grade_and_class_in_two_columns_are_joined(read_rows: ReadRows) -> None:
    table, _ = read_rows(
        [
            ["日期", "年级", "班级", "时长"],
            ["2026-11-16", "三年级", "2班", 20],
            ["2026-11-16", 4, 1, 20],
            ["2026-11-16", None, "五（1）班", 20],
        ]
    )
    assert table.columns["class_name"] == ["三（2）班", "四（1）班", "五（1）班"]
    assert table.columns["grade"] == [3, 4, 5]


def test_a_class_without_a_grade_is_kept_and_told(read_rows: ReadRows) -> None:
    table, reading = read_rows([HEADER, item(class_name="向日葵班")])
    assert table.columns["class_name"] == ["向日葵班"]
    assert table.columns["grade"] == [None]
    assert bad(reading) == [(2, "班级", "向日葵班")]


def test_a_record_without_a_key_is_listed_not_kept(read_rows: ReadRows) -> None:
    table, reading = read_rows([["合同编号", "金额", "监管"], ["HT-1", 5, "是"], [None, 6, "否"]])
    assert table.rows == [2]
    assert bad(reading) == [(3, None, "")]
    assert "合同编号" in reading.unreadable[0].reason


def test_percentages_formatted_as_such_are_whole_percents(read_rows: ReadRows) -> None:
    table, _ = read_rows([["合同编号", "金额", "占比"], ["A", 1, 0.6], ["B", 1, 1], ["C", 1, "35%"]])
    assert table.columns["share"] == [60, 100, 35]
    table, _ = read_rows([["合同编号", "金额", "占比"], ["A", 1, 60], ["B", 1, 1]])
    assert table.columns["share"] == [60, 1]


def test_a_sheet_of_no_known_kind_names_the_nearest_and_what_is_missing(tmp_path: Path) -> None:
    path = write_xlsx(
        tmp_path / "a.xlsx", {"好": [HEADER, item()], "差": [["日期", "班级", "学科"], ["2026-11-16", "三（2）班", "语文"]], "空": []}
    )
    table, reading = read_one(path)
    assert table.sheet == "好"
    (one,) = reading.unreadable
    assert one.sheet == "差"
    assert "作业公示" in one.reason
    assert "时长" in one.reason
    assert ("空", "空工作表") in [(skip.sheet, skip.what) for skip in reading.skipped]


def test_a_second_table_of_no_known_kind_ends_the_first(tmp_path: Path) -> None:
    rows: Rows = [HEADER, item(), [], ["日期", "班级", "学科", "内容"], ["2026-11-16", "三（2）班", "语文", "练习"]]
    table, reading = read_one(write_xlsx(tmp_path / "a.xlsx", {"表": rows}))
    assert table.rows == [2]
    assert "4 至 5 行" in reading.unreadable[0].reason


def test_input_without_any_table_is_an_input_error(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"表": [["姓名", "电话"], ["张三", "123"]]})
    with pytest.raises(InputError) as caught:
        read([path], VOCABULARY, grade_names=GRADES)
    assert "没有认得的表头" in caught.value.problems[0]
    assert "a.xlsx" in caught.value.problems[0]


def test_a_forced_kind_reads_a_table_that_recognition_would_not(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"表": [["日期", "班级"], ["2026-11-16", "三（2）班"]]})
    table, _ = read_one(path, kinds={path: "homework_item"})
    assert table.rows == [2]
    with pytest.raises(InputError, match="homework_item"):
        read([path], VOCABULARY, grade_names=GRADES, kinds={path: "homework_itme"})


def test_a_table_that_starts_far_from_the_corner_is_read(read_rows: ReadRows) -> None:
    rows = [[], [], *([None, None, *row] for row in (HEADER, item(), item(None, None, 5)))]
    table, _ = read_rows(rows)
    assert table.header_row == 3
    assert table.rows == [4, 5]


def test_headers_below_the_thirtieth_row_are_not_looked_for(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"表": [*([["说明文字"]] * 31), HEADER, item()]})
    with pytest.raises(InputError):
        read([path], VOCABULARY, grade_names=GRADES)


def test_a_later_table_is_found_however_far_down(read_rows: ReadRows, tmp_path: Path) -> None:
    rows: Rows = [HEADER, *[item()] * 200, HEADER, *[item()] * 3]
    reading = read([write_xlsx(tmp_path / "a.xlsx", {"表": rows})], VOCABULARY, grade_names=GRADES)
    assert [len(table.rows) for table in reading.tables if isinstance(table, Table)] == [200, 3]


@pytest.mark.parametrize("title", ["单位：万元", "（金额单位：万元）", "单位:人、万元"])
def test_a_unit_in_the_title_counts_for_columns_without_their_own(read_rows: ReadRows, title: str) -> None:
    table, _ = read_rows([["预收费台账", title], ["机构", "合同编号", "金额", "课时数"], ["甲", "A", 1.2, 10], ["甲", "B", "3000元", 5]])
    assert table.columns["amount_fen"] == [1200000, 300000]
    assert table.columns["lessons"] == [10, 5]
    assert table.columns["institution"] == ["甲", "甲"]


def test_a_unit_in_the_title_is_no_school(read_rows: ReadRows) -> None:
    table, _ = read_rows([["单位：分钟"], HEADER, item()])
    assert "school" not in table.present


def test_merged_words_hold_for_their_rows_and_merged_numbers_are_told(read_rows: ReadRows) -> None:
    rows = [HEADER, item(minutes=60), item(None, None, None, 批改方式=None), item(minutes=20)]
    table, reading = read_rows(rows, merged=[(1, 6, 2, 6), (1, 7, 2, 7)])
    assert table.columns["marking"] == ["teacher"] * 3
    assert table.columns["homework_minutes"] == [60, None, 20]
    assert bad(reading) == [(3, HEADER[6], "60")]
    assert "合并" in reading.unreadable[0].reason


def test_rows_of_blanks_only_are_blank(read_rows: ReadRows) -> None:
    table, reading = read_rows([HEADER, item(), [" ", "　", " "], item()])
    assert table.rows == [2, 4]
    assert skipped(reading) == [(3, "空行")]
    assert not reading.unreadable


@pytest.mark.parametrize("name", ["旧式.xls", "开放.ods"])
def test_old_and_open_workbooks_are_read(name: str) -> None:
    table, reading = read_one(FIXTURES / name)
    assert set(table.columns["on_date"]) == {D(2026, 11, 16)}
    assert table.columns["homework_minutes"][0] == 20
    assert not reading.unreadable


def test_a_tie_between_kinds_is_told_unless_the_title_names_one(tmp_path: Path) -> None:
    shape = {"item": {"label": "项目", "type": "text"}, "on_date": {"label": "日期", "type": "date"}}
    twins = [kind(name, label, ["item"], ["item", "on_date"], shape) for name, label in (("first", "甲表"), ("second", "乙表"))]
    vocabulary = Vocabulary({one.name: one for one in twins}, {})
    rows = [["项目", "日期"], ["x", "2026-11-16"]]
    with pytest.raises(InputError, match="分不清是“甲表”和“乙表”"):
        read([write_xlsx(tmp_path / "a.xlsx", {"表": rows})], vocabulary, grade_names={})
    (table,) = read([write_xlsx(tmp_path / "b.xlsx", {"2026乙表": rows})], vocabulary, grade_names={}).tables
    assert table.kind == "second"


def test_a_title_value_never_stands_in_for_an_unreadable_cell(read_rows: ReadRows) -> None:
    rows = [["学校：一小"], ["学校", *HEADER], ["#REF!", *item()], ["二小", *item()]]
    table, reading = read_rows(rows)
    assert table.columns["school"] == [None, "二小"]
    assert bad(reading) == [(3, "学校", "#REF!")]


def test_a_class_never_stands_in_for_an_unreadable_grade(read_rows: ReadRows) -> None:
    rows = [["日期", "年级", "班级", "时长"], ["2026-11-16", "大班", "三（2）班", 20], ["2026-11-16", None, "三（2）班", 20]]
    table, reading = read_rows(rows)
    assert table.columns["grade"] == [None, 3]
    assert bad(reading) == [(2, "年级", "大班")]
