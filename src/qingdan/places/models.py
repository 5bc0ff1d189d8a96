"""Regions, and what each bureau says of its calendar.

The nation's holidays and make-up workdays come from the package ``chinesecalendar`` through the policy pack. The bureau says when
school years, terms and vacations are, and may overrule single days: for a year that the package does not know yet, or a local
closing of schools. The law is judged by the same calendar: :meth:`Region.calendar_file` goes before the pack's own.
"""

from __future__ import annotations

import datetime
from typing import Any, ClassVar

import pghistory
import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.expressions import RawSQL
from stdnum import numdb

from qingdan.accounts.models import User, validate_layer
from qingdan.places.enums import DayOverride, VacationSeason
from qingdan.policy.layers import CalendarFile, Span

#: GB/T 2260 has no division whose code begins so: room for regions that do not exist.
FICTIONAL_PREFIX = "99"


def national_name(code: str) -> str | None:
    """A division's name with those above it, as GB/T 2260 has it (table of python-stdnum); None for a code it does not know."""
    parts = [facts for _, facts in numdb.get("cn/loc").info(code)]
    if len(parts) < 2 or "county" not in parts[-1]:
        return None
    return "".join(dict.fromkeys(facts.get("province") or facts.get("county") or "" for facts in parts))


class _Days(Func):
    """``daterange(first, last, '[]')``."""

    function = "daterange"
    output_field = DateRangeField()


def days(first: str = "starts_on", last: str = "ends_on") -> _Days:
    """A range of days, both ends included, for an exclusion constraint."""
    return _Days(F(first), F(last), Value("[]"))


class OnePoint(Func):
    """A key as a range of one point: exclusion over keys needs no extension then."""

    function = "int8range"
    template = "%(function)s(%(expressions)s, %(expressions)s, '[]')"

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **context: Any) -> tuple[str, tuple[str | int, ...]]:
        """The key stands in the text twice, so its parameters have to come twice."""
        sql, params = super().as_sql(compiler, connection, *args, **context)
        return sql, (*params, *params)

    def replace_expressions(self, replacements: Any) -> Any:
        """The same with a record's values. Validation knows them by the names of fields, the constraints by those of columns."""
        by_column: dict[Any, Any] = {}
        for field, value in replacements.items():
            if isinstance(field, F):
                (name,) = field.deconstruct()[1]
                by_column[F(f"{name}_id")] = value
        return super().replace_expressions(by_column | replacements)


def refuse_reversed(record: models.Model, message: str, first: str = "starts_on", last: str = "ends_on") -> None:
    """Raise ValidationError when a span ends before it begins: the ranges of an exclusion constraint cannot even be built of it."""
    begins, ends = getattr(record, first), getattr(record, last)
    if begins is not None and ends is not None and ends < begins:
        raise ValidationError({last: message})


def _changes_calendar(region: str) -> pgtrigger.Trigger:
    """Counts up the region's calendar with every change, so that no process goes on with an old one."""
    return pgtrigger.Trigger(
        name="changes_calendar",
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
        func=f"UPDATE places_region SET calendar_version = calendar_version + 1 WHERE id = {region}; RETURN NULL;",  # noqa: S608 - our own
    )


_OF_REGION = "COALESCE(NEW.region_id, OLD.region_id)"
_OF_SCHOOL_YEAR = "(SELECT y.region_id FROM places_schoolyear y WHERE y.id = COALESCE(NEW.school_year_id, OLD.school_year_id))"


class RegionQuerySet(models.QuerySet["Region"]):
    """Questions about regions."""

    def visible_to(self, user: User) -> RegionQuerySet:
        """A bureau: its own and those below it; a school's people: the school's; a parent: the children's; others: where they are."""
        if user.is_parent:
            return self.filter(schools__pupils__guardians__user=user).distinct()
        if user.is_of_school:
            return self.filter(schools__organisation=user.organisation_id)
        code = user.employer.region_code
        return self.filter(code__startswith=user.employer.region_prefix) if user.is_bureau and code else self.filter(code=code)

    def edited_by(self, user: User) -> RegionQuerySet:
        """The region whose calendar a user may change: a bureau's own."""
        return self.filter(code=user.employer.region_code) if user.is_bureau else self.none()

    def states(self) -> models.QuerySet[Region, tuple[int, int, str]]:
        """Of each region its number, its calendar's version, and the transaction that wrote it: a version that was taken back, and
        given again to another change, is not the same state.
        """
        written = RawSQL('"places_region"."xmin"::text', ())
        return self.order_by("pk").values_list("pk", "calendar_version", written)


