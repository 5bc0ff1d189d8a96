"""What each chart shows: its numbers added up for a choice of stage and school, a sentence that says what is seen, and a table."""

from __future__ import annotations

import datetime
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.core.cache import cache

from qingdan.charting import figures as charting
from qingdan.homework.charts.limits import stage_label
from qingdan.homework.charts.questions import (
    BUCKET_MINUTES,
    BUCKETS_EACH_WAY,
    KEPT_SECONDS,
    ClassDays,
    GradeWeekPublished,
    Reports,
    Scope,
    class_days,
    family_reports,
    kept,
    weeks_published,
)
from qingdan.homework.limits import DayLimit, day_limit
from qingdan.homework.models.completion import SMALLEST_GROUP
from qingdan.policy.pack import Pack
from qingdan.policy.units import grade_name

#: More bars than that say nothing; the table has all.
BARS_MAX = 30
_REACH = BUCKET_MINUTES * BUCKETS_EACH_WAY


@dataclass(frozen=True)
class Selection:
    """What was asked: the schools and days, and of these one stage or one school."""

    pack: Pack
    scope: Scope
    #: School -> name, in the order of lists.
    names: dict[int, str]
    #: The layer whose limits the charts show.
    place: str
    version: str
    stage: str = ""
    school_id: int | None = None

    def takes(self, row: ClassDays | GradeWeekPublished | Reports) -> bool:
        """Whether a row belongs to what was asked."""
        return (not self.stage or row.stage == self.stage) and (self.school_id is None or row.school_id == self.school_id)

    @cached_property
    def _every_day(self) -> list[ClassDays]:
        return kept(class_days, self.scope, self.version)

    def days(self) -> list[ClassDays]:
        """The class-days asked about."""
        return [row for row in self._every_day if self.takes(row)]

    def weeks(self) -> list[GradeWeekPublished]:
        """The weeks asked about."""
        return [row for row in kept(self._all_weeks, self.scope, self.version) if self.takes(row)]

    def _all_weeks(self, scope: Scope) -> list[GradeWeekPublished]:
        return weeks_published(scope, [(each.school_id, each.grade, each.week_from) for each in self._every_day])

    def reports(self) -> list[Reports]:
        """The families' answers asked about."""
        return [row for row in kept(family_reports, self.scope, self.version) if self.takes(row)]

    def limit(self, grade: int) -> DayLimit:
        """The limit of a grade as it stands on the last day asked about."""
        return day_limit(self.pack, self.place, grade, self.scope.last)

    def name(self, school_id: int) -> str:
        """A school's name."""
        return self.names.get(school_id, "")


@dataclass(frozen=True)
class Figure(charting.Figure):
    """One chart's content, with the limits that it is seen against."""

    #: Limits that are drawn, each with its clauses.
    limits: tuple[DayLimit, ...] = ()


@dataclass
class _Sum:
    """Class-days added up."""

    days: int = 0
    minutes: int = 0
    over: int = 0

    @property
    def average(self) -> float:
        return round(self.minutes / self.days, 1)

    @property
    def over_percent(self) -> float:
        return round(100 * self.over / self.days, 1)


def _sums(rows: Iterable[ClassDays], key: Callable[[ClassDays], Hashable]) -> dict[Any, _Sum]:
    found: defaultdict[Any, _Sum] = defaultdict(_Sum)
    for row in rows:
        each = found[key(row)]
        each.days, each.minutes, each.over = each.days + row.class_days, each.minutes + row.minutes, each.over + row.over_limit_days
    return dict(found)


def _minutes(limit: DayLimit) -> int | None:
    return 0 if limit.is_none_allowed else limit.minutes


def _words(limit: int | None) -> str:
    return "未规定" if limit is None else "不得布置" if limit == 0 else str(limit)


_NO_HOMEWORK = "这段时间没有登记作业。可以换一个时间，或放宽学段、学校。"


def by_grade(selection: Selection) -> Figure:
    """Minutes by grade against the limit."""
    title = "各年级平均书面家庭作业时长与上限"
    sums = _sums(selection.days(), lambda row: row.grade)
    if not sums:
        return Figure("by-grade", title, advice=_NO_HOMEWORK)
    limits = {grade: selection.limit(grade) for grade in sums}
    data: list[dict[str, Any]] = []
    rows: list[tuple[object, ...]] = []
    for grade, each in sorted(sums.items()):
        limit = _minutes(limits[grade])
        is_over = limit is not None and each.average > limit
        data.append({"label": grade_name(grade), "minutes": each.average, "limit": limit, "is_over": is_over})
        rows.append((grade_name(grade), each.days, each.average, _words(limit), each.over, each.over_percent))
    over = [each["label"] for each in data if each["is_over"]]
    most = max(data, key=lambda each: each["minutes"])
    sentence = f"{most['label']}平均每天 {most['minutes']:g} 分钟，在各年级里最长；"
    sentence += f"{'、'.join(over)}的平均值已超过上限。" if over else "各年级的平均值都在上限之内。"
    sentence += f"单日超过上限的共 {sum(each.over for each in sums.values())} 个班次。"
    columns = ("年级", "班·日", "平均分钟", "上限（分钟）", "超限班·日", "超限占比（%）")
    return Figure("by-grade", title, sentence, columns, tuple(rows), tuple(data), limits=tuple(dict.fromkeys(limits.values())))


