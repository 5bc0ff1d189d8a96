from __future__ import annotations

import datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qingdan.workbooks.model import Unread
from qingdan.workbooks.quantities import quantity
from qingdan.workbooks.text import chinese_number

WIDE = str.maketrans("0123456789.,-", "０１２３４５６７８９．，－")


@pytest.mark.parametrize(
    ("cell", "minutes"),
    [
        (15, 15),
        (15.0, 15),
        ("15", 15),
        ("'15".lstrip("'"), 15),
        ("15分钟", 15),
        ("约20分", 20),
        ("大约20分钟", 20),
        ("20分钟左右", 20),
        ("半小时", 30),
        ("1小时30分", 90),
        ("1小时30", 90),
        ("1.5小时", 90),
        ("一个半小时", 90),
        ("1个半小时", 90),
        ("一小时半", 90),
        ("二十分钟", 20),
        ("１５分钟", 15),
        ("2 小时", 120),
        ("三刻钟", 45),
        ("90'", 90),
        ("1h30min", 90),
        ("二十", 20),
        (datetime.time(0, 20), 20),
        (datetime.timedelta(minutes=75), 75),
        ("0", 0),
        (-5, -5),
        ("-5", -5),
        ("", None),
        ("—", None),
        ("/", None),
        ("两小时", 120),
        ("一百二十分钟", 120),
        ("每天20分钟", 20),
        ("0.5h", 30),
        ("6０分钟", 60),
        ("1小时", 60),
        ("15 min", 15),
    ],
)
def test_a_duration_is_read_in_minutes(cell: object, minutes: int | None) -> None:
    assert quantity(cell, "minute", Fraction(1)) == minutes


@pytest.mark.parametrize(
    ("cell", "word"),
    [
        ("20-30分钟", "范围"),
        ("20～30", "范围"),
        ("20至30分钟", "范围"),
        ("二十到三十分钟", "范围"),
        ("20分钟以内", "限度"),
        ("不超过30分钟", "限度"),
        ("≤30", "限度"),
        ("若干", "看不出"),
        (12.5, "整数"),
        ("12.5", "整数"),
        ("5课时", "单位"),
        ("1:30", "看不出"),
        (datetime.date(2026, 11, 16), "日期格式"),
        ("10+10", "看不出"),
        ("2,88", "看不出"),
        (1e30, "太大"),
        (float("nan"), "不是一个数"),
    ],
)
def test_a_duration_that_is_not_one_number_is_refused_with_the_reason(cell: object, word: str) -> None:
    with pytest.raises(Unread, match=word):
        quantity(cell, "minute", Fraction(1))


def test_the_unit_of_the_header_counts_for_bare_numbers_only() -> None:
    assert quantity(1.5, "minute", Fraction(60)) == 90
    assert quantity("45分钟", "minute", Fraction(60)) == 45
    assert quantity("1.2", "fen", Fraction(10**6)) == 1_200_000
    assert quantity("3000元", "fen", Fraction(10**6)) == 300_000


@pytest.mark.parametrize(
    ("cell", "fen"),
    [
        ("2,880.00", 288000),
        ("２０００", 200000),
        ("2000元", 200000),
        ("¥2000", 200000),
        ("￥2,000.5", 200050),
        ("1.2万元", 1200000),
        ("1.2万", 1200000),
        (2880, 288000),
        (2880.1, 288010),
        (28.8, 2880),
        (0.1 + 0.2, 30),
        ("贰仟元整", 200000),
        ("两千八百八十元", 288000),
        ("人民币2000元", 200000),
        ("2000.00 元", 200000),
        ("12元5角", 1250),
        ("-300", -30000),
        ("约2000元", 200000),
        ("2000 RMB", 200000),
        ("三万二千元", 3200000),
        ("5角", 50),
        ("1万2千元", 1200000),
        ("5千元", 500000),
        ("一万二", 1200000),
    ],
)
def test_money_is_read_in_fen(cell: object, fen: int) -> None:
    assert quantity(cell, "fen", Fraction(100)) == fen


@pytest.mark.parametrize(
    ("cell", "word"), [("$200", "人民币"), ("80元/课时", "单价"), ("12.345", "不足一分"), ("2000-3000元", "范围"), ("免费", "看不出")]
)
def test_money_that_is_no_amount_is_refused_with_the_reason(cell: object, word: str) -> None:
    with pytest.raises(Unread, match=word):
        quantity(cell, "fen", Fraction(100))


def test_a_price_for_a_unit_is_fine_where_the_column_holds_prices() -> None:
    assert quantity("80元/课时", "fen", Fraction(100), rate=True) == 8000
    assert quantity("每课时80元".replace("每课时", ""), "fen", Fraction(100), rate=True) == 8000


@pytest.mark.parametrize(
    ("cell", "unit", "expected"),
    [
        ("3个月", "month", 3),
        ("一年", "month", 12),
        ("36课时", "lesson", 36),
        ("13岁", "year", 13),
        ("20人", "person", 20),
        ("三项", "item", 3),
        ("60%", "percent", 60),
        ("百分之六十", "percent", 60),
        ("2次", "times", 2),
        ("5", "1", 5),
        ("10个工作日", "day", 10),
        ("2周", "day", 14),
    ],
)
def test_other_units_are_understood(cell: str, unit: str, expected: int) -> None:
    assert quantity(cell, unit, Fraction(1)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("二十", 20),
        ("十五", 15),
        ("一百零五", 105),
        ("两千八", 2800),
        ("一百二", 120),
        ("三万二", 32000),
        ("二〇二六", 2026),
        ("贰仟捌佰捌拾", 2880),
        ("十", 10),
        ("一十二", 12),
        ("一亿二千万", 120_000_000),
        ("二二十", None),
        ("百", None),
        ("一万零五", 10005),
        ("", None),
    ],
)
def test_chinese_numerals_are_read(text: str, expected: int | None) -> None:
    assert chinese_number(text) == expected


@given(st.integers(-(10**9), 10**9))
def test_full_width_digits_read_like_plain_ones(amount: int) -> None:
    assert quantity(str(amount).translate(WIDE), "1", Fraction(1)) == amount


@given(st.integers(0, 10**13))
def test_every_amount_of_money_survives_being_written_with_separators(fen: int) -> None:
    assert quantity(f"{fen // 100:,}.{fen % 100:02d}", "fen", Fraction(100)) == fen
    if fen < 10**11:
        assert quantity(fen / 100, "fen", Fraction(100)) == fen


@given(st.one_of(st.text(max_size=12), st.floats(), st.integers(), st.times(), st.timedeltas()))
def test_any_cell_gives_a_whole_number_nothing_or_a_reason(cell: object) -> None:
    for unit in ("minute", "fen", "percent", "1"):
        try:
            found = quantity(cell, unit, Fraction(1))
        except Unread:
            continue
        assert found is None or isinstance(found, int)
