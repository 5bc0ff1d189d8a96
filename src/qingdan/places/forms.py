"""Forms of the calendar: a whole school year at once, and single days pasted as they stand in a notice."""

from __future__ import annotations

import datetime
import re
from itertools import pairwise
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from qingdan.places.actions import Span, YearDates, vacations_of
from qingdan.places.enums import DayOverride, VacationSeason
from qingdan.places.models import Region, SchoolYear
from qingdan.workbooks.text import tidy

#: ``2027-02-15``, ``2027年2月15日``, ``2027/2/15``; the year may be left out after the first.
_DAY = re.compile(r"(?:(?P<year>\d{4})[-/.年])?(?P<month>\d{1,2})[-/.月](?P<day>\d{1,2})[日号]?")
_RUN = re.compile(r"\s*(?:至|到|~|—+|–|--)\s*")
#: Words that stand beside a day in a notice and say nothing of it.
_BESIDE = re.compile(r"\((?:周|星期|礼拜)[一二三四五六日天、,至到-]+\)|(?:周|星期|礼拜)[一二三四五六日天]")
_DAYS_MAX = 200

#: Field prefix -> label; each is a first and a last day.
SPANS = {"whole": "学年", "term1": "第一学期", "winter": "寒假", "term2": "第二学期", "summer": "暑假"}


def read_days(text: str, *, year: int) -> list[datetime.date]:
    """Days as pasted, with spans (``2月15日至2月21日``); raise ValidationError naming what is no day."""
    found: list[datetime.date] = []
    for part in re.split(r"[\s,;、。]+", _BESIDE.sub("", _joined(tidy(text)))):
        if not part:
            continue
        ends = _RUN.split(part)
        if len(ends) > 2:
            raise ValidationError(f"看不懂“{part}”；一段请写成 2027-02-15至2027-02-21")
        days = []
        for each in ends:
            day = _day(each, year)
            year = day.year
            days.append(day)
        if days[-1] < days[0]:
            raise ValidationError(f"“{part}”的结束早于开始，请核对年份")
        found.extend(days[0] + datetime.timedelta(days=number) for number in range(min((days[-1] - days[0]).days, _DAYS_MAX) + 1))
    if len(found) > _DAYS_MAX:
        raise ValidationError(f"一次最多 {_DAYS_MAX} 天，请分几次填写；放长假请用“寒假”“暑假”")
    return found


def _joined(text: str) -> str:
    return _RUN.sub("至", text)


def _day(text: str, year: int) -> datetime.date:
    match = _DAY.fullmatch(text)
    if match is None:
        raise ValidationError(f"看不懂“{text}”；日期请写成 2027-02-15 或 2月15日，一行一个")
    try:
        return datetime.date(int(match["year"] or year), int(match["month"]), int(match["day"]))
    except ValueError:
        raise ValidationError(f"没有“{text}”这一天，请核对") from None


