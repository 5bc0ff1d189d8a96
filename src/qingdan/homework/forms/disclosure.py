"""What the year-group head says with a week, and the filters over weeks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms

from qingdan.homework.actions.disclosure import TEXT_MAX
from qingdan.homework.enums import DisclosureState
from qingdan.homework.models import Disclosure
from qingdan.policy.units import grade_name
from qingdan.schools.enums import SchoolKind

_CORRECTION_MAX = 300


class PublishForm(forms.Form):
    """Requirements and intent of a week; of a correction also what was corrected."""

    requirements = forms.CharField(label="完成要求", max_length=TEXT_MAX, required=False)
    intent = forms.CharField(label="设计意图", max_length=TEXT_MAX, required=False)
    correction = forms.CharField(label="更正了什么", max_length=_CORRECTION_MAX, required=False)
    #: The version that was on the screen: somebody may have published another since.
    seen_version = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, last: Disclosure | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, rows in (("requirements", 3), ("intent", 3), ("correction", 2)):
            self.fields[name].widget = forms.Textarea(attrs={"rows": rows, "class": "form-control"})
        self.fields["requirements"].help_text = "由各项作业的要求汇成，可改。"
        self.fields["intent"].help_text = "为什么布置这些作业；由各项作业的设计意图汇成，可改。"
        self.fields["correction"].help_text = "公众会在新版旁看到这句话，例如：补上英语作业，数学减为 10 分钟。"
        if last is None:
            del self.fields["correction"]
        else:
            self.fields["correction"].required = True
            self.fields["correction"].error_messages["required"] = "更正公示要写明更正了什么"
        self.fields["seen_version"].initial = last.version if last else 0


class WeekFilter(forms.Form):
    """Which grades and states of a school's weeks are shown."""

    grade = forms.TypedChoiceField(label="年级", required=False, coerce=int, empty_value=None)
    state = forms.ChoiceField(label="状态", required=False, choices=[("", "全部状态"), *DisclosureState.choices])
    year = forms.TypedChoiceField(label="学年", required=False, coerce=int, empty_value=None)

    def __init__(self, *args: Any, grades: Iterable[int], years: Iterable[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, choices in (
            ("grade", [("", "全部年级"), *((str(grade), grade_name(grade)) for grade in grades)]),
            ("year", [(str(year), name) for year, name in years]),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = choices
        for field in self.fields.values():
            field.widget.attrs["class"] = "form-select"

    def chosen(self) -> dict[str, Any]:
        """What is chosen; what does not fit is left out."""
        self.is_valid()
        return {name: self.cleaned_data.get(name) or None for name in self.fields}


class SchoolFilter(forms.Form):
    """Which schools of the public hall are shown."""

    q = forms.CharField(label="校名、拼音或首字母", required=False, max_length=100)
    kind = forms.ChoiceField(label="类型", required=False, choices=[("", "全部学校"), *SchoolKind.choices])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["q"].widget = forms.TextInput(
            attrs={"type": "search", "class": "form-control", "placeholder": "校名、拼音或首字母", "autocomplete": "off"}
        )
        self.fields["kind"].widget.attrs["class"] = "form-select"

    def chosen(self) -> dict[str, str]:
        """What is chosen; what does not fit is left out."""
        self.is_valid()
        return {name: self.cleaned_data.get(name, "") for name in self.fields}