def by_school(selection: Selection) -> Figure:
    """Minutes by school against the limit, stage by stage; the highest first."""
    title = "各校平均书面家庭作业时长与上限"
    own = [row for row in selection.days() if row.stage]
    sums = _sums(own, lambda row: (row.stage, row.school_id))
    if not sums:
        return Figure("by-school", title, advice=_NO_HOMEWORK)
    grade_of = {row.stage: row.grade for row in own}
    limits = {stage: selection.limit(grade) for stage, grade in grade_of.items()}
    data: list[dict[str, Any]] = []
    rows: list[tuple[object, ...]] = []
    for (stage, school), each in sorted(sums.items(), key=lambda item: (grade_of[item[0][0]], -item[1].average)):
        limit, label = _minutes(limits[stage]), stage_label(selection.pack, stage)
        rows.append((selection.name(school), label, each.days, each.average, _words(limit), each.over, each.over_percent))
        data.append(
            {
                "stage": label,
                "label": selection.name(school),
                "minutes": each.average,
                "limit": limit,
                "is_over": limit is not None and each.average > limit,
            }
        )
    # Where there may be none and there is none, bars of no length say nothing.
    telling = [each for each in data if each["minutes"] or each["limit"] != 0]
    blocks = [[each for each in telling if each["stage"] == label] for label in dict.fromkeys(each["stage"] for each in telling)]
    drawn = [each for block in blocks for each in block[:BARS_MAX]]
    over = list(dict.fromkeys(each["label"] for each in data if each["is_over"]))
    many = "等" if len(over) > 5 else ""
    sentence = f"{len(over)} 所学校的平均值超过上限：{'、'.join(over[:5])}{many}。" if over else "各校的平均值都在上限之内。"
    (stage, school), worst = max(sums.items(), key=lambda item: item[1].over_percent)
    if worst.over:
        sentence += f"{selection.name(school)}（{stage_label(selection.pack, stage)}）超限的班·日占比最高，为 {worst.over_percent:g}%。"
    columns = ("学校", "学段", "班·日", "平均分钟", "上限（分钟）", "超限班·日", "超限占比（%）")
    note = f"只画每个学段最高的 {BARS_MAX} 所，其余见表。" if any(len(block) > BARS_MAX for block in blocks) else ""
    return Figure(
        "by-school", title, sentence, columns, tuple(rows), tuple(drawn or data), note, limits=tuple(dict.fromkeys(limits.values()))
    )


def trend(selection: Selection) -> Figure:
    """Minutes week by week, a line for each stage."""
    title = "平均书面家庭作业时长逐周变化"
    own = [row for row in selection.days() if row.stage]
    sums = _sums(own, lambda row: (row.stage, row.week_from))
    if not sums:
        return Figure("trend", title, advice=_NO_HOMEWORK)
    grade_of = {row.stage: row.grade for row in sorted(own, key=lambda row: -row.grade)}
    limits = {stage: selection.limit(grade) for stage, grade in grade_of.items()}
    data, rows, told = [], [], []
    for stage in sorted(grade_of, key=grade_of.__getitem__):
        label, limit = stage_label(selection.pack, stage), _minutes(limits[stage])
        weeks = {week: each for (of_stage, week), each in sorted(sums.items()) if of_stage == stage}
        for week, each in weeks.items():
            data.append({"stage": label, "week": _week(week), "monday": f"{week}", "minutes": each.average, "limit": limit})
            rows.append((f"{week}", label, each.days, each.average, _words(limit), each.over_percent))
        first, last = next(iter(weeks.values())).average, list(weeks.values())[-1].average
        if len(weeks) > 1:
            told.append(f"{label}从每天 {first:g} 分钟{'升到' if last > first else '降到' if last < first else '保持在'} {last:g} 分钟")
    sentence = f"{'；'.join(told)}。" if told else "目前只有一周的数据，还看不出变化。"
    columns = ("周一", "学段", "班·日", "平均分钟", "上限（分钟）", "超限占比（%）")
    return Figure("trend", title, sentence, columns, tuple(rows), tuple(data), limits=tuple(dict.fromkeys(limits.values())))


def _week(monday: datetime.date) -> str:
    return f"{monday.month}/{monday.day}"


