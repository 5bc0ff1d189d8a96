"""Days, also those written without their year, with the hints that titles, sheet names and file names give."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass

from qingdan.workbooks.model import Unread
from qingdan.workbooks.text import PLACEHOLDERS, chinese_number, dashed, shown, squeeze, tidy

_SERIALS = range(20_000, 80_000)
_WEEKDAYS = "一二三四五六日"
_CN = "〇零○一二三四五六七八九十"
_ONE = rf"(?:\d{{1,2}}|[{_CN}]{{1,3}})"
_YEAR = rf"(?:\d{{4}}|[{_CN}]{{4}})"
_SEP = r"[-./、,年月]"
_TIME = re.compile(r"(?:(?<=\d)T|\s+)\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?$")
_WEEKDAY = re.compile(r"[(\[]?(?:星期|周|礼拜)([一二三四五六日天])[)\]]?")
_FULL = re.compile(rf"({_YEAR})[-./、,年]({_ONE})[-./、,月]({_ONE})[日号]?\.?")
_SHORT_YEAR = re.compile(rf"'?(\d{{2}})年({_ONE})月({_ONE})[日号]?")
_COMPACT = re.compile(r"(19|20)(\d\d)(\d\d)(\d\d)")
_MONTH_DAY = re.compile(rf"({_ONE})[-./、月]({_ONE})[日号]?")
_DAY_LAST = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_DAY_ONLY = re.compile(rf"({_ONE})[日号]")
_HINT = "请写成 2026-11-16 的样子"
_NO_YEAR = "日期没有年份；请写成 2026-11-16 的样子，或在表的标题、工作表名、文件名里写明年份（如 2026.11.16—2026.11.20）"


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else chinese_number(text) or 0


def day_of(year: int, month: int, day: int) -> datetime.date:
    """A day; raise Unread when the calendar does not have it."""
    try:
        found = datetime.date(year, month, day)
    except ValueError:
        raise Unread(f"没有{year}年{month}月{day}日这一天，请核对") from None
    if not 1950 <= year <= 2150:
        raise Unread(f"年份 {year} 不合情理，请核对")
    return found


@dataclass(frozen=True)
class DateHints:
    """What the words around a table say about the time it speaks of."""

    #: First and last day that a title names together.
    span: tuple[datetime.date, datetime.date] | None = None
    #: The year in which a school year begins.
    school_year: int | None = None
    year: int | None = None
    month: int | None = None
    #: A single full date, such as the day the form was filled in.
    filled: datetime.date | None = None

    def __bool__(self) -> bool:
        return any(hint is not None for hint in (self.span, self.school_year, self.year, self.filled))

    def year_of(self, month: int, day: int) -> int | None:
        """The year in which a month and day fall, None when nothing says it; raise Unread when far from the named span."""
        if self.span:
            return self._near_span(month, day)
        if self.school_year:
            return self.school_year if month >= 8 else self.school_year + 1
        if self.year:
            if self.month == 12 and month == 1 and day <= 7:
                return self.year + 1
            if self.month == 1 and month == 12 and day >= 25:
                return self.year - 1
            return self.year
        if self.filled:
            return self._near_filled(self.filled, month, day)
        return None

    def _near_span(self, month: int, day: int) -> int:
        assert self.span is not None
        first, last = self.span
        best: tuple[int, int] | None = None
        for year in range(first.year - 1, last.year + 2):
            try:
                found = datetime.date(year, month, day)
            except ValueError:
                continue
            distance = max((first - found).days, (found - last).days, 0)
            if best is None or distance < best[0]:
                best = (distance, year)
        if best is None:
            return first.year
        if best[0] > 60:
            raise Unread(f"{month}月{day}日不在标题所写的 {first.isoformat()} 至 {last.isoformat()} 之内；请核对，或写上年份")
        return best[1]

    @staticmethod
    def _near_filled(filled: datetime.date, month: int, day: int) -> int:
        for year in (filled.year + 1, filled.year):
            try:
                if datetime.date(year, month, day) <= filled + datetime.timedelta(days=31):
                    return year
            except ValueError:
                continue
        try:
            datetime.date(filled.year, month, day)
        except ValueError:
            return filled.year
        return filled.year - 1


@dataclass(frozen=True)
class DateContext:
    """Hints in the order in which they count: the table's own titles, the sheet's name, the file's name."""

    hints: tuple[DateHints, ...] = ()
    #: A workbook that counts days from 1904.
    from_1904: bool = False

    def month_day(self, month: int, day: int) -> datetime.date:
        """The day with the year that the nearest hint gives; raise Unread when none does, or there is no such day."""
        if not 1 <= month <= 12 or not 1 <= day <= 31:
            raise Unread(f"没有{month}月{day}日这一天，请核对")
        for hints in self.hints:
            year = hints.year_of(month, day)
            if year is not None:
                return day_of(year, month, day)
        if day > (29 if month == 2 else 30 if month in (4, 6, 9, 11) else 31):
            raise Unread(f"没有{month}月{day}日这一天，请核对")
        raise Unread(_NO_YEAR)

    @property
    def span(self) -> tuple[datetime.date, datetime.date] | None:
        """The first named span."""
        return next((hints.span for hints in self.hints if hints.span), None)

    def only_in_span(self, fits: str, weekday: int | None = None, day: int | None = None) -> datetime.date:
        """The one day of the span with this weekday or day of the month; raise Unread when there is none or more than one."""
        if self.span is None or (self.span[1] - self.span[0]).days > 62:
            raise Unread(f"只写了“{fits}”，看不出是哪一天；{_HINT}")
        first, last = self.span
        days = [first + datetime.timedelta(days=offset) for offset in range((last - first).days + 1)]
        found = [one for one in days if (weekday is None or one.weekday() == weekday) and (day is None or one.day == day)]
        if len(found) != 1:
            raise Unread(f"只写了“{fits}”，标题所写的日期范围里{'没有' if not found else '不止一个'}这样的日子；{_HINT}")
        return found[0]


