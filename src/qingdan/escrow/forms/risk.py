"""What officers and families fill in about risks."""

from __future__ import annotations

from typing import Any

from django import forms

from qingdan.escrow.actions.riskfile import ENTERED
from qingdan.escrow.enums import RiskLevel, RiskStepKind, SupervisionMode
from qingdan.escrow.forms.fields import Filter, dress


class RiskFilter(Filter):
    """Which institutions are listed."""

    q = forms.CharField(required=False, label="机构", widget=forms.TextInput(attrs={"placeholder": "机构名称或拼音", "type": "search"}))
    level = forms.ChoiceField(required=False, label="级别", choices=[("", "全部级别"), *RiskLevel.choices])
    mode = forms.ChoiceField(required=False, label="监管方式", choices=[("", "全部方式"), *SupervisionMode.choices, ("none", "没有协议")])


class StepForm(forms.Form):
    """A step of the risk file."""

    kind = forms.ChoiceField(label="事项", choices=[(each.value, each.label) for each in RiskStepKind if each in ENTERED])
    text = forms.CharField(label="内容", max_length=4000, widget=forms.Textarea(attrs={"rows": 5}))
    responsible = forms.CharField(label="责任人", max_length=50, required=False)
    due_on = forms.DateField(label="完成期限", required=False, help_text="留空表示已经做完")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)


class PauseForm(forms.Form):
    """Stop releases or let them go on."""

    verdict = forms.ChoiceField(choices=[("pause", "暂停划拨"), ("resume", "恢复划拨")], error_messages={"required": "请选暂停或恢复"})
    reason = forms.CharField(
        max_length=300, error_messages={"required": "请写明理由，会记入机构的风险档案", "max_length": "理由不超过 300 字"}
    )


class CirculateForm(forms.Form):
    """What was found out about a large flow."""

    reason = forms.CharField(
        max_length=200, error_messages={"required": "请写明核实的情况，会通报给有关部门", "max_length": "情况不超过 200 字"}
    )


class ComplaintForm(forms.Form):
    """What a family says of an institution."""

    text = forms.CharField(
        label="要反映的情况",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 6, "class": "form-control", "maxlength": 500}),
        error_messages={"required": "请写下要反映的情况", "max_length": "请写在 500 字以内"},
    )


class AnswerComplaintForm(forms.Form):
    """The officers' answer."""

    text = forms.CharField(max_length=500, error_messages={"required": "请写答复，家长会看到", "max_length": "答复不超过 500 字"})
