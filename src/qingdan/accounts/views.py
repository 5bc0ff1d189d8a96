"""Signing in and out, changing a password, and the page of someone who is locked out."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse_lazy

from qingdan.accounts.forms import LoginForm, PasswordForm

log = logging.getLogger(__name__)


class Login(views.LoginView):
    """Sign in; somebody who is signed in already is sent on."""

    template_name = "accounts/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True


class PasswordChange(views.PasswordChangeView):
    """Change one's own password; other sessions of the account end."""

    template_name = "accounts/password.html"
    form_class = PasswordForm
    success_url = reverse_lazy("home")

    def form_valid(self, form: Any) -> HttpResponse:
        """Keep the new password and say so."""
        response = super().form_valid(form)
        log.info("account.password_changed user=%s", self.request.user.pk)
        messages.success(self.request, "密码已修改，其他设备上的登录已失效。")
        return response


def locked_out(request: HttpRequest, response: HttpResponse | None = None, credentials: Any = None) -> HttpResponse:
    """Too many wrong passwords: say for how long, and what helps."""
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    log.warning("account.locked_out address=%s", request.META.get("REMOTE_ADDR"))
    return render(request, "accounts/locked_out.html", {"minutes": minutes, "tries": settings.AXES_FAILURE_LIMIT}, status=429)
