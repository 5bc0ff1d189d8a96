from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qingdan.workbooks.clocks import clock, split_range
from qingdan.workbooks.dates import DateContext, date, hints_in
from qingdan.workbooks.model import Unread

D = datetime.date


def about(*texts: str) -> DateContext:
    return DateContext(tuple(hints_in([text]) for text in texts))


WEEK = about("示范区第一小学第10周作业公示表（2026.11.16—2026.11.20）")


@pytest.mark.parametrize(
    "cell",
    [
        "2026.11.16",
        "2026/11/16",
        "20261116",
        20261116.0,
        "2026年11月16日",
        "2026-11-16 00:00",
        "2026-11-16T08:30:00",
        "2026年11月16日（星期一）",
        46342.0,
        "46342",
        "11月16日",
        "11.16",
        "11/16",
        "11-16",
        "11月16日 周一",
        "２０２６．１１．１６",
        "二〇二六年十一月十六日",
        "十一月十六日",
        "26年11月16日",
        11.16,
        "2026 年 11 月 16 日",
        "2026、11、16",
        "16日",
        "星期一",
        "周一",
        "11月16号",
        datetime.datetime(2026, 11, 16, 9, 30),
        D(2026, 11, 16),
        "11/16/2026",
        "2026-11-16 上午".removesuffix(" 上午"),
        "2026-11-16 18:30:00.000",
    ],
)
def test_a_day_is_read_however_it_is_written(cell: object) -> None:
    assert date(cell, WEEK) == D(2026, 11, 16)


@pytest.mark.parametrize(
    ("cell", "word"),
    [
        ("2月30日", "没有"),
        ("2026-02-30", "没有"),
        ("13月1日", "没有"),
        ("11月16日—20日", "一段"),
        ("2026.11.16-2026.11.20", "一段"),
        ("2026年11月", "只写到月"),
        ("星期六", "没有这样的日子"),
        ("下周一", "看不出"),
        ("2026-11-16（星期二）", "星期不符"),
        (0.5, "看不出"),
        (datetime.time(8, 0), "时间"),
        ("待定", "看不出"),
        ("3月1日", "之内"),
        ("10/11/2026", "分不清"),
        (11.2, "Excel"),
        ("0001-01-01", "不合情理"),
    ],
)
def test_a_day_that_cannot_be_told_is_refused_with_the_reason(cell: object, word: str) -> None:
    with pytest.raises(Unread, match=word):
        date(cell, WEEK if cell != 11.2 else about("2026.11.1—2026.11.30"))


def test_a_day_without_a_year_anywhere_says_where_to_write_it() -> None:
    with pytest.raises(Unread, match="标题、工作表名、文件名"):
        date("11月16日", DateContext())


@pytest.mark.parametrize(
    ("title", "cell", "day"),
    [
        ("（2026.12.28—2027.1.3）", "12月31日", D(2026, 12, 31)),
        ("（2026.12.28—2027.1.3）", "1月2日", D(2027, 1, 2)),
        ("2026年12月28日至1月3日", "1月3日", D(2027, 1, 3)),
        ("2026年12月28日-31日", "12.30", D(2026, 12, 30)),
        ("2026-2027学年第一学期", "1月8日", D(2027, 1, 8)),
        ("2026-2027学年第一学期", "11月8日", D(2026, 11, 8)),
        ("2026学年第二学期", "3月8日", D(2027, 3, 8)),
        ("2026年11月", "11月8日", D(2026, 11, 8)),
        ("2026年12月课程表", "1月3日", D(2027, 1, 3)),
        ("2026年秋季学期", "11月8日", D(2026, 11, 8)),
        ("2026年春季", "3月8日", D(2026, 3, 8)),
        ("填报日期：2026年11月20日", "11月16日", D(2026, 11, 16)),
        ("填报日期：2027年1月4日", "12月30日", D(2026, 12, 30)),
        ("作业公示_20261116", "11月18日", D(2026, 11, 18)),
        ("2026年第10周（11.16—11.20）", "周三", D(2026, 11, 18)),
        ("2026.11.2-11.30", 11.1, None),
        ("2026.11.9-11.13", 11.1, D(2026, 11, 10)),
        ("闰年2028年", "2月29日", D(2028, 2, 29)),
        ("2026", "2.3", D(2026, 2, 3)),
        ("2026年11月16日—2026年11月20日", "11月20日", D(2026, 11, 20)),
        ("2026.11.16~11.20", "周五", D(2026, 11, 20)),
        ("2026年11月16日（星期一）至11月20日（星期五）", "周五", D(2026, 11, 20)),
    ],
)
def test_the_year_comes_from_the_title(title: str, cell: object, day: D | None) -> None:
    if day is None:
        day = D(2026, 11, 10)
    assert date(cell, about(title)) == day


def test_the_nearest_source_of_a_year_wins() -> None:
    assert date("11月16日", DateContext((hints_in(["2025年"]), hints_in(["2026年"])))) == D(2025, 11, 16)


