"""One form for each kind of application, the officers' forms, and the filter of the queue."""

from __future__ import annotations

import datetime
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q

from qingdan.accounts.models import Organisation
from qingdan.institutions.enums import (
    OPEN_STATES,
    ApplicationKind,
    ApplicationState,
    CompetentDepartment,
    RegistrationKind,
    TrainingAudience,
    TrainingCategory,
    TrainingField,
)
from qingdan.institutions.models import Application, Institution, Permit, Premises
from qingdan.institutions.models.applications import ApplicationQuerySet
from qingdan.institutions.models.registry import validate_credit_code
from qingdan.institutions.routing import FIRST_WORKING_DAYS, department_consulted, department_in_charge
from qingdan.places.calendar import today
from qingdan.storage.fields import FilesField, ManyFiles
from qingdan.storage.files import FILES_MAX, KINDS_TEXT


def dress(form: forms.BaseForm) -> None:
    """Give every field the look of the house."""
    for field in form.fields.values():
        if isinstance(field.widget, forms.CheckboxInput):
            field.widget.attrs.setdefault("class", "form-check-input")
        elif not isinstance(field.widget, forms.RadioSelect):
            field.widget.attrs.setdefault("class", "form-select" if isinstance(field.widget, forms.Select) else "form-control")


def _text(label: str, length: int, *, required: bool = True, hint: str = "") -> forms.CharField:
    return forms.CharField(label=label, max_length=length, required=required, help_text=hint, error_messages={"required": f"请填写{label}"})


class ApplyForm(forms.Form):
    """What every kind asks; a subclass adds its own questions and says what they mean for the application."""

    kind: ClassVar[ApplicationKind]
    about: ClassVar[str] = ""
    #: Fields that are columns of the application and no details.
    columns: ClassVar[tuple[str, ...]] = ("category", "field", "audience", "premises")

    contact = _text("联系人", 50)
    phone = forms.RegexField(
        label="联系电话",
        regex=r"^[0-9 +-]{5,20}$",
        error_messages={"required": "请填写联系电话", "invalid": "电话只能有数字、空格和短横，5 至 20 位"},
    )
    statement = forms.CharField(label="情况说明", max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, applicant: Organisation, application: Application | None = None, **kwargs: Any) -> None:
        self.applicant = applicant
        self.institution = Institution.objects.filter(pk=applicant.pk).first()
        self.application = application
        if application is not None:
            known = {name: getattr(application, name) for name in self.columns}
            kwargs["initial"] = {**application.details, **known}
        super().__init__(*args, **kwargs)
        self.order_fields([*(name for name in self.fields if name not in ApplyForm.base_fields), *ApplyForm.base_fields])
        if "premises" in self.fields:
            field = self.fields["premises"]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = Premises.objects.filter(Q(closed_on=None) | Q(closed_on__gte=today()), institution_id=applicant.pk)
        dress(self)

    def clean(self) -> dict[str, Any]:
        """Refuse kinds that only an institution of the registry can apply for."""
        given = super().clean() or {}
        if self.kind != ApplicationKind.NEW and self.institution is None:
            raise ValidationError("贵单位还没有登记为培训机构，请先办理“设立许可”")
        return given

    def scope(self) -> dict[str, Any]:
        """Category, field and audience of the application: the institution's own, unless the form asks."""
        given = self.cleaned_data
        own = self.institution
        return {name: given[name] if name in self.fields else getattr(own, name) for name in ("category", "field", "audience")}

    def registered_as(self) -> str:
        """As what it is, or will be, registered."""
        own = self.institution.registration if self.institution else ""
        return str(self.cleaned_data.get("registration") or own)

    def details(self) -> dict[str, Any]:
        """Everything that is no column, ready for JSON."""
        return {name: value for name, value in self.cleaned_data.items() if name not in self.columns and value not in ("", None)}

    def save(self, by: Any) -> Application:
        """The draft with what was filled in, routed to its departments."""
        application = self.application or Application(applicant=self.applicant, kind=self.kind, created_by=by)
        for name, value in self.scope().items():
            setattr(application, name, value)
        application.premises = self.cleaned_data.get("premises")
        application.details = self.details()
        application.department = department_in_charge(application.field)
        application.second_department = department_consulted(application.kind, self.registered_as())
        application.save()
        return application


