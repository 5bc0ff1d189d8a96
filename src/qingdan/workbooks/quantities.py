"""Whole quantities with their units: minutes, lessons, months, people, and money in fen."""

from __future__ import annotations

import datetime
import math
import re
from fractions import Fraction

from qingdan.workbooks.model import Unread
from qingdan.workbooks.text import NUMERALS, PLACEHOLDERS, dashed, exact, number, shown, squeeze

_LIMIT = 2**63

#: Base unit of a column -> word in a cell or header -> how many base units it is.
UNIT_WORDS: dict[str, dict[str, Fraction]] = {
    "minute": {
        "分钟": Fraction(1),
        "分": Fraction(1),
        "min": Fraction(1),
        "mins": Fraction(1),
        "minute": Fraction(1),
        "minutes": Fraction(1),
        "'": Fraction(1),
        "刻钟": Fraction(15),
        "刻": Fraction(15),
        "小时": Fraction(60),
        "个小时": Fraction(60),
        "钟头": Fraction(60),
        "个钟头": Fraction(60),
        "个钟": Fraction(60),
        "时": Fraction(60),
        "h": Fraction(60),
        "hr": Fraction(60),
        "hour": Fraction(60),
        "hours": Fraction(60),
        "秒": Fraction(1, 60),
        "秒钟": Fraction(1, 60),
    },
    "hour": {
        "小时": Fraction(1),
        "个小时": Fraction(1),
        "时": Fraction(1),
        "h": Fraction(1),
        "分钟": Fraction(1, 60),
        "分": Fraction(1, 60),
    },
    "day": {"天": Fraction(1), "日": Fraction(1), "个工作日": Fraction(1), "工作日": Fraction(1), "周": Fraction(7), "星期": Fraction(7)},
    "month": {"月": Fraction(1), "个月": Fraction(1), "季度": Fraction(3), "个季度": Fraction(3), "年": Fraction(12)},
    "year": {"岁": Fraction(1), "周岁": Fraction(1), "年": Fraction(1)},
    "term": {"学期": Fraction(1), "个学期": Fraction(1), "学年": Fraction(2)},
    "times": {"次": Fraction(1), "回": Fraction(1), "场": Fraction(1), "期": Fraction(1)},
    "lesson": {"课时": Fraction(1), "个课时": Fraction(1), "节": Fraction(1), "节课": Fraction(1), "课": Fraction(1), "讲": Fraction(1)},
    "person": dict.fromkeys(("人", "名", "位", "个", "人次", "名学生"), Fraction(1)),
    "item": dict.fromkeys("项个篇份本件门种家所道题条类科套", Fraction(1)),
    "percent": {"%": Fraction(1), "个百分点": Fraction(1)},
    "fen": {
        **dict.fromkeys(("元", "圆", "块", "块钱", "元人民币", "rmb", "yuan"), Fraction(100)),
        "角": Fraction(10),
        "毛": Fraction(10),
        "分": Fraction(1),
        "百元": Fraction(10**4),
        "千元": Fraction(10**5),
        "万元": Fraction(10**6),
        "十万元": Fraction(10**7),
        "百万元": Fraction(10**8),
        "亿元": Fraction(10**10),
        "fen": Fraction(1),
    },
    "grade": {"年级": Fraction(1)},
}
#: Every word that a header may carry as its unit.
HEADER_UNITS = frozenset(word for words in UNIT_WORDS.values() for word in words if word not in {"'", "个", "课", "所", "本", "家"})

_UNIT_LABELS = {
    "minute": "分钟",
    "hour": "小时",
    "day": "天",
    "month": "月",
    "year": "岁",
    "term": "学期",
    "times": "次",
    "lesson": "课时",
    "person": "人",
    "item": "项",
    "percent": "%",
    "fen": "元",
}
_ABOUT = re.compile(r"^(?:大约|大概|约为|约计|约|共计|合计|总计|共|计|≈|每天|每日|每次)+|(?:左右|上下|整|正)+$")
_BOUND = re.compile(r"以内|以下|以上|不超过|不少于|不低于|不高于|至少|最多|之内|[<>≤≥≦≧]")
_NUM = rf"(?:\d[\d,]*(?:\.\d+)?|\.\d+|[{NUMERALS}]+(?:点[{NUMERALS}]+)?|半)"
_RANGE = re.compile(rf"{_NUM}[^\d]{{0,3}}(?:-|至|到){_NUM}")
_PART = re.compile(rf"(?P<number>{_NUM})(?P<myriad>[万亿千百]?)(?P<half>个半)?(?P<unit>[^\d\s{NUMERALS}半.,]*)(?P<more>半)?")
_MYRIAD = {"": 1, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}


def _whole(amount: Fraction, unit: str, value: object) -> int:
    if amount.denominator != 1:
        if unit == "fen":
            raise Unread("金额不足一分，请核对小数")
        wanted = _UNIT_LABELS.get(unit, "")
        raise Unread(f"应当是整数{f'（单位：{wanted}）' if wanted else ''}，却是 {shown(value)}")
    if not -_LIMIT <= amount < _LIMIT:
        raise Unread("数字太大，请核对")
    return int(amount)


