"""Units of policy figures, and how an official reads them.

A unit is a product of base units with whole exponents (``fen/lesson`` is fen¹ lesson⁻¹), so that a rule which
compares minutes with money is refused while the pack is loaded, not discovered in a hearing.
"""

from __future__ import annotations

import datetime
from collections import Counter
from dataclasses import dataclass

#: Base unit -> how a quantity of it is written in Chinese.
BASE_UNITS: dict[str, str] = {
    "minute": "{} 分钟",
    "hour": "{} 小时",
    "day": "{} 天",
    "month": "{} 个月",
    "year": "{} 岁",
    "term": "{} 学期",
    "times": "{} 次",
    "lesson": "{} 课时",
    "person": "{} 人",
    "item": "{} 项",
    "grade": "{} 年级",
    "percent": "{}%",
    "fen": "{} 元",
    "clock": "{}",
    "date": "{}",
}


@dataclass(frozen=True)
class Unit:
    """A product of base units; the empty product is a bare number."""

    exponents: tuple[tuple[str, int], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Unit:
        """Read ``minute`` or ``fen/lesson`` or ``fen/lesson/person``; raise ValueError on an unknown base unit."""
        numerator, *denominators = (part.strip() for part in text.split("/"))
        powers: Counter[str] = Counter()
        for name, power in [(numerator, 1), *((name, -1) for name in denominators)]:
            if name == "1" and power == 1:
                continue
            if name not in BASE_UNITS:
                raise ValueError(name)
            powers[name] += power
        return cls._of(powers)

    @classmethod
    def _of(cls, powers: Counter[str]) -> Unit:
        return cls(tuple(sorted((name, power) for name, power in powers.items() if power)))

    def times(self, other: Unit) -> Unit:
        """The unit of a product of two quantities."""
        powers = Counter(dict(self.exponents))
        for name, power in other.exponents:
            powers[name] += power
        return self._of(powers)

    def __str__(self) -> str:
        over = [name for name, power in self.exponents for _ in range(power)]
        under = [name for name, power in self.exponents for _ in range(-power)]
        return "/".join(["·".join(over) or "1", *under])


NUMBER = Unit()
CLOCK = Unit((("clock", 1),))
MINUTE = Unit((("minute", 1),))
DATE = Unit((("date", 1),))
GRADE = Unit((("grade", 1),))
GRADE_MAX = 12
_NUMERALS = "一二三四五六"


def show_clock(minutes: int) -> str:
    """Minutes since midnight as a clock reads: 1230 -> ``20:30``."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def show_date(day: datetime.date, *, with_year: bool = False) -> str:
    """A day as a clerk writes it: ``11月17日`` or ``2026年11月17日``."""
    return f"{day.year}年{day.month}月{day.day}日" if with_year else f"{day.month}月{day.day}日"


def grade_name(grade: int) -> str:
    """A grade, counted through from the first of primary school, in words the pack knows everywhere: ``三年级``, ``初一``, ``高二``."""
    if grade <= 6:
        return f"{_NUMERALS[grade - 1]}年级"
    return f"{'初' if grade <= 9 else '高'}{_NUMERALS[(grade - 7) % 3]}"


def show_quantity(value: int | datetime.date, unit: Unit) -> str:
    """A figure with its unit in Chinese: 288000 fen -> ``2,880.00 元``; 1230 clock -> ``20:30``; grade 3 -> 三年级."""
    if isinstance(value, datetime.date):
        return show_date(value, with_year=True)
    if unit == CLOCK:
        return show_clock(value)
    if unit == GRADE and 1 <= value <= GRADE_MAX:
        return grade_name(value)
    over = [name for name, power in unit.exponents if power > 0]
    under = [name for name, power in unit.exponents if power < 0]
    figure = f"{value / 100:,.2f}" if "fen" in over else f"{value:,}"
    text = BASE_UNITS[over[0]].format(figure) if over else figure
    return text + "".join("／" + BASE_UNITS[name].replace("{}", "").strip() for name in under)