def test_serial_numbers_follow_the_workbook_calendar() -> None:
    assert date(46342.0 - 1462, DateContext(from_1904=True)) == D(2026, 11, 16)


@given(
    st.dates(D(1955, 1, 1), D(2099, 12, 31)),
    st.sampled_from(["{y}年{m}月{d}日", "{y}.{m}.{d}", "{y}/{m:02}/{d:02}", "{y}-{m}-{d}", "{y}{m:02}{d:02}"]),
)
def test_every_day_survives_being_written(day: D, form: str) -> None:
    assert date(form.format(y=day.year, m=day.month, d=day.day), DateContext()) == day


@given(st.dates(D(2020, 1, 1), D(2030, 12, 31)), st.integers(0, 30), st.integers(0, 30))
def test_a_month_and_day_within_a_named_span_is_that_day(first: D, length: int, offset: int) -> None:
    last = first + datetime.timedelta(days=length)
    day = first + datetime.timedelta(days=min(offset, length))
    title = f"{first.year}.{first.month}.{first.day}—{last.year}.{last.month}.{last.day}"
    assert date(f"{day.month}月{day.day}日", about(title)) == day


@given(st.one_of(st.text(max_size=14), st.floats(allow_nan=False, allow_infinity=False), st.integers(), st.datetimes()))
def test_any_cell_gives_a_day_nothing_or_a_reason(cell: object) -> None:
    try:
        found = date(cell, WEEK)
    except Unread:
        return
    assert found is None or type(found) is D


@given(st.text(alphabet="0123456789年月日.-—至学期第一（）周", max_size=24))
def test_any_title_yields_hints(text: str) -> None:
    hints = hints_in([text])
    assert hints == hints_in([text, text])


@pytest.mark.parametrize(
    ("cell", "minutes"),
    [
        ("18:30", 1110),
        ("20：45", 1245),
        ("下午8:00", 1200),
        ("晚上8点半", 1230),
        ("8:30PM", 1230),
        ("8:30 am", 510),
        ("20时45分", 1245),
        ("20点", 1200),
        ("晚8点一刻", 1215),
        ("9:00", 540),
        ("9点整", 540),
        ("中午12:30", 750),
        ("中午1点", 780),
        ("下午12:30", 750),
        ("凌晨1点", 60),
        ("24:00", 1440),
        ("20:45:00", 1245),
        ("1830", 1110),
        (1830.0, 1110),
        (0.854166667, 1230),
        ("18.30", 1110),
        (datetime.time(20, 30), 1230),
        ("八点半", 510),
        (datetime.datetime(1899, 12, 31, 20, 30), 1230),
        (datetime.timedelta(hours=20, minutes=30), 1230),
        ("", None),
        ("下午18:30", 1110),
        ("—", None),
        ("上午10：30", 630),
        ("12:00 AM", 0),
        ("１８：３０", 1110),
        ("晚上十点", 1320),
        ("18：30 ", 1110),
    ],
)
def test_a_time_of_day_is_read_in_minutes(cell: object, minutes: int | None) -> None:
    assert clock(cell) == minutes


@pytest.mark.parametrize(
    ("cell", "word"),
    [
        ("18:30-20:30", "起止"),
        ("25:00", "没有"),
        ("18:75", "没有"),
        ("放学后", "看不出"),
        (18.5, "看不出"),
        (D(2026, 11, 16), "日期"),
        ("13:00pm", "矛盾"),
    ],
)
def test_a_time_that_cannot_be_told_is_refused_with_the_reason(cell: object, word: str) -> None:
    with pytest.raises(Unread, match=word):
        clock(cell)


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [
        ("18:30-20:30", 1110, 1230),
        ("18：30—20：30", 1110, 1230),
        ("18:30~20:30", 1110, 1230),
        ("下午4点至5点半", 960, 1050),
        ("晚上6:30-8:30", 1110, 1230),
        ("上午9点到11点", 540, 660),
        ("下午4:00-17:30", 960, 1050),
        ("9:00 - 10:30", 540, 630),
        ("上午11:00-1:00", 660, 780),
        ("18:30--20:00", 1110, 1200),
    ],
)
def test_a_span_of_time_is_split(text: str, begin: int, end: int) -> None:
    parts = split_range(text)
    assert parts is not None
    assert [clock(part) for part in parts] == [begin, end]


@given(st.integers(0, 1439))
def test_every_minute_of_the_day_survives_being_written(minute: int) -> None:
    hour, rest = divmod(minute, 60)
    for text in (f"{hour}:{rest:02}", f"{hour}时{rest}分", f"{hour:02}：{rest:02}"):
        assert clock(text) == minute
    assert clock(minute / 1440) == minute
    assert clock(datetime.time(hour, rest)) == minute


@given(st.one_of(st.text(max_size=10), st.floats(), st.integers(), st.times()))
def test_any_cell_gives_a_time_nothing_or_a_reason(cell: object) -> None:
    try:
        found = clock(cell)
    except Unread:
        return
    assert found is None or 0 <= found <= 1440