def published(selection: Selection) -> Figure:
    """The share of weeks published in time, by week and school; of one school by grade."""
    title = "按时公示的比例"
    weeks = selection.weeks()
    if not weeks:
        return Figure("published", title, advice="这段时间没有该公示的周次。有作业的周结束后，这里会显示各校是否按时公示。")
    by_row: defaultdict[tuple[int, datetime.date], Counter[bool]] = defaultdict(Counter)
    is_one = len({each.school_id for each in weeks}) == 1
    for each in weeks:
        by_row[each.grade if is_one else each.school_id, each.week_from][each.is_in_time] += 1
    whole: defaultdict[int, Counter[bool]] = defaultdict(Counter)
    for (row, _), counts in by_row.items():
        whole[row].update(counts)
    name = grade_name if is_one else selection.name
    order = sorted(whole, key=lambda row: (_share(whole[row]), row)) if not is_one else sorted(whole)
    data = tuple(
        {"label": name(row), "week": _week(week), "monday": f"{week}", "percent": _share(counts), "count": counts.total()}
        for row in order[:BARS_MAX]
        for (of_row, week), counts in sorted(by_row.items())
        if of_row == row
    )
    mondays = sorted({week for _, week in by_row})
    table = []
    for row in order:
        shares = [_share(by_row[row, week]) if (row, week) in by_row else None for week in mondays]
        table.append((name(row), *shares, _share(whole[row])))
    in_time, count = sum(each.is_in_time for each in weeks), len(weeks)
    sentence = f"{count} 个应公示的年级·周里，{in_time} 个按时公示（{round(100 * in_time / count, 1):g}%）。"
    late = [name(row) for row in order if _share(whole[row]) < 100]
    what = "年级" if is_one else "所学校"
    sentence += f"{len(late)} {what}有迟公示或未公示，最低的是{late[0]}。" if late else "没有迟公示。"
    columns = ("年级" if is_one else "学校", *(f"{_week(week)}（%）" for week in mondays), "合计（%）")
    note = f"只画最低的 {BARS_MAX} 所，其余见表。" if len(order) > BARS_MAX else ""
    return Figure("published", title, sentence, columns, tuple(table), data, note=note)


def _share(counts: Counter[bool]) -> float:
    return round(100 * counts[True] / counts.total(), 1)


def bucket_label(bucket: int) -> str:
    """``少 10–20 分`` … ``多 40 分以上``."""
    low, high = (bucket, bucket + BUCKET_MINUTES) if bucket >= 0 else (-bucket - BUCKET_MINUTES, -bucket)
    word = "多" if bucket >= 0 else "少"
    return f"{word} {low} 分以上" if low >= _REACH else f"{word} {low}–{high} 分"


def reported(selection: Selection) -> Figure:
    """How families' minutes differ from the teachers' estimates."""
    title = "家庭反馈的实际用时与预计之差"
    own = selection.reports()
    counts: Counter[int] = Counter()
    for each in own:
        counts[each.bucket] += each.reports
    total = counts.total()
    if total < SMALLEST_GROUP:
        advice = f"反馈不足 {SMALLEST_GROUP} 份，为保护家庭隐私不显示。家长每天随机抽样反馈，积累几天就会有图。"
        return Figure("reported", title, advice=advice)
    shown = {bucket: count for bucket, count in sorted(counts.items()) if count >= SMALLEST_GROUP}
    hidden = total - sum(shown.values())
    data = tuple(
        {
            "label": bucket_label(bucket),
            "order": bucket,
            "count": shown.get(bucket, 0),
            "percent": round(100 * shown.get(bucket, 0) / total, 1),
            "side": "比预计长" if bucket >= BUCKET_MINUTES else "比预计短" if bucket < -BUCKET_MINUTES else "相差不到 10 分钟",
        }
        for bucket in range(-_REACH - BUCKET_MINUTES, _REACH + BUCKET_MINUTES, BUCKET_MINUTES)
    )
    actual, estimated = (round(sum(getattr(each, name) for each in own) / total, 1) for name in ("reported_minutes", "estimated_minutes"))
    longer = sum(count for bucket, count in shown.items() if bucket >= BUCKET_MINUTES)
    sentence = f"{total} 份反馈平均 {actual:g} 分钟，教师预计平均 {estimated:g} 分钟；"
    sentence += f"比预计长 10 分钟以上的占 {round(100 * longer / total, 1):g}%。"
    note = f"另有 {hidden} 份所在的档不足 {SMALLEST_GROUP} 份，为保护家庭隐私不单列。" if hidden else ""
    rows = tuple((each["label"], each["count"], each["percent"]) for each in data)
    return Figure("reported", title, sentence, ("实际比预计", "反馈份数", "占比（%）"), rows, data, note=note)


FIGURES: dict[str, Callable[[Selection], Figure]] = {
    "by-grade": by_grade,
    "by-school": by_school,
    "trend": trend,
    "published": published,
    "reported": reported,
}


def all_figures(selection: Selection) -> list[Figure]:
    """Every figure of a choice, added up once for each state of the data."""
    key = selection.scope.key(selection.version, "figures", selection.place, selection.stage, selection.school_id)
    found: list[Figure] | None = cache.get(key)
    if found is None:
        found = [build(selection) for build in FIGURES.values()]
        cache.set(key, found, KEPT_SECONDS)
    return found
