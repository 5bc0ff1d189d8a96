"""The forms of staff: one person, leaving, the bureau's check, the filter."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q

from qingdan.accounts.identity import digest, masked
from qingdan.institutions.enums import StaffRole
from qingdan.institutions.forms.courses import dress
from qingdan.institutions.models import Institution, Staff
from qingdan.institutions.models.staff import CHINESE, StaffQuerySet
from qingdan.places.calendar import today


class StaffForm(forms.ModelForm):  # type: ignore[type-arg]
    """One person. Of the number only digest and mask are kept; left empty on a change it stays what it was."""

    identity_number = forms.CharField(label="身份证号（外籍填护照号）", max_length=40, required=False)

    class Meta:
        model = Staff
        fields: ClassVar = [
            "name", "nationality", "role", "category", "subject", "certificate_number", "experience", "is_abroad", "employed_from",
        ]  # fmt: skip
        widgets: ClassVar = {
            "experience": forms.Textarea(attrs={"rows": 2}),
            "employed_from": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        }

    def __init__(self, *args: Any, institution: Institution, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.institution = institution
        number = self.fields["identity_number"]
        number.widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}
        number.help_text = "系统只留加密指纹和掩码，不保存号码。"
        if self.instance.pk is not None:
            number.help_text += f"现为 {self.instance.masked_identity}，不改就留空。"
        else:
            self.fields["category"].initial = institution.category
        self.fields["is_abroad"].label = "人在境外"
        self.fields["certificate_number"].help_text = "从事学科类培训的教学人员必须有。"
        self.fields["subject"].help_text = "教学人员必填，如 数学、舞蹈。"
        dress(self)

    def clean(self) -> dict[str, Any]:
        """Turn the number into what may be kept."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        number = data.pop("identity_number", "")
        if number:
            try:
                self.instance.identity_digest = digest(number, is_foreign=data.get("nationality") != CHINESE)
                self.instance.masked_identity = masked(number)
            except ValidationError as error:
                self.add_error("identity_number", error)
        elif self.instance.pk is None and "identity_number" not in self.errors:
            self.add_error("identity_number", "请填写证件号，用来实名登记；系统只留加密指纹")
        if data.get("employed_from") and data["employed_from"] > today():
            self.add_error("employed_from", "入职日期不能晚于今天；到岗后再登记")
        return data


class StaffFileForm(forms.Form):
    """A workbook with an institution's people."""

    workbook = forms.FileField(
        label="从业人员名册（xlsx、xls、ods 或 csv）",
        error_messages={"required": "请选择文件", "empty": "文件是空的（0 字节）；请检查是否保存完整"},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)


class LeaveForm(forms.Form):
    """The last day somebody works there."""

    last_day = forms.DateField(label="最后工作日", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["last_day"].initial = today()
        dress(self)

    def clean_last_day(self) -> Any:
        """A day that has come."""
        if self.cleaned_data["last_day"] > today():
            raise ValidationError("离职日期不能晚于今天；到那天再登记")
        return self.cleaned_data["last_day"]


_YES_NO = [("", "不适用"), ("yes", "是"), ("no", "否")]


def _answer(text: str) -> bool | None:
    return {"yes": True, "no": False}.get(text)


class CheckForm(forms.Form):
    """What the bureau says of somebody's qualification."""

    fitting = forms.TypedChoiceField(
        label="资格与任教相应", choices=_YES_NO, required=False, coerce=_answer, empty_value=None, initial="yes"
    )
    foreign = forms.TypedChoiceField(label="外籍聘用合规", choices=_YES_NO, required=False, coerce=_answer, empty_value=None)
    reason = forms.CharField(label="退回理由", required=False, max_length=200)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)


#: Where somebody stands in the list -> how it is told.
STANDINGS = {"waiting": "待审核", "published": "已备案公示", "matched": "疑似在职教师", "left": "已离职"}


class StaffFilter(forms.Form):
    """What part of the staff is shown."""

    q = forms.CharField(label="姓名、学科或机构", required=False, max_length=60)
    role = forms.ChoiceField(label="岗位", required=False, choices=[("", "全部岗位"), *StaffRole.choices])
    standing = forms.ChoiceField(label="状态", required=False)

    def __init__(self, *args: Any, is_bureau: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["q"].widget = forms.TextInput(attrs={"type": "search", "placeholder": "姓名、学科或机构", "autocomplete": "off"})
        standing = self.fields["standing"]
        assert isinstance(standing, forms.ChoiceField)
        standing.choices = [("", "在职"), *((key, label) for key, label in STANDINGS.items() if is_bureau or key != "matched")]
        dress(self)

    def apply(self, staff: StaffQuerySet, matched: StaffQuerySet) -> StaffQuerySet:
        """The chosen part; a choice that does not exist is left out."""
        self.is_valid()
        chosen, day = self.cleaned_data, today()
        found = {
            "waiting": lambda: staff.employed(day).filter(is_qualification_checked=False),
            "published": lambda: staff.published(day),
            "matched": lambda: matched,
            "left": lambda: staff.filter(employed_until__lt=day),
        }.get(chosen.get("standing") or "", lambda: staff.employed(day))()
        if text := chosen.get("q"):
            found = found.filter(Q(name__icontains=text) | Q(subject__icontains=text) | Q(institution__organisation__name__icontains=text))
        if role := chosen.get("role"):
            found = found.filter(role=role)
        return found

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is left out."""
        return any(self.cleaned_data.values())
