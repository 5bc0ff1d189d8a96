"""What institutions, families and officers fill in about lessons."""

from __future__ import annotations

import datetime
from typing import Any

from django import forms

from qingdan.escrow.actions.lessons import Taught
from qingdan.escrow.models import Contract
from qingdan.escrow.models.contracts import ContractQuerySet

_HOUR = 60


def _minutes(time: datetime.time) -> int:
    return time.hour * _HOUR + time.minute


class TaughtForm(forms.Form):
    """A session that stands in no timetable."""

    course = forms.TypedChoiceField(label="课程", coerce=int, error_messages={"required": "请选课程"})
    on_date = forms.DateField(
        label="上课日期",
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"required": "请选上课日期", "invalid": "日期请写成 2026-11-16"},
    )
    starts_at = forms.TimeField(
        label="上课时间",
        widget=forms.TimeInput(attrs={"type": "time"}),
        error_messages={"required": "请填上课时间", "invalid": "时间请写成 18:30"},
    )
    ends_at = forms.TimeField(
        label="下课时间",
        widget=forms.TimeInput(attrs={"type": "time"}),
        error_messages={"required": "请填下课时间", "invalid": "时间请写成 20:00"},
    )

    def __init__(self, *args: Any, courses: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["course"].choices = [("", "请选择"), *courses]  # type: ignore[attr-defined]
        for field in self.fields.values():
            field.widget.attrs["class"] = "form-select" if isinstance(field, forms.ChoiceField) else "form-control"

    def clean(self) -> dict[str, Any]:
        """The session must end after it begins."""
        data: dict[str, Any] = super().clean() or {}
        if "starts_at" in data and "ends_at" in data and data["ends_at"] <= data["starts_at"]:
            self.add_error("ends_at", "下课时间要晚于上课时间")
        return data

    def taught(self) -> Taught:
        """As the act takes it."""
        data = self.cleaned_data
        return Taught(data["course"], data["on_date"], _minutes(data["starts_at"]), _minutes(data["ends_at"]))


class RollForm(forms.Form):
    """Who was there, and how many lessons it counts for."""

    contracts = forms.ModelMultipleChoiceField(
        Contract.objects.none(),
        label="到课学员",
        error_messages={
            "required": "还没有勾选到课的学员：有人到课请勾选，没有人到课不用登记",
            "invalid_choice": "名单已有变化，请刷新后再提交",
        },
    )
    lessons = forms.IntegerField(
        label="每人计几课时",
        min_value=1,
        max_value=20,
        error_messages={
            "required": "请填课时数",
            "invalid": "课时数请填数字",
            "min_value": "课时数至少是 1",
            "max_value": "课时数最多是 20",
        },
    )

    def __init__(self, *args: Any, contracts: ContractQuerySet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["contracts"].queryset = contracts  # type: ignore[attr-defined]


class SettleForm(forms.Form):
    """An officer's word on a dispute."""

    verdict = forms.ChoiceField(
        choices=[("upheld", "按已上计"), ("void", "不计课时")],
        error_messages={"required": "请选“按已上计”或“不计课时”", "invalid_choice": "请选“按已上计”或“不计课时”"},
    )
    reason = forms.CharField(max_length=300, error_messages={"required": "请写明核定理由，双方都会看到", "max_length": "理由不超过 300 字"})


class TextForm(forms.Form):
    """A sentence or two: an objection, a reply."""

    text = forms.CharField(max_length=300, required=False, error_messages={"max_length": "不超过 300 字，请写短一点"})
