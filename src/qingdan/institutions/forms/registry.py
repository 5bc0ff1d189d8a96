"""Forms of the registry: its filter, the institution's data, and what is recorded of it."""

from __future__ import annotations

import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from qingdan.accounts.models import User
from qingdan.institutions.enums import (
    CompetentDepartment,
    InstitutionState,
    ListColour,
    TrainingCategory,
    TrainingField,
)
from qingdan.institutions.models import CapitalChange, Evaluation, Institution, Listing, Owner, Pledge, Premises
from qingdan.places.calendar import today
from qingdan.places.models import Region

#: Days within which a permit may be asked to expire: three sizes of a look ahead.
_AHEAD_DAYS = (30, 90, 180)
SORTS = {
    "name": ("按名称", ("organisation__pinyin", "pk")),
    "newest": ("最近登记", ("-registered_on", "pk")),
    "permit": ("许可到期先后", ("permit_until", "organisation__pinyin", "pk")),
}
_FUTURE = "日期不能晚于今天；请在发生之后再记录"


def dress(form: forms.BaseForm) -> None:
    """Give every field the look of the house."""
    for field in form.fields.values():
        widget = field.widget
        if isinstance(widget, forms.CheckboxInput):
            widget.attrs["class"] = "form-check-input"
        elif isinstance(widget, forms.Select):
            widget.attrs["class"] = "form-select"
        else:
            widget.attrs["class"] = "form-control"
        if isinstance(field, forms.DateField):
            field.widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "form-control"})
            field.error_messages["invalid"] = "日期请写成 2026-11-16 的样子"
        field.error_messages.setdefault("required", f"请填写{field.label}")
        field.error_messages["required"] = f"请填写{field.label}"


