"""The form of a course, its review, and the filter of the list."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.db.models import Q

from qingdan.institutions.actions.courses import FLAGS
from qingdan.institutions.enums import CourseState, TrainingCategory, TrainingField
from qingdan.institutions.models import Course, Institution, Permit
from qingdan.institutions.models.courses import CourseQuerySet
from qingdan.places.calendar import today
from qingdan.storage.fields import FilesField
from qingdan.storage.files import FILE_BYTES_MAX, FILES_MAX, KINDS_TEXT

_FEN_PER_YUAN = 100


def dress(form: forms.BaseForm) -> None:
    """Give every field the look of the house."""
    for field in form.fields.values():
        if isinstance(field.widget, forms.CheckboxInput | forms.CheckboxSelectMultiple):
            look = "form-check-input"
        else:
            look = "form-select" if isinstance(field.widget, forms.Select) else "form-control"
        field.widget.attrs.setdefault("class", look)


def category_of(field: str) -> str:
    """A field's category: 学科 is academic, everything else is not."""
    return TrainingCategory.ACADEMIC if field == TrainingField.ACADEMIC else TrainingCategory.NON_ACADEMIC


class PermitField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A permit by its number, field and last day."""

    def label_from_instance(self, obj: Any) -> str:
        """What stands in the list."""
        return f"{obj.number}（{obj.get_field_display()}，至 {obj.ends_on:%Y-%m-%d}）"


class CourseForm(forms.ModelForm):  # type: ignore[type-arg]
    """A course with its materials. The price is given in yuan; the category follows from the field."""

    lesson_price_yuan = forms.DecimalField(
        label="每课时价格（元）", min_value=0, max_value=100_000, decimal_places=2,
        error_messages={"invalid": "请写金额，如 80 或 79.50", "max_decimal_places": "金额最多两位小数（精确到分）"},
    )  # fmt: skip
    permit = PermitField(Permit.objects.none(), label="所依许可", required=False)
    materials = FilesField(label="培训材料", required=False, too_many=f"一门课程最多 {FILES_MAX} 份材料；请先删去不要的，或合并成一个文件")

    class Meta:
        model = Course
        fields: ClassVar = [
            "name", "field", "subject", "permit", "audience", "first_grade", "last_grade", "youngest_age", "mode", "class_size",
            "lesson_count", "lesson_minutes", "gap_minutes", "starts_on", "ends_on", "goal", "syllabus",
            "is_collective_preschool", "is_overseas_curriculum", "offers_photo_search",
        ]  # fmt: skip
        widgets: ClassVar = {
            "goal": forms.Textarea(attrs={"rows": 2}),
            "syllabus": forms.Textarea(attrs={"rows": 6}),
            "starts_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "ends_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        }
        labels: ClassVar = {"is_overseas_curriculum": "采用境外教育课程", "offers_photo_search": "提供拍照搜题"}

    def __init__(self, *args: Any, institution: Institution, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.institution = institution
        permit, materials = self.fields["permit"], self.fields["materials"]
        assert isinstance(permit, forms.ModelChoiceField)
        assert isinstance(materials, FilesField)
        held = institution.permits.in_force(today())
        permit.queryset = institution.permits.filter(Q(pk__in=held.values("pk")) | Q(pk=self.instance.permit_id)).order_by("number")
        permit.empty_label = "请选择"
        permit.help_text = "课程要在许可的领域和有效期内。"
        if self.instance.pk is None:
            self.fields["field"].initial, self.fields["audience"].initial = institution.field, institution.audience
        else:
            self.fields["lesson_price_yuan"].initial = Decimal(self.instance.lesson_price_fen) / _FEN_PER_YUAN
            materials.taken = list(self.instance.files.values_list("name", flat=True))
        self.fields["first_grade"].help_text = "小学至高中是 1 至 12；学龄前不填。"
        self.fields["syllabus"].help_text = "逐讲写明教什么、进度怎样安排。"
        self.fields["gap_minutes"].help_text = "线上课程必填。"
        materials.help_text = f"教材、讲义、教案；可多选，每个不超过 {FILE_BYTES_MAX // 1024 // 1024} MB：{KINDS_TEXT}。"
        dress(self)

    def clean(self) -> dict[str, Any]:
        """Work out category and fen, and say beside the field itself what is missing."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("mode") == "online" and data.get("gap_minutes") is None and "gap_minutes" not in self.errors:
            self.add_error("gap_minutes", "线上课程要写明课间休息几分钟")
        if (data.get("first_grade") is None) != (data.get("last_grade") is None) and not {"first_grade", "last_grade"} & set(self.errors):
            self.add_error("last_grade", "最低年级和最高年级要么都填，要么都不填（学龄前）")
        if data.get("field"):
            self.instance.category = category_of(data["field"])
        if data.get("lesson_price_yuan") is not None:
            self.instance.lesson_price_fen = int(data["lesson_price_yuan"] * _FEN_PER_YUAN)
        return data


class CourseReviewForm(forms.Form):
    """What the reviewer found and says."""

    found = forms.MultipleChoiceField(
        label="审核中发现", required=False, widget=forms.CheckboxSelectMultiple,
        choices=[(name, str(Course._meta.get_field(name).verbose_name)) for name in FLAGS],  # type: ignore[union-attr]
    )  # fmt: skip
    note = forms.CharField(label="审核意见", required=False, max_length=300, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["note"].help_text = "退回时必填，机构会看到。勾选了发现的问题，条款会一并写进退回理由。"
        dress(self)


class CourseFilter(forms.Form):
    """What part of the courses is shown."""

    q = forms.CharField(label="课程、学科或机构", required=False, max_length=60)
    state = forms.ChoiceField(label="状态", required=False, choices=[("", "全部状态"), *CourseState.choices])
    field = forms.ChoiceField(label="领域", required=False, choices=[("", "全部领域"), *TrainingField.choices])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["q"].widget = forms.TextInput(attrs={"type": "search", "placeholder": "课程、学科或机构", "autocomplete": "off"})
        dress(self)

    def apply(self, courses: CourseQuerySet) -> CourseQuerySet:
        """The chosen part; a choice that does not exist is left out."""
        self.is_valid()
        chosen = self.cleaned_data
        if text := chosen.get("q"):
            courses = courses.filter(
                Q(name__icontains=text) | Q(subject__icontains=text) | Q(institution__organisation__name__icontains=text)
            )
        for name in ("state", "field"):
            if value := chosen.get(name):
                courses = courses.filter(**{name: value})
        return courses

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is left out."""
        return any(self.cleaned_data.values())
