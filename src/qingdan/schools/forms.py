"""Forms of the schools app."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from qingdan.accounts.enums import Role
from qingdan.accounts.models import User
from qingdan.places.calendar import today
from qingdan.places.forms import DayInput
from qingdan.places.models import SchoolYear
from qingdan.policy.units import grade_name
from qingdan.schools.enums import Locality, Relation, RollKind, SchoolKind
from qingdan.schools.models import School, SchoolClass, Subject
from qingdan.schools.rolls.reading import ROLL_SUFFIXES

_TEXT = {"class": "form-control"}
_SELECT = {"class": "form-select"}


class Choice(forms.Select):
    """A select that writes its options itself: a template for each of a school's staff would take longer than all else of a page."""

    def __init__(self) -> None:
        super().__init__(attrs=_SELECT)

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        """The select with its options."""
        chosen = "" if value is None else str(value)
        options = format_html_join(
            "",
            '<option value="{}"{}>{}</option>',
            ((key, mark_safe(" selected") if str(key) == chosen else "", label) for key, label in self.choices),
        )
        return format_html("<select{}>{}</select>", flatatt(self.build_attrs(self.attrs, {"name": name, **(attrs or {})})), options)


def staff_of(school: School) -> Any:
    """Who may be given a class or a duty."""
    roles = [Role.TEACHER, Role.SCHOOL_LEADER]
    return User.objects.filter(organisation=school.organisation_id, role__in=roles, is_active=True).order_by("display_name", "pk")


class _Select(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A choice of records, styled, with words for a missing or foreign one."""

    def __init__(self, label: str, **kwargs: Any) -> None:
        super().__init__(
            queryset=None,
            label=label,
            widget=Choice(),
            error_messages={"required": f"请选择{label}", "invalid_choice": f"请从列表里选择{label}"},
            **kwargs,
        )


def _day(label: str, **kwargs: Any) -> forms.DateField:
    messages = {"required": f"请填写{label}", "invalid": "日期请写成 2026-11-16 的样子"}
    return forms.DateField(label=label, widget=DayInput(), error_messages=messages, **kwargs)


class SchoolFilter(forms.Form):
    """Which schools are listed."""

    q = forms.CharField(
        label="搜索学校", required=False, max_length=60,
        widget=forms.TextInput(attrs=_TEXT | {"type": "search", "placeholder": "校名、拼音或首字母", "autocomplete": "off"}),
    )  # fmt: skip
    kind = forms.ChoiceField(label="类型", required=False, choices=[("", "全部类型"), *SchoolKind.choices], widget=Choice())


class GradeLeadForm(forms.Form):
    """Who leads a year group."""

    grade = forms.TypedChoiceField(label="年级", coerce=int, widget=Choice())
    user = _Select("年级组长")

    def __init__(self, *args: Any, school: School, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "grade_lead_%s", **kwargs})
        self.fields["grade"].choices = [(grade, grade_name(grade)) for grade in school.grades]  # type: ignore[attr-defined]
        self.fields["user"].queryset = staff_of(school)  # type: ignore[attr-defined]


class SubjectLeadForm(forms.Form):
    """Who leads a subject's teaching-research group."""

    subject = _Select("学科")
    user = _Select("教研组长")

    def __init__(self, *args: Any, school: School, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "subject_lead_%s", **kwargs})
        self.fields["subject"].queryset = Subject.objects.all()  # type: ignore[attr-defined]
        self.fields["user"].queryset = staff_of(school)  # type: ignore[attr-defined]


class IdentityForm(forms.Form):
    """The number of somebody's identity card; only digest and mask of it are kept."""

    user = _Select("教职工")
    number = forms.CharField(
        label="身份证号（外籍填护照号）", max_length=40,
        widget=forms.TextInput(attrs=_TEXT | {"autocomplete": "off", "spellcheck": "false"}),
        help_text="只用来核对是否在校外培训机构任职；系统只留加密指纹和掩码，不保存号码。", error_messages={"required": "请填写证件号"},
    )  # fmt: skip
    is_foreign = forms.BooleanField(label="外籍（填的是护照号）", required=False)

    def __init__(self, *args: Any, school: School, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "identity_%s", **kwargs})
        self.fields["user"].queryset = staff_of(school)  # type: ignore[attr-defined]


