"""Forms for signing in and changing a password."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm


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
