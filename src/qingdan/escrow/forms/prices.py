"""Forms of guided prices and filed fees."""

from __future__ import annotations

import datetime
from typing import Any, ClassVar

from django import forms

from qingdan.accounts.models import Organisation, User
from qingdan.escrow.enums import TrainingCategory
from qingdan.escrow.forms.fields import YuanField, dress
from qingdan.escrow.models import GuidedPrice, OfferedCourse
from qingdan.escrow.models.prices import GuidedPriceQuerySet
from qingdan.places.calendar import today
from qingdan.places.models import Region


class PriceForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new guided price of the bureau's own region, or of one below it."""

    price_yuan = YuanField(label="每课时指导价（元/人）")

    class Meta:
        model = GuidedPrice
        fields = ("region", "category", "class_size_from", "class_size_until", "minutes_from", "minutes_until", "document", "starts_on")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        region = self.fields["region"]
        assert isinstance(region, forms.ModelChoiceField)
        found = Region.objects.visible_to(user)
        region.queryset, region.empty_label, region.initial = found, None, found.first()
        self.fields["document"].help_text = "公布指导价的文件名称和文号，公众看得到。"
        self.fields["starts_on"].help_text = "同一档已有的指导价自动在前一天废止。"
        dress(self)
        if len(found) == 1:
            region.widget = forms.HiddenInput()

    def clean(self) -> dict[str, Any]:
        """The price in fen."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("price_yuan"):
            self.instance.price_fen = data["price_yuan"]
        return data

    def _get_validation_exclusions(self) -> set[str]:
        return {"price_fen", "entered_by"} | super()._get_validation_exclusions()  # type: ignore[misc, no-any-return]

    def validate_constraints(self) -> None:
        """The action checks them, after it has ended the price before."""


class EndPriceForm(forms.Form):
    """The last day of a guided price."""

    on = forms.DateField(label="最后一天")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["on"].initial = today
        dress(self)


class PriceFilter(forms.Form):
    """Which guided prices are listed."""

    category = forms.ChoiceField(label="类别", required=False, choices=[("", "全部类别"), *TrainingCategory.choices])
    when = forms.ChoiceField(
        label="时间", required=False, choices=[("", "现行和将施行的"), ("now", "现行的"), ("past", "已废止的"), ("all", "全部（含历史）")]
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)

    def apply(self, prices: GuidedPriceQuerySet, day: datetime.date) -> GuidedPriceQuerySet:
        """The chosen part; a choice that does not exist is left out."""
        self.is_valid()
        when = self.cleaned_data.get("when", "")
        if category := self.cleaned_data.get("category"):
            prices = prices.filter(category=category)
        if when == "past":
            return prices.filter(ends_on__lt=day)
        if when == "now":
            return prices.exclude(ends_on__lt=day).filter(starts_on__lte=day)
        return prices if when == "all" else prices.exclude(ends_on__lt=day)

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is left out."""
        return any(self.cleaned_data.values())


class PricesUploadForm(forms.Form):
    """A workbook of guided prices."""

    workbook = forms.FileField(label="指导价表（xlsx 或 csv）", error_messages={"empty": "文件是空的（0 字节）；请检查是否保存完整"})
    region = forms.ModelChoiceField(Region.objects.none(), label="地区", empty_label=None, required=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        region = self.fields["region"]
        assert isinstance(region, forms.ModelChoiceField)
        found = Region.objects.visible_to(user)
        region.queryset, region.initial = found, found.first()
        dress(self)
        if len(found) == 1:
            region.widget = forms.HiddenInput()


class FeeForm(forms.Form):
    """What is charged for a filed course, by the lesson."""

    course = forms.ModelChoiceField(OfferedCourse.objects.none(), label="课程", empty_label="请选择已备案的课程")
    standard_yuan = YuanField(label="每课时收费标准（元/人）")
    is_published = forms.BooleanField(label="同时向社会公示", required=False, initial=True)

    fields_of_page: ClassVar = ("course", "standard_yuan", "is_published")

    def __init__(self, *args: Any, institution: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        course = self.fields["course"]
        assert isinstance(course, forms.ModelChoiceField)
        course.queryset = OfferedCourse.objects.filter(institution=institution).open_on(today())
        self.fields["standard_yuan"].help_text = "班额和每课时分钟按课程备案；合同里的价格不能高于这里。"
        dress(self)