class ClassForm(forms.Form):
    """A new class."""

    grade = forms.TypedChoiceField(label="年级", coerce=int, widget=Choice())
    number = forms.IntegerField(label="班号", min_value=1, max_value=60, widget=forms.NumberInput(attrs=_TEXT))

    def __init__(self, *args: Any, school: School, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "class_%s", **kwargs})
        self.fields["grade"].choices = [(grade, grade_name(grade)) for grade in school.grades]  # type: ignore[attr-defined]


class ClassTeacherForm(forms.Form):
    """Who is class teacher."""

    teacher = _Select("班主任", required=False, empty_label="（不设）")

    def __init__(self, *args: Any, school: School, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["teacher"].queryset = staff_of(school)  # type: ignore[attr-defined]


class AssignmentForm(forms.Form):
    """A teacher teaches a subject in the class from a day on."""

    subject = _Select("学科")
    teacher = _Select("教师")
    from_day = _day("开始日期")

    def __init__(self, *args: Any, school: School, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "assign_%s", **kwargs})
        self.fields["subject"].queryset = Subject.objects.all()  # type: ignore[attr-defined]
        self.fields["teacher"].queryset = staff_of(school)  # type: ignore[attr-defined]
        self.fields["from_day"].initial = today


class PupilForm(forms.Form):
    """Number and name of a pupil."""

    number = forms.CharField(
        label="校内学号", max_length=30, widget=forms.TextInput(attrs=_TEXT | {"autocomplete": "off"}),
        error_messages={"required": "请填写校内学号"},
    )  # fmt: skip
    name = forms.CharField(
        label="姓名",
        max_length=50,
        widget=forms.TextInput(attrs=_TEXT | {"autocomplete": "off"}),
        error_messages={"required": "请填写姓名"},
    )


class NewPupilForm(PupilForm):
    """A new pupil of a class."""

    from_day = _day("入班日期")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "new_pupil_%s", **kwargs})
        self.fields["from_day"].initial = today


class TransferForm(forms.Form):
    """To which class, from which day."""

    to = _Select("转到")
    from_day = _day("从哪天起")

    def __init__(self, *args: Any, school: School, year: SchoolYear, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "transfer_%s", **kwargs})
        self.fields["to"].queryset = SchoolClass.objects.filter(school=school, school_year=year)  # type: ignore[attr-defined]
        self.fields["from_day"].initial = today
        self.fields["from_day"].help_text = "前一天仍在原班；原班那时的记录不变。"


class LeaveForm(forms.Form):
    """The last day at the school."""

    last_day = _day("最后在校日")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "leave_%s", **kwargs})
        self.fields["last_day"].initial = today


class RollForm(forms.Form):
    """A workbook with pupils or staff."""

    kind = forms.ChoiceField(label="内容", choices=RollKind.choices, widget=Choice())
    workbook = forms.FileField(
        label="名册文件",
        widget=forms.ClearableFileInput(attrs=_TEXT | {"accept": ",".join(ROLL_SUFFIXES)}),
        error_messages={"required": "请选择名册文件", "empty": "文件是空的（0 字节）；请检查是否保存完整"},
        help_text="xlsx、xls、ods 或 csv，一个文件。表头的叫法不必统一，身份证号、电话等列不会读入。",
    )
    effective_on = _day("生效日期")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["effective_on"].initial = today
        self.fields["effective_on"].help_text = "编班、转班和任课从这天起算；开学初可填学期第一天。"

    def clean_workbook(self) -> UploadedFile[Any]:
        """Refuse what cannot be a workbook by its name."""
        file: UploadedFile[Any] = self.cleaned_data["workbook"]
        name = (file.name or "").lower()
        if not name.endswith(tuple(ROLL_SUFFIXES)):
            raise ValidationError(f"“{file.name}”不是表格文件；请另存为 .xlsx（或 .xls、.ods、.csv）再上传")
        return file


class RollOptionsForm(forms.Form):
    """Choices that change the preview."""

    creates_classes = forms.BooleanField(label="新建名册里的班级", required=False)
    effective_on = _day("生效日期")


class CodeForm(forms.Form):
    """The code from the slip."""

    code = forms.CharField(
        label="加入码",
        max_length=40,
        error_messages={"required": "请输入纸条上的加入码"},
        widget=forms.TextInput(
            attrs=_TEXT
            | {"autocomplete": "one-time-code", "autocapitalize": "characters", "placeholder": "AB3CD-EF4GH", "spellcheck": "false"}
        ),
        help_text="纸条上的十位字母和数字，不分大小写，横线可以不输。",
    )


