"""Filters over findings, and the forms that answer and decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from qingdan.findings.actions import STEPS
from qingdan.findings.enums import ANSWERS, DECISIONS, PENDING, FindingAct, FindingDay, FindingStatus
from qingdan.institutions.enums import TrainingField
from qingdan.policy.packs import default_pack

SORTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "": ("日期从新到旧", ("-date", "-pk")),
    "date": ("日期从旧到新", ("date", "pk")),
    "found": ("最近发现", ("-found_at", "-pk")),
    "waiting": ("等得最久", ("found_at", "pk")),
    "organisation": ("按单位", ("organisation__pinyin", "organisation_id", "-date", "-pk")),
    "rule": ("按规则", ("rule_id", "-date", "-pk")),
}
#: Whatever its state.
ALL = "all"
_DAY = {"type": "date", "class": "form-control"}


class FindingFilter(forms.Form):
    """What part of the findings is shown."""

    q = forms.CharField(label="搜索", required=False, max_length=100)
    status = forms.ChoiceField(label="状态", required=False)
    rule = forms.ChoiceField(label="规则", required=False)
    organisation = forms.TypedChoiceField(label="单位", required=False, coerce=int, empty_value=None)
    kind = forms.ChoiceField(label="事实", required=False)
    day_kind = forms.ChoiceField(label="日期类型", required=False, choices=[("", "全部日子"), *FindingDay.choices])
    field = forms.ChoiceField(label="培训领域", required=False, choices=[("", "全部领域"), *TrainingField.choices])
    first = forms.DateField(label="从", required=False, widget=forms.DateInput(attrs=_DAY, format="%Y-%m-%d"))
    last = forms.DateField(label="到", required=False, widget=forms.DateInput(attrs=_DAY, format="%Y-%m-%d"))
    sort = forms.ChoiceField(label="排序", required=False, choices=[(name, label) for name, (label, _) in SORTS.items()])

    def __init__(
        self,
        *args: Any,
        rules: Sequence[tuple[str, str]] = (),
        organisations: Sequence[tuple[int, str]] = (),
        kinds: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        known = default_pack().vocabulary.kinds
        labels = [(kind, known[kind].label if kind in known else kind) for kind in kinds]
        choices: dict[str, list[tuple[Any, str]]] = {
            "status": [("", "待处理"), *FindingStatus.choices, (ALL, "全部")],
            "rule": [("", "全部规则"), *rules],
            "organisation": [("", "全部单位"), *organisations],
            "kind": [("", "全部事实"), *labels],
        }
        for name, field in self.fields.items():
            if isinstance(field, forms.ChoiceField):
                field.choices = choices.get(name, field.choices)
                field.widget.attrs["class"] = "form-select"
        self.fields["q"].widget = forms.TextInput(
            attrs={"type": "search", "class": "form-control", "placeholder": "单位、班级、学科、说明……"}
        )

    def chosen(self) -> dict[str, Any]:
        """The filters as the query set takes them; a value that makes no sense is left out."""
        self.is_valid()
        data = self.cleaned_data
        status = data.get("status", "")
        return {
            "status": {"": list(PENDING), ALL: []}.get(status, [status]),
            "rule": data.get("rule", ""),
            "organisation": data.get("organisation"),
            "kind": data.get("kind", ""),
            "day_kind": data.get("day_kind", ""),
            "field": data.get("field", ""),
            "first": data.get("first"),
            "last": data.get("last"),
            "text": data.get("q", ""),
        }

    def order(self) -> tuple[str, ...]:
        """The columns to sort by."""
        self.is_valid()
        return SORTS[self.cleaned_data.get("sort", "")][1]


class PeriodFilter(forms.Form):
    """Which days the summary counts."""

    first = forms.DateField(label="从", required=False, widget=forms.DateInput(attrs=_DAY, format="%Y-%m-%d"))
    last = forms.DateField(label="到", required=False, widget=forms.DateInput(attrs=_DAY, format="%Y-%m-%d"))
    day_kind = forms.ChoiceField(
        label="日期类型",
        required=False,
        choices=[("", "全部日子"), *FindingDay.choices],
        widget=forms.Select(attrs={"class": "form-select"}),
    )

    def chosen(self) -> dict[str, Any]:
        """The filters as the query set takes them."""
        self.is_valid()
        return {name: self.cleaned_data.get(name) or default for name, default in (("first", None), ("last", None), ("day_kind", ""))}


class ActForm(forms.Form):
    """One act with its words. Which acts there are depends on who asks and on the state."""

    act = forms.ChoiceField(label="办理", widget=forms.RadioSelect, error_messages={"required": "请选择怎样办理"})
    reason = forms.CharField(
        label="说明",
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3, "class": "form-control", "maxlength": 500}),
        error_messages={"max_length": "说明最多 500 个字，现有 %(show_value)d 个"},
    )

    def __init__(self, *args: Any, acts: Sequence[FindingAct], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer(acts)

    def offer(self, acts: Sequence[FindingAct]) -> None:
        """Let these acts be chosen, and no others."""
        field = self.fields["act"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(act.value, act.label) for act in acts]


def acts_for(*, is_bureau: bool, status: str = "") -> list[FindingAct]:
    """The acts that one side may do, in a state where one is given."""
    return [act for act in (DECISIONS if is_bureau else ANSWERS) if not status or status in STEPS[act][0]]
