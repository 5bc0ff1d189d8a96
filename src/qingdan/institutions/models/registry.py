"""Who is there: institutions with their premises, owners, deals over capital, and the lists they stand on."""

from __future__ import annotations

import datetime
from typing import ClassVar

import pghistory
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from stdnum.cn import uscc
from stdnum.exceptions import ValidationError as NumberError

from qingdan.accounts.models import Organisation, User
from qingdan.institutions.enums import (
    ApprovalBasis,
    CapitalDeal,
    CompetentDepartment,
    InstitutionState,
    ListColour,
    RegistrationKind,
    TrainingAudience,
    TrainingCategory,
    TrainingField,
)
from qingdan.places.models import OnePoint, Region, days


def validate_credit_code(code: str) -> None:
    """Refuse a unified social credit code whose form or check digit is wrong (GB 32100)."""
    try:
        if uscc.validate(code) == code:
            return
    except NumberError:
        pass
    raise ValidationError(f"统一社会信用代码“{code}”不对：应为 18 位，请对照营业执照逐位核对（末位是校验码）")


class InstitutionQuerySet(models.QuerySet["Institution"]):
    """Questions about institutions."""

    def visible_to(self, user: User) -> InstitutionQuerySet:
        """A bureau: its region's, of its own department where it has one; an institution: itself."""
        if user.is_officer:
            found = self.filter(organisation__in=Organisation.objects.overseen_by(user.employer))
            return found if user.is_bureau else found.filter(department=user.employer.department)
        return self.filter(organisation_id=user.organisation_id) if user.organisation_id else self.none()

    def public(self) -> InstitutionQuerySet:
        """Those that anybody may look up: all that were ever registered."""
        return self.select_related("organisation")

    def active(self) -> InstitutionQuerySet:
        """Those that go on."""
        return self.filter(state=InstitutionState.ACTIVE)

    def matching(self, text: str) -> InstitutionQuerySet:
        """Those with a word in name, street or credit code, or with these sounds or initials."""
        if not text:
            return self
        by_name = Q(organisation__in=Organisation.objects.matching(text))
        return self.filter(by_name | Q(street__icontains=text) | Q(credit_code__iexact=text))


