"""The officers' forms of permits: granting, taking away, and the filter of the list."""

from __future__ import annotations

import datetime
from typing import Any

from django import forms
from django.db.models import Q

from qingdan.institutions.actions.permits import Grant
from qingdan.institutions.enums import CompetentDepartment
from qingdan.institutions.forms.applications import dress
from qingdan.institutions.models import Institution
from qingdan.institutions.models.permits import PermitQuerySet
from qingdan.places.calendar import today


def _day(label: str) -> forms.DateField:
    words = dict.fromkeys(("required", "invalid"), f"请填写{label}，如 2027-08-31")
    return forms.DateField(label=label, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), error_messages=words)


class ApproveForm(forms.Form):
    """The decision and, where there is one, the permit."""

    number = forms.CharField(label="许可证号", max_length=40, error_messages={"required": "请填写许可证号"})
    scope = forms.CharField(label="许可范围", max_length=200, error_messages={"required": "请填写许可范围"})
    starts_on = _day("有效期起")
    ends_on = _day("有效期止")
    reason = forms.CharField(
        label="批准理由", max_length=1000, widget=forms.Textarea(attrs={"rows": 2}), error_messages={"required": "请写明批准的理由"}
    )

    def __init__(self, *args: Any, has_permit: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.has_permit = has_permit
        if not has_permit:
            for name in ("number", "scope", "starts_on", "ends_on"):
                del self.fields[name]
        dress(self)

    def grant(self) -> Grant | None:
        """What is said of the permit."""
        given = self.cleaned_data
        return Grant(given["number"], given["scope"], given["starts_on"], given["ends_on"]) if self.has_permit else None

    def clean(self) -> dict[str, Any]:
        """The term runs forward."""
        given = super().clean() or {}
        if given.get("starts_on") and given.get("ends_on") and given["ends_on"] <= given["starts_on"]:
            self.add_error("ends_on", "有效期止要晚于有效期起")
        return given


class RevokeForm(forms.Form):
    """Why a permit is taken away."""

    reason = forms.CharField(
        label="吊销理由", max_length=300, widget=forms.Textarea(attrs={"rows": 2}), error_messages={"required": "请写明吊销的理由"}
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)


class PermitFilter(forms.Form):
    """The filter of the list."""

    q = forms.CharField(
        label="机构或许可证号", required=False, max_length=50,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "机构名称、拼音或许可证号"}),
    )  # fmt: skip
    standing = forms.ChoiceField(
        label="效力", required=False, choices=[("", "有效"), ("expired", "已到期"), ("revoked", "已吊销、注销"), ("all", "全部")]
    )
    within = forms.TypedChoiceField(
        label="到期", required=False, coerce=int, empty_value=None,
        choices=[("", "不论到期"), ("30", "30 天内到期"), ("90", "90 天内到期"), ("180", "180 天内到期")],
    )  # fmt: skip
    department = forms.ChoiceField(label="发证部门", required=False, choices=[("", "全部部门"), *CompetentDepartment.choices])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)

    def apply(self, found: PermitQuerySet) -> PermitQuerySet:
        """What was asked for; a wrong value in the address counts as none."""
        self.is_valid()
        given, day = self.cleaned_data, today()
        standing = given.get("standing", "")
        if within := given.get("within"):
            found = found.expiring(day, within)
        elif standing == "expired":
            found = found.filter(revoked_on=None, ends_on__lt=day)
        elif standing == "revoked":
            found = found.filter(revoked_on__isnull=False)
        elif standing != "all":
            # One that begins later is good too; it only waits.
            found = found.filter(Q(revoked_on=None) | Q(revoked_on__gt=day), ends_on__gte=day)
        if text := given.get("q"):
            found = found.filter(Q(institution__in=Institution.objects.matching(text)) | Q(number__icontains=text))
        if department := given.get("department"):
            found = found.filter(department=department)
        return found


def days_left(ends_on: datetime.date) -> int:
    """Days until a permit ends; negative when it has."""
    return (ends_on - today()).days
