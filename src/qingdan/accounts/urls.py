"""Doors of the accounts app."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import path

from qingdan.accounts import views

app_name = "accounts"
urlpatterns = [
    path("login/", views.Login.as_view(), name="login"),
    path("login/code/", views.code, name="code"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("password/", views.PasswordChange.as_view(), name="password"),
    path("second-factor/", views.second_factor, name="second_factor"),
    path("second-factor/begin/", views.second_factor_begin, name="second_factor_begin"),
    path("second-factor/qr.svg", views.second_factor_qr, name="second_factor_qr"),
    path("second-factor/confirm/", views.second_factor_confirm, name="second_factor_confirm"),
    path("second-factor/codes/", views.recovery_codes, name="recovery_codes"),
    path("second-factor/off/", views.second_factor_off, name="second_factor_off"),
    path("tokens/", views.tokens, name="tokens"),
    path("tokens/<int:pk>/revoke/", views.token_revoke, name="token_revoke"),
]