def _of_number(value: float, context: DateContext) -> datetime.date:
    whole = int(value)
    text = shown(value)
    if _COMPACT.fullmatch(text):
        return day_of(whole // 10_000, whole // 100 % 100, whole % 100)
    if whole in _SERIALS:
        base = datetime.date(1904, 1, 1) if context.from_1904 else datetime.date(1899, 12, 30)
        return base + datetime.timedelta(days=whole)
    match = re.fullmatch(r"(\d{1,2})\.(\d{1,2})", text)
    if match is None or not 1 <= int(match[1]) <= 12:
        raise Unread(f"看不出日期，{_HINT}")
    month, digits = int(match[1]), match[2]
    if len(digits) == 2 or digits not in "123":
        return context.month_day(month, int(digits))
    # Excel keeps 11.10 as 11.1: both readings are possible unless the named span has only one of them.
    readings = [context.month_day(month, day) for day in (int(digits), int(digits) * 10) if day <= 29 or month != 2]
    span = context.span
    fitting = [one for one in readings if span and span[0] <= one <= span[1]]
    if len(fitting) != 1:
        raise Unread(f"Excel 会把 {text}0 存成 {text}，分不清是 {digits} 日还是 {digits}0 日；{_HINT}")
    return fitting[0]


def _of_text(text: str, context: DateContext, fits: str) -> datetime.date:
    if match := _FULL.fullmatch(text):
        return day_of(*(_number(part) for part in match.groups()))
    if match := _SHORT_YEAR.fullmatch(text):
        return day_of(2000 + int(match[1]), _number(match[2]), _number(match[3]))
    if _COMPACT.fullmatch(text):
        return day_of(int(text[:4]), int(text[4:6]), int(text[6:]))
    if match := _MONTH_DAY.fullmatch(text):
        return context.month_day(_number(match[1]), _number(match[2]))
    if re.fullmatch(r"\d{5}", text) and int(text) in _SERIALS:
        return _of_number(float(text), context)
    if match := _DAY_LAST.fullmatch(text):
        first, second, year = (int(part) for part in match.groups())
        if (first > 12) != (second > 12) or first == second:
            return day_of(year, min(first, second), max(first, second))
        raise Unread(f"分不清哪个是月、哪个是日；{_HINT}")
    if match := _DAY_ONLY.fullmatch(text):
        return context.only_in_span(fits, day=_number(match[1]))
    if re.fullmatch(rf"{_YEAR}[-./年]{_ONE}月?(?:-.*)?", text) or re.fullmatch(rf"{_ONE}月", text):
        raise Unread(f"只写到月，没有日；{_HINT}")
    if span_in(text) or len(_MONTH_DAY.findall(text)) > 1 or re.fullmatch(rf"{_ONE}{_SEP}{_ONE}[日号]?-{_ONE}[日号]?", text):
        raise Unread("写的是一段日期；请每天写一行")
    raise Unread(f"看不出日期，{_HINT}")


def date(value: object, context: DateContext) -> datetime.date | None:
    """A cell as a day, None when empty; raise Unread when it is none, does not exist, or has no year anywhere."""
    if isinstance(value, datetime.datetime):
        return day_of(value.year, value.month, value.day)
    if isinstance(value, datetime.date):
        return day_of(value.year, value.month, value.day)
    if isinstance(value, float | int):
        return _of_number(float(value), context)
    if isinstance(value, datetime.time | datetime.timedelta):
        raise Unread(f"单元格是时间，不是日期；{_HINT}")
    text = _TIME.sub("", tidy(str(value)))
    text = dashed(squeeze(text))
    if text in PLACEHOLDERS:
        return None
    weekday: int | None = None
    match = _WEEKDAY.search(text)
    bare = text
    if match:
        weekday = _WEEKDAYS.index(match[1].replace("天", "日"))
        bare = text[: match.start()] + text[match.end() :]
    if not bare and weekday is not None:
        return context.only_in_span(text, weekday=weekday)
    found = _of_text(bare, context, text)
    if weekday is not None and found.weekday() != weekday:
        raise Unread(f"日期与星期不符：{found.isoformat()} 是星期{_WEEKDAYS[found.weekday()]}，请核对")
    return found


_SPAN = re.compile(
    rf"({_YEAR})[-./年]({_ONE})[-./月]({_ONE})[日号]?(?:\((?:星期|周).\))?(?:-|至|到)"
    rf"(?:({_YEAR})[-./年])?(?:({_ONE})[-./月])?({_ONE})[日号]?(?![\d./月年])"
)
_MONTH_SPAN = re.compile(rf"(?<![\d./年])({_ONE})[./月]({_ONE})[日号]?(?:-|至|到)(?:({_ONE})[./月])?({_ONE})[日号]?(?![\d./月年])")
_SINGLE = re.compile(r"(?<!\d)(\d{4})[-./年](\d{1,2})[-./月](\d{1,2})日?(?![\d])")
_SINGLE_COMPACT = re.compile(r"(?<!\d)(20\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?!\d)")
_SCHOOL_YEAR = re.compile(
    r"(20\d\d)(?:年?[-/至](?:20)?(\d\d))?学?年?度?(?=学年|年?第[一二12]学期|[上下]学期)|(20\d\d)年?[-/至](20\d\d)(?:学年|年度)"
)
_SEASON = re.compile(r"(20\d\d)年?([春秋])")
_YEAR_MONTH = re.compile(r"(?<!\d)(20\d\d)[-./年](\d{1,2})月?(?![\d./])")
_YEAR_ALONE = re.compile(r"(?<!\d)(20\d\d)(?:年|(?!\d|号))")


def _try(year: int, month: int, day: int) -> datetime.date | None:
    try:
        return datetime.date(year, month, day)
    except ValueError:
        return None


def span_in(text: str) -> tuple[datetime.date, datetime.date] | None:
    """The span of days with its year that a (squeezed, dashed) text names: ``2026.12.28-2027.1.3``, ``2026年11月16日-20日``."""
    for match in _SPAN.finditer(text):
        year, month = _number(match[1]), _number(match[2])
        first = _try(year, month, _number(match[3]))
        end_month = _number(match[5]) if match[5] else month
        end_year = _number(match[4]) if match[4] else year + (end_month < month)
        last = _try(end_year, end_month, _number(match[6]))
        if first and last and first <= last:
            return first, last
    return None


def _school_year(text: str) -> int | None:
    if match := _SCHOOL_YEAR.search(text):
        return int(match[1] or match[3])
    if match := _SEASON.search(text):
        return int(match[1]) - (match[2] == "春")
    return None


def hints_in(texts: Sequence[str]) -> DateHints:
    """What titles, or a sheet's or file's name, say about the time."""
    squeezed = [dashed(squeeze(text)) for text in texts]
    for text in squeezed:
        if span := span_in(text):
            return DateHints(span=span)
    school_year = next((found for text in squeezed if (found := _school_year(text)) is not None), None)
    filled = year = month = None
    for text in squeezed:
        if filled is None and (match := _SINGLE.search(text) or _SINGLE_COMPACT.search(text)):
            filled = _try(*(int(part) for part in match.groups()))
        rest = _SINGLE_COMPACT.sub("", _SINGLE.sub("", text))
        if year is None and (match := _YEAR_MONTH.search(rest)) and 1 <= int(match[2]) <= 12:
            year, month = int(match[1]), int(match[2])
        if year is None and (match := _YEAR_ALONE.search(rest)):
            year = int(match[1])
    hints = DateHints(school_year=school_year, year=None if school_year else year, month=None if school_year else month, filled=filled)
    return _with_month_span(hints, squeezed)


def _with_month_span(hints: DateHints, squeezed: Sequence[str]) -> DateHints:
    """The hints with the span that a title names without its year, as in 2026年秋第10周（11.16—11.20）."""
    if not hints:
        return hints
    for text in squeezed:
        if match := _MONTH_SPAN.search(text):
            month, day, last_day = _number(match[1]), _number(match[2]), _number(match[4])
            last_month = _number(match[3]) if match[3] else month
            if not (1 <= month <= 12 and 1 <= last_month <= 12):
                continue
            year = hints.year_of(month, day)
            first = _try(year, month, day) if year else None
            last = _try(year + (last_month < month), last_month, last_day) if year else None
            if first and last and first <= last:
                return DateHints(span=(first, last))
    return hints
