"""The notices app."""

from __future__ import annotations

from django.apps import AppConfig


class NoticesConfig(AppConfig):
    """Notices to users."""

    name = "qingdan.notices"
    verbose_name = "通知"
