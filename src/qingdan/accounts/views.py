"""Signing in and out, with a code where the user wants one; passwords, the second factor, tokens, and the page of someone locked out."""

from __future__ import annotations

import logging
from typing import Any

import django_otp
from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, user_login_failed, views
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from qingdan.accounts import second_factor as factor
from qingdan.accounts.access import for_roles, user_of
from qingdan.accounts.enums import SCOPES_OF_ROLE, STAFF
from qingdan.accounts.forms import CodeForm, LoginForm, PasswordForm, TokenForm
from qingdan.accounts.models import ApiToken
from qingdan.accounts.pending import PendingLogin

log = logging.getLogger(__name__)
_ENDED_TOKENS_SHOWN = 20


@method_decorator(never_cache, name="dispatch")
class Login(views.LoginView):
    """Sign in; somebody who is signed in already is sent on."""

    template_name = "accounts/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def form_valid(self, form: Any) -> HttpResponse:
        """With a second factor the password alone opens nothing yet: a code is asked for on the next page."""
        user = form.get_user()
        if not factor.has_second_factor(user):
            return super().form_valid(form)
        PendingLogin.keep(self.request, user, next_url=self.get_success_url())
        return redirect("accounts:code")


@login_not_required
@never_cache
def code(request: HttpRequest) -> HttpResponse:
    """The second page of signing in. Wrong codes count like wrong passwords and lock in the same way."""
    if request.user.is_authenticated:
        return redirect("home")
    pending = PendingLogin.of(request)
    if pending is None:
        messages.info(request, "请先输入用户名和密码。")
        return redirect("accounts:login")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user, credentials = pending.user, {"username": pending.user.get_username()}
        if not AxesProxyHandler.is_allowed(request, credentials):
            pending.forget(request)
            return locked_out(request)
        try:
            device = factor.verify(user, form.cleaned_data["code"])
        except ValidationError as error:
            form.add_error("code", error)
        else:
            if device is not None:
                pending.forget(request)
                login(request, user, backend=pending.backend)
                django_otp.login(request, device)
                _tell_codes_left(request)
                return redirect(pending.next_url)
            user_login_failed.send(sender=__name__, credentials=credentials, request=request)
            form.add_error("code", factor.WRONG)
    return render(request, "accounts/code.html", {"form": form})


def _tell_codes_left(request: HttpRequest) -> None:
    user = user_of(request)
    left = factor.recovery_codes_left(user)
    if left < factor.FEW_CODES:
        messages.info(request, f"恢复码还剩 {left} 个，可以在“两步验证”里换一批新的。")


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


@for_roles(*STAFF)
@require_safe
@never_cache
def second_factor(request: HttpRequest) -> HttpResponse:
    """Whether signing in asks for a code, and how to change that."""
    return _second_factor(request)


def _second_factor(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    user = user_of(request)
    app, waiting = factor.app_of(user), factor.waiting_app(user)
    context = {
        "app": app,
        "codes_left": factor.recovery_codes_left(user) if app else 0,
        "waiting": None if app else waiting,
        "key": factor.key_text(waiting) if waiting and not app else "",
        "form": CodeForm(),
        "off_form": CodeForm(prefix="off"),
    } | more
    return render(request, "accounts/second_factor.html", context, status=status)


@for_roles(*STAFF)
@require_POST
def second_factor_begin(request: HttpRequest) -> HttpResponse:
    """A new key to scan."""
    try:
        factor.begin(user_of(request))
    except ValidationError as error:
        messages.error(request, "；".join(error.messages))
    return redirect("accounts:second_factor")


@for_roles(*STAFF)
@require_safe
@never_cache
def second_factor_qr(request: HttpRequest) -> HttpResponse:
    """The waiting key as a QR code; nothing once it is in force."""
    waiting = factor.waiting_app(user_of(request))
    if waiting is None:
        raise Http404
    return HttpResponse(factor.qr_svg(waiting), content_type="image/svg+xml")


@for_roles(*STAFF)
@require_POST
@never_cache
def second_factor_confirm(request: HttpRequest) -> HttpResponse:
    """Put the key in force; the recovery codes are shown on the answer and never again."""
    form = CodeForm(request.POST)
    if form.is_valid():
        try:
            device, codes = factor.confirm(user_of(request), form.cleaned_data["code"])
        except ValidationError as error:
            form.add_error("code", error)
        else:
            django_otp.login(request, device)
            return render(request, "accounts/recovery_codes.html", {"codes": codes, "is_new": True})
    return _second_factor(request, status=400, form=form)


@for_roles(*STAFF)
@require_POST
@never_cache
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """New recovery codes in place of the old ones."""
    form = CodeForm(request.POST)
    if form.is_valid():
        try:
            codes = factor.renew_codes(user_of(request), form.cleaned_data["code"])
        except ValidationError as error:
            form.add_error("code", error)
        else:
            return render(request, "accounts/recovery_codes.html", {"codes": codes, "is_new": False})
    return _second_factor(request, status=400, form=form)


@for_roles(*STAFF)
@require_POST
def second_factor_off(request: HttpRequest) -> HttpResponse:
    """Ask for a code no longer."""
    form = CodeForm(request.POST, prefix="off")
    if form.is_valid():
        try:
            factor.turn_off(user_of(request), form.cleaned_data["code"])
        except ValidationError as error:
            form.add_error("code", error)
        else:
            messages.success(request, "两步验证已停用，登录只要密码。")
            return redirect("accounts:second_factor")
    return _second_factor(request, status=400, off_form=form)


@for_roles(*STAFF)
@never_cache
def tokens(request: HttpRequest) -> HttpResponse:
    """One's tokens, and a form for another; a new secret is shown on the answer and never again."""
    user = user_of(request)
    form = TokenForm(request.POST or None, user=user)
    issued, secret = None, ""
    if request.method == "POST" and form.is_valid():
        issued, secret = ApiToken.issue(user, **form.cleaned_data)
        log.info("token.issued token=%s user=%s scopes=%s", issued.pk, user.pk, ",".join(issued.scopes))
        form = TokenForm(user=user)
    own = ApiToken.objects.visible_to(user)
    context = {
        "form": form,
        "issued": issued,
        "secret": secret,
        "in_force": own.in_force(),
        "ended": own.exclude(pk__in=own.in_force().values("pk"))[:_ENDED_TOKENS_SHOWN],
        "scopes": SCOPES_OF_ROLE[user.role],
    }
    return render(request, "accounts/tokens.html", context, status=400 if form.errors else 200)


@for_roles(*STAFF)
@require_POST
def token_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """End a token now."""
    token = get_object_or_404(ApiToken.objects.visible_to(user_of(request)), pk=pk)
    token.revoke()
    log.info("token.revoked token=%s user=%s", pk, request.user.pk)
    messages.success(request, f"密钥“{token.name}”已停用，用它的程序从现在起会收到 401。")
    return redirect("accounts:tokens")
