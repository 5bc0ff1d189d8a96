"""What families, institutions and officers fill in about refunds."""

from __future__ import annotations

from typing import Any

from django import forms

_REASON = {"required": "请写明理由，双方都会看到", "max_length": "理由不超过 300 字"}


class ApplyForm(forms.Form):
    """How many of the lessons that are left, and why."""

    lessons = forms.IntegerField(
        label="退几课时",
        min_value=1,
        error_messages={"required": "请填退几课时", "invalid": "课时数请填数字", "min_value": "至少退 1 课时"},
    )
    reason = forms.CharField(
        label="退费原因",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2, "class": "form-control", "maxlength": 300}),
        error_messages={"required": "请写一句退费原因", "max_length": "原因不超过 300 字"},
    )

    def __init__(self, *args: Any, free: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["lessons"].widget.attrs |= {"class": "form-control", "min": 1, "max": free, "inputmode": "numeric"}


class AnswerForm(forms.Form):
    """The institution's answer."""

    verdict = forms.ChoiceField(
        choices=[("agree", "同意退费"), ("contest", "不同意")],
        error_messages={"required": "请选同意或不同意", "invalid_choice": "请选同意或不同意"},
    )
    text = forms.CharField(max_length=300, required=False, error_messages={"max_length": "说明不超过 300 字"})


class DecideForm(forms.Form):
    """An officer's decision."""

    verdict = forms.ChoiceField(
        choices=[("approve", "准予退费"), ("refuse", "不予退费")],
        error_messages={"required": "请选准予或不予退费", "invalid_choice": "请选准予或不予退费"},
    )
    lessons = forms.IntegerField(
        required=False, min_value=1, error_messages={"invalid": "课时数请填数字", "min_value": "至少 1 课时；不退请选“不予退费”"}
    )
    reason = forms.CharField(max_length=300, error_messages=_REASON)


class ToldForm(forms.Form):
    """When and how the institution itself has paid."""

    on = forms.DateField(error_messages={"required": "请填退款日期", "invalid": "日期请写成 2026-11-16"})
    reference = forms.CharField(
        max_length=60, error_messages={"required": "请填写银行转账的流水号，家长好核对", "max_length": "流水号不超过 60 字"}
    )


class AccountForm(forms.Form):
    """Where a refund is to be paid when the way it came is closed."""

    to_account = forms.RegexField(
        r"^[0-9A-Za-z]{8,34}$", error_messages={"required": "请填收款账号", "invalid": "账号是 8 至 34 位数字或字母，不带空格"}
    )
    to_name = forms.CharField(max_length=100, error_messages={"required": "请填收款户名"})


class ClosingForm(forms.Form):
    """Why all is given back."""

    reason = forms.CharField(
        label="原因",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2, "class": "form-control", "maxlength": 300}),
        error_messages={"required": "请写明停办或退费的原因，家长会看到", "max_length": "原因不超过 300 字"},
    )
    is_sure = forms.BooleanField(label="我已核对家数和金额", error_messages={"required": "请先核对家数和金额，再勾选确认"})
