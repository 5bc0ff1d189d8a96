"""Forms of what officers saw: an advertisement, an activity, its withdrawal; and the filters of the lists."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile as IncomingFile
from django.db.models import Q

from qingdan.accounts.models import User
from qingdan.institutions.actions.advertising import FAULTS, TRAITS
from qingdan.institutions.enums import ActivityKind, AdMedium, TrainingCategory
from qingdan.institutions.forms.registry import dress
from qingdan.institutions.models import Activity, Advertisement, Institution
from qingdan.institutions.models.supervision import SeenQuerySet
from qingdan.places.calendar import today
from qingdan.storage.files import FILE_BYTES_MAX, ReadFile, read_file


class InstitutionField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """An institution by its name."""

    def label_from_instance(self, obj: Any) -> str:
        """What stands in the list."""
        return str(obj.organisation.name)


class _SeenForm(forms.ModelForm):  # type: ignore[type-arg]
    """What was seen of one institution on one day."""

    institution = InstitutionField(Institution.objects.none(), label="机构", empty_label="请选择")
    #: The field with the day.
    day_field = ""
    #: The yes-or-no fields, shown together.
    flags: tuple[str, ...] = ()

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        institution = self.fields["institution"]
        assert isinstance(institution, forms.ModelChoiceField)
        visible = Institution.objects.visible_to(user).select_related("organisation")
        institution.queryset = visible.order_by("organisation__pinyin", "pk")
        self.fields[self.day_field].initial = today()
        for field in self.fields.values():
            if isinstance(field, forms.TypedChoiceField):
                choices: list[Any] = list(field.choices)  # type: ignore[arg-type]
                field.choices = [("", "请选择"), *(each for each in choices if each[0])]
        dress(self)

    @property
    def boxes(self) -> list[forms.BoundField]:
        """The yes-or-no fields."""
        return [self[name] for name in self.flags]


class PhotoField(forms.FileField):
    """One file, checked by its content; whether it is a picture the act decides."""

    widget = forms.ClearableFileInput(attrs={"accept": ".jpg,.jpeg,.png", "capture": "environment"})

    def clean(self, data: Any, initial: Any = None) -> ReadFile | None:
        """The file as it can be kept."""
        file: IncomingFile[Any] | None = data or None
        return None if file is None else read_file(file)


class AdvertisementForm(_SeenForm):
    """An advertisement."""

    day_field = "found_on"
    flags = FAULTS
    photo_file = PhotoField(label="照片", required=False)

    class Meta:
        model = Advertisement
        fields = ("institution", "category", "found_on", "medium", "location", "text", *FAULTS)
        widgets = {"text": forms.Textarea(attrs={"rows": 3})}  # noqa: RUF012 - Django's own way

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["category"].help_text = "广告宣传的是哪一类培训"
        self.fields["location"].help_text = "如：某路 12 号公交站牌、某公众号某篇文章"
        self.fields["photo_file"].help_text = f"用手机拍下广告，jpg 或 png，不超过 {FILE_BYTES_MAX // 1024 // 1024} MB；不要拍到无关的人"


class ActivityForm(_SeenForm):
    """A competition, test, ranking or publicity."""

    day_field = "held_on"
    flags = TRAITS

    class Meta:
        model = Activity
        fields = ("institution", "name", "held_on", "kind", "category", "role", "audience", *TRAITS)

    def clean(self) -> dict[str, Any]:
        """What only publicity has is not ticked elsewhere by mistake: the kind says which law applies."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        told = ("publishes_results", "advertises_certificates", "advertises_scores", "advertises_admissions")
        if data.get("kind") == ActivityKind.PUBLICITY and not any(data.get(name) for name in told):
            raise ValidationError("结果宣传请至少勾选一项：公开了培训结果，还是宣传了证书、分数排名或录取")
        return data


class WithdrawForm(forms.Form):
    """Why a record is taken back."""

    reason = forms.CharField(label="撤销理由", max_length=300, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = "如：认错了机构。撤销后不再计入问题，记录仍然保留。"
        dress(self)


class _SeenFilter(forms.Form):
    """What part of a list is shown."""

    q = forms.CharField(label="机构或内容", required=False, max_length=60)
    category = forms.ChoiceField(label="类别", required=False, choices=[("", "全部类别"), *TrainingCategory.choices])
    verdict = forms.ChoiceField(label="判定", required=False, choices=[("", "判定不限"), ("breach", "不合规定"), ("none", "未见违规")])
    #: The text beside the institution's name in which words are sought.
    text_field = ""

    def __init__(self, *args: Any, is_officer: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        placeholder = "机构或内容" if is_officer else "内容"
        self.fields["q"].widget = forms.TextInput(attrs={"type": "search", "placeholder": placeholder, "autocomplete": "off"})
        if is_officer:
            choices = [("", "不含已撤销"), ("withdrawn", "只看已撤销")]
            self.fields["withdrawn"] = forms.ChoiceField(label="撤销", required=False, choices=choices)
        dress(self)

    def apply(self, found: SeenQuerySet) -> SeenQuerySet:
        """The chosen part; a choice that does not exist is left out."""
        self.is_valid()
        chosen = self.cleaned_data
        if text := (chosen.get("q") or "").strip():
            by_text = Q(**{f"{self.text_field}__icontains": text})
            found = found.filter(by_text | Q(institution__in=Institution.objects.matching(text)))
        for name in ("category", "medium", "kind"):
            if value := chosen.get(name):
                found = found.filter(**{name: value})
        if verdict := chosen.get("verdict"):
            found = found.exclude(objections=[]) if verdict == "breach" else found.filter(objections=[])
        return found.exclude(withdrawn_at=None) if chosen.get("withdrawn") else found.standing()

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is left out."""
        return any(self.cleaned_data.values())


class AdvertisementFilter(_SeenFilter):
    """Which advertisements are shown."""

    medium = forms.ChoiceField(label="载体", required=False, choices=[("", "全部载体"), *AdMedium.choices])
    text_field = "text"


class ActivityFilter(_SeenFilter):
    """Which activities are shown."""

    kind = forms.ChoiceField(label="类型", required=False, choices=[("", "全部类型"), *ActivityKind.choices])
    text_field = "name"
