"""Forms of contracts: the draft, the family's code, the filter of the list, signatures and reasons."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from qingdan.accounts.models import Organisation, User
from qingdan.escrow.actions.signing import copy_course
from qingdan.escrow.enums import SIGNED_STATES, ContractState
from qingdan.escrow.forms.fields import YuanField, dress
from qingdan.escrow.models import Contract, FeeFiling, OfferedCourse, SigningCode
from qingdan.escrow.models.contracts import ContractQuerySet
from qingdan.escrow.trial import longest_span
from qingdan.escrow.wording import yuan
from qingdan.places.calendar import today
from qingdan.schools.models import Pupil

#: Codes in one draft: a class that signs up together.
CODES_MAX = 30
#: Letters of the extra terms: a family reads them on a phone.
EXTRA_TERMS_MAX = 2000
_CODE_UNKNOWN = "签约码“{}”不对、已过期、已停用或已给了别的机构；请家长在“签约码”页重新生成"


class CourseField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A filed course with its filed fee."""

    #: Course number -> filing.
    filings: Mapping[int, FeeFiling] = MappingProxyType({})

    def label_from_instance(self, obj: Any) -> str:
        """What stands in the list."""
        filing = self.filings.get(obj.number)
        fee = f"备案 {yuan(filing.standard_fen)}/课时" if filing else "收费未备案"
        return f"{obj.name}（{obj.class_size} 人班，{obj.lesson_minutes} 分钟，{fee}）"


class ContractForm(forms.ModelForm):  # type: ignore[type-arg]
    """A draft: the course and what the family buys of it. Whatever is filed is taken over, not typed."""

    codes = forms.CharField(
        label="家长的签约码", max_length=600, widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "off", "spellcheck": "false"}),
        help_text="请家长在自己的手机上生成后念给您。几名学员报同一门课，一行写一个，各成一份合同。",
    )  # fmt: skip
    course = CourseField(OfferedCourse.objects.none(), label="课程", empty_label="请选择已备案的课程")
    lesson_price_yuan = YuanField(
        label="每课时价格（元）", required=False, help_text="不填就按备案的收费标准；可以优惠，不能高于备案标准。"
    )

    class Meta:
        model = Contract
        fields = (
            "lessons", "course_from", "course_until", "refund_conditions", "refund_procedure", "refund_working_days",
            "is_paid_by_loan", "extra_terms",
        )  # fmt: skip
        labels: ClassVar = {"course_from": "本次所付课程起", "course_until": "本次所付课程止", "is_paid_by_loan": "家长用贷款支付"}
        widgets: ClassVar = {
            "refund_conditions": forms.Textarea(attrs={"rows": 2}),
            "refund_procedure": forms.Textarea(attrs={"rows": 2}),
            "extra_terms": forms.Textarea(attrs={"rows": 3}),
        }

    def __init__(self, *args: Any, institution: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.institution = institution
        self.is_new = self.instance.pk is None
        course = self.fields["course"]
        assert isinstance(course, CourseField)
        course.queryset = OfferedCourse.objects.filter(institution=institution).open_on(today())
        course.filings = {each.course_number: each for each in FeeFiling.objects.filter(institution=institution).in_force(today())}
        self.filings = course.filings
        self.found_codes: list[SigningCode] = []
        if not self.is_new:
            del self.fields["codes"]
            course.initial = self.instance.course_number
            self.initial["lesson_price_yuan"] = self.instance.amount_fen // self.instance.lessons
        else:
            self.initial.setdefault("refund_working_days", 5)
            self.initial.setdefault("refund_conditions", "未上的课时按合同单价退还，不扣其他费用。")
            self.initial.setdefault("refund_procedure", "家长在平台申请，机构答复后按缴费原路退回。")
        longest = longest_span(institution)
        self.fields["course_from"].help_text = f"{f'一次收费不超过 {longest}；' if longest else ''}不早于备案的教学安排。"
        self.fields["extra_terms"].help_text = "没有就不写。减免机构责任、取消退费的约定会被标出，家长看得到。"
        dress(self)

    def clean_codes(self) -> str:
        """Every code is one that this institution may use."""
        typed = str(self.cleaned_data["codes"]).replace("，", " ").replace(",", " ").split()
        if len(typed) > CODES_MAX:
            raise ValidationError(f"一次最多 {CODES_MAX} 个签约码，请分几次")
        problems, institution = [], self.instance.institution
        for each in dict.fromkeys(typed):
            code = SigningCode.objects.usable_by(institution, each)
            if code is None:
                problems.append(ValidationError(_CODE_UNKNOWN.format(each[:20])))
            elif code not in self.found_codes:
                self.found_codes.append(code)
        if problems:
            raise ValidationError(problems)
        return "\n".join(typed)

    def clean(self) -> dict[str, Any]:
        """Take over the filed course and fee; work out the amount."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if len(data.get("extra_terms") or "") > EXTRA_TERMS_MAX:
            self.add_error("extra_terms", f"补充约定最多 {EXTRA_TERMS_MAX} 字，请写短些")
        course: OfferedCourse | None = data.get("course")
        if course is None:
            return data
        filing = self.filings.get(course.number)
        copy_course(self.instance, course, filing)
        lessons: int | None = data.get("lessons")
        if lessons is not None:
            if lessons > course.lesson_count:
                self.add_error("lessons", f"课程备案共 {course.lesson_count} 课时，不能多于它")
            if "lesson_price_yuan" not in self.errors:
                price = data.get("lesson_price_yuan") or (filing.standard_fen if filing else course.lesson_price_fen)
                self.instance.amount_fen = lessons * price
        return data

    def _get_validation_exclusions(self) -> set[str]:
        return {each.name for each in Contract._meta.get_fields()} - {"lessons", "course_from", "course_until", "refund_working_days"}

    def validate_constraints(self) -> None:
        """The action checks the whole record."""


class SigningCodeForm(forms.Form):
    """For which child the guardian makes a code; the date of birth is the family's to say."""

    pupil = forms.ModelChoiceField(Pupil.objects.none(), label="孩子", required=False, empty_label="其他孩子（写姓名）")
    learner_name = forms.CharField(label="孩子姓名", max_length=50, required=False)
    learner_born_on = forms.DateField(label="出生日期")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        pupil = self.fields["pupil"]
        assert isinstance(pupil, forms.ModelChoiceField)
        children = list(Pupil.objects.visible_to(user))
        pupil.queryset = Pupil.objects.visible_to(user)
        if children:
            pupil.initial = children[0].pk
            self.fields["learner_name"].help_text = "选了上面的孩子就不用写。"
        else:
            del self.fields["pupil"]
        self.fields["learner_born_on"].help_text = "用来核对课程的招生年龄，机构在合同里看得到。"
        dress(self)

    def clean(self) -> dict[str, Any]:
        """One of both names the child."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("pupil") is None and not str(data.get("learner_name") or "").strip():
            self.add_error("learner_name", "请写孩子的姓名")
        born: datetime.date | None = data.get("learner_born_on")
        if born is not None and born > today():
            self.add_error("learner_born_on", "出生日期不能晚于今天")
        return data


class SignForm(forms.Form):
    """The guardian's signature: a statement that is ticked, not a button alone."""

    has_read = forms.BooleanField(label="我已读完合同全文，同意签署，并确认签署的是孩子的监护人本人", error_messages={"required": ""})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)
        self.fields["has_read"].error_messages["required"] = "请先勾选“我已读完合同全文”，再签署"