class DayInput(forms.DateInput):
    """The browser's own picker of days."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(attrs={"class": "form-control"}, format="%Y-%m-%d")


class YearForm(forms.Form):
    """A school year with its terms and vacations."""

    def __init__(self, *args: Any, region: Region, first_year: int, **kwargs: Any) -> None:
        self.region, self.first_year = region, first_year
        self.year: SchoolYear | None = region.school_years.filter(first_year=first_year).prefetch_related("terms").first()
        kwargs["initial"] = self._initial()
        super().__init__(*args, **kwargs)
        for name, label in SPANS.items():
            for end, word in (("from", "开始"), ("until", "结束")):
                self.fields[f"{name}_{end}"] = forms.DateField(
                    label=f"{label}{word}",
                    required=name == "whole",
                    widget=DayInput(),
                    error_messages={"invalid": "日期请写成 2027-02-15 的样子", "required": f"请填写{label}的{word}日期"},
                )

    def _initial(self) -> dict[str, datetime.date]:
        if self.year is None:
            # The usual school year; the bureau corrects it.
            return {"whole_from": datetime.date(self.first_year, 9, 1), "whole_until": datetime.date(self.first_year + 1, 8, 31)}
        spans: dict[str, Any] = {"whole": self.year}
        spans |= {f"term{each.ordinal}": each for each in self.year.terms.all()}
        spans |= vacations_of(self.region, self.year.starts_on, self.year.ends_on)
        found: dict[str, datetime.date] = {}
        for name, each in spans.items():
            found |= {f"{name}_from": each.starts_on, f"{name}_until": each.ends_on}
        return found

    def rows(self) -> list[tuple[str, forms.BoundField, forms.BoundField]]:
        """Label, first day and last day, in the order of the year."""
        return [(label, self[f"{name}_from"], self[f"{name}_until"]) for name, label in SPANS.items()]

    def clean(self) -> dict[str, Any]:
        """Refuse what is half given or out of order."""
        data = super().clean() or {}
        spans: list[tuple[str, Span]] = []
        for name, label in SPANS.items():
            first, last = data.get(f"{name}_from"), data.get(f"{name}_until")
            if f"{name}_from" in self.errors or f"{name}_until" in self.errors:
                continue
            if bool(first) != bool(last):
                self.add_error(f"{name}_{'until' if first else 'from'}", f"{label}的开始和结束要一起填写，或都留空")
            elif first and last:
                spans.append((label, (first, last)))
                if last <= first:
                    self.add_error(f"{name}_until", f"{label}的结束日期要晚于开始日期")
        if not self.errors:
            self._refuse_disorder(spans)
        return data

    def _refuse_disorder(self, spans: list[tuple[str, Span]]) -> None:
        (_, whole), *parts = spans
        if not self.first_year <= whole[0].year <= self.first_year + 1:
            self.add_error("whole_from", f"{self.first_year}学年要在 {self.first_year} 年开始；要填别的学年请先在上方选择")
        for label, (first, last) in parts:
            if not (whole[0] <= first and last <= whole[1]):
                self.add_error(None, f"{label}（{first} 至 {last}）不在学年（{whole[0]} 至 {whole[1]}）之内，请改其中一个")
        for (before, one), (after, other) in pairwise(parts):
            if other[0] <= one[1]:
                self.add_error(None, f"{after}要在{before}结束（{one[1]}）之后开始，现在是 {other[0]}")

    def dates(self) -> YearDates:
        """The dates of a valid form."""
        data = self.cleaned_data

        def span(name: str) -> Span | None:
            first, last = data[f"{name}_from"], data[f"{name}_until"]
            return (first, last) if first and last else None

        return YearDates(
            self.first_year,
            (data["whole_from"], data["whole_until"]),
            {1: span("term1"), 2: span("term2")},
            {season: span(season) for season in VacationSeason.values},
        )


class DaysForm(forms.Form):
    """Single days, several at once."""

    days = forms.CharField(
        label="日期",
        help_text="可以一次粘贴多个，用顿号、逗号或换行隔开，也可以写一段：2027-02-15 至 2027-02-21。",
        widget=forms.Textarea(attrs={"class": "form-control", "rows": 3, "placeholder": "2027-02-15、2月20日"}),
        error_messages={"required": "请至少写一个日期，例如 2027-02-15"},
    )
    kind = forms.ChoiceField(label="改为", choices=DayOverride.choices, widget=forms.Select(attrs={"class": "form-select"}))
    note = forms.CharField(
        label="说明", required=False, max_length=60, help_text="例如“春节调休”。", widget=forms.TextInput(attrs={"class": "form-control"})
    )

    def __init__(self, *args: Any, first_year: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.first_year = first_year

    def clean_days(self) -> list[datetime.date]:
        """The days that were pasted."""
        return read_days(self.cleaned_data["days"], year=self.first_year)


class FillForm(forms.Form):
    """A span whose undecided days are filled in by the week."""

    first = forms.DateField(label="从", widget=DayInput(), error_messages={"required": "请填写开始日期"})
    last = forms.DateField(label="到", widget=DayInput(), error_messages={"required": "请填写结束日期"})
