"""Applications and every act on them. State changes are methods; an act has an actor, a time and, where it weighs, a reason."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from qingdan.accounts.models import Organisation, User
from qingdan.institutions.enums import (
    OPEN_STATES,
    ApplicationAct,
    ApplicationKind,
    ApplicationState,
    CompetentDepartment,
    TrainingAudience,
    TrainingCategory,
    TrainingField,
)
from qingdan.institutions.models.permits import Permit
from qingdan.institutions.models.registry import Premises


class StepDeadline(models.Model):
    """How many working days a bureau gives itself for a step; its own rule, shown to applicants."""

    bureau = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="step_deadlines", verbose_name="教育行政部门")
    state = models.CharField("步骤", max_length=20, choices=ApplicationState.choices)
    working_days = models.PositiveSmallIntegerField("工作日")

    class Meta:
        verbose_name = verbose_name_plural = "办理时限"
        constraints: ClassVar = [
            models.UniqueConstraint(name="deadline_once_per_step", fields=["bureau", "state"], violation_error_message="这一步已有时限"),
            models.CheckConstraint(
                name="deadline_in_range",
                condition=Q(working_days__gte=1, working_days__lte=120),
                violation_error_message="时限要在 1 至 120 个工作日之间",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()} {self.working_days}"


class ApplicationQuerySet(models.QuerySet["Application"]):
    """Questions about applications."""

    def visible_to(self, user: User) -> ApplicationQuerySet:
        """An institution: its own; a bureau: those handed in in its region, another department's only where it has a part."""
        if user.is_officer:
            found = self.filter(applicant__in=Organisation.objects.overseen_by(user.employer)).exclude(state=ApplicationState.DRAFT)
            own = user.employer.department
            return found if own in ("", CompetentDepartment.EDUCATION) else found.filter(Q(department=own) | Q(second_department=own))
        return self.filter(applicant_id=user.organisation_id) if user.organisation_id else self.none()

    def open(self) -> ApplicationQuerySet:
        """Those on which somebody has still to act."""
        return self.filter(state__in=OPEN_STATES)


class Application(models.Model):
    """One application by an institution, or by those who want to found one."""

    applicant = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="applications", verbose_name="申请单位")
    kind = models.CharField("申请事项", max_length=20, choices=ApplicationKind.choices)
    category = models.CharField("类别", max_length=20, choices=TrainingCategory.choices)
    field = models.CharField("领域", max_length=20, choices=TrainingField.choices)
    audience = models.CharField("招生对象", max_length=30, choices=TrainingAudience.choices)
    department = models.CharField("主管部门", max_length=20, choices=CompetentDepartment.choices)
    #: A second department that has to agree; empty where one decides alone.
    second_department = models.CharField("会签部门", max_length=20, choices=CompetentDepartment.choices, blank=True)
    premises = models.ForeignKey(Premises, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="教学点")
    #: What the form of this kind asks besides: ``{field: value}``, labels in ``forms/applications.py``.
    details: Any = models.JSONField("申请内容", default=dict)
    state = models.CharField("状态", max_length=20, choices=ApplicationState.choices, default=ApplicationState.DRAFT)
    applied_on = models.DateField("申请日期", null=True, blank=True)
    #: From which day the time of the present step runs.
    step_began_on = models.DateField("本步开始", null=True, blank=True)
    #: By which day the present step is to be done, counted in working days.
    due_on = models.DateField("本步期限", null=True, blank=True)
    notice_from = models.DateField("公示起", null=True, blank=True)
    notice_until = models.DateField("公示止", null=True, blank=True)
    has_fit_premises = models.BooleanField("场地合格", null=True, blank=True)
    has_fit_staff = models.BooleanField("师资合格", null=True, blank=True)
    has_fit_teaching = models.BooleanField("教学条件合格", null=True, blank=True)
    is_second_agreed = models.BooleanField("会签同意", null=True, blank=True)
    decided_on = models.DateField("决定日期", null=True, blank=True)
    decision_reason = models.CharField("决定理由", max_length=1000, blank=True)
    #: Why the law refused it, as told: ``[{rule, title, sentence, remedy, cites: [{clause, text}]}]``.
    objections = models.JSONField("政策依据", default=list, blank=True)
    permit = models.OneToOneField(Permit, on_delete=models.PROTECT, null=True, blank=True, related_name="application", verbose_name="许可")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="经办人")
    created_at = models.DateTimeField("建立时间", auto_now_add=True)

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "审批申请"
        ordering: ClassVar = ["-created_at"]
        indexes: ClassVar = [models.Index(fields=["state", "due_on"], name="application_in_queue")]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="application_state_is_known", condition=Q(state__in=ApplicationState.values), violation_error_message="没有这种状态"
            ),
            models.CheckConstraint(
                name="application_decision_has_day_and_reason",
                condition=~Q(state__in=[ApplicationState.APPROVED, ApplicationState.REFUSED])
                | (Q(decided_on__isnull=False) & ~Q(decision_reason="")),
                violation_error_message="决定要有日期和理由",
            ),
            models.CheckConstraint(
                name="application_notice_has_both_days",
                condition=Q(notice_from=None, notice_until=None) | Q(notice_until__gte=models.F("notice_from")),
                violation_error_message="公示要有起止日期",
            ),
            models.UniqueConstraint(
                name="application_open_once_per_kind",
                fields=["applicant", "kind", "field"],
                condition=Q(state__in=[*OPEN_STATES]),
                violation_error_message="同一事项已有一件申请在办，请等它办完或先撤回",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.applicant} {self.get_kind_display()}"


class ApplicationEvent(models.Model):
    """One act on an application."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="events", verbose_name="申请")
    act = models.CharField("事项", max_length=20, choices=ApplicationAct.choices)
    #: Empty for what the law or the calendar did by itself.
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="经办人")
    department = models.CharField("部门", max_length=20, choices=CompetentDepartment.choices, blank=True)
    at = models.DateTimeField("时间", auto_now_add=True)
    reason = models.CharField("说明", max_length=1000, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "办理记录"
        ordering: ClassVar = ["at", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="application_act_has_a_reason",
                condition=~Q(act__in=[ApplicationAct.RETURN, ApplicationAct.APPROVE, ApplicationAct.REFUSE, ApplicationAct.OBJECT])
                | ~Q(reason=""),
                violation_error_message="请写明理由",
            ),
        ]

    def __str__(self) -> str:
        return self.get_act_display()


class ApplicationFile(models.Model):
    """A document or a photo that belongs to an application."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="files", verbose_name="申请")
    #: Taken at the visit, or handed in by the applicant.
    is_of_visit = models.BooleanField("现场核查照片", default=False)
    label = models.CharField("材料名称", max_length=80)
    name = models.CharField("文件名", max_length=150)
    content_type = models.CharField("类型", max_length=100)
    size_bytes = models.PositiveIntegerField("大小")
    content = models.BinaryField("内容")
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="上传人")
    added_at = models.DateTimeField("上传时间", auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "申请材料"
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="application_file_is_not_empty", condition=Q(size_bytes__gt=0), violation_error_message="文件是空的"
            ),
        ]

    def __str__(self) -> str:
        return self.name
