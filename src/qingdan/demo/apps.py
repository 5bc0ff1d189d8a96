"""The demo app."""

from __future__ import annotations

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """The fictional district of the demonstration."""

    name = "qingdan.demo"
    verbose_name = "演示"
