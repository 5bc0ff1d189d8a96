"""Filters of the doors of escrow."""

from __future__ import annotations

from typing import Any

from django import forms

from qingdan.escrow.forms.fields import dress


class FlowFilter(forms.Form):
    """Which large flows are listed; what does not fit counts as not asked."""

    q = forms.CharField(required=False, label="机构", widget=forms.TextInput(attrs={"placeholder": "机构名称或拼音", "type": "search"}))
    state = forms.ChoiceField(required=False, label="通报", choices=[("", "待通报"), ("told", "已通报"), ("all", "全部")])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)

    def chosen(self) -> dict[str, str]:
        """What was asked."""
        self.is_valid()
        return {name: str(self.cleaned_data.get(name) or "").strip() for name in self.fields}
