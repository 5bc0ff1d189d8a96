"""The right to teach: permits with a scope and a term. Two permits of one scope never overlap."""

from __future__ import annotations

import datetime
from typing import ClassVar

import pghistory
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, StrIndex

from qingdan.accounts.models import User
from qingdan.institutions.enums import CompetentDepartment, TrainingAudience, TrainingCategory, TrainingField
from qingdan.institutions.models.registry import Institution, Premises
from qingdan.places.models import OnePoint, days


class PermitQuerySet(models.QuerySet["Permit"]):
    """Questions about permits."""

    def visible_to(self, user: User) -> PermitQuerySet:
        """Those of the institutions that a user may see; a department other than education: its own."""
        found = self.filter(institution__in=Institution.objects.visible_to(user))
        own = user.employer.department if user.is_officer else ""
        return found if own in ("", CompetentDepartment.EDUCATION) else found.filter(department=own)

    def in_force(self, day: datetime.date) -> PermitQuerySet:
        """Those that hold on a day."""
        return self.filter(Q(revoked_on=None) | Q(revoked_on__gt=day), starts_on__lte=day, ends_on__gte=day)

    def expiring(self, day: datetime.date, within_days: int) -> PermitQuerySet:
        """Those in force that end within some days."""
        return self.in_force(day).filter(ends_on__lte=day + datetime.timedelta(days=within_days))


@pghistory.track(pghistory.UpdateEvent(row=pghistory.Old), pghistory.DeleteEvent())
class Permit(models.Model):
    """One permit for one institution at one of its premises (or online)."""

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="permits", verbose_name="机构")
    #: Empty for a permit to teach online.
    premises = models.ForeignKey(Premises, on_delete=models.PROTECT, null=True, blank=True, related_name="permits", verbose_name="教学点")
    number = models.CharField("许可证号", max_length=40, unique=True, error_messages={"unique": "这个许可证号已经用过，请核对"})
    department = models.CharField("发证部门", max_length=20, choices=CompetentDepartment.choices)
    category = models.CharField("类别", max_length=20, choices=TrainingCategory.choices)
    field = models.CharField("领域", max_length=20, choices=TrainingField.choices)
    audience = models.CharField("招生对象", max_length=30, choices=TrainingAudience.choices)
    scope = models.CharField("许可范围", max_length=200)
    starts_on = models.DateField("有效期起")
    ends_on = models.DateField("有效期止")
    #: From this day on it no longer holds.
    revoked_on = models.DateField("吊销或注销日期", null=True, blank=True)
    revocation_reason = models.CharField("吊销或注销理由", max_length=300, blank=True)
    issued_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="发证人")

    objects = PermitQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "办学许可"
        ordering: ClassVar = ["-starts_on"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="permit_runs_forward", condition=Q(ends_on__gt=F("starts_on")), violation_error_message="有效期止要晚于有效期起"
            ),
            models.CheckConstraint(
                name="permit_revocation_is_explained",
                condition=Q(revoked_on=None) | (~Q(revocation_reason="") & Q(revoked_on__gte=F("starts_on"))),
                violation_error_message="吊销或注销要写明理由，日期不能早于有效期起",
            ),
            ExclusionConstraint(
                name="permits_of_one_scope_do_not_overlap",
                expressions=[
                    (OnePoint("institution_id"), RangeOperators.OVERLAPS),
                    # Online permits have no premises: they share the number 0.
                    (OnePoint(Coalesce("premises_id", 0)), RangeOperators.OVERLAPS),
                    # Each field as its place in this line: exclusion wants a number.
                    (OnePoint(StrIndex(Value("academic sports culture science other"), F("field"))), RangeOperators.OVERLAPS),
                    (days(), RangeOperators.OVERLAPS),
                ],
                condition=Q(revoked_on=None),
                violation_error_message="同一教学点、同一领域的许可在有效期上重叠，请先注销或等原许可到期",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def is_in_force(self, on: datetime.date) -> bool:
        """Whether it holds on a day."""
        return self.starts_on <= on <= self.ends_on and (self.revoked_on is None or on < self.revoked_on)