class _ScopeMixin(forms.Form):
    """Category, field and audience, which have to fit each other."""

    category = forms.ChoiceField(label="类别", choices=TrainingCategory.choices)
    field = forms.ChoiceField(label="领域", choices=TrainingField.choices)
    audience = forms.ChoiceField(label="招生对象", choices=TrainingAudience.choices)

    def clean(self) -> dict[str, Any]:
        """Academic goes with academic."""
        given = super().clean() or {}
        category, field = given.get("category"), given.get("field")
        if category and field and (category == TrainingCategory.ACADEMIC) != (field == TrainingField.ACADEMIC):
            self.add_error("field", "学科类的领域选“学科”，非学科类选体育、文化艺术、科技或其他")
        return given


class _PremisesMixin(forms.Form):
    premises_name = _text("教学点名称", 60)
    premises_address = _text("教学点地址", 120)
    premises_street = _text("所在街道", 60, required=False)
    area_m2 = forms.IntegerField(
        label="面积（平方米）", min_value=1, max_value=1_000_000,
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), "请填写面积，大于零的整数（平方米）"),
    )  # fmt: skip


class _CreditCodeMixin(forms.Form):
    credit_code = forms.CharField(label="统一社会信用代码", max_length=18, validators=[validate_credit_code])

    applicant: Organisation

    def clean_credit_code(self) -> str:
        """Refuse a code that another institution has."""
        code = str(self.cleaned_data["credit_code"])
        if code and Institution.objects.filter(credit_code=code).exclude(pk=self.applicant.pk).exists():
            raise ValidationError("已有机构用这个统一社会信用代码，请逐位核对")
        return code


class NewForm(_PremisesMixin, _CreditCodeMixin, _ScopeMixin, ApplyForm):
    """A new institution."""

    kind = ApplicationKind.NEW
    about = "新办培训机构，或已登记而没有许可的机构申请许可。"
    legal_person = _text("法定代表人", 50)
    registration = forms.ChoiceField(label="登记性质", choices=RegistrationKind.choices)
    is_online = forms.BooleanField(label="线上机构（没有教学点）", required=False)
    field_order = ("category", "field", "audience", "credit_code", "legal_person", "registration", "is_online")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        first = list(self.field_order)
        self.order_fields([*first, *(name for name in self.fields if name not in first)])
        if self.data.get("is_online"):
            for name in ("premises_name", "premises_address", "area_m2"):
                self.fields[name].required = False


class ReregistrationForm(_CreditCodeMixin, ApplyForm):
    """A company becomes non-profit."""

    kind = ApplicationKind.REREGISTRATION
    about = "现有机构重新登记为非营利性机构。"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        code = self.fields["credit_code"]
        code.required, code.label, code.help_text = False, "新的统一社会信用代码", "登记后代码不变的不填。"

    def registered_as(self) -> str:
        """What it becomes."""
        return RegistrationKind.NON_PROFIT


class FilingForm(ApplyForm):
    """An online institution that was filed is to be approved."""

    kind = ApplicationKind.FILING_TO_APPROVAL
    about = "已备案的线上机构申请审批许可。"


class PremisesForm(_PremisesMixin, ApplyForm):
    """One more place to teach."""

    kind = ApplicationKind.PREMISES
    about = "在原有教学点之外增加一处，批准后单独发许可证。"

    def clean_premises_name(self) -> str:
        """Refuse a name that the institution has already."""
        name = str(self.cleaned_data["premises_name"])
        if Premises.objects.filter(institution_id=self.applicant.pk, name=name).exists():
            raise ValidationError("本机构已有同名的教学点，请换一个名称")
        return name


