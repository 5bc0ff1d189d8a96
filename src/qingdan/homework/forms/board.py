"""What a year-group head decides about one piece of homework."""

from __future__ import annotations

from typing import Any

from django import forms

from qingdan.homework.actions.settling import Settlement
from qingdan.homework.enums import Settling
from qingdan.homework.models.register import MINUTES_MAX


class SettleForm(forms.Form):
    """One act; what it needs besides depends on the act, which the verb itself checks."""

    act = forms.ChoiceField(choices=Settling.choices, error_messages={"required": "请选择怎样处理", "invalid_choice": "没有这种处理"})
    #: The state that the page showed.
    seen = forms.CharField(max_length=20, error_messages={"required": "页面已过期，请刷新后再处理"})
    homework_minutes = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=MINUTES_MAX,
        error_messages={
            "invalid": "时长请填整数分钟",
            "min_value": f"时长要在 0 至 {MINUTES_MAX} 分钟之间",
            "max_value": f"时长要在 0 至 {MINUTES_MAX} 分钟之间",
        },
    )
    on_date = forms.DateField(required=False, error_messages={"invalid": "日期请写成 2026-11-17 这样"})
    note = forms.CharField(required=False, max_length=150, error_messages={"max_length": "说明最多 150 字，请写短些"})

    def settlement(self) -> Settlement:
        """The decision of a valid form."""
        data: dict[str, Any] = self.cleaned_data
        return Settlement(Settling(data["act"]), data["homework_minutes"], data["on_date"], data["note"])
