"""The form of a design, its review and rating, and the filter of the library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.db.models import F, Q, QuerySet
from django.db.models.lookups import GreaterThanOrEqual
from django.shortcuts import get_object_or_404

from qingdan.accounts.models import User
from qingdan.homework.enums import DesignOrigin, HomeworkForm, HomeworkTier
from qingdan.homework.models import Design
from qingdan.homework.models.designs import DesignQuerySet
from qingdan.places.calendar import today
from qingdan.policy.units import grade_name
from qingdan.schools.models import School, Subject, TeachingAssignment
from qingdan.storage.fields import FilesField
from qingdan.storage.files import FILE_BYTES_MAX, FILES_MAX, KINDS_TEXT


def dress(form: forms.BaseForm) -> None:
    """Give every field the look of the house."""
    for field in form.fields.values():
        is_select = isinstance(field.widget, forms.Select) and not isinstance(field.widget, forms.RadioSelect)
        field.widget.attrs.setdefault("class", "form-select" if is_select else "form-control")


def subjects_of(user: User) -> QuerySet[Subject]:
    """The subjects in which someone may write designs: a teacher's own and those he heads, all for a leader."""
    if user.is_school_leader:
        return Subject.objects.all()
    taught = TeachingAssignment.objects.of_teacher(user, today()).values("subject")
    return Subject.objects.filter(Q(pk__in=taught) | Q(leads__user=user)).distinct()


