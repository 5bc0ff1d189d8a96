"""Contracts between an institution and a family, made from the model form's fields and frozen when both have signed."""

from __future__ import annotations

import datetime
from typing import Any, ClassVar

import pgtrigger
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Replace

from qingdan.accounts.models import Organisation, User, pinyin_of
from qingdan.escrow.enums import SIGNED_STATES, ContractState, OrderState, TrainingCategory
from qingdan.escrow.models.custody import CustodyAgreement
from qingdan.escrow.models.scope import supervised
from qingdan.places.models import refuse_reversed
from qingdan.schools.models import Pupil

#: What both sides have signed: the database lets none of it change afterwards.
FROZEN = (
    "number",
    "institution",
    "agreement",
    "guardian",
    "pupil",
    "learner_name",
    "learner_born_on",
    "course_number",
    "course_name",
    "category",
    "youngest_age",
    "class_size",
    "lesson_minutes",
    "lessons",
    "amount_fen",
    "course_from",
    "course_until",
    "teaching_from",
    "teaching_until",
    "refund_conditions",
    "refund_procedure",
    "refund_working_days",
    "extra_terms",
    "is_paid_by_loan",
    "form_version",
    "offered_at",
    "offered_by",
    "signed_at",
    "signed_on",
    "signed_text",
    "text_digest",
)


class ContractQuerySet(models.QuerySet["Contract"]):
    """Questions about contracts."""

    def visible_to(self, user: User) -> ContractQuerySet:
        """A guardian: those addressed to him, once offered; an institution: its own; officers: signed ones of their institutions."""
        if user.is_parent:
            return self.filter(guardian=user).exclude(state=ContractState.DRAFT)
        found = self.filter(supervised(user))
        return found.filter(state__in=SIGNED_STATES) if user.is_officer else found

    def live(self) -> ContractQuerySet:
        """Those under which lessons are still to be given."""
        return self.filter(state=ContractState.ACTIVE)

    def waiting_first(self) -> ContractQuerySet:
        """Those that a guardian has to sign, then those to be paid, then the others; the newest first in each."""
        order = Case(When(state=ContractState.OFFERED, then=0), When(state=ContractState.SIGNED, then=1), default=2)
        return self.order_by(order, "-pk")

    def matching(self, text: str) -> ContractQuerySet:
        """Those with a number, learner, course or institution that contains a text or sounds like it."""
        if not text:
            return self
        sounds = Replace("pinyin", Value(" "), Value(""))
        by_name = Q(institution__in=Organisation.objects.matching(text)) | Q(sounds__contains=text.lower().replace(" ", ""))
        found = self.alias(sounds=sounds)
        return found.filter(Q(number__icontains=text) | Q(learner_name__icontains=text) | Q(course_name__icontains=text) | by_name)

    def of_matching_offer(self, text: str) -> ContractQuerySet:
        """The same without the learners, for those who are not told their names."""
        if not text:
            return self
        by_name = Q(institution__in=Organisation.objects.matching(text))
        return self.filter(Q(number__icontains=text) | Q(course_name__icontains=text) | by_name)


