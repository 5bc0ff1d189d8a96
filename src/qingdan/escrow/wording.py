"""How money, days and times are said to families and clerks."""

from __future__ import annotations

import datetime

_WEEKDAYS = "一二三四五六日"


def yuan(fen: int) -> str:
    """``1,200.00 元``."""
    sign, fen = ("-", -fen) if fen < 0 else ("", fen)
    return f"{sign}{fen // 100:,}.{fen % 100:02} 元"


def day_text(day: datetime.date) -> str:
    """``11月16日（周一）``."""
    return f"{day.month}月{day.day}日（周{_WEEKDAYS[day.weekday()]}）"


def clock_text(minutes: int) -> str:
    """Minutes after midnight as ``18:30``."""
    return f"{minutes // 60:02}:{minutes % 60:02}"
