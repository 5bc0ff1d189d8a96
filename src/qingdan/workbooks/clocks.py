"""Times of day, in minutes since midnight."""

from __future__ import annotations

import datetime
import re

from qingdan.workbooks.model import Unread
from qingdan.workbooks.text import PLACEHOLDERS, chinese_number, dashed, shown, squeeze

_MORNING, _AFTERNOON, _NOON = "上午早上早晨清晨凌晨早", "下午晚上傍晚夜间晚间夜里晚午后", "中午"
_HALF = "上午|早上|早晨|清晨|凌晨|下午|晚上|傍晚|夜间|晚间|夜里|午后|中午|早|晚"
_CLOCK = re.compile(
    rf"(?P<half>{_HALF})?(?P<hour>\d{{1,2}}|[零〇一二两三四五六七八九十]{{1,3}})"
    r"(?:[::](?P<minute>\d{1,2})(?::(?P<second>\d{2})(?:\.\d+)?)?|\.(?P<dotted>\d{2})"
    r"|[点时](?:钟|整)?(?:(?P<spoken>\d{1,2}|[零〇一二三四五六七八九十]{1,3})分?|(?P<fraction>半|一刻|三刻))?)"
    r"(?P<suffix>am|pm|a\.m\.|p\.m\.)?",
    re.IGNORECASE,
)
_HINT = "请写成 18:30 的样子"


def _number(text: str) -> int:
    return int(text) if text.isdigit() else chinese_number(text) or 0


def _hour_of(hour: int, half: str, suffix: str) -> int:
    if suffix:
        if not 1 <= hour <= 12:
            raise Unread(f"时间前后矛盾，{_HINT}")
        return hour % 12 + (12 if suffix.startswith("p") else 0)
    if half and half in _NOON:
        return hour + 12 if hour < 3 else hour
    if half and half in _AFTERNOON:
        if hour == 12 and half not in ("下午", "午后"):
            return 24
        return hour + 12 if hour < 12 else hour
    if half and half in _MORNING:
        if hour > 12:
            raise Unread(f"时间前后矛盾，{_HINT}")
        return 0 if half == "凌晨" and hour == 12 else hour
    return hour


def _of_text(text: str) -> int:
    if re.fullmatch(r"([01]\d|2[0-3])[0-5]\d", text):
        return int(text[:2]) * 60 + int(text[2:])
    match = _CLOCK.fullmatch(text)
    if match is None:
        if split_range(text) is not None:
            raise Unread("一格里写了起止两个时间；请分成开始时间、结束时间两列，或只写一个")
        raise Unread(f"看不出时间，{_HINT}")
    minute = match["minute"] or match["dotted"] or match["spoken"]
    minutes = _number(minute) if minute else {"半": 30, "一刻": 15, "三刻": 45}.get(match["fraction"] or "", 0)
    hour = _hour_of(_number(match["hour"]), match["half"] or "", (match["suffix"] or "").lower())
    if minutes > 59 or hour > 24 or (hour == 24 and minutes):
        raise Unread(f"没有这个时间，{_HINT}")
    return hour * 60 + minutes


def clock(value: object) -> int | None:
    """A cell as minutes since midnight (24:00 is 1440), None when empty; raise Unread when it is no time of day."""
    if isinstance(value, datetime.datetime):
        value = value.time()
    if isinstance(value, datetime.time):
        return value.hour * 60 + value.minute + (value.second == 59 and value.microsecond > 0)
    if isinstance(value, datetime.timedelta):
        minutes = round(value.total_seconds() / 60)
        if not 0 <= minutes <= 1440:
            raise Unread(f"没有这个时间，{_HINT}")
        return minutes
    if isinstance(value, datetime.date):
        raise Unread(f"单元格是日期，不是时间；{_HINT}")
    if isinstance(value, float | int):
        if 0 <= value < 1:
            return round(value * 1440)
        text = shown(value)
        if re.fullmatch(r"\d{4}", text):
            return _of_text(text)
        raise Unread(f"看不出时间，{_HINT}")
    text = squeeze(str(value))
    if text in PLACEHOLDERS:
        return None
    if re.fullmatch(r"0?\.\d{3,}", text):
        return round(float(text) * 1440)
    return _of_text(text)


def split_range(text: str) -> tuple[str, str] | None:
    """``18:30-20:30`` or ``下午4点至5点半`` as two texts; None when it is not two times."""
    parts = re.split(r"[-至到]", dashed(squeeze(text)))
    if len(parts) != 2 or not all(_CLOCK.fullmatch(part) for part in parts):
        return None
    first, second = parts
    half = re.match(_HALF, first)
    if half and not re.match(_HALF, second):
        plain = _CLOCK.fullmatch(second)
        begun = _CLOCK.fullmatch(first)
        # 下午4点至5点半: the half of the day holds for both, unless the end is written on the 24-hour clock.
        if plain and begun and _number(plain["hour"]) >= _number(begun["hour"]):
            second = half[0] + second
        elif plain and half[0] in _MORNING and half[0] != "凌晨":
            second = "下午" + second
    return first, second