def _parts(text: str, words: dict[str, Fraction], factor: Fraction) -> Fraction:
    """The sum of ``1小时30分``-like parts; raise Unread when the text is not made of such parts."""
    total, pending, position = Fraction(0), Fraction(0), 0
    least: Fraction | None = None
    while position < len(text):
        match = _PART.match(text, position)
        if match is None:
            raise Unread("看不出数量，请只写数字")
        amount = Fraction(1, 2) if match["number"] == "半" else number(match["number"])
        if amount is None:
            raise Unread("看不出数量，请只写数字")
        amount *= _MYRIAD[match["myriad"]]
        if match["half"]:
            amount += Fraction(1, 2)
        unit = match["unit"].lower()
        if unit and unit not in words and match["myriad"] and match["myriad"] + unit in words:
            amount, unit = amount / _MYRIAD[match["myriad"]], match["myriad"] + unit
        if unit and unit not in words:
            raise Unread(f"不认识的单位“{match['unit']}”，请只写数字" if re.fullmatch(r"[^\W\d_]{1,4}", unit) else "看不出数量，请只写数字")
        if match["myriad"] and not unit and match.end() < len(text):
            # 1万2千元, 1万2000元: the rest belongs to the same number.
            pending, position = pending + amount, match.end()
            continue
        if pending and amount < 10 and not match["myriad"]:
            raise Unread("看不出数量，请只写数字")
        amount, pending = amount + pending, Fraction(0)
        size = words[unit] if unit else factor
        if not unit and least is not None:
            # 1小时30: a bare number after hours counts minutes, after anything else nothing certain.
            if words.get("刻钟") is None or least != 60:
                raise Unread("看不出数量，请只写数字")
            size = Fraction(1)
        if least is not None and size >= least:
            raise Unread("单位的次序不对，请只写一个数字")
        total += (amount + (Fraction(1, 2) if match["more"] else 0)) * size
        least, position = size, match.end()
    return total


def quantity(value: object, unit: str, factor: Fraction, *, rate: bool = False) -> int | None:
    """A cell as a whole number of ``unit`` (``minute``, ``lesson``, ``fen`` …, or ``1``), None when it is empty.

    ``factor``: how many units a bare number counts, as the header says (100 for 元). ``rate``: ``80元/课时`` is fine.
    Raise Unread for ranges, bounds, decimals that do not come out whole, other words.
    """
    if isinstance(value, float | int):
        if not math.isfinite(value):
            raise Unread("不是一个数")
        amount = exact(float(value)) if isinstance(value, float) else Fraction(value)
        return _whole(amount * factor, unit, value)
    if isinstance(value, datetime.time | datetime.timedelta):
        return _duration(value, unit)
    if isinstance(value, datetime.date):
        raise Unread("单元格是日期格式，应当是数字；请把单元格格式改为“常规”后重填")
    text = squeeze(str(value))
    plain = number(text)
    if plain is not None:
        return _whole(plain * factor, unit, value)
    if text in PLACEHOLDERS:
        return None
    return _whole(_said(text, unit, factor, rate), unit, value)


def _said(text: str, unit: str, factor: Fraction, rate: bool) -> Fraction:
    text = dashed(text)
    if _BOUND.search(text):
        raise Unread("写的是一个限度，不是数量；请写一个确定的数字")
    if _RANGE.search(text):
        raise Unread("写的是一个范围；请写一个确定的数字")
    words = UNIT_WORDS.get(unit, {})
    if unit == "fen":
        text = _money_text(text, rate)
    elif unit == "percent":
        text = text.removeprefix("百分之")
    stripped = _ABOUT.sub("", text)
    sign = -1 if stripped.startswith(("-", "负")) else 1
    stripped = stripped.lstrip("-负")
    if not stripped:
        raise Unread("看不出数量，请只写数字")
    return sign * _parts(stripped, words, factor)


_FOREIGN = re.compile(r"\$|美元|港币|港元|欧元|usd|hkd|€|£", re.IGNORECASE)
_PER = re.compile(r"/.*$|每.*$")


def _money_text(text: str, rate: bool) -> str:
    if _FOREIGN.search(text):
        raise Unread("不是人民币；请折算成人民币（元）填写")
    text = re.sub(r"^(?:人民币|rmb|cny)", "", text, flags=re.IGNORECASE).replace("¥", "")
    if "/" in text or "每" in text.lstrip("每"):
        if not rate:
            raise Unread("写的是单价；这一列要写总的金额")
        text = _PER.sub("", text)
    return text


def _duration(value: datetime.time | datetime.timedelta, unit: str) -> int:
    if unit not in ("minute", "hour"):
        raise Unread("单元格是时间格式，应当是数字；请把单元格格式改为“常规”后重填")
    if isinstance(value, datetime.time):
        value = datetime.timedelta(hours=value.hour, minutes=value.minute, seconds=value.second)
    return _whole(Fraction(round(value.total_seconds()), 60 if unit == "minute" else 3600), unit, value)
