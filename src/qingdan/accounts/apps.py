"""The accounts app."""

from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Organisations and users."""

    name = "qingdan.accounts"
    verbose_name = "账户"