class ReasonForm(forms.Form):
    """Why a contract comes to nothing."""

    reason = forms.CharField(label="原因", max_length=200, widget=forms.Textarea(attrs={"rows": 2}), help_text="对方会看到。")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)


class ContractFilter(forms.Form):
    """Which contracts are listed."""

    q = forms.CharField(label="搜索", required=False, max_length=60)
    state = forms.ChoiceField(label="状态", required=False)
    course = forms.ChoiceField(label="课程", required=False)
    signed_from = forms.DateField(label="签订自", required=False)
    signed_until = forms.DateField(label="签订至", required=False)

    def __init__(self, *args: Any, user: User, contracts: ContractQuerySet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        states = [each for each in ContractState if not user.is_officer or each in SIGNED_STATES]
        state, course = self.fields["state"], self.fields["course"]
        assert isinstance(state, forms.ChoiceField)
        assert isinstance(course, forms.ChoiceField)
        state.choices = [("", "全部状态"), *((each.value, each.label) for each in states)]
        hint = "编号、课程或机构" if user.is_officer else "编号、学员、课程，可用拼音"
        self.fields["q"].widget = forms.TextInput(attrs={"type": "search", "placeholder": hint, "autocomplete": "off"})
        if user.is_officer:
            del self.fields["course"]
        else:
            names = contracts.order_by("course_name").values_list("course_number", "course_name").distinct()
            course.choices = [("", "全部课程"), *((str(number), name) for number, name in names)]
        if not user.is_officer:
            del self.fields["signed_from"], self.fields["signed_until"]
        dress(self)

    def apply(self, contracts: ContractQuerySet) -> ContractQuerySet:
        """The chosen part; a choice that does not exist is left out. Officers are not told whose child it is, and cannot try names."""
        self.is_valid()
        chosen = self.cleaned_data
        text = str(chosen.get("q") or "").strip()
        found = contracts.of_matching_offer(text) if self.user.is_officer else contracts.matching(text)
        if chosen.get("state"):
            found = found.filter(state=chosen["state"])
        if chosen.get("course"):
            found = found.filter(course_number=int(chosen["course"]))
        if chosen.get("signed_from"):
            found = found.filter(signed_on__gte=chosen["signed_from"])
        if chosen.get("signed_until"):
            found = found.filter(signed_on__lte=chosen["signed_until"])
        return found

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is left out."""
        return any(self.cleaned_data.values())
