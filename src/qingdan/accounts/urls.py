"""Doors of the accounts app."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import path

from qingdan.accounts import views

app_name = "accounts"
urlpatterns = [
    path("login/", views.Login.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("password/", views.PasswordChange.as_view(), name="password"),
]
