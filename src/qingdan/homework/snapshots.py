"""Reading a snapshot: as a week of classes and days, as differences between two versions, and how small it must be to fit a page."""

from __future__ import annotations

import datetime
import json
import math
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.db.models import TextChoices

from qingdan.homework.enums import HomeworkForm, HomeworkPlace, HomeworkTier

Snapshot = dict[str, Any]


def _label(choices: type[TextChoices], code: str) -> str:
    """A code's word; a snapshot of a time when there were other codes keeps its own."""
    return str(choices(code).label) if code in choices.values else code


@dataclass(frozen=True)
class WeekItem:
    """One piece of homework as it is shown."""

    subject: str
    content: str
    requirements: str
    minutes: int
    #: What is not the rule: 口头, 校内, 拓展, 选做.
    marks: tuple[str, ...]

    @classmethod
    def of(cls, item: Snapshot) -> WeekItem:
        """From a snapshot."""
        marks = []
        if item["tier"] != HomeworkTier.BASIC:
            marks.append(_label(HomeworkTier, item["tier"]))
        if item["form"] != HomeworkForm.WRITTEN:
            marks.append(_label(HomeworkForm, item["form"]))
        if item["done_at"] != HomeworkPlace.HOME:
            marks.append(_label(HomeworkPlace, item["done_at"]))
        if item.get("is_optional"):
            marks.append("选做")
        return cls(item["subject"], item["content"], item.get("requirements", ""), item["minutes"], tuple(marks))

    def __str__(self) -> str:
        marks = f"（{'、'.join(self.marks)}）" if self.marks else ""
        return f"{self.content}{marks} {self.minutes} 分钟" + (f"；要求：{self.requirements}" if self.requirements else "")


def weekday_name(day: datetime.date) -> str:
    """``周二``."""
    return f"周{'一二三四五六日'[day.weekday()]}"


@dataclass(frozen=True)
class WeekDay:
    """One class's day."""

    date: datetime.date
    items: tuple[WeekItem, ...] = ()
    total: int = 0
    limit_minutes: int | None = None
    is_none_allowed: bool = False

    @property
    def weekday(self) -> str:
        """``周二``."""
        return weekday_name(self.date)

    @property
    def is_over(self) -> bool:
        """Whether there was more written homework at home than the law allows."""
        if self.is_none_allowed:
            return self.total > 0
        return self.limit_minutes is not None and self.total > self.limit_minutes

    @property
    def bar_max(self) -> int:
        """Where the bar ends: at the limit, or further out when that is passed."""
        return max(self.limit_minutes or 0, self.total, 1)


@dataclass(frozen=True)
class ClassWeek:
    """One class's week, a day for each column."""

    name: str
    days: tuple[WeekDay, ...]


@dataclass(frozen=True)
class WeekTable:
    """A snapshot as a table: classes down, days across (Monday to Friday, and a day of the weekend that had homework)."""

    columns: tuple[datetime.date, ...]
    classes: tuple[ClassWeek, ...]

    @property
    def headings(self) -> list[tuple[datetime.date, str]]:
        """The days with their names."""
        return [(day, weekday_name(day)) for day in self.columns]


def week_table(snapshot: Snapshot) -> WeekTable:
    """A snapshot as it is shown."""
    monday = datetime.date.fromisoformat(snapshot["week_from"])
    days = {monday + datetime.timedelta(days=number) for number in range(5)}
    days |= {datetime.date.fromisoformat(day["date"]) for each in snapshot["classes"] for day in each["days"]}
    columns = tuple(sorted(days))
    return WeekTable(columns, tuple(_class_week(each, columns, snapshot.get("limits", [])) for each in snapshot["classes"]))


def _class_week(found: Snapshot, columns: tuple[datetime.date, ...], limits: list[Snapshot]) -> ClassWeek:
    by_day = {day["date"]: day for day in found["days"]}
    days = []
    for column in columns:
        day = by_day.get(column.isoformat())
        if day is None:
            days.append(WeekDay(column))
            continue
        limit = limits[day["limit"]] if "limit" in day and day["limit"] < len(limits) else {}
        items = tuple(WeekItem.of(item) for item in day["items"])
        total, minutes = day["total_home_written"], day.get("limit_minutes")
        days.append(WeekDay(column, items, total, minutes, bool(limit.get("is_none_allowed"))))
    return ClassWeek(found["name"], tuple(days))


@dataclass(frozen=True)
class Change:
    """One difference between two versions; an empty side means that it is not there."""

    where: str
    before: str
    after: str