class ChangeForm(ApplyForm):
    """Another name, legal person or address."""

    kind = ApplicationKind.CHANGE
    about = "变更名称、法定代表人或教学点地址；只填要变的。"
    new_name = _text("新名称", 100, required=False)
    new_legal_person = _text("新法定代表人", 50, required=False)
    premises = forms.ModelChoiceField(label="变更地址的教学点", queryset=Premises.objects.none(), required=False)
    new_address = _text("新地址", 120, required=False)

    def clean(self) -> dict[str, Any]:
        """Something has to change, and an address needs its premises."""
        given = super().clean()
        if not any(given.get(name) for name in ("new_name", "new_legal_person", "new_address")):
            raise ValidationError("请至少填写一项要变更的内容")
        if bool(given.get("new_address")) != bool(given.get("premises")):
            self.add_error("premises", "变更地址要同时选教学点、填新地址")
        if (name := given.get("new_name")) and Organisation.objects.filter(name=name).exclude(pk=self.applicant.pk).exists():
            self.add_error("new_name", "已有同名的单位，请换一个名称")
        return given


class ConversionForm(_ScopeMixin, ApplyForm):
    """From academic to something else, or from company to non-profit."""

    kind = ApplicationKind.CONVERSION
    about = "学科类转非学科类，或营利性转非营利性；填转型后的情况，批准后原许可换发。"
    registration = forms.ChoiceField(label="转型后的登记性质", choices=RegistrationKind.choices)
    premises = forms.ModelChoiceField(
        label="换发许可的教学点", queryset=Premises.objects.none(), required=False, help_text="线上机构不选。"
    )

    def clean(self) -> dict[str, Any]:
        """Something has to become different, and it never becomes academic."""
        given = super().clean()
        own = self.institution
        if own is not None and {"category", "field", "registration"} <= given.keys():
            before = (own.category, own.field, own.registration)
            if before == (given["category"], given["field"], given["registration"]):
                raise ValidationError("转型后的类别、领域和登记性质与现在完全一样；请填写转型后的情况")
        if own is not None and not given.get("premises") and not own.runs_online:
            self.add_error("premises", "请选择换发许可的教学点")
        return given


class RenewalForm(ApplyForm):
    """A permit that ends goes on."""

    kind = ApplicationKind.RENEWAL
    about = "许可证将到期时申请延续；新许可接着原许可的有效期。"
    permit = forms.ModelChoiceField(label="要延续的许可证", queryset=Permit.objects.none(), error_messages={"required": "请选择许可证"})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["permit"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Permit.objects.filter(institution_id=self.applicant.pk, revoked_on=None).select_related("premises")
        if self.application is not None:
            self.initial["permit"] = self.application.details.get("permit_id")

    def scope(self) -> dict[str, Any]:
        """The old permit's."""
        permit = self.cleaned_data["permit"]
        return {"category": permit.category, "field": permit.field, "audience": permit.audience}

    def details(self) -> dict[str, Any]:
        """The old permit by number and key."""
        permit = self.cleaned_data["permit"]
        kept = {name: value for name, value in super().details().items() if name != "permit"}
        return kept | {"permit_id": permit.pk, "permit_number": permit.number, "permit_ends_on": permit.ends_on.isoformat()}

    def save(self, by: Any) -> Application:
        """The renewed permit is for the same premises."""
        self.cleaned_data["premises"] = self.cleaned_data["permit"].premises
        return super().save(by)


class ClosureForm(ApplyForm):
    """No more teaching."""

    kind = ApplicationKind.CLOSURE
    about = "终止办学：课程要先结束，批准后许可注销。"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["statement"]
        field.required, field.label = True, "终止原因和学员、退费安排"
        field.error_messages["required"] = "请写明终止原因和学员、退费安排"


FORMS: dict[str, type[ApplyForm]] = {
    form.kind: form
    for form in (NewForm, ReregistrationForm, FilingForm, PremisesForm, ChangeForm, ConversionForm, RenewalForm, ClosureForm)
}
#: How details are called where they are shown.
LABELS = {
    "credit_code": "统一社会信用代码", "legal_person": "法定代表人", "registration": "登记性质", "is_online": "线上机构",
    "premises_name": "教学点名称", "premises_address": "教学点地址", "premises_street": "所在街道", "area_m2": "面积（平方米）",
    "new_name": "新名称", "new_legal_person": "新法定代表人", "new_address": "新地址", "permit_number": "原许可证号",
    "permit_ends_on": "原许可到期", "contact": "联系人", "phone": "联系电话", "statement": "情况说明",
}  # fmt: skip


def shown_details(application: Application) -> list[tuple[str, str]]:
    """Details in words, line by line."""
    kinds = dict(RegistrationKind.choices)
    words = {name: "是" if value is True else kinds.get(value, str(value)) for name, value in application.details.items()}
    return [(label, words[name]) for name, label in LABELS.items() if words.get(name) and words[name] != "False"]


class FilesForm(forms.Form):
    """Papers of an application."""

    label = forms.CharField(label="材料名称", max_length=80, error_messages={"required": "请写明这是什么材料"})
    files = FilesField(label="文件", help_text=f"可以收 {KINDS_TEXT}，一件申请最多 {FILES_MAX} 个。")  # type: ignore[assignment]  # a field of this name, no upload

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)


