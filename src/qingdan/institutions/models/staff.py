"""Who works there. An identity is kept as a keyed digest only: enough to recognise a serving school teacher, no list to look at."""

from __future__ import annotations

import datetime
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from qingdan.accounts.models import User
from qingdan.institutions.enums import StaffRole, TrainingCategory
from qingdan.institutions.models.registry import Institution

#: The nationality of whoever is no foreigner.
CHINESE = "中国"


class StaffQuerySet(models.QuerySet["Staff"]):
    """Questions about staff."""

    def visible_to(self, user: User) -> StaffQuerySet:
        """Those of the institutions that a user may see."""
        return self.filter(institution__in=Institution.objects.visible_to(user))

    def employed(self, day: datetime.date) -> StaffQuerySet:
        """Those who work there on a day."""
        return self.filter(Q(employed_until=None) | Q(employed_until__gte=day), employed_from__lte=day)

    def published(self, day: datetime.date) -> StaffQuerySet:
        """Those whom the public may see."""
        return self.employed(day).filter(is_published=True)


class Staff(models.Model):
    """Somebody who works for an institution."""

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="staff", verbose_name="机构")
    name = models.CharField("姓名", max_length=50)
    #: Of the id or passport number (``accounts.identity.digest``), never the number itself.
    identity_digest = models.CharField("身份指纹", max_length=64)
    masked_identity = models.CharField("证件号（掩码）", max_length=30)
    role = models.CharField("岗位", max_length=20, choices=StaffRole.choices)
    category = models.CharField("任教类别", max_length=20, choices=TrainingCategory.choices, blank=True)
    subject = models.CharField("任教学科或项目", max_length=40, blank=True)
    certificate_number = models.CharField("教师资格证号", max_length=40, blank=True)
    is_certificate_fitting = models.BooleanField("资格与任教相应", null=True, blank=True)
    experience = models.CharField("教学经验", max_length=300, blank=True)
    nationality = models.CharField("国籍", max_length=30, default=CHINESE)
    is_abroad = models.BooleanField("身在境外", default=False)
    meets_foreign_rules = models.BooleanField("外籍聘用合规", null=True, blank=True)
    is_qualification_checked = models.BooleanField("资质经审核", default=False)
    is_filed = models.BooleanField("已备案", default=False)
    is_published = models.BooleanField("已公示", default=False)
    is_shown_on_site = models.BooleanField("场所公布资格", default=False)
    employed_from = models.DateField("入职日期")
    employed_until = models.DateField("离职日期", null=True, blank=True)
    checked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="审核人")

    objects = StaffQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "从业人员"
        ordering: ClassVar = ["name", "pk"]
        indexes: ClassVar = [models.Index(fields=["identity_digest"], name="staff_by_identity")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="staff_once_while_employed",
                fields=["institution", "identity_digest"],
                condition=Q(employed_until=None),
                violation_error_message="这个人已在本机构的在职名单里",
            ),
            models.CheckConstraint(
                name="staff_employment_runs_forward",
                condition=Q(employed_until=None) | Q(employed_until__gte=F("employed_from")),
                violation_error_message="离职日期不能早于入职日期",
            ),
            models.CheckConstraint(
                name="teaching_staff_say_what_they_teach",
                condition=~Q(role=StaffRole.TEACHING) | (~Q(category="") & ~Q(subject="")),
                violation_error_message="教学人员要写明任教类别和学科（项目）",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_foreign(self) -> bool:
        """Whether the nationality is not Chinese."""
        return self.nationality != CHINESE
