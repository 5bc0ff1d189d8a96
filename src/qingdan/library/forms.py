"""Filters of the library; all of them travel in the address, so that a filtered page can be sent on."""

from __future__ import annotations

from typing import Any

from django import forms

from qingdan.library.reading import layer_order, subject_labels
from qingdan.policy.documents import ADDRESSEES
from qingdan.policy.pack import Pack
from qingdan.policy.tracing import SORTS


def _search(placeholder: str) -> forms.CharField:
    widget = forms.TextInput(attrs={"type": "search", "class": "form-control", "placeholder": placeholder, "autocomplete": "off"})
    return forms.CharField(label="搜索", required=False, max_length=100, widget=widget)


def _choice(label: str, choices: list[tuple[str, str]], *, required: bool = False) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, required=required, choices=choices, widget=forms.Select(attrs={"class": "form-select"}))


class Filter(forms.Form):
    """A form that leaves out what does not fit instead of refusing the page."""

    def chosen(self) -> dict[str, Any]:
        """The filters that fit; empty text for the others."""
        self.is_valid()
        return {name: self.cleaned_data.get(name) or "" for name in self.fields}


class ClauseFilter(Filter):
    """Which clauses of a document are shown."""

    q = _search("在条款里找，如 作业 时长")
    carrier = _choice("由什么落实", [("", "全部落实方式"), *SORTS.items()])
    addressee = _choice("要求谁", [("", "全部对象"), *ADDRESSEES.items()])


class RuleFilter(Filter):
    """Which rules are shown."""

    q = _search("找规则，如 作业 60 分钟")

    def __init__(self, *args: Any, pack: Pack, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        layers = [(layer.code, f"在{layer.name}适用") for layer in layer_order(pack)]
        self.fields["layer"] = _choice("在哪里适用", [("", "所有地方"), *layers])
        self.fields["subject"] = _choice("主题", [("", "全部主题"), *subject_labels(pack).items()])


class ParameterFilter(Filter):
    """Which limits are shown."""

    q = _search("找限值，如 下课时间")


class CompareForm(forms.Form):
    """Two layers and a day."""

    on = forms.DateField(label="哪一天的规定", widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "form-control"}))

    def __init__(self, *args: Any, pack: Pack, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        layers = [(layer.code, layer.name) for layer in layer_order(pack)]
        self.fields["a"] = _choice("甲", layers, required=True)
        self.fields["b"] = _choice("乙", layers, required=True)
        self.order_fields(["a", "b", "on"])
        self.fields["on"].error_messages["invalid"] = "日期写成 2026-11-17 这样"
        for field in ("a", "b"):
            self.fields[field].error_messages["invalid_choice"] = "没有“%(value)s”这一层，请从列表里选"