class Region(models.Model):
    """An administrative division and the layer of the law that applies there."""

    code = models.CharField("行政区划代码", max_length=6)
    name = models.CharField("名称", max_length=60)
    layer_code = models.CharField("适用政策的层", max_length=60, validators=[validate_layer])
    is_fictional = models.BooleanField("虚构", default=False)
    #: Counted up by triggers with every change of the calendar.
    calendar_version = models.PositiveIntegerField("校历版本", default=0, editable=False)

    objects = RegionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "地区"
        ordering: ClassVar = ["code"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="region_code_once", fields=["code"], violation_error_message="这个行政区划代码已有地区"),
            # The calendar of a layer is that of its region: two would not agree.
            models.UniqueConstraint(
                name="region_layer_once", fields=["layer_code"], violation_error_message="这一层政策已属于另一个地区，请为本地区另立一层"
            ),
            models.CheckConstraint(
                name="region_code_is_six_digits",
                condition=Q(code__regex=r"^\d{6}$"),
                violation_error_message="行政区划代码是六位数字（GB/T 2260）",
            ),
            models.CheckConstraint(
                name="region_fictional_code_begins_with_99",
                condition=Q(is_fictional=True, code__startswith=FICTIONAL_PREFIX)
                | (Q(is_fictional=False) & ~Q(code__startswith=FICTIONAL_PREFIX)),
                violation_error_message="虚构地区的代码以 99 开头，真实地区的不能",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a code that GB/T 2260 does not have."""
        super().clean()
        if not self.is_fictional and national_name(self.code) is None:
            raise ValidationError({"code": f"GB/T 2260 里没有代码 {self.code}，请核对"})

    def calendar_file(self) -> CalendarFile:
        """What the bureau says of the calendar, as a layer would say it."""
        overrides = list(self.overridden_days.all())
        return CalendarFile(
            terms=[_span(str(each), each) for each in Term.objects.filter(school_year__region=self)],
            vacations=[_span(str(each), each) for each in self.vacations.all()],
            days_on=[_day(each) for each in overrides if each.kind == DayOverride.WORKDAY],
            days_off=[_day(each) for each in overrides if each.kind == DayOverride.HOLIDAY],
            days_of_rest=[_day(each) for each in overrides if each.kind == DayOverride.REST_DAY],
        )


def _span(name: str, each: Term | Vacation) -> Span:
    return Span.model_validate({"name": name, "from": each.starts_on, "until": each.ends_on})


def _day(each: OverriddenDay) -> Span:
    return Span.model_validate({"name": each.note or each.get_kind_display(), "from": each.day, "until": each.day})


class SchoolYearQuerySet(models.QuerySet["SchoolYear"]):
    """Questions about school years."""

    def holding(self, day: datetime.date) -> SchoolYearQuerySet:
        """The school years that a day lies in."""
        return self.filter(starts_on__lte=day, ends_on__gte=day)


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class SchoolYear(models.Model):
    """A school year of a region, named by the year in which it begins: 2026学年."""

    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="school_years", verbose_name="地区")
    first_year = models.PositiveSmallIntegerField("起始年份")
    starts_on = models.DateField("开始日期")
    ends_on = models.DateField("结束日期")

    objects = SchoolYearQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "学年"
        triggers: ClassVar = [_changes_calendar(_OF_REGION)]
        ordering: ClassVar = ["-first_year"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="school_year_once", fields=["region", "first_year"], violation_error_message="这个学年已经有了"),
            models.CheckConstraint(
                name="school_year_runs_forward",
                condition=Q(ends_on__gt=F("starts_on")),
                violation_error_message="学年的结束日期要晚于开始日期",
            ),
            ExclusionConstraint(
                name="school_years_do_not_overlap",
                expressions=[(OnePoint("region_id"), RangeOperators.OVERLAPS), (days(), RangeOperators.OVERLAPS)],
                violation_error_message="与另一个学年的日期重叠",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_year}学年"

    def clean(self) -> None:
        """Refuse a year that runs backward."""
        super().clean()
        refuse_reversed(self, "学年的结束日期要晚于开始日期")


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class Term(models.Model):
    """One of the two terms of a school year."""

    school_year = models.ForeignKey(SchoolYear, on_delete=models.CASCADE, related_name="terms", verbose_name="学年")
    ordinal = models.PositiveSmallIntegerField("第几学期", choices=[(1, "第一学期"), (2, "第二学期")])
    starts_on = models.DateField("开始日期")
    ends_on = models.DateField("结束日期")

    class Meta:
        verbose_name = verbose_name_plural = "学期"
        triggers: ClassVar = [_changes_calendar(_OF_SCHOOL_YEAR)]
        ordering: ClassVar = ["starts_on"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="term_once", fields=["school_year", "ordinal"], violation_error_message="这个学年已有这个学期"),
            models.CheckConstraint(
                name="term_is_first_or_second", condition=Q(ordinal__in=[1, 2]), violation_error_message="一个学年只有第一、第二两个学期"
            ),
            models.CheckConstraint(
                name="term_runs_forward", condition=Q(ends_on__gt=F("starts_on")), violation_error_message="学期的结束日期要晚于开始日期"
            ),
            ExclusionConstraint(
                name="terms_do_not_overlap",
                expressions=[(OnePoint("school_year_id"), RangeOperators.OVERLAPS), (days(), RangeOperators.OVERLAPS)],
                violation_error_message="与另一个学期的日期重叠",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.school_year}{self.get_ordinal_display()}"

    def clean(self) -> None:
        """Refuse a term that runs backward or reaches out of its school year."""
        super().clean()
        refuse_reversed(self, "学期的结束日期要晚于开始日期")
        year = self.school_year
        starts_on: datetime.date | None = self.starts_on
        ends_on: datetime.date | None = self.ends_on  # a form may have left them empty
        if starts_on is not None and ends_on is not None and not (year.starts_on <= starts_on and ends_on <= year.ends_on):
            raise ValidationError(f"学期要在{year}（{year.starts_on} 至 {year.ends_on}）之内")


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class Vacation(models.Model):
    """A winter or summer vacation of a region."""

    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="vacations", verbose_name="地区")
    season = models.CharField("寒假或暑假", max_length=10, choices=VacationSeason.choices)
    starts_on = models.DateField("开始日期")
    ends_on = models.DateField("结束日期")

    class Meta:
        verbose_name = verbose_name_plural = "寒暑假"
        triggers: ClassVar = [_changes_calendar(_OF_REGION)]
        ordering: ClassVar = ["starts_on"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="vacation_season_is_known",
                condition=Q(season__in=VacationSeason.values),
                violation_error_message="只有寒假和暑假",
            ),
            models.CheckConstraint(
                name="vacation_runs_forward",
                condition=Q(ends_on__gt=F("starts_on")),
                violation_error_message="假期的结束日期要晚于开始日期",
            ),
            ExclusionConstraint(
                name="vacations_do_not_overlap",
                expressions=[(OnePoint("region_id"), RangeOperators.OVERLAPS), (days(), RangeOperators.OVERLAPS)],
                violation_error_message="与另一个假期的日期重叠",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.starts_on.year}年{self.get_season_display()}"

    def clean(self) -> None:
        """Refuse a vacation that runs backward."""
        super().clean()
        refuse_reversed(self, "假期的结束日期要晚于开始日期")


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class OverriddenDay(models.Model):
    """A single day that the bureau says is a workday, a holiday or a day of rest, whatever the national calendar says."""

    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="overridden_days", verbose_name="地区")
    day = models.DateField("日期")
    kind = models.CharField("改为", max_length=10, choices=DayOverride.choices)
    note = models.CharField("说明", max_length=60, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "调整的日子"
        triggers: ClassVar = [_changes_calendar(_OF_REGION)]
        ordering: ClassVar = ["day"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="overridden_day_once", fields=["region", "day"], violation_error_message="这一天已经调整过"),
            models.CheckConstraint(
                name="overridden_day_kind_is_known",
                condition=Q(kind__in=DayOverride.values),
                violation_error_message="一天只能改为上班上学、放假或休息日",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day}{self.get_kind_display()}"