@pghistory.track(pghistory.UpdateEvent(row=pghistory.Old), pghistory.DeleteEvent())
class Institution(models.Model):
    """What an organisation of kind institution is besides."""

    organisation = models.OneToOneField(
        Organisation, on_delete=models.PROTECT, primary_key=True, related_name="institution", verbose_name="单位"
    )
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="institutions", verbose_name="地区")
    credit_code = models.CharField(
        "统一社会信用代码",
        max_length=18,
        unique=True,
        validators=[validate_credit_code],
        error_messages={"unique": "已有机构用这个统一社会信用代码，请先查一查是否登记过"},
    )
    legal_person = models.CharField("法定代表人", max_length=50)
    registration = models.CharField("登记性质", max_length=20, choices=RegistrationKind.choices)
    category = models.CharField("类别", max_length=20, choices=TrainingCategory.choices)
    field = models.CharField("领域", max_length=20, choices=TrainingField.choices)
    audience = models.CharField("招生对象", max_length=30, choices=TrainingAudience.choices)
    department = models.CharField("主管部门", max_length=20, choices=CompetentDepartment.choices)
    approval_basis = models.CharField("准入方式", max_length=20, choices=ApprovalBasis.choices, default=ApprovalBasis.NONE)
    runs_online = models.BooleanField("线上机构", default=False)
    has_icp = models.BooleanField("持有 ICP 许可", default=False)
    is_dually_managed = models.BooleanField("双重管理", default=False)
    is_real_name_registered = models.BooleanField("实名登记", default=True)
    has_real_name_learners = models.BooleanField("学员实名登记", default=True)
    website = models.URLField("网站", blank=True)
    street = models.CharField("街道", max_length=60, blank=True)
    refund_terms = models.CharField("退费办法", max_length=500, blank=True)
    registered_on = models.DateField("登记日期")
    state = models.CharField("状态", max_length=20, choices=InstitutionState.choices, default=InstitutionState.ACTIVE)
    state_reason = models.CharField("状态说明", max_length=300, blank=True)

    objects = InstitutionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "培训机构"
        ordering: ClassVar = ["organisation__pinyin", "pk"]
        indexes: ClassVar = [models.Index(fields=["region", "category", "state"], name="institution_in_registry")]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="institution_credit_code_has_its_form",
                condition=Q(credit_code__regex=r"^[0-9A-HJ-NPQRTUWXY]{18}$"),
                violation_error_message="统一社会信用代码是 18 位数字和大写字母",
            ),
            models.CheckConstraint(
                name="institution_field_fits_category",
                condition=Q(category=TrainingCategory.ACADEMIC, field=TrainingField.ACADEMIC)
                | (Q(category=TrainingCategory.NON_ACADEMIC) & ~Q(field=TrainingField.ACADEMIC)),
                violation_error_message="学科类机构的领域是学科，非学科类的是体育、文化艺术、科技或其他",
            ),
            models.CheckConstraint(
                name="institution_state_is_explained",
                condition=Q(state=InstitutionState.ACTIVE) | ~Q(state_reason=""),
                violation_error_message="停业、注销要写明原因",
            ),
        ]

    def __str__(self) -> str:
        return self.organisation.name

    @property
    def name(self) -> str:
        """The organisation's name."""
        return self.organisation.name

    def refuse_when_closed(self) -> None:
        """Raise ValidationError for an institution that is deregistered: its records stay as they were."""
        if self.state == InstitutionState.CLOSED:
            raise ValidationError(f"“{self.name}”已注销，登记只供查看，不能再新增或修改；有疑问请联系主管部门")

    @property
    def is_non_profit(self) -> bool:
        """Whether it may not distribute gains."""
        return self.registration != RegistrationKind.COMPANY


class Premises(models.Model):
    """A place where an institution teaches, from a day on."""

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="premises", verbose_name="机构")
    name = models.CharField("名称", max_length=60)
    address = models.CharField("地址", max_length=120)
    street = models.CharField("街道", max_length=60, blank=True)
    area_m2 = models.PositiveIntegerField("面积（平方米）")
    opened_on = models.DateField("启用日期")
    closed_on = models.DateField("停用日期", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "教学点"
        ordering: ClassVar = ["opened_on", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="premises_name_once", fields=["institution", "name"], violation_error_message="本机构已有同名的教学点"
            ),
            models.CheckConstraint(
                name="premises_open_before_they_close",
                condition=Q(closed_on=None) | Q(closed_on__gte=F("opened_on")),
                violation_error_message="教学点的停用日期不能早于启用日期",
            ),
            models.CheckConstraint(name="premises_have_an_area", condition=Q(area_m2__gt=0), violation_error_message="请填写教学点的面积"),
        ]

    def __str__(self) -> str:
        return self.name

    def is_open(self, on: datetime.date) -> bool:
        """Whether it is in use on a day."""
        return self.opened_on <= on and (self.closed_on is None or on <= self.closed_on)


