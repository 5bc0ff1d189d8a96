"""Forms of yearly inspections: a campaign, an answer, a check, a result; and the filter of a campaign."""

from __future__ import annotations

import datetime
from typing import Any

from django import forms
from django.db.models import Q

from qingdan.institutions.enums import CompetentDepartment, InspectionState
from qingdan.institutions.forms.registry import dress
from qingdan.institutions.models import Inspection, InspectionCampaign, InspectionItem, Institution
from qingdan.institutions.models.supervision import InspectionQuerySet
from qingdan.places.calendar import today
from qingdan.storage.fields import FilesField

#: What a bureau begins with; it chooses the day itself.
_DAYS_TO_REPORT = 30
_ANSWERS = (("yes", "符合"), ("no", "不符合"))
_RESULTS = (InspectionState.PASSED, InspectionState.TO_CORRECT, InspectionState.FAILED)
_TRUTHS = {"yes": True, "no": False}


class CampaignForm(forms.ModelForm):  # type: ignore[type-arg]
    """A year's inspection."""

    year = forms.TypedChoiceField(label="年度", coerce=int)

    class Meta:
        model = InspectionCampaign
        fields = ("title", "year", "category", "report_until")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        day = today()
        year, category = self.fields["year"], self.fields["category"]
        assert isinstance(year, forms.TypedChoiceField)
        assert isinstance(category, forms.ChoiceField)
        year.choices = [(each, f"{each} 年") for each in (day.year, day.year - 1)]
        category.choices = [("", "全部类别"), *list(category.choices)[1:]]  # type: ignore[arg-type]
        category.label = "机构类别"
        self.fields["title"].initial = f"{day.year}年校外培训机构年检"
        self.fields["report_until"].initial = day + datetime.timedelta(days=_DAYS_TO_REPORT)
        self.fields["report_until"].help_text = "机构在这一天前逐项自查并提交；逾期会催办，也可以直接核查。"
        dress(self)


class _ItemForm(forms.Form):
    """Yes or no with a note, of one item. A page has dozens of them and writes their fields itself; this reads one."""

    answer = forms.ChoiceField(label="是否符合", required=False, choices=_ANSWERS)
    note = forms.CharField(label="说明", required=False, max_length=300)

    def __init__(self, *args: Any, item: InspectionItem, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.item = item

    @property
    def truth(self) -> bool | None:
        """What was answered; None for nothing."""
        return _TRUTHS.get(self.cleaned_data["answer"])

    @property
    def refusals(self) -> list[str]:
        """What was wrong, in sentences."""
        return [str(error) for errors in self.errors.values() for error in errors]


class AnswerForm(_ItemForm):
    """An institution's answer, with evidence."""

    evidence = FilesField(label="证据", required=False)

    def __init__(self, *args: Any, item: InspectionItem, **kwargs: Any) -> None:
        super().__init__(*args, item=item, **kwargs)
        evidence = self.fields["evidence"]
        assert isinstance(evidence, FilesField)
        evidence.taken = [each.name for each in item.evidence.all()]


class CheckForm(_ItemForm):
    """What an officer found."""


class ConcludeForm(forms.Form):
    """The result of one inspection."""

    result = forms.ChoiceField(
        label="结论",
        choices=[("", "请选择"), *((each.value, each.label) for each in _RESULTS)],
    )  # fmt: skip
    correct_until = forms.DateField(label="整改期限（限期整改时填）", required=False)
    conclusion = forms.CharField(label="结论说明", required=False, max_length=300, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["conclusion"].help_text = "机构和公众都会看到；不合格的必填。"
        dress(self)


class ReasonForm(forms.Form):
    """Why, for what follows a failed inspection."""

    reason = forms.CharField(label="理由", max_length=300, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, inspection: Inspection | None = None, **kwargs: Any) -> None:
        if inspection is not None:
            kwargs["initial"] = {"reason": f"{inspection.campaign.title}不合格：{inspection.conclusion}"[:300]}
        super().__init__(*args, **kwargs)
        dress(self)


class CorrectionForm(forms.Form):
    """What an institution has corrected."""

    note = forms.CharField(label="整改说明", max_length=300, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["note"].help_text = "逐项说明怎样整改的；照片、文件先传到对应的项目里。"
        dress(self)


class CampaignFilter(forms.Form):
    """Which institutions of a campaign are listed."""

    q = forms.CharField(label="机构", required=False, max_length=60)
    state = forms.ChoiceField(
        label="状态", required=False,
        choices=[("", "全部状态"), ("late", "逾期未自查"), ("to_check", "待核查或复查"), *InspectionState.choices],
    )  # fmt: skip
    department = forms.ChoiceField(label="主管部门", required=False, choices=[("", "全部部门"), *CompetentDepartment.choices])
    known = forms.ChoiceField(
        label="系统已知", required=False, choices=[("", "问题不限"), ("some", "系统已知有问题"), ("none", "系统未见问题")]
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["q"].widget = forms.TextInput(
            attrs={"type": "search", "placeholder": "机构名称、拼音或信用代码", "autocomplete": "off"}
        )
        dress(self)

    def apply(self, found: InspectionQuerySet) -> InspectionQuerySet:
        """The chosen part; a choice that does not exist is left out."""
        self.is_valid()
        chosen = self.cleaned_data
        if text := (chosen.get("q") or "").strip():
            found = found.filter(institution__in=Institution.objects.matching(text))
        state = chosen.get("state")
        if state == "late":
            found = found.late(today())
        elif state == "to_check":
            found = found.to_check()
        elif state:
            found = found.filter(state=state)
        if department := chosen.get("department"):
            found = found.filter(institution__department=department)
        if known := chosen.get("known"):
            with_breaches = Q(pk__in=InspectionItem.objects.filter(known_breaches__gt=0).values("inspection"))
            found = found.filter(with_breaches if known == "some" else ~with_breaches)
        return found

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is left out."""
        return any(self.cleaned_data.values())
