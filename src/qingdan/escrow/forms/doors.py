"""Filters of the doors of escrow."""

from __future__ import annotations

from django import forms

from qingdan.escrow.forms.fields import Filter


class FlowFilter(Filter):
    """Which large flows are listed."""

    q = forms.CharField(required=False, label="机构", widget=forms.TextInput(attrs={"placeholder": "机构名称或拼音", "type": "search"}))
    state = forms.ChoiceField(required=False, label="通报", choices=[("", "待通报"), ("told", "已通报"), ("all", "全部")])