class RegistryFilter(forms.Form):
    """Which institutions are listed, and in which order."""

    q = forms.CharField(
        label="搜索", required=False, max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "名称、拼音、首字母、街道或信用代码", "autocomplete": "off"}),
    )  # fmt: skip
    category = forms.ChoiceField(label="类别", required=False, choices=[("", "全部类别"), *TrainingCategory.choices])
    field = forms.ChoiceField(label="领域", required=False, choices=[("", "全部领域"), *TrainingField.choices])
    department = forms.ChoiceField(label="主管部门", required=False, choices=[("", "全部部门"), *CompetentDepartment.choices])
    state = forms.ChoiceField(label="状态", required=False, choices=[("", "全部状态"), *InstitutionState.choices])
    street = forms.ChoiceField(label="街道", required=False)
    expiring = forms.TypedChoiceField(
        label="许可到期", required=False, coerce=int, empty_value=None,
        choices=[("", "许可不限"), ("0", "没有有效许可"), *((str(days), f"{days} 天内到期") for days in _AHEAD_DAYS)],
    )  # fmt: skip
    colour = forms.ChoiceField(label="黑白名单", required=False, choices=[("", "名单不限"), *ListColour.choices])
    sort = forms.ChoiceField(label="排序", required=False, choices=[(key, label) for key, (label, _) in SORTS.items()])

    def __init__(self, *args: Any, streets: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        street = self.fields["street"]
        assert isinstance(street, forms.ChoiceField)
        street.choices = [("", "全部街道"), *((each, each) for each in streets)]
        dress(self)

    def chosen(self) -> dict[str, Any]:
        """What is chosen; what does not fit is left out."""
        self.is_valid()
        return {name: self.cleaned_data.get(name, "") for name in self.fields}


class InstitutionForm(forms.ModelForm):  # type: ignore[type-arg]
    """All register data, for the bureau."""

    name = forms.CharField(label="机构名称", max_length=100, help_text="与营业执照或登记证书一致")
    region = forms.ModelChoiceField(Region.objects.none(), label="地区", empty_label=None)
    # Written with blanks between its parts it is longer than it is.
    credit_code = forms.CharField(label="统一社会信用代码", max_length=30)
    website = forms.URLField(label="网站", required=False, assume_scheme="https")
    account_name = forms.CharField(
        label="经办人姓名", max_length=50, required=False, help_text="填了就同时开通账户，登记后打印一次性加入码；不填可以以后再开通。"
    )
    account_username = forms.CharField(
        label="经办人用户名", max_length=150, required=False, help_text="不填就用统一社会信用代码。密码由经办人凭加入码自己设。"
    )

    class Meta:
        model = Institution
        fields = (
            "name", "credit_code", "region", "legal_person", "registration", "category", "field", "audience", "department",
            "approval_basis", "registered_on", "street", "website", "refund_terms", "runs_online", "has_icp", "is_dually_managed",
            "is_real_name_registered", "has_real_name_learners",
        )  # fmt: skip
        widgets = {"refund_terms": forms.Textarea(attrs={"rows": 3})}  # noqa: RUF012 - Django's own way

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        regions = self.fields["region"]
        assert isinstance(regions, forms.ModelChoiceField)
        regions.queryset = Region.objects.visible_to(user)
        if self.instance.pk is not None:
            self.fields["name"].initial = self.instance.organisation.name
            for name in ("region", "account_name", "account_username"):
                del self.fields[name]
        else:
            regions.initial = Region.objects.visible_to(user).first()
            before = self.Meta.fields.index("refund_terms")
            self.order_fields([*self.Meta.fields[:before], "account_name", "account_username", *self.Meta.fields[before:]])
        self.fields["department"].help_text = "学科类归教育部门，体育、文化艺术、科技类归各自的部门"
        dress(self)

    def clean(self) -> dict[str, Any]:
        """Refuse a user name without the person whose it is."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("account_username") and not data.get("account_name"):
            self.add_error("account_name", "写了用户名，也请填写经办人姓名；不开通账户就两项都不填")
        return data

    def clean_credit_code(self) -> str:
        """As the certificate prints it: without blanks, in capitals."""
        return "".join(str(self.cleaned_data["credit_code"]).split()).upper()


class OwnDataForm(forms.ModelForm):  # type: ignore[type-arg]
    """What an institution may change of itself."""

    website = forms.URLField(label="网站", required=False, assume_scheme="https")

    class Meta:
        model = Institution
        fields = ("street", "website", "refund_terms")
        widgets = {"refund_terms": forms.Textarea(attrs={"rows": 4})}  # noqa: RUF012 - Django's own way

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["refund_terms"].help_text = "家长在公开页上看到的退费办法：什么时候退、退多少、几天到账。"
        dress(self)


class _Dressed(forms.ModelForm):  # type: ignore[type-arg]
    """A record of one institution; days that say what happened do not lie ahead."""

    past: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)
        for name in self.past:
            self.fields[name].initial = today()

    def clean(self) -> dict[str, Any]:
        """Refuse days ahead."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        for name in self.past:
            day: datetime.date | None = data.get(name)
            if day is not None and day > today():
                self.add_error(name, _FUTURE)
        return data


class PremisesForm(_Dressed):
    """A place to teach."""

    class Meta:
        model = Premises
        fields = ("name", "address", "street", "area_m2", "opened_on")


class OwnerForm(_Dressed):
    """Who holds a share."""

    past = ("since",)

    class Meta:
        model = Owner
        fields = ("name", "share_percent", "is_listed", "is_foreign", "is_by_agreement", "since")


class YuanField(forms.DecimalField):
    """An amount in yuan, kept in fen."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, decimal_places=2, max_digits=16, **kwargs)

    def clean(self, value: Any) -> int | None:
        """Fen."""
        found = super().clean(value)
        return None if found is None else int(found * 100)


class CapitalForm(_Dressed):
    """A deal over capital; amounts are written in yuan."""

    past = ("happened_on",)
    amount_yuan = YuanField(label="金额（元）", required=False)
    used_for_training_yuan = YuanField(label="其中用于培训业务（元）", required=False)

    class Meta:
        model = CapitalChange
        fields = ("happened_on", "deal", "investor", "share_percent", "is_financing")

    def clean(self) -> dict[str, Any]:
        """Amounts in fen, a share that is one."""
        data = super().clean()
        self.instance.amount_fen = data.get("amount_yuan")
        self.instance.used_for_training_fen = data.get("used_for_training_yuan")
        if (share := data.get("share_percent")) is not None and share > 100:
            self.add_error("share_percent", "持股比例要在 0 至 100 之间")
        return data


class ListingForm(_Dressed):
    """Onto the white or black list."""

    past = ("since",)

    class Meta:
        model = Listing
        fields = ("colour", "since", "reason")
        widgets = {"reason": forms.Textarea(attrs={"rows": 3})}  # noqa: RUF012 - Django's own way


class EvaluationForm(_Dressed):
    """What a third party found."""

    past = ("evaluated_on",)

    class Meta:
        model = Evaluation
        fields = ("evaluator", "evaluated_on", "grade", "summary")
        widgets = {"summary": forms.Textarea(attrs={"rows": 3})}  # noqa: RUF012 - Django's own way


class PledgeForm(_Dressed):
    """The trade's self-discipline, pledged by an institution."""

    class Meta:
        model = Pledge
        fields = ("text",)
        widgets = {"text": forms.Textarea(attrs={"rows": 4})}  # noqa: RUF012 - Django's own way


class StateForm(forms.Form):
    """Suspend, close, take up again."""

    state = forms.ChoiceField(label="改为", choices=InstitutionState.choices)
    reason = forms.CharField(label="原因", max_length=300, widget=forms.Textarea(attrs={"rows": 3}), help_text="公众也会看到。")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)


class EndForm(forms.Form):
    """The last day of premises or of a share."""

    until = forms.DateField(label="最后一天")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["until"].initial = today
        dress(self)


class EndListingForm(forms.Form):
    """Off the list."""

    until = forms.DateField(label="移出日期")
    reason = forms.CharField(label="移出理由", max_length=300, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["until"].initial = today
        dress(self)

    def clean_until(self) -> datetime.date:
        """Not ahead."""
        day: datetime.date = self.cleaned_data["until"]
        if day > today():
            raise ValidationError(_FUTURE)
        return day


class RegisterForm(forms.Form):
    """A workbook with a district's institutions."""

    workbook = forms.FileField(
        label="机构名册（xlsx、xls、ods 或 csv）", error_messages={"empty": "文件是空的（0 字节）；请检查是否保存完整"}
    )
    region = forms.ModelChoiceField(Region.objects.none(), label="地区", empty_label=None, required=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        regions = self.fields["region"]
        assert isinstance(regions, forms.ModelChoiceField)
        found = Region.objects.visible_to(user)
        regions.queryset = found
        regions.initial = found.first()
        dress(self)
        if len(found) == 1:
            regions.widget = forms.HiddenInput()