class Owner(models.Model):
    """Who holds a share, from a day on."""

    institution = models.ForeignKey(Institution, on_delete=models.CASCADE, related_name="owners", verbose_name="机构")
    name = models.CharField("举办者或股东", max_length=100)
    share_percent = models.PositiveSmallIntegerField("比例（%）")
    is_listed = models.BooleanField("上市公司", default=False)
    is_foreign = models.BooleanField("外资", default=False)
    is_by_agreement = models.BooleanField("协议控制（VIE）", default=False)
    since = models.DateField("起始日期")
    until = models.DateField("终止日期", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "举办者"
        ordering: ClassVar = ["-share_percent"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="owner_share_is_a_percentage",
                condition=Q(share_percent__gte=1, share_percent__lte=100),
                violation_error_message="比例要在 1 至 100 之间",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CapitalChange(models.Model):
    """One deal over an institution's capital."""

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="capital_changes", verbose_name="机构")
    happened_on = models.DateField("发生日期")
    deal = models.CharField("事项", max_length=30, choices=CapitalDeal.choices)
    investor = models.CharField("投资方", max_length=100)
    share_percent = models.PositiveSmallIntegerField("持股比例（%）", null=True, blank=True)
    amount_fen = models.BigIntegerField("金额（分）", null=True, blank=True)
    is_financing = models.BooleanField("融资", default=False)
    used_for_training_fen = models.BigIntegerField("用于培训业务（分）", null=True, blank=True)
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="记录人")
    recorded_at = models.DateTimeField("记录时间", auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "资本变动"
        ordering: ClassVar = ["-happened_on"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="capital_change_once",
                fields=["institution", "happened_on", "deal", "investor"],
                violation_error_message="这笔资本变动已经记录过",
            ),
            models.CheckConstraint(
                name="capital_use_within_amount",
                condition=Q(used_for_training_fen=None) | Q(amount_fen=None) | Q(used_for_training_fen__lte=F("amount_fen")),
                violation_error_message="用于培训业务的金额不能超过总额",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.institution} {self.get_deal_display()}"


class Listing(models.Model):
    """An institution stands on the white or the black list, from a day on, for a reason."""

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="listings", verbose_name="机构")
    colour = models.CharField("名单", max_length=10, choices=ListColour.choices)
    since = models.DateField("列入日期")
    until = models.DateField("移出日期", null=True, blank=True)
    reason = models.CharField("理由", max_length=300)
    removal_reason = models.CharField("移出理由", max_length=300, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="决定人")

    class Meta:
        verbose_name = verbose_name_plural = "黑白名单"
        ordering: ClassVar = ["-since"]
        constraints: ClassVar = [
            models.CheckConstraint(name="listing_has_a_reason", condition=~Q(reason=""), violation_error_message="列入名单要写明理由"),
            models.CheckConstraint(
                name="listing_ends_with_a_reason",
                condition=Q(until=None) | (Q(until__gte=F("since")) & ~Q(removal_reason="")),
                violation_error_message="移出名单要写明理由，日期不能早于列入",
            ),
            ExclusionConstraint(
                name="listing_one_at_a_time",
                expressions=[
                    (OnePoint("institution_id"), RangeOperators.OVERLAPS),
                    (days("since", "until"), RangeOperators.OVERLAPS),
                ],
                violation_error_message="机构同一时间只能在一个名单上，请先移出原来的名单",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.institution} {self.get_colour_display()}"


class Evaluation(models.Model):
    """What a third party found (S0.9④)."""

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="evaluations", verbose_name="机构")
    evaluator = models.CharField("评估单位", max_length=100)
    evaluated_on = models.DateField("评估日期")
    grade = models.CharField("结果", max_length=20)
    summary = models.CharField("摘要", max_length=500, blank=True)
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="记录人")

    class Meta:
        verbose_name = verbose_name_plural = "第三方评估"
        ordering: ClassVar = ["-evaluated_on"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="evaluation_once_a_day",
                fields=["institution", "evaluator", "evaluated_on"],
                violation_error_message="这次评估已经记录过",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.evaluator} {self.grade}"


class Pledge(models.Model):
    """An institution pledges the trade's self-discipline; it can be taken back by the trade."""

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="pledges", verbose_name="机构")
    text = models.CharField("承诺内容", max_length=500)
    pledged_on = models.DateField("承诺日期")
    pledged_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="承诺人")

    class Meta:
        verbose_name = verbose_name_plural = "自律承诺"
        ordering: ClassVar = ["-pledged_on"]
        constraints: ClassVar = [
            models.CheckConstraint(name="pledge_has_text", condition=~Q(text=""), violation_error_message="请写明承诺内容"),
        ]

    def __str__(self) -> str:
        return f"{self.institution} {self.pledged_on}"