def changes(before: Snapshot, after: Snapshot) -> list[Change]:
    """What differs, in the order of the later version: class by class, day by day, subject by subject."""
    found = [
        Change(label, before.get(name, ""), after.get(name, ""))
        for name, label in (("requirements", "完成要求"), ("intent", "设计意图"))
        if before.get(name, "") != after.get(name, "")
    ]
    old, new = _by_place(before), _by_place(after)
    order = {each["name"]: number for number, each in enumerate([*after["classes"], *before["classes"]])}
    for place in sorted({**new, **old}, key=lambda place: (order[place[0]], *place)):
        gone, come = list(old.get(place, [])), list(new.get(place, []))
        for item in list(gone):
            if item in come:
                gone.remove(item)
                come.remove(item)
        class_name, day, subject = place
        where = f"{class_name} {day[5:7].lstrip('0')}月{day[8:].lstrip('0')}日 {subject}"
        for number in range(max(len(gone), len(come))):
            sides = [each[number] if number < len(each) else "" for each in (gone, come)]
            found.append(Change(where, *sides))
    if before.get("limits") != after.get("limits"):
        found.append(Change("上限", _limits_text(before), _limits_text(after)))
    return found


def _by_place(snapshot: Snapshot) -> dict[tuple[str, str, str], list[str]]:
    found: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for each in snapshot["classes"]:
        for day in each["days"]:
            for item in day["items"]:
                found[each["name"], day["date"], item["subject"]].append(str(WeekItem.of(item)))
    return found


def _limits_text(snapshot: Snapshot) -> str:
    return "；".join(limit["text"] for limit in snapshot.get("limits", []) if limit["text"])


def canonical(snapshot: Snapshot) -> bytes:
    """The very bytes that are hashed (see ``models.disclosure.snapshot_sha256``)."""
    return json.dumps(snapshot, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


#: Sizes of print in half points, largest first, and A4 landscape less its margins.
PRINT_SIZES = (18, 17, 16, 15, 14, 13, 12, 11, 10)
#: The most lines of one piece of homework where even the smallest print is too large; the whole text stands behind the QR code.
PRINT_LINES = (3, 2, 1)
_WIDTH_MM, _HEIGHT_MM, _LABEL_MM, _HEAD_MM, _FOOT_MM = 281.0, 194.0, 16.0, 25.0, 14.0
_MM_PER_HALF_POINT, _LINE = 0.1764, 1.3


def _width(text: str) -> float:
    """A text's width in full-width letters."""
    return sum(1.0 if unicodedata.east_asian_width(letter) in "WF" else 0.56 for letter in text)


def _lines(width: float, available: float, most: int | None) -> int:
    lines = max(1, math.ceil(width / max(available, 1)))
    return lines if most is None else min(lines, most)


def print_size(table: WeekTable, snapshot: Snapshot) -> tuple[int, int]:
    """The largest print (in half points) with which the week fits one sheet, and the most lines of an item (0: all of them)."""
    # Words break unevenly: one letter more than their width.
    widths = [
        [[_width(f"{item.subject} {item.content} {' '.join(item.marks)} {item.minutes}分钟　") for item in day.items] for day in each.days]
        for each in table.classes
    ]
    said = [_width(snapshot.get(name, "")) for name in ("requirements", "intent")]
    for size in PRINT_SIZES:
        if _height(widths, said, len(table.columns), size, None) <= _HEIGHT_MM:
            return size, 0
    for most in PRINT_LINES:
        if _height(widths, said, len(table.columns), PRINT_SIZES[-1], most) <= _HEIGHT_MM:
            return PRINT_SIZES[-1], most
    return PRINT_SIZES[-1], PRINT_LINES[-1]


def _height(widths: list[list[list[float]]], said: list[float], columns: int, size: int, most: int | None) -> float:
    """How high a sheet is, in millimetres, from the widths of its texts in letters: by class, day and item."""
    letter, said_letter = size * _MM_PER_HALF_POINT, 14 * _MM_PER_HALF_POINT
    available = ((_WIDTH_MM - _LABEL_MM) / columns - 2.5) / letter
    height = _HEAD_MM + _FOOT_MM
    for width in said:
        height += _lines(width, (_WIDTH_MM - 35) / said_letter, None if most is None else 3) * said_letter * _LINE
    for days in widths:
        rows = max(sum(_lines(width, available, most) for width in day) + 1 for day in days)
        height += rows * letter * _LINE + 1.6
    return height
