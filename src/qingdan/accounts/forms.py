"""Forms for signing in, changing a password, codes of the second factor, and tokens."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm

from qingdan.accounts.enums import SCOPES_OF_ROLE
from qingdan.accounts.models import ApiToken, User

TOKEN_DAYS_MAX = 365


class LoginForm(AuthenticationForm):
    """User name and password."""

    error_messages = {  # noqa: RUF012 - annotated in the class above
        "invalid_login": "用户名或密码不对。请检查大小写；连续输错 5 次会暂停登录 15 分钟。",
        "inactive": "这个账户已停用，请联系本单位管理员。",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "用户名"
        self.fields["password"].label = "密码"
        for field in self.fields.values():
            field.widget.attrs["class"] = "form-control"


class PasswordForm(PasswordChangeForm):
    """The old password and, twice, the new one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in (("old_password", "现在的密码"), ("new_password1", "新密码"), ("new_password2", "再输一遍新密码")):
            self.fields[name].label = label
            self.fields[name].widget.attrs["class"] = "form-control"
        new: forms.Field = self.fields["new_password1"]
        new.help_text = "至少 10 个字符，不要全是数字，也不要用常见密码。"
        self.fields["new_password2"].help_text = ""


class CodeForm(forms.Form):
    """One code: six digits from the app, or a recovery code."""

    code = forms.CharField(
        label="验证码",
        max_length=20,
        error_messages={"required": "请输入手机上的六位数字，或一个恢复码"},
        widget=forms.TextInput(
            attrs={"class": "form-control qd-code", "autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )


class TokenForm(forms.Form):
    """What a new token is for, what it may do, and how long."""

    name = forms.CharField(
        label="用途",
        max_length=60,
        help_text="写给以后的自己看，如“校园作业平台每晚同步”。",
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
        error_messages={"required": "请写明这把密钥的用途"},
    )
    scopes = forms.MultipleChoiceField(
        label="权限",
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
        error_messages={"required": "请至少勾选一项权限", "invalid_choice": "不能选这项权限"},
    )
    days = forms.IntegerField(
        label="有效天数",
        min_value=1,
        max_value=TOKEN_DAYS_MAX,
        initial=90,
        help_text=f"1 至 {TOKEN_DAYS_MAX} 天，到期自动失效。",
        widget=forms.NumberInput(attrs={"class": "form-control", "inputmode": "numeric"}),
        error_messages={
            "required": "请写明有效天数",
            "invalid": "请填整数天数",
            "min_value": "至少 1 天",
            "max_value": f"最多 {TOKEN_DAYS_MAX} 天，到期可以再发一把",
        },
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        scopes = cast("forms.MultipleChoiceField", self.fields["scopes"])
        scopes.choices = [(scope.value, scope.label) for scope in SCOPES_OF_ROLE.get(user.role, ())]

    def clean_name(self) -> str:
        """Refuse the name of a token in force: one could not tell which to revoke; a page sent twice issues one."""
        name: str = self.cleaned_data["name"].strip()
        if ApiToken.objects.visible_to(self.user).in_force().filter(name=name).exists():
            raise forms.ValidationError("已有同名的密钥在用；请换个名称，或先停用旧的")
        return name
