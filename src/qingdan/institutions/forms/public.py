"""The filter of the public directory."""

from __future__ import annotations

from typing import Any

from django import forms

from qingdan.institutions.enums import InstitutionState, ListColour, TrainingCategory
from qingdan.institutions.forms.registry import dress


class DirectoryFilter(forms.Form):
    """Which institutions a visitor looks for."""

    q = forms.CharField(
        label="机构名称、拼音首字母或街道", required=False, max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "机构名称、拼音首字母或街道", "autocomplete": "off"}),
    )  # fmt: skip
    category = forms.ChoiceField(label="类别", required=False, choices=[("", "全部类别"), *TrainingCategory.choices])
    street = forms.ChoiceField(label="街道", required=False)
    state = forms.ChoiceField(label="状态", required=False, choices=[("", "全部状态"), *InstitutionState.choices])
    colour = forms.ChoiceField(label="黑白名单", required=False, choices=[("", "名单不限"), *ListColour.choices])

    def __init__(self, *args: Any, streets: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        street = self.fields["street"]
        assert isinstance(street, forms.ChoiceField)
        street.choices = [("", "全部街道"), *((each, each) for each in streets)]
        dress(self)

    def chosen(self) -> dict[str, str]:
        """What is chosen; what does not fit is left out."""
        self.is_valid()
        return {name: self.cleaned_data.get(name, "") for name in self.fields}
