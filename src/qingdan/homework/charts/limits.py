"""The daily limits of many places over some time, as spans in which nothing changes: what SQL can join."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from qingdan.homework.limits import DayLimit, day_limit
from qingdan.policy.pack import Pack

_MINUTES = "homework.daily_minutes"
_NONE = "homework.no-written-at-home"
_GRADES = range(1, 13)


@dataclass(frozen=True)
class LimitSpan:
    """The limit of a grade at a place from a day until another, which is no longer included."""

    place: str
    grade: int
    #: The pack's code, empty for a grade that is in no stage.
    stage: str
    since: datetime.date
    until: datetime.date
    limit: DayLimit

    @property
    def minutes(self) -> int | None:
        """The most written homework at home in minutes; 0 where there may be none, None where the law says nothing."""
        return 0 if self.limit.is_none_allowed else self.limit.minutes


def limit_spans(pack: Pack, places: Iterable[str], first: datetime.date, last: datetime.date) -> tuple[LimitSpan, ...]:
    """The spans of all grades of some places between two days, both included."""
    return _spans(pack, tuple(sorted(set(places))), first, last)


@lru_cache(maxsize=64)
def _spans(pack: Pack, places: tuple[str, ...], first: datetime.date, last: datetime.date) -> tuple[LimitSpan, ...]:
    starts = [first, *(day for day in _turning_days(pack) if first < day <= last)]
    ends = [*starts[1:], last + datetime.timedelta(days=1)]
    return tuple(
        LimitSpan(place, grade, stage_of(pack, place, grade), since, until, day_limit(pack, place, grade, since))
        for place in places
        for grade in _GRADES
        for since, until in zip(starts, ends, strict=True)
    )


def _turning_days(pack: Pack) -> list[datetime.date]:
    """The days on which some limit may change."""
    dated: list[tuple[datetime.date, datetime.date | None]] = [(each.since, each.until) for each in pack.statements.get(_MINUTES, ())]
    dated += [(rule.since, rule.until) for rule in pack.rules.values() if _NONE in (rule.id, rule.replaces)]
    dated += [(off.since, off.until) for off in pack.switch_offs if off.rule == _NONE]
    return sorted({day for pair in dated for day in pair if day is not None})


def stage_of(pack: Pack, place: str, grade: int) -> str:
    """The stage of a grade in a place's own grade system; empty for a grade in none."""
    return next((name for name, grades in pack.layer(place).grades.stages.items() if grade in grades), "")


def stage_label(pack: Pack, stage: str) -> str:
    """``小学中高年级``."""
    return pack.vocabulary.categories["stage"].label(stage) if stage else "其他年级"