_FIT = [("true", "合格"), ("false", "不合格")]


def _fit(label: str) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=label, choices=_FIT, coerce=lambda value: value == "true", widget=forms.RadioSelect(attrs={"class": "btn-check"}),
        error_messages={"required": f"请选择{label}是否合格"},
    )  # fmt: skip


class VisitForm(forms.Form):
    """What was seen on site, on a phone."""

    has_fit_premises = _fit("场地")
    has_fit_staff = _fit("师资")
    has_fit_teaching = _fit("教学条件")
    note = forms.CharField(
        label="说明", max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 3}), help_text="有不合格的项目时必填。"
    )
    photos = FilesField(label="现场照片", required=False, help_text="手机上可以直接拍照。")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["photos"].widget = ManyFiles(attrs={"accept": "image/jpeg,image/png"})
        dress(self)


class ReasonForm(forms.Form):
    """An act with a reason, or without where none is needed."""

    reason = forms.CharField(label="说明", max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)


_HANDED_IN = [(each.value, each.label) for each in ApplicationState if each != ApplicationState.DRAFT]


class QueueFilter(forms.Form):
    """The officers' filter."""

    q = forms.CharField(
        label="申请单位",
        required=False,
        max_length=50,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "申请单位名称或拼音"}),
    )
    state = forms.ChoiceField(
        label="状态", required=False,
        choices=[("", "在办的"), *_HANDED_IN, ("all", "全部")],
    )  # fmt: skip
    kind = forms.ChoiceField(label="事项", required=False, choices=[("", "全部事项"), *ApplicationKind.choices])
    department = forms.ChoiceField(label="部门", required=False, choices=[("", "全部部门"), *CompetentDepartment.choices])
    due = forms.ChoiceField(label="期限", required=False, choices=[("", "不论期限"), ("late", "已逾期"), ("week", "七天内到期")])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)

    def apply(self, found: ApplicationQuerySet) -> ApplicationQuerySet:
        """What was asked for; a wrong value in the address counts as none."""
        self.is_valid()
        given = self.cleaned_data
        state = given.get("state", "")
        if state != "all":
            found = found.filter(state=state) if state else found.filter(state__in=OPEN_STATES)
        if text := given.get("q"):
            found = found.filter(applicant__in=Organisation.objects.matching(text))
        if kind := given.get("kind"):
            found = found.filter(kind=kind)
        if department := given.get("department"):
            found = found.filter(Q(department=department) | Q(second_department=department))
        return _due(found, given.get("due", ""))


def _due(found: ApplicationQuerySet, due: str) -> ApplicationQuerySet:
    if due == "late":
        return found.filter(due_on__lt=today(), state__in=OPEN_STATES)
    return found.filter(due_on__lte=today() + datetime.timedelta(days=7), state__in=OPEN_STATES) if due == "week" else found


class DeadlinesForm(forms.Form):
    """How many working days a bureau gives itself for each step."""

    def __init__(self, *args: Any, days: dict[str, int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = "请填 1 至 120 之间的整数（工作日）"
        for state in FIRST_WORKING_DAYS:
            self.fields[state] = forms.IntegerField(
                label=ApplicationState(state).label, min_value=1, max_value=120, initial=days.get(state),
                error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), words),
            )  # fmt: skip
        dress(self)