class DesignForm(forms.ModelForm):  # type: ignore[type-arg]
    """A design with its files."""

    attachments = FilesField(label="附件", required=False, too_many=f"一份设计最多 {FILES_MAX} 个附件；请先删去不要的，或合并成一个文件")

    class Meta:
        model = Design
        fields: ClassVar = [
            "title", "subject", "grade", "unit", "content", "requirements", "intent",
            "tier", "form", "done_at", "homework_minutes", "origin", "source", "attachments",
        ]  # fmt: skip
        widgets: ClassVar = {
            "content": forms.Textarea(attrs={"rows": 4}),
            "requirements": forms.Textarea(attrs={"rows": 2}),
            "intent": forms.Textarea(attrs={"rows": 2}),
            "homework_minutes": forms.NumberInput(attrs={"min": 1, "max": 600, "inputmode": "numeric"}),
        }

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        school = get_object_or_404(School, pk=user.organisation_id)
        if self.instance.pk is None:
            self.instance.author, self.instance.school = user, school
        subject, files = self.fields["subject"], self.fields["attachments"]
        assert isinstance(subject, forms.ModelChoiceField)
        assert isinstance(files, FilesField)
        subject.queryset, subject.empty_label = subjects_of(user), "请选择"
        # A design whose subject the author no longer teaches stays what it is.
        if self.instance.pk is not None:
            subject.queryset = Subject.objects.filter(Q(pk__in=subject.queryset.values("pk")) | Q(pk=self.instance.subject_id))
            files.taken = list(self.instance.files.values_list("name", flat=True))
        choices = [("", "请选择"), *((str(grade), grade_name(grade)) for grade in school.grades)]
        self.fields["grade"] = forms.TypedChoiceField(label="年级", choices=choices, coerce=int)
        told = "预计时长要在 1 至 600 分钟之间"
        self.fields["homework_minutes"].error_messages |= {"min_value": told, "max_value": told, "invalid": told}
        self.fields["title"].help_text = "让同事一眼看懂，例如“周长：量一量身边的物品”。"
        self.fields["intent"].help_text = "为什么这样设计，练什么。"
        self.fields["source"].help_text = "选编、改编的写明出自哪里；自主创编不必填。"
        files.help_text = f"可多选，每个不超过 {FILE_BYTES_MAX // 1024 // 1024} MB：{KINDS_TEXT}。"
        dress(self)

    def clean(self) -> dict[str, Any]:
        """Say beside the field itself that the source is missing."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("origin") not in (None, DesignOrigin.OWN) and not data.get("source") and "source" not in self.errors:
            self.add_error("source", "选编、改编的作业要写明出处")
        return data


class ReviewForm(forms.Form):
    """What the head says of a design."""

    note = forms.CharField(
        label="审核意见", required=False, max_length=300, widget=forms.Textarea(attrs={"rows": 2, "class": "form-control"})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["note"].help_text = "退回时必填，设计者会看到。"


class RateForm(forms.Form):
    """Stars and a few words after use."""

    stars = forms.TypedChoiceField(
        label="星级",
        choices=[(str(number), f"{number} 星") for number in range(1, 6)],
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={"required": "请选一至五星", "invalid_choice": "星级是一至五"},
    )
    comment = forms.CharField(label="用后的话", required=False, max_length=200, widget=forms.TextInput(attrs={"class": "form-control"}))


#: What the library can be sorted by -> its order and its name.
SORTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "new": ("最新入库", ("-reviewed_at", "-pk")),
    "rating": ("评价最高", ("-has_rating", "-rating", "-rating_count", "-pk")),
    "uses": ("用得最多", ("-uses", "-pk")),
}
#: Which shelf: the library, one's own, those to review.
SHELVES = {"library": "校本库", "own": "我的设计", "review": "待我审核"}


class DesignFilter(forms.Form):
    """What part of the library is shown, and in which order."""

    unit = forms.CharField(label="单元、名称或内容", required=False, max_length=60)
    subject = forms.ModelChoiceField(Subject.objects.all(), label="学科", required=False, empty_label="全部学科")
    grade = forms.ChoiceField(label="年级", required=False)
    tier = forms.ChoiceField(label="层次", required=False, choices=[("", "全部层次"), *HomeworkTier.choices])
    form = forms.ChoiceField(label="类型", required=False, choices=[("", "全部类型"), *HomeworkForm.choices])
    origin = forms.ChoiceField(label="来源", required=False, choices=[("", "全部来源"), *DesignOrigin.choices])
    minutes = forms.ChoiceField(
        label="预计时长",
        required=False,
        choices=[("", "时长不限"), *((str(number), f"不超过 {number} 分钟") for number in (5, 10, 15, 20, 30, 45))],
    )
    stars = forms.ChoiceField(label="评价", required=False, choices=[("", "评价不限"), ("4", "4 星以上"), ("3", "3 星以上")])
    sort = forms.ChoiceField(label="排序", required=False, choices=[(name, label) for name, (label, _) in SORTS.items()])

    def __init__(self, *args: Any, grades: Sequence[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        grade = self.fields["grade"]
        assert isinstance(grade, forms.ChoiceField)
        grade.choices = [("", "全部年级"), *((str(each), grade_name(each)) for each in grades)]
        self.fields["unit"].widget = forms.TextInput(attrs={"type": "search", "placeholder": "单元、名称或内容", "autocomplete": "off"})
        dress(self)

    def apply(self, designs: DesignQuerySet) -> DesignQuerySet:
        """The chosen part of designs, in the chosen order; a choice that does not exist is left out."""
        self.is_valid()
        chosen = self.cleaned_data
        if text := chosen.get("unit"):
            designs = designs.filter(Q(unit__icontains=text) | Q(title__icontains=text) | Q(content__icontains=text))
        for name in ("subject", "grade", "tier", "form", "origin"):
            if value := chosen.get(name):
                designs = designs.filter(**{name: value})
        if minutes := chosen.get("minutes"):
            designs = designs.filter(homework_minutes__lte=int(minutes))
        designs = designs.with_use()
        if stars := chosen.get("stars"):
            designs = designs.filter(GreaterThanOrEqual(F("rating"), int(stars)))
        designs = designs.alias(has_rating=Q(rating__isnull=False))
        return designs.order_by(*SORTS[chosen.get("sort") or "new"][1])

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is left out."""
        return any(value for name, value in self.cleaned_data.items() if name != "sort")