class Contract(models.Model):
    """One course for one child: what is paid at once, and on which terms.

    draft → offered (the institution has signed) → signed (the guardian too) → active (paid) → completed or refunded.
    """

    number = models.CharField("合同编号", max_length=30, unique=True, error_messages={"unique": "这个合同编号已经用过"})
    institution = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="training_contracts", verbose_name="机构")
    #: Under which agreement the money is watched over; there is none without one once both have signed.
    agreement = models.ForeignKey(
        CustodyAgreement, on_delete=models.PROTECT, null=True, blank=True, related_name="contracts", verbose_name="监管协议"
    )
    guardian = models.ForeignKey(User, on_delete=models.PROTECT, related_name="training_contracts", verbose_name="家长")
    #: Empty for a child of no school here.
    pupil = models.ForeignKey(Pupil, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="学生")
    learner_name = models.CharField("学员", max_length=50)
    learner_born_on = models.DateField("学员出生日期")
    #: How learner and course sound, for the search.
    pinyin = models.CharField("拼音", max_length=300, editable=False, default="", blank=True)
    #: ``row_id`` of the fact view ``facts_training_course``; name and terms are copied, for they must not change.
    course_number = models.BigIntegerField("课程")
    course_name = models.CharField("课程名称", max_length=80)
    category = models.CharField("类别", max_length=20, choices=TrainingCategory.choices)
    #: From which age the course is filed for, in years; empty where the course says nothing.
    youngest_age = models.PositiveSmallIntegerField("招生最小年龄", null=True, blank=True)
    class_size = models.PositiveSmallIntegerField("班额")
    lesson_minutes = models.PositiveSmallIntegerField("每课时分钟")
    lessons = models.PositiveSmallIntegerField("课时数")
    amount_fen = models.BigIntegerField("合同金额（分）")
    course_from = models.DateField("课程起")
    course_until = models.DateField("课程止")
    teaching_from = models.DateField("教学起")
    teaching_until = models.DateField("教学止")
    refund_conditions = models.CharField("退费条件", max_length=500, blank=True)
    refund_procedure = models.CharField("退费程序", max_length=500, blank=True)
    #: Within how many working days the institution promises to refund.
    refund_working_days = models.PositiveSmallIntegerField("退费办结工作日")
    #: What the two agree besides the model form; searched for unfair terms.
    extra_terms = models.TextField("补充约定", blank=True)
    #: ``[{word, sentence, cites}]`` as found in the extra terms when the institution signed.
    unfair_terms = models.JSONField("疑似不公平条款", default=list, blank=True)
    is_paid_by_loan = models.BooleanField("贷款支付", default=False)
    #: Which edition of the model form the text is made from.
    form_version = models.CharField("示范文本版本", max_length=40)
    state = models.CharField("状态", max_length=20, choices=ContractState.choices, default=ContractState.DRAFT)
    drafted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="起草人")
    drafted_at = models.DateTimeField("起草时间", auto_now_add=True)
    #: The institution's signature.
    offered_at = models.DateTimeField("机构签署时间", null=True, blank=True)
    offered_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="机构签署人")
    #: The guardian's signature.
    signed_at = models.DateTimeField("家长签署时间", null=True, blank=True)
    signed_on = models.DateField("签订日期", null=True, blank=True)
    #: The whole text, word for word as both have signed it: names may change afterwards, this does not.
    signed_text = models.TextField("签署文本", blank=True)
    #: SHA-256 over the whole text, in hexadecimal digits.
    text_digest = models.CharField("文本摘要", max_length=64, blank=True)
    paid_on = models.DateField("缴费日期", null=True, blank=True)
    ended_on = models.DateField("终止日期", null=True, blank=True)
    end_reason = models.CharField("终止原因", max_length=300, blank=True)

    objects = ContractQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "培训合同"
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [
            models.Index(fields=["institution", "state"], name="contract_of_institution"),
            models.Index(fields=["guardian", "state"], name="contract_of_guardian"),
            models.Index(fields=["course_number"], name="contract_of_course"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="contract_runs_forward",
                condition=Q(course_until__gte=F("course_from"), teaching_until__gte=F("teaching_from")),
                violation_error_message="课程止、教学止不能早于起",
            ),
            models.CheckConstraint(
                name="contract_counts_are_positive",
                condition=Q(lessons__gte=1, amount_fen__gt=0, class_size__gte=1, lesson_minutes__gte=1),
                violation_error_message="课时数、金额、班额、每课时分钟要大于零",
            ),
            models.CheckConstraint(
                name="contract_offered_is_signed_by_institution",
                condition=Q(state__in=[ContractState.DRAFT, ContractState.CANCELLED])
                | Q(offered_at__isnull=False, offered_by__isnull=False),
                violation_error_message="发给家长的合同要有机构的签署",
            ),
            models.CheckConstraint(
                name="contract_signed_by_both",
                condition=(
                    Q(state__in=SIGNED_STATES, signed_at__isnull=False, signed_on__isnull=False, agreement__isnull=False)
                    & ~Q(text_digest="")
                )
                | Q(~Q(state__in=SIGNED_STATES), signed_at=None, signed_on=None, text_digest=""),
                violation_error_message="已签的合同要有家长签署、文本摘要和监管协议，未签的都没有",
            ),
            models.CheckConstraint(
                name="contract_paid_has_a_day",
                condition=~Q(state__in=[ContractState.ACTIVE, ContractState.COMPLETED]) | Q(paid_on__isnull=False),
                violation_error_message="履行中的合同要有缴费日期",
            ),
            models.CheckConstraint(
                name="contract_end_is_explained",
                condition=~Q(state__in=[ContractState.REFUNDED, ContractState.CANCELLED]) | ~Q(end_reason=""),
                violation_error_message="终止或作废合同要写明原因",
            ),
        ]
        triggers: ClassVar = [
            pgtrigger.Trigger(
                name="signed_text_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(*FROZEN),
                func="""
                    IF OLD.signed_at IS NOT NULL THEN
                        RAISE EXCEPTION '合同双方已签，内容不能再改' USING ERRCODE = 'check_violation', CONSTRAINT = 'signed_text_stays';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Protect(
                name="signed_contract_is_kept", operation=pgtrigger.Delete, condition=pgtrigger.Q(old__signed_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep how learner and course sound beside them."""
        self.pinyin = f"{pinyin_of(self.learner_name)} {pinyin_of(self.course_name)}"[:300]
        if (fields := kwargs.get("update_fields")) is not None and {"learner_name", "course_name"} & set(fields):
            kwargs["update_fields"] = {*fields, "pinyin"}
        super().save(*args, **kwargs)

    def clean(self) -> None:
        """Refuse a course that runs backward."""
        super().clean()
        refuse_reversed(self, "课程止不能早于课程起", "course_from", "course_until")
        refuse_reversed(self, "教学止不能早于教学起", "teaching_from", "teaching_until")

    @property
    def is_signed(self) -> bool:
        """Whether both sides have signed."""
        return self.state in SIGNED_STATES

    def fen_of_lessons(self, first: int, last: int) -> int:
        """What the lessons from one to another (both counted, from 1) cost together: the parts always sum to the amount."""
        return self.amount_fen * last // self.lessons - self.amount_fen * (first - 1) // self.lessons

    def age_on(self, day: datetime.date) -> int:
        """How many years old the learner is on a day."""
        born = self.learner_born_on
        return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


class PaymentOrderQuerySet(models.QuerySet["PaymentOrder"]):
    """Questions about payment orders."""

    def visible_to(self, user: User) -> PaymentOrderQuerySet:
        """Those of the contracts that a user may see."""
        return self.filter(contract__in=Contract.objects.visible_to(user))


class PaymentOrder(models.Model):
    """A family's payment of a contract, made at the bank; the bank's word counts, never the browser's return."""

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="orders", verbose_name="合同")
    reference = models.CharField("缴费单号", max_length=35, unique=True)
    amount_fen = models.BigIntegerField("金额（分）")
    state = models.CharField("状态", max_length=20, choices=OrderState.choices, default=OrderState.WAITING)
    created_at = models.DateTimeField("建立时间", auto_now_add=True)
    paid_on = models.DateField("到账日期", null=True, blank=True)
    #: The family's account as the bank told it; a refund goes back there.
    payer_account = models.CharField("付款账号", max_length=34, blank=True)
    payer_name = models.CharField("付款户名", max_length=100, blank=True)
    bank_reference = models.CharField("银行流水号", max_length=60, blank=True)

    objects = PaymentOrderQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "缴费单"
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(name="order_amount_is_positive", condition=Q(amount_fen__gt=0), violation_error_message="金额要大于零"),
            models.CheckConstraint(
                name="order_paid_has_a_day",
                condition=Q(state=OrderState.PAID, paid_on__isnull=False) | (~Q(state=OrderState.PAID) & Q(paid_on=None)),
                violation_error_message="已缴的要有到账日期，未缴的没有",
            ),
            models.UniqueConstraint(
                name="order_open_once",
                fields=["contract"],
                condition=~Q(state=OrderState.CANCELLED),
                violation_error_message="这份合同已有缴费单",
            ),
        ]

    def __str__(self) -> str:
        return self.reference
