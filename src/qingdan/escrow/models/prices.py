"""Government-guided prices, and the fees that institutions file and publish (S0.9③, S1 一（二）5)."""

from __future__ import annotations

import datetime
from typing import Any, ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import StrIndex

from qingdan.accounts.models import Organisation, User
from qingdan.escrow.enums import FeeUnit, TrainingCategory
from qingdan.escrow.models.scope import supervised
from qingdan.places.models import OnePoint, Region, days, refuse_reversed


class WholeSpan(Func):
    """Two whole numbers as a range with both ends in it."""

    function = "int8range"

    def __init__(self, first: str, last: str, **extra: Any) -> None:
        super().__init__(F(first), F(last), Value("[]"), **extra)

    def deconstruct(self) -> tuple[str, tuple[str, ...], dict[str, Any]]:
        """As a migration writes it."""
        first, last = (each.deconstruct()[1][0] for each in self.source_expressions[:2])
        return "qingdan.escrow.models.prices.WholeSpan", (first, last), {}


class GuidedPriceQuerySet(models.QuerySet["GuidedPrice"]):
    """Questions about guided prices."""

    def visible_to(self, user: User) -> GuidedPriceQuerySet:
        """They are published: anybody may see them."""
        return self

    def of(self, *, region: Region, category: str, class_size: int, lesson_minutes: int, day: datetime.date) -> GuidedPriceQuerySet:
        """The one that holds for such a course on a day, if any."""
        return self.filter(
            Q(ends_on=None) | Q(ends_on__gte=day),
            region=region,
            category=category,
            class_size_from__lte=class_size,
            class_size_until__gte=class_size,
            minutes_from__lte=lesson_minutes,
            minutes_until__gte=lesson_minutes,
            starts_on__lte=day,
        )


class GuidedPrice(models.Model):
    """The most that one pupil may be charged for one lesson, by category, band of class size and band of lesson length."""

    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="guided_prices", verbose_name="地区")
    category = models.CharField("类别", max_length=20, choices=TrainingCategory.choices)
    class_size_from = models.PositiveSmallIntegerField("班额自")
    class_size_until = models.PositiveSmallIntegerField("班额至")
    minutes_from = models.PositiveSmallIntegerField("每课时分钟自")
    minutes_until = models.PositiveSmallIntegerField("每课时分钟至")
    price_fen = models.BigIntegerField("每课时指导价（分）")
    #: Title and number of the document that sets it.
    document = models.CharField("依据文件", max_length=200)
    starts_on = models.DateField("施行日期")
    ends_on = models.DateField("废止日期", null=True, blank=True)
    entered_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="登记人")

    objects = GuidedPriceQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "政府指导价"
        ordering: ClassVar = ["category", "class_size_from", "minutes_from", "-starts_on"]
        constraints: ClassVar = [
            models.CheckConstraint(name="guided_price_is_positive", condition=Q(price_fen__gt=0), violation_error_message="指导价要大于零"),
            models.CheckConstraint(
                name="guided_price_bands_run_upward",
                condition=Q(class_size_from__gte=1, class_size_until__gte=F("class_size_from"))
                & Q(minutes_from__gte=1, minutes_until__gte=F("minutes_from")),
                violation_error_message="班额、分钟的“至”不能小于“自”，都从 1 起",
            ),
            models.CheckConstraint(
                name="guided_price_runs_forward",
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                violation_error_message="废止日期不能早于施行日期",
            ),
            models.CheckConstraint(
                name="guided_price_names_its_document", condition=~Q(document=""), violation_error_message="请写明依据的文件"
            ),
            ExclusionConstraint(
                name="guided_prices_do_not_overlap",
                expressions=[
                    (OnePoint("region_id"), RangeOperators.OVERLAPS),
                    # Each category as its place in this line: exclusion wants a number.
                    (OnePoint(StrIndex(Value("academic non_academic"), F("category"))), RangeOperators.OVERLAPS),
                    (WholeSpan("class_size_from", "class_size_until"), RangeOperators.OVERLAPS),
                    (WholeSpan("minutes_from", "minutes_until"), RangeOperators.OVERLAPS),
                    (days(), RangeOperators.OVERLAPS),
                ],
                violation_error_message="同一类别的班额、时长和施行日期同已有的指导价重叠，请先废止原来的",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_category_display()} {self.class_size_from}—{self.class_size_until} 人"

    def covers(self, filing: FeeFiling) -> bool:
        """Whether a filed fee lies in these bands; of place and day the caller has asked."""
        return (
            self.category == filing.category
            and self.class_size_from <= filing.class_size <= self.class_size_until
            and self.minutes_from <= filing.lesson_minutes <= self.minutes_until
        )

    def clean(self) -> None:
        """Refuse a price that runs backward."""
        super().clean()
        refuse_reversed(self, "废止日期不能早于施行日期")
        refuse_reversed(self, "“至”不能小于“自”", "class_size_from", "class_size_until")
        refuse_reversed(self, "“至”不能小于“自”", "minutes_from", "minutes_until")


class FeeFilingQuerySet(models.QuerySet["FeeFiling"]):
    """Questions about filed fees."""

    def visible_to(self, user: User) -> FeeFilingQuerySet:
        """Officers: those of their region and department; an institution: its own."""
        return self.filter(supervised(user))

    def in_force(self, day: datetime.date) -> FeeFilingQuerySet:
        """Those of a day."""
        return self.filter(Q(withdrawn_on=None) | Q(withdrawn_on__gt=day), filed_on__lte=day)

    def published(self) -> FeeFilingQuerySet:
        """Those that the public sees."""
        return self.filter(published_on__isnull=False, withdrawn_on=None)


class FeeFiling(models.Model):
    """What an institution charges for one course, filed before it is charged and published."""

    institution = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="fee_filings", verbose_name="机构")
    #: ``row_id`` of the fact view ``facts_training_course``.
    course_number = models.BigIntegerField("课程")
    item = models.CharField("收费项目", max_length=80)
    category = models.CharField("类别", max_length=20, choices=TrainingCategory.choices)
    grade = models.PositiveSmallIntegerField("年级", null=True, blank=True)
    class_size = models.PositiveSmallIntegerField("班额")
    lesson_minutes = models.PositiveSmallIntegerField("每课时分钟")
    fee_unit = models.CharField("计费单位", max_length=20, choices=FeeUnit.choices, default=FeeUnit.LESSON)
    standard_fen = models.BigIntegerField("收费标准（分）")
    #: The guided price as it stood when this was filed; empty where there is none.
    guided_price_fen = models.BigIntegerField("当时的指导价（分）", null=True, blank=True)
    filed_on = models.DateField("备案日期")
    filed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="备案人")
    published_on = models.DateField("公示日期", null=True, blank=True)
    withdrawn_on = models.DateField("停用日期", null=True, blank=True)

    objects = FeeFilingQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "收费备案"
        ordering: ClassVar = ["institution", "item", "-filed_on"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="fee_is_not_negative",
                condition=Q(standard_fen__gte=0, class_size__gte=1, lesson_minutes__gte=1),
                violation_error_message="收费标准不能小于零，班额、分钟要大于零",
            ),
            models.CheckConstraint(
                name="fee_is_filed_before_published",
                condition=Q(published_on=None) | Q(published_on__gte=F("filed_on")),
                violation_error_message="公示日期不能早于备案日期",
            ),
            models.UniqueConstraint(
                name="fee_of_course_once",
                fields=["institution", "course_number"],
                condition=Q(withdrawn_on=None),
                violation_error_message="这门课程已有在用的收费备案，请先停用原来的",
            ),
        ]

    def __str__(self) -> str:
        return self.item