class _PasswordForm(forms.Form):
    password = forms.CharField(
        label="密码", strip=False, widget=forms.PasswordInput(attrs=_TEXT | {"autocomplete": "new-password"}),
        help_text="至少 10 个字符，不要全是数字，也不要用常见密码。", error_messages={"required": "请设置密码"},
    )  # fmt: skip
    again = forms.CharField(
        label="再输一遍密码", strip=False, widget=forms.PasswordInput(attrs=_TEXT | {"autocomplete": "new-password"}),
        error_messages={"required": "请再输一遍密码"},
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """The two must be the same."""
        data = super().clean() or {}
        if data.get("password") and data.get("again") and data["password"] != data["again"]:
            self.add_error("again", "两次输入的密码不一样，请重新输入")
        return data


class StaffJoinForm(_PasswordForm):
    """A member of staff sets the password."""


class ChildForm(forms.Form):
    """How a parent is related to the child."""

    relation = forms.ChoiceField(label="您是孩子的", choices=Relation.choices, widget=Choice())


class ParentJoinForm(ChildForm, _PasswordForm):
    """A parent makes an account."""

    display_name = forms.CharField(
        label="您的姓名",
        max_length=50,
        widget=forms.TextInput(attrs=_TEXT | {"autocomplete": "name"}),
        error_messages={"required": "请填写姓名"},
    )
    username = forms.CharField(
        label="用户名", max_length=150, widget=forms.TextInput(attrs=_TEXT | {"autocomplete": "username", "autocapitalize": "none"}),
        help_text="登录时用，可以用字母、数字或手机号。", error_messages={"required": "请设置用户名"},
    )  # fmt: skip
    field_order = ("relation", "display_name", "username", "password", "again")


class SchoolForm(forms.Form):
    """A school that a bureau brings in, and its leader."""

    name = forms.CharField(
        label="学校名称", max_length=100, widget=forms.TextInput(attrs=_TEXT), error_messages={"required": "请填写学校全称"}
    )
    kind = forms.ChoiceField(label="类型", choices=SchoolKind.choices, widget=forms.Select(attrs=_SELECT))
    locality = forms.ChoiceField(label="城乡", choices=Locality.choices, widget=forms.Select(attrs=_SELECT))
    layer_code = forms.ChoiceField(
        label="适用政策的层", widget=forms.Select(attrs=_SELECT), help_text="一般选本地区；学校有自己的规定并已写成政策层的，选学校的层。"
    )
    address = forms.CharField(label="地址", max_length=100, required=False, widget=forms.TextInput(attrs=_TEXT))
    leader_name = forms.CharField(
        label="管理者姓名", max_length=50, widget=forms.TextInput(attrs=_TEXT), error_messages={"required": "请填写学校管理者的姓名"}
    )
    leader_username = forms.CharField(
        label="管理者用户名", max_length=150, widget=forms.TextInput(attrs=_TEXT | {"autocapitalize": "none"}),
        help_text="由管理者凭加入码自己设密码；名册、任课、家长加入码都由学校办。", error_messages={"required": "请给管理者定一个用户名"},
    )  # fmt: skip

    def __init__(self, *args: Any, layers: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["layer_code"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = layers


class RolloverForm(forms.Form):
    """How the school goes into the next year."""

    first_classes = forms.IntegerField(
        label="新生班级数", min_value=0, max_value=60, widget=forms.NumberInput(attrs=_TEXT),
        error_messages={"required": "请填写新生班级数，没有就填 0"}, help_text="升级时建好空班，开学后用名册导入新生。",
    )  # fmt: skip
    keeps_class_teachers = forms.BooleanField(label="班主任跟班", required=False, initial=True)
    keeps_assignments = forms.BooleanField(label="任课教师跟班（毕业班除外）", required=False, initial=True)
    keeps_grade_leads = forms.BooleanField(label="年级组长跟随升级（毕业年级除外）", required=False, initial=True)


def first_error(form: forms.Form) -> str:
    """All that is wrong with a small form, as one message."""
    return "；".join(str(error) for errors in form.errors.values() for error in errors)
