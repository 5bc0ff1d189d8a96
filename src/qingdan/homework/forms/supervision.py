"""Forms of supervision: a new round of checks, one item on the inspector's phone, a month's opinion, and what is asked of charts."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError

from qingdan.accounts.models import User
from qingdan.homework.actions.supervision import most_classes
from qingdan.homework.charts.periods import Period
from qingdan.homework.enums import Fault
from qingdan.homework.models import CheckedHomework
from qingdan.homework.models.register import MINUTES_MAX
from qingdan.places.calendar import monday_of, today
from qingdan.policy.units import grade_name
from qingdan.schools.enums import SchoolKind
from qingdan.schools.models import School, SchoolClass

_WEEKS_BACK = 12
_COUNT_MAX = 200
_PER_SCHOOL_MAX = 20
_GRADES = [(each, grade_name(each)) for each in range(1, 10)]
_YES_NO = [("", "没看"), ("true", "是"), ("false", "否")]


def _out_of(least: int, most: int, unit: str) -> dict[str, str]:
    """What a number field says of a number that it cannot be."""
    words = f"请填 {least} 至 {most} 之间的整数（{unit}）"
    return dict.fromkeys(("required", "invalid", "min_value", "max_value"), words)


def week_label(monday: datetime.date) -> str:
    """``11月9日至15日（上周）``."""
    back = (monday_of(today()) - monday).days // 7
    sunday = monday + datetime.timedelta(days=6)
    until = f"{sunday.day}日" if sunday.month == monday.month else f"{sunday.month}月{sunday.day}日"
    return f"{monday.month}月{monday.day}日至{until}（{('本周', '上周')[back] if back < 2 else f'{back} 周前'}）"


class SpotCheckForm(forms.Form):
    """From which classes, how many, of which week, with which seed."""

    title = forms.CharField(
        label="名称",
        max_length=80,
        help_text="学校看结果时也会看到，如“11月第三周作业抽查”。",
        error_messages={"required": "请给这次抽查起个名称"},
    )
    week_from = forms.TypedChoiceField(label="检查哪一周的作业", coerce=datetime.date.fromisoformat)
    count = forms.IntegerField(
        label="抽几个班", min_value=1, max_value=_COUNT_MAX, initial=10, error_messages=_out_of(1, _COUNT_MAX, "个班")
    )
    per_school = forms.IntegerField(
        label="每校至多几个班", min_value=1, max_value=_PER_SCHOOL_MAX, required=False, help_text="不填则不限。",
        error_messages=_out_of(1, _PER_SCHOOL_MAX, "个班"),
    )  # fmt: skip
    kind = forms.ChoiceField(label="学校类型", required=False, choices=[("", "不限"), *SchoolKind.choices])
    grades = forms.TypedMultipleChoiceField(
        label="年级",
        required=False,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        choices=_GRADES,
    )
    schools = forms.ModelMultipleChoiceField(
        label="学校", required=False, queryset=School.objects.none(), widget=forms.CheckboxSelectMultiple
    )
    seed = forms.CharField(
        label="种子",
        max_length=64,
        required=False,
        help_text="不填则由系统当场生成。也可填事先约定、事后人人可查的号码，如某日福利彩票开奖号码，连系统也左右不了结果。",
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        monday = monday_of(today())
        weeks = [monday - datetime.timedelta(weeks=back) for back in range(_WEEKS_BACK)]
        field = self.fields["week_from"]
        assert isinstance(field, forms.TypedChoiceField)
        field.choices = [(each.isoformat(), week_label(each)) for each in weeks]
        field.initial = weeks[1].isoformat()
        schools = self.fields["schools"]
        assert isinstance(schools, forms.ModelMultipleChoiceField)
        schools.queryset = School.objects.visible_to(user).select_related("organisation")
        for name in ("title", "count", "per_school", "seed"):
            self.fields[name].widget.attrs["class"] = "form-control"
        for name in ("week_from", "kind"):
            self.fields[name].widget.attrs["class"] = "form-select"
        for name in ("grades", "schools"):
            self.fields[name].widget.attrs["class"] = "btn-check"
        self.fields["seed"].widget.attrs["autocomplete"] = "off"

    def clean_seed(self) -> str:
        """Spaces inside would make the same numbers another seed."""
        return "".join(self.cleaned_data["seed"].split())

    def eligible(self) -> list[SchoolClass]:
        """The classes that may be drawn, as far as the fields filled in so far say."""
        data = self.cleaned_data
        classes = SchoolClass.objects.visible_to(self.user).current(data.get("week_from") or monday_of(today()))
        if data.get("kind"):
            classes = classes.filter(school__kind=data["kind"])
        if data.get("grades"):
            classes = classes.filter(grade__in=data["grades"])
        if data.get("schools"):
            classes = classes.filter(school__in=data["schools"])
        return list(classes.only("pk", "school_id").order_by("pk"))

    def scope_words(self) -> str:
        """What was drawn from, in words: ``小学；三年级、四年级；每校至多 1 个班``."""
        data = self.cleaned_data
        words = [SchoolKind(data["kind"]).label] if data.get("kind") else []
        words += ["、".join(grade_name(each) for each in data["grades"])] if data.get("grades") else []
        names = [each.name for each in data.get("schools") or ()]
        words += ["、".join(names[:5]) + (f"等 {len(names)} 所学校" if len(names) > 5 else "")] if names else []
        words += [f"每校至多 {data['per_school']} 个班"] if data.get("per_school") else []
        return ("；".join(words) or "全部班级")[:200]

    def clean(self) -> dict[str, Any]:
        """Refuse to draw more than there are."""
        data = super().clean() or {}
        if data.get("count") and data.get("week_from"):
            most = most_classes({each.pk: each.school_id for each in self.eligible()}, data.get("per_school"))
            if data["count"] > most:
                advice = f"符合条件的最多能抽 {most} 个班，请减少抽取数，或放宽范围、每校限额" if most else "没有符合条件的班级，请放宽范围"
                self.add_error("count", ValidationError(advice))
        return data


if TYPE_CHECKING:
    _ItemModelForm = forms.ModelForm[CheckedHomework]
else:
    _ItemModelForm = forms.ModelForm


def _yes_no(text: str) -> bool:
    return text == "true"


class ItemForm(_ItemModelForm):
    """What an inspector sees of one item; everything but the first may stay open."""

    is_as_published = forms.TypedChoiceField(
        label="与公示是否一致",
        choices=[("true", "与公示一致"), ("false", "不一致")],
        coerce=_yes_no,
        widget=forms.RadioSelect(attrs={"class": "btn-check"}),
        error_messages={"required": "还没有保存：请先点“与公示一致”或“不一致”"},
    )
    faults = forms.MultipleChoiceField(
        label="发现的问题", choices=Fault.choices, required=False, widget=forms.CheckboxSelectMultiple(attrs={"class": "btn-check"})
    )
    seen_minutes = forms.IntegerField(
        label="估计实际需时（分钟）",
        required=False,
        min_value=0,
        max_value=MINUTES_MAX,
        error_messages=_out_of(0, MINUTES_MAX, "分钟"),
        widget=forms.NumberInput(attrs={"class": "form-control", "inputmode": "numeric"}),
    )
    is_careless = forms.TypedChoiceField(label="批改敷衍", choices=_YES_NO, coerce=_yes_no, empty_value=None, required=False)
    has_feedback = forms.TypedChoiceField(label="有反馈", choices=_YES_NO, coerce=_yes_no, empty_value=None, required=False)

    class Meta:
        model = CheckedHomework
        fields = ("is_as_published", "faults", "seen_minutes", "is_careless", "has_feedback", "note")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        item = self.instance
        if item.pk is None:
            self.initial.pop("is_as_published", None)
        for name in ("is_as_published", "is_careless", "has_feedback"):
            if (value := self.initial.get(name)) is not None:
                self.initial[name] = str(value).lower()
        self.fields["note"].widget.attrs |= {"class": "form-control", "autocomplete": "off"}
        for name in ("is_careless", "has_feedback"):
            self.fields[name].widget.attrs["class"] = "form-select"

    def _post_clean(self) -> None:
        """The action sets the values, under the lock; the form only reads them."""

    @property
    def is_open(self) -> bool:
        """Whether the part below the first question has something in it."""
        item = self.instance
        told = (item.seen_minutes, item.is_careless, item.has_feedback)
        return bool(item.faults or item.note or item.is_as_published is False or any(each is not None for each in told))


class ExtraForm(ItemForm):
    """Homework that pupils had although it was neither published nor in the register."""

    content = forms.CharField(label="作业内容", max_length=500, error_messages={"required": "请写明是什么作业，如“英语：抄写单词 5 遍”"})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["is_as_published"]
        self.fields["content"].widget.attrs |= {"class": "form-control", "autocomplete": "off"}


class ReviewForm(forms.Form):
    """The bureau's opinion on a school's month."""

    opinion = forms.CharField(
        label="评议意见", max_length=500, widget=forms.Textarea(attrs={"rows": 4, "class": "form-control"}),
        error_messages={"required": "请写评议意见，哪怕一句“总量合理，继续保持”"},
    )  # fmt: skip
    counts_anew = forms.BooleanField(
        label="按现在的数据重新统计总量", required=False, widget=forms.CheckboxInput(attrs={"class": "form-check-input"})
    )


class PeriodForm(forms.Form):
    """What charts and results are about: a period, a stage, a school."""

    period = forms.ChoiceField(label="时间", required=False)
    stage = forms.ChoiceField(label="学段", required=False)
    school = forms.ChoiceField(label="学校", required=False)

    def __init__(
        self, *args: Any, choices: list[Period], stages: list[tuple[str, str]], schools: list[tuple[int, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        offered: dict[str, list[tuple[str, str]]] = {
            "period": [(each.key, each.label) for each in choices],
            "stage": [("", "全部学段"), *stages],
            "school": [("", "全部学校"), *((str(pk), name) for pk, name in schools)],
        }
        for name, values in offered.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = values
            field.widget.attrs["class"] = "form-select"
        if len(schools) < 2:
            del self.fields["school"]

    def chosen(self, name: str) -> str:
        """A field's value; nothing for one that does not fit."""
        self.is_valid()
        return str(self.cleaned_data.get(name, ""))
